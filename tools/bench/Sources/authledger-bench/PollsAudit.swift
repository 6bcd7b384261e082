// SPDX-License-Identifier: Apache-2.0

import EventLog
import LedgerPrimitives
import SessionEvents

/// What a ledger says of logins that were polled for, from the log alone.
struct PollsAudit {
    /// A poll that was recorded.
    struct Poll {
        let number: Int
        let hasGap: Bool
    }

    /// One login.
    struct Session {
        var polls: [Poll] = []
        var requestID: String?
        var isOver = false

        /// The numbers of polls that are missing before others.
        var missing: [Int] {
            var next = 1
            return polls.flatMap { poll in
                defer { next = poll.number + 1 }
                return Array(next..<max(next, poll.number))
            }
        }

        /// Whether the polls are numbered in order, and those behind a hole, and no others, say
        /// that there is one.
        var showsGaps: Bool {
            var next = 1
            return polls.allSatisfy { poll in
                defer { next = poll.number + 1 }
                return poll.number >= next && poll.hasGap == (poll.number > next)
            }
        }
    }

    private(set) var sessions: [String: Session] = [:]
    /// The hash of each event, by position.
    private(set) var hashes: [Digest] = []
    /// Where the polls are that found a login as the one before it had.
    private(set) var repeated: [Int] = []

    /// Polls that were recorded.
    var pollCount: Int { sessions.values.reduce(0) { $0 + $1.polls.count } }

    /// Reads the whole log.
    init(_ log: EventLog) throws {
        let size = try log.head().size
        hashes.reserveCapacity(Int(size))
        try log.forEachEvent(in: 0..<size) { event in
            hashes.append(event.leafHash)
            if SessionEventType(rawValue: event.envelope.type) != nil { try note(event, log) }
            return true
        }
    }

    private mutating func note(_ event: RecordedEvent, _ log: EventLog) throws {
        let subject = event.envelope.subject
        var session = sessions.removeValue(forKey: subject) ?? Session()
        defer { sessions[subject] = session }
        switch try SessionEventCodec.decode(event) {
        case .polled(let polled) where polled.attempt == 0:
            let key = try log.existingDataKey(for: subject)
            session.requestID =
                try log.openSealed(event, dataKey: key)?["requestID"]?.stringValue
        case .polled(let polled):
            if polled.status == .pending, event.data[DataMember.sealed] == nil {
                repeated.append(Int(event.position))
            }
            session.polls.append(Poll(number: polled.attempt, hasGap: polled.hasGap ?? false))
        case .tokenIssued(let issued):
            session.polls.append(
                Poll(number: issued.attempt ?? 0, hasGap: issued.hasGap ?? false))
        case .verified, .failed: session.isOver = true
        default: break
        }
    }

    /// Compares the log with what the provider counted and with what was in it before.
    ///
    /// - Parameters:
    ///   - earlier: the hashes of the events that were there before, by position.
    ///   - lost: the polls that were under way when a process was killed, by session.
    /// - Returns: how many polls reached the provider and were not recorded.
    func check(
        _ provider: ProviderProcess, count: Int, earlier: [Digest], lost: [String: Set<Int>]
    ) async throws -> Int {
        guard sessions.count == count, sessions.values.allSatisfy(\.isOver) else {
            throw BenchError("not every login came to its end")
        }
        guard hashes.starts(with: earlier) else {
            throw BenchError("an event that was recorded has changed or is gone")
        }
        guard sessions.values.allSatisfy(\.showsGaps) else {
            throw BenchError("a poll that was lost is not shown as a gap")
        }
        let all = Array(sessions)
        let counts = try await provider.pollCounts(of: all.compactMap(\.value.requestID))
        guard counts.count == all.count else { throw BenchError("a request has no name") }
        var unrecorded = 0
        for ((name, session), received) in zip(all, counts) {
            let missing = session.missing
            let excess = received - session.polls.count
            guard (0...missing.count).contains(excess) else {
                throw BenchError(
                    "\(received) polls of a login came, \(session.polls.count) are recorded and "
                        + "\(missing.count) are shown as missing")
            }
            guard lost[name, default: []].isSuperset(of: missing) else {
                throw BenchError("a poll is missing that was not under way at a kill")
            }
            unrecorded += excess
        }
        let polls = try await provider.polls()
        guard polls.early == 0 else { throw BenchError("\(polls.early) polls came early") }
        guard polls.count == pollCount + unrecorded else {
            throw BenchError("the provider counted \(polls.count) polls, the log has \(pollCount)")
        }
        return unrecorded
    }
}
