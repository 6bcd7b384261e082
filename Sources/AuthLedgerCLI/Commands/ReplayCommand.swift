// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import OpenIDConnect
internal import Platform
internal import Projections
internal import Replay
internal import SessionEvents
internal import Sessions

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Decide a recorded login again, event by event.",
        discussion: """
            Examples:
              authledger replay 0198b0f2
              authledger replay 0198b0f2 --step
              authledger replay 0198b0f2 --policy stricter.yaml --json
              authledger replay --all --since -30d

            The rules that ran live run again over what was recorded of each input, and come to \
            the same events, to the byte; anything else is a finding, and the first event that \
            differs is named. An event whose input was never recorded, such as an answer that did \
            not come, is taken over, and only whether it may follow is decided again.

            The verdict on the ID token stands beside the recorded one. --policy asks what another \
            policy would have said: a file in YAML or JSON with the members that are to be \
            different. --step walks through the states: Enter goes forward, b back, a number to \
            that event, q ends.

            Exit status 1 when a decision differs, 3 when the session was erased.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("A session; any unambiguous prefix.", valueName: "session"))
    var session: String?

    @Flag(help: "Replay every session that fits the filters.")
    var all = false

    @Option(help: ArgumentHelp("What is to be different in the policy.", valueName: "file"))
    var policy: String?

    @Option(
        help: ArgumentHelp(
            "Of one session, replay the first so many events; with --all, only sessions that "
                + "began before this instant.", valueName: "n|instant"))
    var until: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "With --all: only sessions that began at this instant or later.",
            valueName: "instant"))
    var since: String?

    @Option(
        help: ArgumentHelp("With --all: only sessions with this provider.", valueName: "name"))
    var provider: String?

    @Option(help: ArgumentHelp("With --all: only sessions with this flow.", valueName: "flow"))
    var flow: String?

    @Option(
        help: ArgumentHelp(
            "With --all: only sessions that failed for this reason.", valueName: "code"))
    var reason: String?

    @Flag(help: "Walk through the states, forwards and back.")
    var step = false

    @Option(help: ArgumentHelp("With --all: replay so many sessions at a time.", valueName: "n"))
    var jobs = 2

    func validate() throws {
        guard all == (session == nil) else {
            throw ValidationError("name a session, or replay all of them with --all")
        }
        guard !all || (policy == nil && !step) else {
            throw ValidationError("--policy and --step are for one session")
        }
        guard all || [since, provider, flow, reason].allSatisfy({ $0 == nil }) else {
            throw ValidationError("--since, --provider, --flow and --reason are for --all")
        }
        guard all || until.map({ Int($0).map { $0 > 0 } ?? false }) ?? true else {
            throw ValidationError("--until takes a number of events of the session")
        }
        if all { _ = try filter() }
        guard (1...64).contains(jobs) else {
            throw ValidationError("--jobs is a number from 1 to 64")
        }
    }

    /// Which sessions --all is about.
    private func filter() throws -> SessionFilter {
        let given = [
            ("--since", since), ("--until", until), ("--provider", provider), ("--flow", flow),
            ("--reason", reason),
        ]
        return try SessionFilter.parse(
            given.compactMap { name, value in value.map { "\(name)=\($0)" } })
    }

    func run() async throws {
        let log = try global.openLedger(.unsealing)
        if let session {
            try replay(log.session(withPrefix: session), log)
        } else {
            try await ReplayAll(global: global, filter: filter(), jobs: jobs).run(log)
        }
    }

    private func replay(_ session: String, _ log: EventLog) throws {
        let other = try policy.map(PolicyFile.read)
        let replay = try Replayer(log).replay(
            session, revisionsMax: until.flatMap { Int($0) },
            policy: other.map { settings in { try $0.replacing(settings) } })
        if step {
            try ReplayWalk(global: global, replay: replay).run()
        } else {
            try global.output.print(replay.object) {
                replay.lines(isVerbose: global.verbose).joined(separator: "\n")
            }
        }
        if !replay.decisionsMatch { throw CommandEnd(status: .findings) }
        if replay.isErased { throw CommandEnd(status: .inconclusive) }
    }
}

// MARK: - Output

extension SessionReplay {
    /// The members of `replay --json`.
    var object: JSONObject {
        var object: JSONObject = [
            "checks": .array((verdict?.checks ?? []).map { .object($0.object) }),
            "decisionsMatch": .bool(decisionsMatch), "erased": .bool(isErased),
            "events": .array(steps.map { .object($0.object) }),
            "observed": .string(isReported ? "reported" : "own"), "session": .string(session),
        ]
        object["verdictThen"] = verdict?.then.map { .string($0) }
        object["verdictNow"] = verdict?.now.map { .string($0) }
        object["firstDifference"] = firstDifference.map { .object($0.object) }
        return object
    }

    func lines(isVerbose: Bool) -> [String] {
        var lines = ["session \(session): \(summary)"]
        lines += steps.map { "  \($0.line)" }
        if let verdict {
            lines.append(
                "verdict then: \(verdict.then ?? "none"), now: \(verdict.now ?? "cannot be told")")
            let rows = verdict.checks.filter { isVerbose || $0.then != $0.now }
            lines += rows.map { row in
                "  \(row.name): \(row.then?.rawValue ?? "-") then, \(row.now?.rawValue ?? "-") now"
            }
        }
        return lines
    }

    private var summary: String {
        if isErased { return "erased; only the order of its \(steps.count) events was looked at" }
        if isReported {
            return "reported by another program; the order of its \(steps.count) events is "
                + (decisionsMatch ? "right" : "not right")
        }
        guard let first = firstDifference else {
            return "\(steps.count) events, every decision is the same"
        }
        return "the decision differs at event \(first.revision) (position \(first.position))"
    }
}

extension VerdictPair.Row {
    var object: JSONObject {
        var object: JSONObject = ["name": .string(name)]
        object["then"] = then.map { .string($0.rawValue) }
        object["now"] = now.map { .string($0.rawValue) }
        return object
    }
}

extension ReplayedStep {
    var object: JSONObject {
        var object: JSONObject = [
            "outcome": .string(word), "position": .integer(Int64(position)),
            "revision": .integer(Int64(revision)), "time": .string(time.rfc3339),
            "type": .string(event.type.rawValue),
        ]
        object["state"] = phase.map { .string($0.rawValue) }
        if case .differs(let differences) = outcome {
            object["differences"] = .array(differences.map { .object($0.object) })
        }
        return object
    }

    var word: String {
        switch outcome {
        case .same: "same"
        case .taken: "taken"
        case .differs: "differs"
        }
    }

    var line: String {
        var line = "\(revision)  #\(position)  \(time.rfc3339)  \(event.type.word): "
        switch outcome {
        case .same: line += "same"
        case .taken: line += "taken over, its input was not recorded"
        case .differs(let differences):
            line += "DIFFERS: " + differences.map(\.words).joined(separator: "; ")
        }
        return line
    }
}

extension ReplayedStep.Difference {
    var object: JSONObject {
        var object: JSONObject = ["member": .string(member)]
        object["then"] = then
        object["now"] = now
        return object
    }

    var words: String {
        func text(_ value: JSONValue?) -> String {
            value.map { String(decoding: CanonicalJSON.encode($0), as: UTF8.self) } ?? "nothing"
        }
        guard then != nil || now != nil else { return "\(member), which is sealed" }
        return "\(member) was \(text(then)), is \(text(now))"
    }
}

/// Goes through the states of a session on a terminal.
struct ReplayWalk {
    let global: GlobalOptions
    let replay: SessionReplay

    /// Shows one state after the other, as the lines of standard input say. At its end the rest
    /// is shown, so that the walk can be piped as well.
    func run() throws {
        guard !replay.steps.isEmpty else { return }
        var index = 0
        var input = LineReader(.standardInput, lineBytesMax: 64) { _ in }
        while true {
            try show(index)
            guard case .whole(let bytes)? = try input.next() else {
                for rest in (index + 1)..<max(index + 1, replay.steps.count) { try show(rest) }
                break
            }
            let word = String(decoding: bytes, as: UTF8.self).filter { $0 != " " && $0 != "\r" }
            if word == "q" { break }
            if word == "b" {
                index = max(0, index - 1)
            } else if let number = Int(word), (1...replay.steps.count).contains(number) {
                index = number - 1
            } else if index + 1 < replay.steps.count {
                index += 1
            } else {
                break
            }
        }
        if !global.json {
            let verdict = replay.lines(isVerbose: false).suffix { !$0.hasPrefix("  ") }
            try global.output.write(Array(verdict.joined(separator: "\n").utf8))
        }
    }

    private func show(_ index: Int) throws {
        let step = replay.steps[index]
        try global.output.print(step.object) {
            """
            [\(index + 1)/\(replay.steps.count)] \(step.line)
                \(step.event.words)
                state: \(step.phase?.rawValue ?? "none")
            """
        }
    }
}

extension Array {
    /// The elements from the first of the last ones that all pass a test.
    fileprivate func suffix(while passes: (Element) -> Bool) -> ArraySlice<Element> {
        self[(lastIndex { !passes($0) }.map { $0 + 1 } ?? startIndex)...]
    }
}

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
