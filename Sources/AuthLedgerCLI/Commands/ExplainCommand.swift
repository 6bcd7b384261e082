// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Capabilities
internal import EventLog
internal import LedgerPrimitives
internal import Projections
internal import Replay
internal import SessionEvents

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say why a login failed, what shows it, and what to do.",
        discussion: """
            Examples:
              authledger explain 0198b0f2
              authledger explain 0198b0f2 --json
              authledger explain --code state-mismatch
              authledger explain --codes

            What shows it was recorded, and stands with the position of its event. Likely causes \
            are inferred from it: the likeliest comes first, and what the events rule out is left \
            out.

            Where the keys are at hand, it also says what a failing check of the ID token \
            compared: personal and secret values are masked, so that equal ones look equal on \
            this page and say nothing on any other. Other logins around the same time tell an \
            outage from a single case, and the nearest one that went well shows what is different.

            --code says what a code means in general, and --codes lists all there are; neither \
            needs a ledger. With --json --codes prints what Schemas/failure-codes.json holds.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var asOf: AsOfOption

    @Argument(help: ArgumentHelp("A session; any unambiguous prefix.", valueName: "session"))
    var session: String?

    @Option(help: ArgumentHelp("Say what this code means.", valueName: "code"))
    var code: String?

    @Flag(help: "List every code there is.")
    var codes = false

    func validate() throws {
        let asked = [session != nil, code != nil, codes].count { $0 }
        guard asked == 1 else {
            throw ValidationError("name a session, or a code with --code, or ask for --codes")
        }
        guard session != nil || asOf.asOf == nil else {
            throw ValidationError("--as-of goes with a session")
        }
    }

    func run() throws {
        if let session {
            try explain(session)
        } else if let code {
            try explain(code: code)
        } else {
            try list()
        }
    }

    private func explain(_ session: String) throws {
        // Whoever has no keys reads what is in the clear.
        let log = try (try? global.openLedger(.unsealing)) ?? global.openLedger(.reading)
        let name = try log.session(withPrefix: session)
        let asked = try asOf.size(of: log, global)
        let events = try log.stream(name, before: asked ?? .max)
        guard let explanation = try Explanation(session: name, events: events) else {
            throw CommandError(.inputOutput, "session-unknown", "there is no such session")
        }
        let opened = try asked == nil ? evidence(of: name, in: log) : nil
        let surroundings = try surroundings(of: name, events, in: log, asOf: asked)
        var object = explanation.object
        opened?.write(to: &object)
        surroundings?.write(to: &object)
        try global.output.print(object) {
            ([explanation.text] + (opened?.lines ?? []) + (surroundings?.lines ?? []))
                .joined(separator: "\n")
        }
    }

    /// What the failing checks compared; nil where it cannot be opened.
    private func evidence(of session: String, in log: EventLog) throws -> OpenedEvidence? {
        let mask = Mask(key: Capabilities.live.randomBytes(32))
        do {
            return try Replayer(log).evidence(of: session, mask)
        } catch is LedgerError {
            return nil
        }
    }

    /// What other logins say about one that failed.
    private func surroundings(
        of session: String, _ events: [RecordedEvent], in log: EventLog, asOf size: UInt64?
    ) throws -> SessionSurroundings? {
        let source = try SessionSource(log, global, asOf: size)
        var query = SessionQuery()
        query.asOf = size
        guard let summary = try source.sessions([session], query).first, summary.state == "failed"
        else { return nil }
        return try SessionSurroundings(of: summary, events, in: log, source)
    }

    private func explain(code: String) throws {
        guard let reason = FailureReason(code) else {
            throw CommandError(
                .usage, "code-unknown", "the failure catalogue has no such code",
                hint: "authledger explain --codes")
        }
        let entry = FailureCatalogue.entry(reason)
        try global.output.print(entry.object) { entry.text }
    }

    private func list() throws {
        try global.output.print(FailureCatalogue.object) {
            let entries = FailureCatalogue.entries
            let width = entries.map(\.code.count).max() ?? 0
            return entries.map { entry in
                let padding = String(repeating: " ", count: width - entry.code.count)
                return "\(entry.code)\(padding)  \(entry.title)"
            }.joined(separator: "\n")
        }
    }
}

extension OpenedEvidence {
    fileprivate func write(to object: inout JSONObject) {
        object["checks"] = .array(
            checks.map { check in
                var member: JSONObject = [
                    "detail": .string(check.detail), "name": .string(check.name),
                ]
                member["expected"] = check.expected.map { .string($0) }
                member["actual"] = check.actual.map { .string($0) }
                return .object(member)
            })
        object["providerClockAheadSeconds"] = providerClockAheadSeconds.map {
            .integer(Int64($0))
        }
    }

    /// For a person.
    fileprivate var lines: [String] {
        var lines: [String] = []
        if !checks.isEmpty { lines += ["", "What the checks compared:"] }
        for check in checks {
            lines.append("  \(check.name): \(check.detail)")
            if let expected = check.expected { lines.append("    expected  \(expected)") }
            if let actual = check.actual { lines.append("    was       \(actual)") }
        }
        if let seconds = providerClockAheadSeconds {
            let words =
                abs(seconds) <= 1
                ? "agreed with this machine's"
                : "was \(abs(seconds)) s \(seconds > 0 ? "ahead of" : "behind") this machine's"
            lines += ["", "The provider's clock \(words) when it answered."]
        }
        return lines
    }
}
