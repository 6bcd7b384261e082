// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LedgerPrimitives
internal import Platform
internal import Projections
internal import Replay

/// Replays many sessions and says what is other than recorded.
struct ReplayAll {
    let global: GlobalOptions
    let filter: SessionFilter
    let jobs: Int

    /// The most differences that are listed.
    private static let findingsMax = 100

    private struct Counts {
        var sessions = 0
        var events = 0
        var same = 0
        var taken = 0
        var differing = 0
        var erased = 0
        var reported = 0
        var verdictsDiffer = 0
        var findings: [SessionReplay] = []

        mutating func count(_ replay: SessionReplay) {
            sessions += 1
            events += replay.steps.count
            for step in replay.steps {
                switch step.outcome {
                case .same: same += 1
                case .taken: taken += 1
                case .differs: differing += 1
                }
            }
            erased += replay.isErased ? 1 : 0
            reported += replay.isReported ? 1 : 0
            let verdict = replay.verdict
            let isOther =
                verdict?.then != nil && verdict?.now != nil && verdict?.then != verdict?.now
            verdictsDiffer += isOther ? 1 : 0
            if !replay.decisionsMatch || isOther, findings.count < ReplayAll.findingsMax {
                findings.append(replay)
            }
        }
    }

    func run(_ log: EventLog) async throws {
        let start = ProcessControl.monotonicNanoseconds
        var progress = Progress("replay", isShown: !global.quiet)
        let names = try names(log)
        var counts = Counts()
        let size = 128
        for begin in stride(from: 0, to: names.count, by: size * jobs) {
            let parts = (0..<jobs).map { job in
                Array(names.dropFirst(begin + job * size).prefix(size))
            }
            let replays = try await withThrowingTaskGroup(
                of: (Int, [SessionReplay]).self
            ) { group in
                for (job, part) in parts.enumerated() where !part.isEmpty {
                    group.addTask {
                        let replayer = Replayer(log)
                        return (job, try part.map { try replayer.replay($0) })
                    }
                }
                var found: [(Int, [SessionReplay])] = []
                for try await part in group { found.append(part) }
                return found.sorted { $0.0 < $1.0 }.flatMap(\.1)
            }
            for replay in replays { counts.count(replay) }
            progress.update(
                UInt64(counts.sessions), unit: "sessions",
                fraction: Double(counts.sessions) / Double(max(1, names.count)))
        }
        progress.finish()
        let elapsed = (ProcessControl.monotonicNanoseconds - start) / 1_000_000
        try print(counts, milliseconds: elapsed)
        if counts.differing + counts.verdictsDiffer > 0 { throw CommandEnd(status: .findings) }
        if counts.erased > 0 { throw CommandEnd(status: .inconclusive) }
    }

    private func names(_ log: EventLog) throws -> [String] {
        let source = try SessionSource(log, global, asOf: nil)
        var names: [String] = []
        try source.forEach(try filter.query(asOf: nil)) { session in
            names.append(session.session)
            return true
        }
        try source.refuseStop(before: nil)
        return names
    }

    private func print(_ counts: Counts, milliseconds: UInt64) throws {
        let object: JSONObject = [
            "differing": .integer(Int64(counts.differing)),
            "elapsedMs": .integer(Int64(milliseconds)), "erased": .integer(Int64(counts.erased)),
            "events": .integer(Int64(counts.events)),
            "findings": .array(counts.findings.map { .object($0.object) }),
            "reported": .integer(Int64(counts.reported)), "same": .integer(Int64(counts.same)),
            "sessions": .integer(Int64(counts.sessions)),
            "taken": .integer(Int64(counts.taken)),
            "verdictsDiffer": .integer(Int64(counts.verdictsDiffer)),
        ]
        try global.output.print(object) {
            (counts.findings.flatMap { $0.lines(isVerbose: false) } + [
                "\(counts.sessions) sessions, \(counts.events) events: \(counts.same) decided the "
                    + "same, \(counts.taken) taken over, \(counts.differing) differ",
                "\(counts.verdictsDiffer) verdicts differ; \(counts.reported) sessions were "
                    + "reported, \(counts.erased) erased",
            ]).joined(separator: "\n")
        }
    }
}
