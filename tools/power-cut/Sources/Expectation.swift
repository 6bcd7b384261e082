// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import Foundation
import LedgerPrimitives
import SessionEvents
import SignedNote

/// The events of the ledger that the recorded run left behind, opened, and its trees.
struct Expectation {
    private struct Event {
        let leafHash: Digest
        let sealed: JSONObject?
    }

    /// What a disk says before anything is brought in order on it.
    private struct Found {
        let size: Int
        /// Streams whose keys must go or be gone.
        let erased: Set<String>
        /// Those of which the log says that they are.
        let attested: Set<String>
    }

    private let events: [Event]
    /// The root of the tree of each size.
    private let roots: [Digest]
    private let erased: Set<String>
    /// The text of the root key until the erasure.
    private let oldRootKey: Data?

    /// Reads a ledger.
    ///
    /// - Parameter earlier: the same before sessions were erased; need not be there.
    init(_ places: Places, earlier: Places) throws {
        var sealed: [JSONObject?] = []
        if FileManager.default.fileExists(atPath: earlier.ledger) {
            let log = try earlier.open(.unsealing)
            try log.forEachEvent(in: 0..<UInt64.max) { event in
                sealed.append(try Self.sealed(of: event, in: log))
                return true
            }
            oldRootKey = try earlier.keyFiles().first { $0.hasSuffix("/root.key") }
                .flatMap { FileManager.default.contents(atPath: $0)?.dropLast() }
        } else {
            oldRootKey = nil
        }
        let log = try places.open(.unsealing)
        var events: [Event] = []
        try log.forEachEvent(in: 0..<UInt64.max) { event in
            let content =
                events.count < sealed.count
                ? sealed[events.count] : try Self.sealed(of: event, in: log)
            events.append(Event(leafHash: event.leafHash, sealed: content))
            return true
        }
        self.events = events
        roots = try (0...events.count).map { try log.root(ofFirst: UInt64($0)) }
        erased = Set(try log.history().erased.keys)
    }

    static func sealed(of event: RecordedEvent, in log: EventLog) throws -> JSONObject? {
        guard event.data[DataMember.sealed] ?? event.data[DataMember.sealedBlob] != nil else {
            return nil
        }
        guard let key = try log.dataKey(for: event.envelope.subject) else {
            throw LedgerError.keyMissing(subject: event.envelope.subject)
        }
        return try log.openSealed(event, dataKey: key)
    }

    /// Looks at a disk after a power cut.
    func findings(_ places: Places, _ acknowledged: Acknowledged) -> [Finding] {
        guard FileManager.default.fileExists(atPath: places.ledger) else {
            return findingsWithoutLedger(places, acknowledged)
        }
        var findings: [Finding] = []
        let found: Found
        do {
            found = try look(at: places)
            findings += lost(found, acknowledged)
            findings += try published(places, found, acknowledged)
            findings += try remains(places, acknowledged)
        } catch {
            return findings + [Finding(.dirty, "the log cannot be read: \(error)")]
        }
        let log: EventLog
        do {
            log = try places.open()
        } catch {
            return findings + [Finding(.dirty, "the ledger does not open: \(error)")]
        }
        do {
            findings += try events(of: log, found)
            findings += try erasure(in: log, found)
            findings += try log.check(.tree).findings.map {
                Finding(.dirty, "\($0.code) at \($0.position.map { "\($0)" } ?? "no position")")
            }
            findings += try log.checkKeys(opensBoxes: false).findings.map {
                Finding(.unreadable, "\($0.code) at \($0.position.map { "\($0)" } ?? "-")")
            }
            if try Int(log.newestCheckpoint()?.checkpoint.size ?? 0) < acknowledged.checkpointSize {
                findings.append(Finding(.lost, "an acknowledged checkpoint is gone"))
            }
        } catch {
            findings.append(Finding(.dirty, "the ledger cannot be checked: \(error)"))
        }
        do {
            try Self.append(to: log)
        } catch {
            findings.append(Finding(.stuck, "an append fails: \(error)"))
        }
        return findings
    }

    private func findingsWithoutLedger(
        _ places: Places, _ acknowledged: Acknowledged
    ) -> [Finding] {
        if acknowledged.isLedgerThere { return [Finding(.lost, "the ledger is gone")] }
        do {
            _ = try EventLog.create(
                places.ledger, origin: nil, keyRoot: places.keyRoot, samples: Places.samples,
                capabilities: .system)
            return []
        } catch {
            return [Finding(.stuck, "the ledger cannot be made: \(error)")]
        }
    }

    // MARK: - Before it is opened for appending

    private func look(at places: Places) throws -> Found {
        let log = try places.open(.reading)
        let history = try log.history()
        let attested = Set(history.erased.keys)
        return Found(
            size: Int(try log.head().size), erased: history.pending.union(attested),
            attested: attested)
    }

