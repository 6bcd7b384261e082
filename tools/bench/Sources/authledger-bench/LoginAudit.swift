// SPDX-License-Identifier: Apache-2.0

import EventLog
import LedgerPrimitives
import SessionEvents

/// Holds what the ledger and the provider have against what was done: nothing lost, nothing twice.
struct LoginAudit {
    private let log: EventLog

    init(_ log: EventLog) {
        self.log = log
    }

    /// - Parameters:
    ///   - sessions: every session that was begun; each came to a good end.
    ///   - tokenRequests: what the provider received.
    func check(_ sessions: [String], tokenRequests: ProviderProcess.Counts) throws {
        guard Set(sessions).count == sessions.count else {
            throw BenchError("two logins had one session")
        }
        for session in sessions {
            let ends = try log.streamEnds(session, last: 1)
            guard ends.count == RecordedLogins.eventsPerLogin,
                ends.events.last?.envelope.type == SessionEventType.verified.rawValue
            else { throw BenchError("a session does not end in its verdict") }
        }
        guard try begun() == sessions.count else {
            throw BenchError("the ledger has sessions that nobody began")
        }
        let report = try log.check(.tree)
        guard report.isClean else { throw BenchError("the ledger has findings") }
        guard tokenRequests.tokenRequests == sessions.count,
            tokenRequests.codes == sessions.count
        else {
            throw BenchError(
                "\(sessions.count) logins led to \(tokenRequests.tokenRequests) token requests "
                    + "with \(tokenRequests.codes) codes")
        }
    }

    /// How many sessions the ledger has.
    private func begun() throws -> Int {
        var count = 0
        let head = try log.head()
        try log.forEachEvent(in: 0..<head.size) { event in
            if event.envelope.type == SessionEventType.initiated.rawValue { count += 1 }
            return true
        }
        return count
    }
}

/// The events of logins that were recorded, to be appended again without the logins.
struct RecordedLogins {
    /// initiated, redirected, callback, token-issued, verified.
    static let eventsPerLogin = 5

    private let log: EventLog
    private let sessions: [String]

    init(_ log: EventLog, _ sessions: [String]) {
        self.log = log
        self.sessions = sessions
    }

    /// Events a second that become durable in another ledger when they are made ready before: one
    /// batch an event, sessions with data keys and lookup entries, from as many callers.
    func appendRate(to other: EventLog, callers: Int) async throws -> Double {
        var load = [[AppendBatch]](repeating: [], count: callers)
        for (number, session) in sessions.enumerated() {
            load[number % callers] += try batches(session, for: other)
        }
        let ready = load
        let seconds = try await Stopwatch.seconds { try await other.append(ready) }
        return Double(sessions.count * Self.eventsPerLogin) / seconds
    }

    /// Values a second of the same mean length that become durable in raw LMDB.
    func rawRate(_ raw: RawLog, callers: Int) async throws -> Double {
        let head = try log.head()
        let value = [UInt8](repeating: 0xA5, count: Int(head.bytesStored / head.size))
        let load = (0..<callers).map { caller in
            let own = (sessions.count + callers - 1 - caller) / callers
            return [[UInt8]](repeating: value, count: own * Self.eventsPerLogin)
        }
        let seconds = try await Stopwatch.seconds { try await raw.appendInGroups(load) }
        return Double(sessions.count * Self.eventsPerLogin) / seconds
    }

    private func batches(_ session: String, for other: EventLog) throws -> [AppendBatch] {
        let key = try log.existingDataKey(for: session)
        let newKey = try other.makeDataKey(for: session)
        var head: StreamHead?
        return try log.stream(session).map { event in
            var draft = try BenchLedger.draft(of: event, key: key, in: log)
            draft.documents = try documents(named: draft.clear)
            let prepared = try other.prepare(draft, after: head, dataKey: newKey.key)
            var batch = AppendBatch(events: [prepared])
            if head == nil {
                batch.newDataKeys = [newKey]
                batch.lookups = [try other.lookupEntry(.state, session, subject: session)]
            }
            head = prepared.head
            return batch
        }
    }

    private func documents(named members: JSONObject) throws -> [[UInt8]] {
        try members.members.compactMap { member in
            let digest = member.value.stringValue.flatMap { Digest(base64URL: $0) }
            return try digest.flatMap { try log.blob($0) }
        }
    }
}
