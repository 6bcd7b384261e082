// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import Foundation
import LedgerPrimitives
import SessionEvents

/// What is wrong with a ledger after a power cut.
enum Damage: String, CaseIterable {
    /// Something acknowledged is not there.
    case lost
    /// Something acknowledged cannot be read, or its sealed part cannot be opened.
    case unreadable
    /// An event is not the one that was written there.
    case altered
    /// The ledger does not open, or its own check finds something.
    case dirty
    /// The ledger takes no further event.
    case stuck
    /// A signal ended who looked.
    case crashed
}

/// One thing that is wrong.
struct Finding {
    let damage: Damage
    let text: String

    init(_ damage: Damage, _ text: String) {
        self.damage = damage
        self.text = text
    }
}

extension Capabilities {
    /// The clock and random numbers of the system.
    static let system = Capabilities(
        now: { Instant(millisecondsSince1970: Int64(Date().timeIntervalSince1970 * 1000)) },
        randomBytes: { count in
            var generator = SystemRandomNumberGenerator()
            return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
        })
}

/// Where the parts of a recorded or rebuilt disk are.
struct Places {
    let root: String
    var ledger: String { root + "/data/ledger" }
    var config: String { root + "/config" }
    var keyRoot: String { config + "/authledger/keys" }

    /// A filesystem in memory where there is one: nothing here need survive anything, and what is
    /// recorded is the same.
    static let memory =
        FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()

    func open(_ access: EventLog.Access = .appending) throws -> EventLog {
        try EventLog(ledger, keyRoot: keyRoot, access: access, capabilities: .system)
    }

    static var samples: [SampleEvent] {
        SyntheticSamples.events.map { SampleEvent(envelope: $0.envelope, data: $0.data) }
    }
}

/// Events of the tool's own, which can be found by a secret value.
enum FindableStream {
    static let source = "power-cut"

    static func state(of subject: String) -> String { "state of \(subject)" }
}

/// The events of the ledger that the recorded run left behind, opened.
struct Expectation {
    private struct Event {
        let leafHash: Digest
        let sealed: JSONObject?
    }

    private let events: [Event]

    var count: Int { events.count }

    init(_ places: Places) throws {
        let log = try places.open()
        var events: [Event] = []
        try log.forEachEvent(in: 0..<UInt64.max) { event in
            events.append(
                Event(leafHash: event.leafHash, sealed: try Self.sealed(of: event, in: log)))
            return true
        }
        self.events = events
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
        let log: EventLog
        do {
            log = try places.open()
        } catch {
            return [Finding(.dirty, "the ledger does not open: \(error)")]
        }
        var findings: [Finding] = []
        do {
            findings += try events(of: log, acknowledged)
            findings += try log.check(.tree).findings.map {
                Finding(.dirty, "\($0.code) at \($0.position.map { "\($0)" } ?? "no position")")
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

    private func events(of log: EventLog, _ acknowledged: Acknowledged) throws -> [Finding] {
        var findings: [Finding] = []
        let size = Int(try log.head().size)
        if size < acknowledged.events {
            findings.append(
                Finding(.lost, "\(acknowledged.events) acknowledged, \(size) there"))
        }
        var position = 0
        do {
            try log.forEachEvent(in: 0..<UInt64.max) { event in
                findings += finding(event, at: position, in: log)
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

    private func finding(_ event: RecordedEvent, at position: Int, in log: EventLog) -> [Finding] {
        guard position < events.count, events[position].leafHash == event.leafHash else {
            return [Finding(.altered, "position \(position) holds another event")]
        }
        do {
            guard try Self.sealed(of: event, in: log) == events[position].sealed else {
                return [Finding(.altered, "position \(position) seals something else")]
            }
            let subject = event.envelope.subject
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