    private func lost(_ found: Found, _ acknowledged: Acknowledged) -> [Finding] {
        var findings: [Finding] = []
        if found.size < acknowledged.events {
            findings.append(
                Finding(.lost, "\(acknowledged.events) acknowledged, \(found.size) there"))
        }
        if acknowledged.isErased, found.attested != erased {
            findings.append(Finding(.lost, "an acknowledged erasure is not attested"))
        }
        return findings
    }

    private func published(
        _ places: Places, _ found: Found, _ acknowledged: Acknowledged
    ) throws -> [Finding] {
        guard let bytes = FileManager.default.contents(atPath: places.published) else {
            return acknowledged.checkpointSize == 0
                ? [] : [Finding(.lost, "the published checkpoint is gone")]
        }
        guard let checkpoint = try? SignedCheckpoint(Array(bytes)).checkpoint,
            checkpoint.size < UInt64(roots.count), checkpoint.root == roots[Int(checkpoint.size)]
        else { return [Finding(.altered, "the published checkpoint is not the log's")] }
        if checkpoint.size > UInt64(found.size) {
            return [Finding(.lost, "the published checkpoint covers more than the log has")]
        }
        return checkpoint.size >= UInt64(acknowledged.checkpointSize)
            ? [] : [Finding(.lost, "the published checkpoint is an older one")]
    }

    /// After an erasure the old root key is nowhere any more.
    private func remains(_ places: Places, _ acknowledged: Acknowledged) throws -> [Finding] {
        guard acknowledged.isErased, let oldRootKey else { return [] }
        return try places.keyFiles().filter {
            FileManager.default.contents(atPath: $0)?.range(of: oldRootKey) != nil
        }.map { Finding(.kept, "the old root key is in \($0.suffix(20))") }
    }

    // MARK: - Opened

    private func events(of log: EventLog, _ found: Found) throws -> [Finding] {
        var findings: [Finding] = []
        let size = Int(try log.head().size)
        var position = 0
        do {
            try log.forEachEvent(in: 0..<UInt64.max) { event in
                findings += finding(event, at: position, in: log, found)
                position += 1
                return true
            }
        } catch {
            findings.append(Finding(.unreadable, "position \(position): \(error)"))
        }
        if position < size {
            findings.append(Finding(.unreadable, "only \(position) of \(size) can be read"))
        }
        return findings
    }

    private func finding(
        _ event: RecordedEvent, at position: Int, in log: EventLog, _ found: Found
    ) -> [Finding] {
        if position >= found.size {
            // Opening appends nothing but the end of an erasure.
            let isEnd = event.envelope.type == LedgerEventType.erased.rawValue
            return isEnd && found.attested != found.erased
                ? [] : [Finding(.altered, "position \(position) was not written by the run")]
        }
        guard position < events.count, events[position].leafHash == event.leafHash else {
            return [Finding(.altered, "position \(position) holds another event")]
        }
        let subject = event.envelope.subject
        if found.erased.contains(subject) { return [] }
        do {
            guard try Self.sealed(of: event, in: log) == events[position].sealed else {
                return [Finding(.altered, "position \(position) seals something else")]
            }
            if event.envelope.source == FindableStream.source,
                try log.subject(of: .state, FindableStream.state(of: subject)) != subject
            {
                return [Finding(.lost, "the stream of position \(position) is not found")]
            }
        } catch {
            return [Finding(.unreadable, "position \(position): \(error)")]
        }
        return []
    }

    /// Whatever had begun is done: the keys are gone, and the log says so.
    private func erasure(in log: EventLog, _ found: Found) throws -> [Finding] {
        var findings: [Finding] = []
        for subject in found.erased {
            if try log.dataKey(for: subject) != nil {
                findings.append(Finding(.kept, "the key of an erased session is there"))
            }
            if try log.erasure(of: subject) == nil {
                findings.append(Finding(.dirty, "an erasure was begun and not finished"))
            }
        }
        return findings
    }

    /// Begins a stream.
    private static func append(to log: EventLog) throws {
        let capabilities = Capabilities.system
        let subject = capabilities.makeUUIDv7().description
        let key = try log.makeDataKey(for: subject)
        let before = try log.head().size
        let draft = EventDraft(
            id: capabilities.makeUUIDv7(), source: "test", type: "authledger.session.polled",
            typeVersion: 1, subject: subject, time: capabilities.now(), clear: [:],
            sealed: ["number": .integer(1)])
        let event = try log.prepare(draft, after: nil, dataKey: key.key)
        let receipt = try log.appendAndWait(AppendBatch(events: [event], newDataKeys: [key]))
        guard receipt.positions == [before], try log.head().size == before + 1,
            let read = try log.stream(subject).first,
            try Self.sealed(of: read, in: log) == ["number": .integer(1)]
        else { throw Problem("the new event is not there") }
    }
}
