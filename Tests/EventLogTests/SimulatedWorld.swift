// SPDX-License-Identifier: Apache-2.0

import Capabilities
import Foundation
import LedgerPrimitives
import SessionEvents
import SignedNote
import Synchronization
import TestSupport

@testable import EventLog

/// A write that fails because a test says so.
struct InjectedFault: Error {}

/// Lets the n-th point that commits reach fail, counted from when it was armed.
final class FaultPlan: Sendable {
    private struct State {
        var left: Int?
        var hit: CommitPoint?
    }

    private let state = Mutex(State())

    /// Where the fault struck that was armed last; nil if it has not.
    var hit: CommitPoint? { state.withLock { $0.hit } }

    /// Lets the n-th point from now on fail; nil for none.
    func arm(_ number: Int?) {
        state.withLock { $0 = State(left: number) }
    }

    func reach(_ point: CommitPoint) throws {
        let strikes = state.withLock { state in
            guard let left = state.left else { return false }
            state.left = left == 1 ? nil : left - 1
            if left == 1 { state.hit = point }
            return left == 1
        }
        if strikes { throw InjectedFault() }
    }
}

/// A ledger, a clock that can be set, and a model of what the ledger must hold.
final class SimulatedWorld {
    /// What an event was made of.
    struct Event: Equatable {
        let id: UUIDv7
        let subject: String
        let number: Int64
        var sealed: JSONObject?
        let document: [UInt8]?
    }

    /// A stream as its author knows it.
    struct Stream {
        var head: StreamHead?
        var key: DataKey
        /// Not stored yet, as far as the author knows.
        var newKey: NewDataKey?
        var events: [Event] = []
    }

    /// A batch with what the model has to take in when it is acknowledged.
    struct Attempt {
        let batch: AppendBatch
        let events: [Event]
    }

    let faults = FaultPlan()
    let directory: TemporaryDirectory
    private let clock = SharedClock(1_790_000_000_000)
    let capabilities: Capabilities
    private(set) var log: EventLog?
    private(set) var lastHit: CommitPoint?
    /// The streams that are not erased.
    var streams: [String: Stream] = [:]
    /// Attempts that were noted and of which no event says what they came to.
    private var noted: [String: Int] = [:]
    /// The streams whose keys are gone for ever.
    var erased: Set<String> = []
    /// Checkpoints that were signed, in the order of their sizes.
    var signed: [Checkpoint] = []
    /// All acknowledged events in the order of their positions.
    private(set) var acknowledged: [Event] = []
    private var numbers: Int64 = 0

    init(seed: UInt64) throws {
        directory = try TemporaryDirectory()
        let random = Mutex(EventLogTests.SeededGenerator(seed: seed))
        let clock = clock
        capabilities = Capabilities(
            now: { clock.next() }, randomBytes: { count in random.withLock { $0.bytes(count) } })
        _ = try EventLog.create(
            ledger, origin: nil, keyRoot: keyRoot, samples: TemporaryLedger.samples,
            capabilities: capabilities)
        try open()
        // The ledger's own stream begins, and its key is in every copy of keys/.
        try opened().appendToOwnStream(.keysRotated(KeysRotated(key: .bucket, by: Self.someone)))
        try takeInOwn()
    }

    static let someone = Operator(user: "anna", uid: 7)

    var ledger: String { directory.path + "/ledger" }
    var keyRoot: String { directory.path + "/keys" }

    // MARK: - Steps

    /// Lets the process die and start again: what was not on disk is gone.
    func reopen() throws {
        close()
        try open()
    }

    func close() {
        log = nil
        faults.arm(nil)
    }

    func open() throws {
        let faults = faults
        log = try EventLog(
            ledger, keyRoot: keyRoot, access: .appending, capabilities: capabilities,
            reached: { try faults.reach($0) })
    }

    func opened() throws -> EventLog { try required(log) }

    /// Remembers where the armed fault struck, which the next arming forgets.
    @discardableResult
    func noteHit() throws -> CommitPoint {
        let point = try required(faults.hit)
        lastHit = point
        return point
    }

    /// Sets the clock forwards or backwards.
    func jump(milliseconds: Int64) {
        clock.add(milliseconds)
    }

    /// Makes the next event of each of these streams; a name that is not known begins a stream.
    func attempt(
        _ subjects: [String], sealedBytes: Int?, document: [UInt8]? = nil
    ) throws -> Attempt {
        let log = try opened()
        var batch = AppendBatch(events: [])
        var events: [Event] = []
        for subject in subjects {
            let stream = try streams[subject] ?? begin(subject)
            numbers += 1
            let event = Event(
                id: capabilities.makeUUIDv7(), subject: subject, number: numbers,
                sealed: sealedBytes.map { ["secret": .string(String(repeating: "s", count: $0))] },
                document: document)
            var clear: JSONObject = ["number": .integer(event.number)]
            clear["documentDigest"] = document.map {
                .string(Digest(ofDocument: $0).base64URL)
            }
            let draft = EventDraft(
                id: event.id, source: "test", type: "authledger.session.polled", typeVersion: 1,
                subject: subject, time: capabilities.now(), clear: clear, sealed: event.sealed,
                documents: document.map { [$0] } ?? [])
            let prepared = try log.prepare(draft, after: stream.head, dataKey: stream.key)
            batch.events.append(prepared)
            if stream.head == nil {
                stream.newKey.map { batch.newDataKeys.append($0) }
                batch.lookups.append(
                    try log.lookupEntry(.state, "state of \(subject)", subject: subject))
            }
            events.append(event)
        }
        return Attempt(batch: batch, events: events)
    }

