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
              authledger replay 0198b0f2 --fixture Tests/Fixtures/bad-nonce
              authledger replay --from Tests/Fixtures/bad-nonce

            The rules that ran live run again over what was recorded of each input, and come to \
            the same events, to the byte; anything else is a finding, and the first event that \
            differs is named. An event whose input was never recorded, such as an answer that did \
            not come, is taken over, and only whether it may follow is decided again.

            The verdict on the ID token stands beside the recorded one. --policy asks what another \
            policy would have said: a file in YAML or JSON with the members that are to be \
            different. --step walks through the states: Enter goes forward, b back, a number to \
            that event, q ends.

            --fixture writes the session into a directory as a regression test: every value that \
            is not a registered word is replaced, and the tokens are signed again with keys made \
            for it, so that the same checks pass and fail. It is written only when a replay of it \
            comes to the same and no recorded value is found in it. --from replays such a \
            directory; it needs no ledger.

            Exit status 1 when a decision differs, or a fixture comes to something else than it \
            did; 3 when the session was erased, or no fixture can be made of it.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("A session; any unambiguous prefix.", valueName: "session"))
    var session: String?

    @Flag(help: "Replay every session that fits the filters.")
    var all = false

    @Option(
        help: ArgumentHelp(
            "Write the session as a sanitised fixture into this new directory.",
            valueName: "directory"))
    var fixture: String?

    @Option(
        help: ArgumentHelp(
            "Replay the fixture in this directory, without a ledger.", valueName: "directory"))
    var from: String?

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
        guard [session != nil, all, from != nil].count(where: { $0 }) == 1 else {
            throw ValidationError(
                "name a session, or replay all of them with --all, or a fixture with --from")
        }
        guard !all || (policy == nil && !step) else {
            throw ValidationError("--policy and --step are for one session")
        }
        guard fixture == nil || session != nil else {
            throw ValidationError("--fixture is for one session of the ledger")
        }
        guard fixture == nil || (policy == nil && !step && until == nil) else {
            throw ValidationError("--fixture takes a session as it is, and whole")
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
        if let from { return try replay(FixtureCommand.read(from)) }
        let log = try global.openLedger(.unsealing)
        if let session {
            let name = try log.session(withPrefix: session)
            if let fixture {
                try FixtureCommand(global: global).write(name, log, to: fixture)
            } else {
                try replay(name, Replayer(log))
            }
        } else {
            try await ReplayAll(global: global, filter: filter(), jobs: jobs).run(log)
        }
    }

    private func replay(_ session: String, _ replayer: Replayer) throws {
        let replay = try replayed(session, replayer)
        try show(replay)
        if !replay.decisionsMatch { throw CommandEnd(status: .findings) }
        if replay.isErased { throw CommandEnd(status: .inconclusive) }
    }

    /// Under another policy, or in part, a fixture may well come to something else.
    private func replay(_ fixture: ReplayFixture) throws {
        let replay = try replayed(fixture.session, Replayer(fixture))
        let isAsExpected = policy == nil && until == nil
        let surprise = isAsExpected ? fixture.surprise(in: replay) : nil
        try show(replay, surprise)
        guard replay.decisionsMatch, surprise == nil else { throw CommandEnd(status: .findings) }
    }

    private func replayed(_ session: String, _ replayer: Replayer) throws -> SessionReplay {
        let other = try policy.map(PolicyFile.read)
        return try replayer.replay(
            session, revisionsMax: until.flatMap { Int($0) },
            policy: other.map { settings in { try $0.replacing(settings) } })
    }

    private func show(_ replay: SessionReplay, _ surprise: String? = nil) throws {
        guard !step else { return try ReplayWalk(global: global, replay: replay).run() }
        var object = replay.object
        object["unexpected"] = surprise.map { .string($0) }
        try global.output.print(object) {
            let lines = replay.lines(isVerbose: global.verbose)
            return (lines + (surprise.map { ["not as the fixture expects: \($0)"] } ?? []))
                .joined(separator: "\n")
        }
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
