// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import Foundation
import LedgerPrimitives
import OpenSSL
import Projections
import ReadModels
import SessionEvents
import Synchronization
import TestSupport
import Testing

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
            randomBytes: { count in
                generator.withLock { generator in
                    (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
                }
            })
    }
}

/// A ledger for one test, removed at its end.
final class TestLedger: Sendable {
    let directory: String
    let capabilities: Capabilities
    var path: String { directory + "/ledger" }
    var keyRoot: String { directory + "/keys" }

    init(seed: UInt64 = 1) throws {
        directory = NSTemporaryDirectory() + "authledger-test-" + UUID().uuidString
        capabilities = .simulated(seed: seed)
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        _ = try EventLog.create(
            path, origin: nil, keyRoot: keyRoot,
            samples: SyntheticSamples.events.map {
                SampleEvent(envelope: $0.envelope, data: $0.data)
            }, capabilities: capabilities)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    func open(_ access: EventLog.Access = .appending) throws -> EventLog {
        try EventLog(path, keyRoot: keyRoot, access: access, capabilities: capabilities)
    }

    func erase(_ sessions: [String]) throws {
        _ = try LedgerCustody(
            path, keyRoot: keyRoot, capabilities: capabilities, waitMilliseconds: 5000
        ).erase(
            ErasureRequest(
                sessions: sessions.compactMap { UUIDv7($0) }, legalBasis: .objection, words: [:],
                by: Operator(user: "tester", uid: 0)))
    }
}

/// Makes up sessions and takes their steps in any order, from a seed.
struct SessionAuthor {
    private struct Open {
        let subject: String
        let key: DataKey
        let isReported: Bool
        let provider: String
        var head: StreamHead?
        var time: Int64
    }

