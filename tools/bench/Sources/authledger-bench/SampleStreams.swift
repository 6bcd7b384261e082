// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import LedgerPrimitives

/// Drafts of the workload's events, to fill streams with.
struct SampleDrafts: Sendable {
    /// First events of sessions.
    let openings: [EventDraft]
    /// The others.
    let later: [EventDraft]

    /// Takes the drafts from a log that has the workload.
    init(of log: EventLog) throws {
        let recorded = try BenchLedger.drafts(of: log, limit: 4096)
        later = recorded.filter { !$0.type.hasSuffix(".initiated") }
        openings = recorded.filter { $0.type.hasSuffix(".initiated") }
    }
}

/// A stream that is filled with drafts of real-looking events.
struct Stream {
    private let log: EventLog
    private let subject: String
    private let key: NewDataKey
    private var head: StreamHead?
    /// Which draft comes next.
    private var draft: Int

    init(_ log: EventLog, number: Int) throws {
        self.log = log
        subject = Capabilities.live.makeUUIDv7().description
        key = try log.makeDataKey(for: subject)
        draft = number * 31
    }

    /// The stream's next event; with the first one comes the data key.
    mutating func next(_ drafts: [EventDraft]) throws -> AppendBatch {
        var next = drafts[draft % drafts.count]
        next.subject = subject
        let prepared = try log.prepare(next, after: head, dataKey: key.key)
        let keys = head == nil ? [key] : []
        head = prepared.head
        draft += 1
        return AppendBatch(events: [prepared], newDataKeys: keys)
    }
}

extension EventLog {
    /// Appends each caller's batches one after the other, all callers at once.
    func append(_ callers: [[AppendBatch]]) async throws {
        try await withThrowingTaskGroup { group in
            for batches in callers {
                group.addTask {
                    for batch in batches {
                        _ = try await self.append(batch)
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
