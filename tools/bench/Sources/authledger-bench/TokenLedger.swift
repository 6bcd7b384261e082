// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import LedgerPrimitives
import OpenSSL
import Platform
import SessionEvents
import Synchronization

/// A ledger with a great many signed ID tokens, made by the seeded generator and kept for further
/// runs if that is asked for.
///
/// Signing is what takes long: so each token is in twenty sessions. Each of these has its own id,
/// its own data key, and boxes that have not a bit in common with another's.
final class TokenLedger {
    /// What a kept ledger was made with.
    struct Manifest: Equatable {
        /// How many sessions have a token.
        let tokens: Int
        /// How many of the tokens are not the same.
        let distinct: Int

        var object: JSONObject {
            ["distinct": .integer(Int64(distinct)), "tokens": .integer(Int64(tokens))]
        }
    }

    /// How many key sets the generator has; tokens of all of them are in a ledger.
    static let keySets = 4
    private static let sessionsPerToken = 20
    private static let threads = 2

    let log: EventLog
    let manifest: Manifest
    private let directory: String
    private let isKept: Bool

    init(_ options: BenchOptions) throws {
        directory = "\(options.directory)/reverify-\(options.tokens)-\(options.seed)"
        isKept = options.keep
        let manifestPath = directory + "/manifest.json"
        if let manifest = Self.read(manifestPath) {
            self.manifest = manifest
            log = try Self.open(directory)
            return
        }
        manifest = try Self.make(directory, options)
        try DurableFile.write(CanonicalJSON.encode(manifest.object), to: manifestPath)
        // Opened anew: what making it left in memory is not what checking it needs.
        log = try Self.open(directory)
    }

    private static func make(_ directory: String, _ options: BenchOptions) throws -> Manifest {
        try? Directory.removeTree(directory)
        try Directory.createWithParents(directory)
        _ = try EventLog.create(
            directory + "/ledger", origin: nil, keyRoot: directory + "/keys",
            samples: SyntheticSamples.events.map {
                SampleEvent(envelope: $0.envelope, data: $0.data)
            }, capabilities: .live)
        let log = try open(directory)
        // A tenth of the generator's sessions ends before there is a token.
        let sessions = max(1, options.tokens * 11 / 10 / sessionsPerToken)
        tell("signing the tokens of \(sessions) sessions")
        let workload = try Workload(sessions: sessions, seed: options.seed, signed: true)
        try BenchLedger.record(LineSource(workload), into: log)
        let distinct = try copyAll(in: log, sessionsPerToken - 1)
        return Manifest(tokens: distinct * sessionsPerToken, distinct: distinct)
    }

    /// Removes the ledger unless it is to be kept.
    func end() {
        if !isKept { try? Directory.removeTree(directory) }
    }

    private static func tell(_ text: String) {
        try? File.standardError.write(Array("reverify: \(text)\n".utf8))
    }

    private static func open(_ directory: String) throws -> EventLog {
        try EventLog(
            directory + "/ledger", keyRoot: directory + "/keys", access: .appending,
            capabilities: .live)
    }

    private static func read(_ path: String) -> Manifest? {
        guard let bytes = try? File(path, .reading).readAll(limit: 4096),
            let members = try? JSONReader.read(bytes, numbers: .integersOnly).objectValue,
            let tokens = members["tokens"]?.integerValue,
            let distinct = members["distinct"]?.integerValue
        else { return nil }
        return Manifest(tokens: Int(tokens), distinct: Int(distinct))
    }

    /// Records every session so many times again.
    ///
    /// - Returns: how many of the sessions have a token.
    private static func copyAll(in log: EventLog, _ copies: Int) throws -> Int {
        var names: [String] = []
        while case let more = try log.streams(after: names.last, limit: 4096), !more.isEmpty {
            names += more
        }
        tell("recording \(names.count) sessions \(copies) times more")
        let copier = SessionCopier(log, names, copies: copies)
        let running = try (0..<threads).map { _ in try WorkerThread { copier.work() } }
        for thread in running { thread.join() }
        return try copier.tokens()
    }
}

/// Records sessions again under other ids, on several threads.
private final class SessionCopier: Sendable {
    private struct State {
        var next = 0
        var tokens = 0
        var failure: (any Error)?
    }

    private let log: EventLog
    private let names: [String]
    private let copies: Int
    private let state = Mutex(State())

    init(_ log: EventLog, _ names: [String], copies: Int) {
        self.log = log
        self.names = names
        self.copies = copies
    }

    /// How many of the sessions have a token.
    func tokens() throws -> Int {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            return state.tokens
        }
    }

    func work() {
        do {
            while let name = next() {
                let tokens = try copy(name)
                state.withLock { $0.tokens += tokens }
            }
        } catch {
            state.withLock { $0.failure = error }
        }
    }

    private func next() -> String? {
        state.withLock { state in
            guard state.failure == nil, state.next < names.count else { return nil }
            state.next += 1
            return names[state.next - 1]
        }
    }

    private func copy(_ name: String) throws -> Int {
        guard let key = try log.dataKey(for: name) else {
            throw BenchError("a data key is missing")
        }
        let drafts = try log.stream(name).map { try BenchLedger.draft(of: $0, key: key, in: log) }
        var batch = AppendBatch(events: [], newDataKeys: [])
        for _ in 0..<copies {
            let subject = Capabilities.live.makeUUIDv7().description
            let newKey = try log.makeDataKey(for: subject)
            var head: StreamHead?
            for var draft in drafts {
                draft.subject = subject
                draft.id = Capabilities.live.makeUUIDv7()
                let event = try log.prepare(draft, after: head, dataKey: newKey.key)
                head = event.head
                batch.events.append(event)
            }
            batch.newDataKeys.append(newKey)
        }
        _ = try log.appendAndWait(batch)
        let token = SessionEventType.tokenIssued.rawValue
        return drafts.contains { $0.type == token } ? 1 : 0
    }
}