    static let providers = ["bank", "idura", "other"]
    static let reasons = ["access-denied", "nonce-mismatch", "token-expired"]
    static let keySets = [Array(#"{"keys":[]}"#.utf8), Array(#"{"keys":[1]}"#.utf8)]
    static let flows: [Flow] = [.pkce, .code, .ciba]

    var random: SeededGenerator
    private let capabilities: Capabilities
    private var open: [Open] = []
    /// Every session that was begun.
    private(set) var sessions: [String] = []
    private var time: Int64 = 1_780_000_000_000

    init(seed: UInt64, _ capabilities: Capabilities) {
        random = SeededGenerator(seed: seed)
        self.capabilities = capabilities
    }

    /// Appends about so many events, in batches of any size.
    mutating func append(_ count: Int, to log: EventLog) throws {
        var left = count
        while left > 0 {
            var batch = AppendBatch(events: [])
            for _ in 0..<min(left, Int.random(in: 1...20, using: &random)) {
                try addStep(to: &batch, log)
                left -= 1
            }
            _ = try log.appendAndWait(batch)
        }
    }

    /// Begins a session and appends another event to it, whatever it is.
    mutating func append(
        type: String, version: Int = 1, data: JSONObject, to log: EventLog
    ) throws {
        var batch = AppendBatch(events: [])
        try begin(&batch, log)
        _ = try log.appendAndWait(batch)
        let index = open.count - 1
        let prepared = try prepare(type, version, data, index, log)
        _ = try log.appendAndWait(AppendBatch(events: [prepared]))
    }

    private mutating func addStep(to batch: inout AppendBatch, _ log: EventLog) throws {
        time += Int64.random(in: 0...90_000, using: &random)
        if open.isEmpty || Int.random(in: 0..<4, using: &random) == 0 {
            return try begin(&batch, log)
        }
        let index = Int.random(in: 0..<open.count, using: &random)
        let event = step()
        batch.events.append(
            try prepare(event.type.rawValue, 1, event.clearMembers, index, log))
        if event.type == .verified || event.type == .failed { open.remove(at: index) }
    }

    private mutating func begin(_ batch: inout AppendBatch, _ log: EventLog) throws {
        let subject = capabilities.makeUUIDv7().description
        let key = try log.makeDataKey(for: subject)
        let provider = Self.providers.randomElement(using: &random) ?? "bank"
        // What others report may be late.
        let isReported = Bool.random(using: &random)
        let late = isReported ? Int64.random(in: 0...7_200_000, using: &random) : 0
        open.append(
            Open(
                subject: subject, key: key.key, isReported: isReported, provider: provider,
                time: time - late))
        sessions.append(subject)
        let event = SessionEvent.initiated(
            Initiated(
                provider: provider, issuer: "https://\(provider).example",
                clientID: "client-\(Int.random(in: 0..<2, using: &random))",
                flow: Self.flows.randomElement(using: &random) ?? .pkce))
        batch.events.append(
            try prepare(event.type.rawValue, 1, event.clearMembers, open.count - 1, log))
        batch.newDataKeys.append(key)
    }

    private mutating func step() -> SessionEvent {
        let keySet = Self.keySets[Int.random(in: 0..<2, using: &random)]
        switch Int.random(in: 0..<8, using: &random) {
        case 0:
            return .redirected(Redirected(endpoint: "https://op.example/a"))
        case 1:
            return .callback(CallbackReceived(stateMatched: true))
        case 2:
            return .polled(Polled(status: .pending, attempt: 1))
        case 3, 4:
            return .tokenIssued(
                TokenIssued(algorithm: "RS256", keyID: "key-1", keySetDigest: Digest(SHA256.hash(keySet))))
        case 5, 6:
            return .verified(
                Verified(algorithm: "RS256", keyID: "key-1", acr: "urn:x", checks: []))
        default:
            let code = Self.reasons.randomElement(using: &random) ?? ""
            guard let reason = FailureReason(code) else { preconditionFailure(code) }
            return .failed(Failed(stage: .verification, reason: reason))
        }
    }

    private mutating func prepare(
        _ type: String, _ version: Int, _ data: JSONObject, _ index: Int, _ log: EventLog
    ) throws -> PreparedEvent {
        let session = open[index]
        open[index].time += Int64.random(in: 0...400_000, using: &random)
        let prepared = try log.prepare(
            EventDraft(
                id: capabilities.makeUUIDv7(), source: "test", type: type, typeVersion: version,
                subject: session.subject,
                time: Instant(millisecondsSince1970: open[index].time),
                recordedTime: session.isReported ? Instant(millisecondsSince1970: time) : nil,
                clear: data, sealed: ["secret": .string("planted 01019912345")],
                documents: Self.keySets),
            after: session.head, dataKey: session.key)
        open[index].head = prepared.head
        return prepared
    }
}

/// What all events of a log come to, folded in one go and in memory.
struct Reference: Equatable {
    private struct NoRows: ProjectionRows {
        let log: EventLog

        func session(at first: UInt64) -> SessionSummary? { nil }
        func group<Row: GroupRow>(_ type: Row.Type, _ key: [UInt8]) -> Row? { nil }
        func block(_ number: UInt64) -> LogBlock? { nil }
        func firstPosition(of session: UUIDv7) throws -> UInt64? {
            try log.firstPosition(ofStream: session.description)
        }
    }

    let sessions: [SessionSummary]
    let health: [[UInt8]]
    let failures: [[UInt8]]
    let keyUsage: [[UInt8]]

    /// Folds the first events of a log.
    init(_ log: EventLog, before size: UInt64 = .max) throws {
        var fold = ProjectionFold(NoRows(log: log), recordedMax: nil)
        let (placed, unreadable) = try log.placedEvents(in: 0..<min(size, log.head().size))
        #expect(unreadable == nil)
        for event in placed { try fold.fold(ProjectedEvent(event.event), first: event.first) }
        sessions = fold.sessions.sorted { $0.firstPosition < $1.firstPosition }
        health = Self.sorted(fold.health.values)
        failures = Self.sorted(fold.failures.values)
        keyUsage = Self.sorted(fold.keyUsage.values)
    }

    /// What a store has.
    init(_ store: ProjectionStore) throws {
        sessions = try store.sessions(SessionQuery())
        health = try Self.sorted(store.rows(ProviderHealth.self))
        failures = try Self.sorted(store.rows(FailureGroup.self))
        keyUsage = try Self.sorted(store.rows(KeyUsage.self))
    }

    private static func sorted(_ rows: some Sequence<some GroupRow>) -> [[UInt8]] {
        rows.map(\.encoded).sorted { $0.lexicographicallyPrecedes($1) }
    }
}

extension ProjectionStore {
    func sessions(_ query: SessionQuery) throws -> [SessionSummary] {
        var found: [SessionSummary] = []
        try forEachSession(query) {
            found.append($0)
            return true
        }
        return found
    }

    func rows<Row: GroupRow>(_ type: Row.Type) throws -> [Row] {
        var rows: [Row] = []
        try forEachRow(type) { rows.append($0) }
        return rows
    }
}
