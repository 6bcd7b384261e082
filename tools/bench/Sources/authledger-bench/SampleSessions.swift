// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import LedgerPrimitives
import SessionEvents

/// Whole sessions of the workload, to be recorded again and again as others.
struct SampleSessions: Sendable {
    private let sessions: [[EventDraft]]
    private static let sessionsMax = 1500
    /// A copy begins so long after the one before, in milliseconds: about twenty logins a second.
    private static let paceMilliseconds: Int64 = 50

    /// Takes the sessions from a log that has the workload.
    init(of log: EventLog) throws {
        var sessions: [[EventDraft]] = []
        for name in try log.streams(after: nil, limit: Self.sessionsMax) {
            guard let key = try log.dataKey(for: name) else { continue }
            let events = try log.stream(name)
            let last = events.last.flatMap { SessionEventType(rawValue: $0.envelope.type) }
            guard last == .verified || last == .failed else { continue }
            sessions.append(try events.map { try BenchLedger.draft(of: $0, key: key, in: log) })
        }
        guard !sessions.isEmpty else { throw BenchError("the workload has no whole session") }
        self.sessions = sessions
    }

    /// Events of so many sessions, ready to be appended.
    ///
    /// - Parameter number: the number of the first of them.
    func batch(_ number: Int, count: Int, in log: EventLog) throws -> AppendBatch {
        var batch = AppendBatch(events: [])
        for index in number..<number + count {
            let drafts = sessions[index % sessions.count]
            let shift = try shift(index)
            let subject = Capabilities.live.makeUUIDv7().description
            let key = try log.makeDataKey(for: subject)
            var head: StreamHead?
            for var draft in drafts {
                draft.subject = subject
                draft.id = Capabilities.live.makeUUIDv7()
                draft.time = draft.time.advanced(byMilliseconds: shift)
                draft.recordedTime = draft.recordedTime?.advanced(byMilliseconds: shift)
                let prepared = try log.prepare(draft, after: head, dataKey: key.key)
                head = prepared.head
                batch.events.append(prepared)
            }
            batch.newDataKeys.append(key)
        }
        return batch
    }

    private func shift(_ index: Int) throws -> Int64 {
        guard let own = sessions[index % sessions.count].first?.time,
            let first = sessions[0].first?.time
        else { return 0 }
        let time = first.millisecondsSince1970 + Int64(index) * Self.paceMilliseconds
        return time - own.millisecondsSince1970
    }
}
