// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import Platform
internal import Projections
internal import Replay
internal import SessionEvents

struct ReverifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reverify",
        abstract: "Check stored ID tokens again, with the keys and the policy of their day.",
        discussion: """
            Examples:
              authledger reverify
              authledger reverify --provider my-provider --since -30d --json
              authledger reverify --report outcomes.jsonl
              authledger reverify --as-of 2026-03-31

            Everything comes from the ledger: no network, no clock. Exit status 1 when a verdict \
            differs from the recorded one, 3 when a token cannot be checked or was erased.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var filter: SessionFilter
    @OptionGroup var asOf: AsOfOption

    @Option(help: ArgumentHelp("Check so many tokens at a time.", valueName: "n"))
    var jobs = 2

    @Option(
        help: ArgumentHelp("Write a line for each token to this file.", valueName: "file"))
    var report: String?

    func run() async throws {
        guard (1...64).contains(jobs) else {
            throw CommandError(.usage, "jobs-invalid", "--jobs is a number from 1 to 64")
        }
        let log = try global.openLedger(.appending)
        let start = ProcessControl.monotonicNanoseconds
        let size = try asOf.size(of: log, global)
        var run = ReverifyRun(
            log: log, size: size ?? .max, jobs: jobs,
            report: try report.map { try File($0, .writing(permissions: 0o600)) },
            progress: Progress("reverify", isShown: !global.quiet))
        if filter.isOpen {
            try await run.checkAll()
        } else {
            let source = try SessionSource(log, global, asOf: size)
            var sessions: [String] = []
            try source.forEach(try filter.query(asOf: size)) {
                sessions.append($0.session)
                return true
            }
            try source.refuseStop(before: size)
            try await run.check(sessions)
        }
        try run.finish()
        let seconds = Double(ProcessControl.monotonicNanoseconds - start) / 1_000_000_000
        try print(run.summary, seconds: seconds)
        if run.summary.mismatches > 0 { throw CommandEnd(status: .findings) }
        if run.summary.erased + run.summary.inconclusive > 0 {
            throw CommandEnd(status: .inconclusive)
        }
    }

    private func print(_ summary: ReverificationSummary, seconds: Double) throws {
        let rate = Int(Double(summary.tokens) / max(seconds, 0.001))
        var object = summary.object
        object["elapsedMs"] = .integer(Int64(seconds * 1000))
        object["tokensPerSecond"] = .integer(Int64(rate))
        try global.output.print(object) {
            """
            \(summary.tokens) tokens: \(summary.verified) verified, \(summary.failed) failed, \
            \(summary.erased) erased, \(summary.inconclusive) inconclusive
            \(summary.mismatches) differ from the recorded verdict, \
            \(summary.withoutVerdict) had none; \(rate) tokens/s
            """
        }
    }
}

/// One run of a re-verification over many sessions.
struct ReverifyRun {
    private static let sessionsPerPart = 256

    private let log: EventLog
    private let reverification: Reverification
    private let jobs: Int
    private let report: File?
    private var progress: Progress
    private(set) var summary = ReverificationSummary()
    private var sessionsDone: UInt64 = 0

    init(log: EventLog, size: UInt64 = .max, jobs: Int, report: File?, progress: Progress) {
        self.log = log
        reverification = Reverification(log, before: size)
        self.jobs = jobs
        self.report = report
        self.progress = progress
    }

    /// Checks the tokens of every session there is.
    mutating func checkAll() async throws {
        let total = Double(max(1, try log.head().sessions))
        var last: String?
        while true {
            let names = try log.streams(after: last, limit: Self.sessionsPerPart * jobs)
            guard let end = names.last else { return }
            last = end
            try await check(names)
            progress.update(
                sessionsDone, unit: "sessions", fraction: min(1, Double(sessionsDone) / total))
        }
    }

    /// Checks the tokens of these sessions, several at a time, and keeps their order.
    mutating func check(_ sessions: [String]) async throws {
        let size = max(1, min(Self.sessionsPerPart, (sessions.count + jobs - 1) / jobs))
        let parts = stride(from: 0, to: sessions.count, by: size).map {
            Array(sessions[$0..<min(sessions.count, $0 + size)])
        }
        for group in stride(from: 0, to: parts.count, by: jobs) {
            let now = parts[group..<min(parts.count, group + jobs)]
            for outcome in try await outcomes(of: Array(now)) {
                summary.count(outcome)
                try report?.write(CanonicalJSON.encode(outcome.object) + [UInt8(ascii: "\n")])
            }
            sessionsDone += now.reduce(0) { $0 + UInt64($1.count) }
        }
    }

    private func outcomes(of parts: [[String]]) async throws -> [TokenOutcome] {
        let reverification = reverification
        return try await withThrowingTaskGroup(of: (Int, [TokenOutcome]).self) { group in
            for (index, part) in parts.enumerated() {
                group.addTask {
                    (index, try part.compactMap { try reverification.reverify(session: $0) })
                }
            }
            var found: [Int: [TokenOutcome]] = [:]
            for try await (index, outcomes) in group {
                found[index] = outcomes
            }
            return parts.indices.flatMap { found[$0] ?? [] }
        }
    }

    mutating func finish() throws {
        progress.finish()
        try report?.sync()
    }
}

extension ReverificationSummary {
    /// The counts among the members of `reverify --json`.
    var object: JSONObject {
        [
            "erased": .integer(Int64(erased)),
            "failed": .integer(Int64(failed)),
            "inconclusive": .integer(Int64(inconclusive)),
            "mismatches": .integer(Int64(mismatches)),
            "tokens": .integer(Int64(tokens)),
            "verified": .integer(Int64(verified)),
            "withoutVerdict": .integer(Int64(withoutVerdict)),
        ]
    }
}

extension TokenOutcome {
    fileprivate var object: JSONObject {
        var object: JSONObject = [
            "mismatch": .bool(isMismatch), "position": .integer(Int64(position)),
            "result": .string(result.rawValue), "session": .string(session),
        ]
        object["reason"] = reason.map { .string($0.code) }
        object["verdictThen"] = verdictThen.map { .string($0 ? "verified" : "failed") }
        return object
    }
}