    /// The key of a stream that begins: one that a crash left behind, or a new one.
    private func begin(_ subject: String) throws -> Stream {
        let log = try opened()
        if let orphan = try log.dataKey(for: subject) {
            return Stream(key: orphan)
        }
        let key = try log.makeDataKey(for: subject)
        return Stream(key: key.key, newKey: key)
    }

    /// Appends, and has the model take in what was acknowledged.
    @discardableResult
    func append(_ attempt: Attempt) throws -> AppendReceipt {
        let receipt = try opened().appendAndWait(attempt.batch)
        let keys = Dictionary(
            attempt.batch.newDataKeys.map { ($0.key.subject, $0.key) }
        ) { first, _ in first }
        for (prepared, event) in zip(attempt.batch.events, attempt.events) {
            let key =
                try streams[event.subject]?.key ?? keys[event.subject]
                ?? required(try opened().dataKey(for: event.subject))
            var stream = streams[event.subject] ?? Stream(key: key)
            stream.head = prepared.head
            stream.events.append(event)
            streams[event.subject] = stream
            acknowledged.append(event)
            noted[event.subject] = nil
        }
        return receipt
    }

    /// Notes an attempt of a stream.
    func note(_ number: Int, of subject: String) throws {
        var batch = AppendBatch(events: [])
        batch.attempts = [NotedAttempt(subject: subject, number: number)]
        _ = try opened().appendAndWait(batch)
        noted[subject] = number
    }

    /// How many events the log has.
    func size() throws -> Int { Int(try opened().head().size) }

    // MARK: - Comparing

    /// In what the log is not what the model has.
    func differences() throws -> [String] {
        let log = try opened()
        var differences = try log.check(.tree).findings.map { "\($0)" }
        differences += try checkpointDifferences() + erasureDifferences()
        let acknowledged = acknowledged.map { event in
            var event = event
            if erased.contains(event.subject) { event.sealed = nil }
            return event
        }
        var found: [Event] = []
        try log.forEachEvent(in: 0..<UInt64.max) { event in
            found.append(try read(event, from: log))
            return true
        }
        if found != acknowledged {
            let first = zip(found, acknowledged).enumerated().first { $0.element.0 != $0.element.1 }
            differences.append(
                "\(found.count) events, \(acknowledged.count) acknowledged, the first other one "
                    + "at \(first.map { "\($0.offset)" } ?? "the end")")
        }
        for (subject, stream) in streams {
            let events = try log.stream(subject).map { try read($0, from: log) }
            if events != stream.events { differences.append("the stream \(subject)") }
            if try log.streamHead(subject) != stream.head { differences.append("head") }
            if try log.notedAttempt(of: subject) != noted[subject] {
                differences.append("the attempt that \(subject) noted")
            }
            if try log.subject(of: .state, "state of \(subject)") != subject {
                differences.append("\(subject) is not found by its state")
            }
        }
        return differences
    }

    /// Has the model take in what the ledger wrote into its own stream.
    func takeInOwn() throws {
        let log = try opened()
        try log.forEachEvent(in: UInt64(acknowledged.count)..<UInt64.max) { event in
            guard event.envelope.subject == log.info.ledgerID.description else {
                throw MissingValue()
            }
            acknowledged.append(try read(event, from: log))
            return true
        }
    }

    private func read(_ event: RecordedEvent, from log: EventLog) throws -> Event {
        let subject = event.envelope.subject
        if subject == log.info.ledgerID.description {
            return Event(
                id: event.envelope.id, subject: subject, number: 0, sealed: nil, document: nil)
        }
        let digest = event.data["documentDigest"]?.stringValue.flatMap(Digest.init(base64URL:))
        return Event(
            id: event.envelope.id, subject: subject,
            number: try required(event.data["number"]?.integerValue),
            sealed: try log.dataKey(for: subject).flatMap {
                try log.openSealed(event, dataKey: $0)
            },
            document: try digest.flatMap { try log.blob($0) })
    }
}

/// A clock that goes on by a second at each look and can be set.
private final class SharedClock: Sendable {
    private let milliseconds: Mutex<Int64>

    init(_ start: Int64) {
        milliseconds = Mutex(start)
    }

    func add(_ difference: Int64) { milliseconds.withLock { $0 += difference } }

    func next() -> Instant {
        milliseconds.withLock { milliseconds in
            milliseconds += 1000
            return Instant(millisecondsSince1970: milliseconds)
        }
    }
}
