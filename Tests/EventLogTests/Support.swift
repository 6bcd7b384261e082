// SPDX-License-Identifier: Apache-2.0

import Capabilities
import Foundation
import LedgerPrimitives
import SessionEvents
import Synchronization
import TestSupport

@testable import EventLog

extension Capabilities {
    /// A clock that goes on by a second at each look, and random bytes from a seed.
    static func simulated(seed: UInt64) -> Capabilities {
        let generator = Mutex(SeededGenerator(seed: seed))
        let clock = Mutex(Int64(1_790_000_000_000))
        return Capabilities(
            now: {
                clock.withLock { milliseconds in
                    milliseconds += 1000
                    return Instant(millisecondsSince1970: milliseconds)
                }
            },
            randomBytes: { count in generator.withLock { $0.bytes(count) } })
    }
}

/// A directory for one test, removed at its end.
final class TemporaryLedger: Sendable {
    let directory: String
    let capabilities: Capabilities
    var path: String { directory + "/ledger" }
    var keyRoot: String { directory + "/config/keys" }

    init(seed: UInt64 = 1) throws {
        directory = NSTemporaryDirectory() + "authledger-test-" + UUID().uuidString
        capabilities = .simulated(seed: seed)
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    @discardableResult
    func create(origin: String? = nil) throws -> LedgerInfo {
        try EventLog.create(
            path, origin: origin, keyRoot: keyRoot, samples: Self.samples,
            capabilities: capabilities)
    }

    func open(
        _ access: EventLog.Access = .appending,
        reached: @escaping @Sendable (CommitPoint) throws -> Void = { _ in }
    ) throws -> EventLog {
        try EventLog(
            path, keyRoot: keyRoot, access: access, capabilities: capabilities, reached: reached)
    }

    func created(
        reached: @escaping @Sendable (CommitPoint) throws -> Void = { _ in }
    ) throws -> EventLog {
        try create()
        return try open(reached: reached)
    }

    static var samples: [SampleEvent] {
        SyntheticSamples.events.map { SampleEvent(envelope: $0.envelope, data: $0.data) }
    }
}

/// A stream that events are added to one by one.
struct StreamAuthor {
    let subject: String
    let key: DataKey
    private(set) var head: StreamHead?
    private var newKey: NewDataKey?

    init(_ log: EventLog, subject: String? = nil) throws {
        self.subject = subject ?? log.capabilities.makeUUIDv7().description
        newKey = try log.makeDataKey(for: self.subject)
        key = try required(newKey).key
    }

    /// Prepares the next event and counts it as written.
    mutating func next(
        _ log: EventLog, clear: JSONObject = ["status": .string("pending")],
        sealed: JSONObject? = nil, documents: [[UInt8]] = []
    ) throws -> AppendBatch {
        let draft = EventDraft(
            id: log.capabilities.makeUUIDv7(), source: "test",
            type: "authledger.session.polled", typeVersion: 1, subject: subject,
            time: log.capabilities.now(), clear: clear, sealed: sealed, documents: documents)
        let event = try log.prepare(draft, after: head, dataKey: key)
        let batch = AppendBatch(events: [event], newDataKeys: newKey.map { [$0] } ?? [])
        head = event.head
        newKey = nil
        return batch
    }
}

struct MissingValue: Error {}

func required<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw MissingValue() }
    return value
}

extension EventLog {
    func leaves() throws -> [[UInt8]] {
        var leaves: [[UInt8]] = []
        try forEachLeaf(in: 0..<UInt64.max) { _, _, leaf in
            leaves.append(leaf)
            return true
        }
        return leaves
    }
}

func fileBytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// Counts from 1, from any thread.
final class CommitCounter: Sendable {
    private let count = Mutex(0)

    func next() -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }
}
