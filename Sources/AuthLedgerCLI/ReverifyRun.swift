// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LedgerPrimitives
internal import Platform
internal import Replay
internal import Synchronization

/// One run of `reverify`: what it finds goes into the report and the summary, and how far it is
/// into the cursor.
final class ReverifyRun: Sendable {
    private let log: EventLog
    private let size: UInt64
    private let changes: ReverificationChanges
    private let jobs: Int
    private let writesReport: Bool
    private let state: Mutex<ReverifyState>

    init(
        log: EventLog, size: UInt64 = .max,
        changes: ReverificationChanges = ReverificationChanges(), jobs: Int,
        report: String? = nil, cursor: ReverifyCursor? = nil, progress: Progress
    ) throws {
        self.log = log
        self.size = size
        self.changes = changes
        self.jobs = jobs
        writesReport = report != nil
        state = Mutex(try ReverifyState(report: report, cursor: cursor, progress: progress))
    }

    /// Checks the tokens of every session there is.
    func checkAll() throws -> ReverifyResult {
        let total = try log.head().sessions
        let queue = state.withLock { state in
            state.total = total
            return SessionQueue.all(after: state.position.last)
        }
        return try check(queue)
    }

    /// Checks the tokens of these sessions, and keeps their order.
    func check(_ sessions: [String]) throws -> ReverifyResult {
        let queue = try state.withLock { state in
            state.total = UInt64(sessions.count)
            guard let last = state.position.last else { return SessionQueue.list(sessions[...]) }
            guard let index = sessions.firstIndex(where: { $0.isIdentical(to: last) }) else {
                throw ReverifyCursor.isOfAnotherRun
            }
            return .list(sessions[(index + 1)...])
        }
        return try check(queue)
    }

    @Sendable private static func writeLine(_ outcome: TokenOutcome, to lines: inout [UInt8]) {
        CanonicalJSON.append(outcome.object, to: &lines)
        lines.append(UInt8(ascii: "\n"))
    }

    private func check(_ queue: SessionQueue) throws -> ReverifyResult {
        let run = try ReverificationRun(
            log, queue, before: size, changing: changes,
            writesLine: writesReport ? Self.writeLine : nil,
            take: { outcomes in try self.state.withLock { try $0.take(outcomes) } })
        try run.run(jobs: jobs)
        return try state.withLock { try $0.finish(isHypothetical: !changes.isEmpty) }
    }
}

/// How far a run is, and what it found so far. Kept under a lock.
private struct ReverifyState {
    /// How often a cursor is written, in seconds of the run.
    private static let secondsPerCursor = 0.25

    var total: UInt64 = 0
    private(set) var position: ReverifyCursor.Position
    private var progress: Progress
    private var cursorSeconds = 0.0
    private let tokensBefore: Int
    private let report: File?
    private let cursor: ReverifyCursor?

    init(report: String?, cursor: ReverifyCursor?, progress: Progress) throws {
        let position = try cursor?.read() ?? ReverifyCursor.Position()
        self.position = position
        self.cursor = cursor
        self.progress = progress
        tokensBefore = position.summary.tokens
        self.report = try report.map { path in
            guard position.last != nil else { return try File(path, .writing(permissions: 0o600)) }
            // What was written after the cursor was comes again.
            let file = try File(path, .overwriting)
            guard file.regularFileSize ?? 0 >= position.reportBytes else {
                throw ReverifyCursor.isOfAnotherRun
            }
            try file.truncate(to: position.reportBytes)
            return file
        }
    }

    mutating func take(_ outcomes: BatchOutcomes) throws {
        position.take(outcomes)
        if !outcomes.lines.isEmpty { try report?.write(outcomes.lines) }
        progress.update(
            position.sessions, unit: "sessions",
            fraction: min(1, Double(position.sessions) / Double(max(total, 1))))
        if let cursor, progress.seconds - cursorSeconds >= Self.secondsPerCursor {
            cursorSeconds = progress.seconds
            // The report must have what the cursor says that it has.
            try report?.sync()
            try cursor.write(position)
        }
    }

    mutating func finish(isHypothetical: Bool) throws -> ReverifyResult {
        let seconds = progress.seconds
        progress.finish()
        try report?.sync()
        try cursor?.remove()
        return ReverifyResult(
            summary: position.summary, differing: position.differing,
            isHypothetical: isHypothetical, tokensBefore: tokensBefore, seconds: seconds)
    }
}
