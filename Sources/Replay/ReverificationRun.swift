// SPDX-License-Identifier: Apache-2.0

public import EventLog
internal import Platform
internal import Synchronization

/// Where the sessions of a run come from.
public enum SessionQueue: Sendable {
    /// Every stream of a session, in the order of their ids, beginning behind one of them.
    case all(after: String?)
    /// These.
    case list(ArraySlice<String>)

    /// The next ones; empty at the end.
    fileprivate mutating func next(_ limit: Int, in log: EventLog) throws -> [String] {
        switch self {
        case .all(let last):
            let names = try log.streams(after: last, limit: limit)
            self = .all(after: names.last ?? last)
            return names
        case .list(let rest):
            self = .list(rest.dropFirst(limit))
            return Array(rest.prefix(limit))
        }
    }
}

/// What came of a batch of sessions.
public struct BatchOutcomes: Sendable {
    /// The sessions, in their order.
    public let sessions: [String]
    /// What was found.
    public private(set) var summary = ReverificationSummary()
    /// The tokens whose verdict differs from the recorded one.
    public private(set) var differing: [TokenOutcome] = []
    /// A line for each token, where lines are asked for.
    public private(set) var lines: [UInt8] = []

    fileprivate mutating func take(_ outcome: TokenOutcome, _ write: ReverificationRun.LineWriter?)
    {
        summary.count(outcome)
        if outcome.differs { differing.append(outcome) }
        write?(outcome, &lines)
    }
}

/// A re-verification of many sessions on several threads.
///
/// Each thread takes the next batch of sessions, and reads and judges them with what is its own.
/// The outcomes are handed out in the order of the batches.
public final class ReverificationRun: Sendable {
    /// Adds the line of a token to a buffer.
    public typealias LineWriter = @Sendable (TokenOutcome, inout [UInt8]) -> Void
    /// Takes in what came of a batch. Never called by two threads at once.
    public typealias Taker = @Sendable (BatchOutcomes) throws -> Void

    private struct State {
        var queue: SessionQueue
        var begun = 0
        var delivered = 0
        var waiting: [Int: BatchOutcomes] = [:]
        var failure: (any Error)?
    }

    /// As many as lie next to the processor with all that is read of them.
    private static let sessionsPerBatch = 64
    /// How many batches a thread may be ahead of the oldest one that is under way.
    private static let batchesAheadMax = 64
    /// So many batches read some dozens of megabytes of the ledger's pages.
    private static let batchesPerRelease = 256

    private let log: EventLog
    private let size: UInt64
    private let changes: ReverificationChanges
    private let newestKeySets: NewestKeySets?
    private let writesLine: LineWriter?
    private let take: Taker
    private let state: Mutex<State>

    /// A run.
    ///
    /// - Parameters:
    ///   - size: only the first events of the log count, so many.
    ///   - writesLine: makes the lines of ``BatchOutcomes/lines``, on the thread of the batch.
    public init(
        _ log: EventLog, _ queue: SessionQueue, before size: UInt64 = .max,
        changing changes: ReverificationChanges = ReverificationChanges(),
        writesLine: LineWriter? = nil, take: @escaping Taker
    ) throws {
        self.log = log
        self.size = size
        self.changes = changes
        self.writesLine = writesLine
        self.take = take
        newestKeySets = changes.usesNewestKeys ? try NewestKeySets(log, before: size) : nil
        state = Mutex(State(queue: queue))
    }

    /// Checks all tokens; returns when that is done.
    ///
    /// - Parameter jobs: how many threads.
    /// - Throws: an error of the ledger, or one of the taker's.
    public func run(jobs: Int) throws {
        let threads = try (0..<jobs).map { _ in
            try WorkerThread {
                do {
                    try self.workOnBatches()
                } catch {
                    self.state.withLock { $0.failure = $0.failure ?? error }
                }
            }
        }
        for thread in threads {
            thread.join()
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    private func workOnBatches() throws {
        let reverification = try Reverification(
            log, before: size, changing: changes, newestKeySets: newestKeySets)
        while let (number, sessions) = try nextBatch() {
            var outcomes = BatchOutcomes(sessions: sessions)
            try reverification.reverify(sessions) { outcomes.take($0, writesLine) }
            try deliver(outcomes, number)
            if number % Self.batchesPerRelease == 0 { log.releasePages() }
        }
    }

    private func nextBatch() throws -> (number: Int, sessions: [String])? {
        while isFarAhead {
            ProcessControl.sleep(milliseconds: 1)
        }
        return try state.withLock { state in
            guard state.failure == nil else { return nil }
            let sessions = try state.queue.next(Self.sessionsPerBatch, in: log)
            if sessions.isEmpty { return nil }
            state.begun += 1
            return (state.begun - 1, sessions)
        }
    }

    private var isFarAhead: Bool {
        state.withLock { state in
            state.failure == nil && state.begun - state.delivered > Self.batchesAheadMax
                && !state.waiting.isEmpty
        }
    }

    private func deliver(_ outcomes: BatchOutcomes, _ number: Int) throws {
        try state.withLock { state in
            state.waiting[number] = outcomes
            while let next = state.waiting.removeValue(forKey: state.delivered) {
                state.delivered += 1
                try take(next)
            }
        }
    }
}
