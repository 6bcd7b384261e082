// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Custody
internal import EventLog
internal import LedgerPrimitives
internal import Projections
internal import SessionEvents

/// Which sessions a command is about.
struct SessionFilter: ParsableArguments {
    @Option(help: ArgumentHelp("Only sessions in this state.", valueName: "state"))
    var state: String?

    @Option(help: ArgumentHelp("Only sessions with this provider.", valueName: "name"))
    var provider: String?

    @Option(help: ArgumentHelp("Only sessions with this flow.", valueName: "flow"))
    var flow: String?

    @Option(help: ArgumentHelp("Only sessions that failed for this reason.", valueName: "code"))
    var reason: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Only sessions that began at this instant or later.", valueName: "instant"))
    var since: InstantArgument?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Only sessions that began before this instant; a plain date is included whole.",
            valueName: "instant"))
    var until: InstantArgument?

    /// Whether every session passes.
    var isOpen: Bool {
        state == nil && provider == nil && flow == nil && reason == nil && since == nil
            && until == nil
    }

    func validate() throws {
        let states = [
            "initiated", "redirected", "callback-received", "polling", "token-issued", "verified",
            "failed",
        ]
        if let state, !states.contains(state) {
            throw ValidationError("--state is one of \(states.joined(separator: ", "))")
        }
        if let flow, Flow(rawValue: flow) == nil {
            let flows = Flow.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--flow is one of \(flows)")
        }
        if let reason, FailureReason(reason) == nil {
            throw ValidationError("--reason is no code of the failure catalogue")
        }
    }

    /// The range of instants that was asked for.
    func range() throws -> InstantRange {
        try InstantRange(since: since, until: until, now: .present)
    }

    /// What is asked for.
    ///
    /// - Parameter size: how many events of the log count; nil for all.
    func query(asOf size: UInt64?) throws -> SessionQuery {
        let range = try range()
        var query = SessionQuery()
        query.state = state
        query.provider = provider
        query.flow = flow.flatMap(Flow.init)
        query.reason = reason.flatMap { FailureReason($0) }
        query.since = range.since
        query.until = range.until
        query.asOf = size
        return query
    }
}

struct SessionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions",
        abstract: "List sessions in the order they began.",
        discussion: """
            Examples:
              authledger sessions --limit 20
              authledger sessions --state failed --since -7d --json
              authledger sessions --after 0198b0f2-6c1d-7c55-8e2a-5a3f1f0c9a77 --limit 100
              authledger sessions --as-of 2026-03-31 --state verified
              authledger sessions --subject-stdin --search-reason "case 17" < person.txt

            --after takes the last session of the page before.

            Sessions are read from a projection of the events, which is brought up to date first; \
            see `authledger projections --help`.

            --subject-stdin reads an identifier of a person and lists that person's sessions. It \
            is recorded who searched, before anything is shown; see `authledger erase --help` for \
            what the identifier may be.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var filter: SessionFilter
    @OptionGroup var asOf: AsOfOption

    @Option(help: ArgumentHelp("Print at most so many sessions.", valueName: "n"))
    var limit: Int?

    @Option(help: ArgumentHelp("Begin behind this session.", valueName: "session"))
    var after: String?

    @Flag(help: "Only sessions of the person whose identifier is on standard input.")
    var subjectStdin = false

    @Option(help: ArgumentHelp("Why the person is searched for; sealed.", valueName: "text"))
    var searchReason: String?

    func run() throws {
        let identifier =
            subjectStdin ? try SubjectInput.read(InputFile.standardInput) : nil
        let log = try global.openLedger(identifier == nil ? .reading : .appending)
        var wanted: [String]?
        if let identifier {
            var index = SubjectIndex(log)
            wanted = try SubjectInput.search(
                identifier, &index, in: log, command: "sessions", reason: searchReason,
                isQuiet: global.quiet
            ).sessions.map(\.description)
        }
        let size = try asOf.size(of: log, global)
        var query = try filter.query(asOf: size)
        if let after {
            let name = try log.session(withPrefix: after)
            query.from = try log.firstPosition(ofStream: name).map { $0 + 1 } ?? 0
        }
        let source = try SessionSource(log, global, asOf: size)
        try list(query, wanted, source)
        try source.refuseStop(before: size)
    }

    private func list(
        _ query: SessionQuery, _ wanted: [String]?, _ source: SessionSource
    ) throws {
        var left = limit ?? Int.max
        var lines = LineBuffer()
        let append = { (session: SessionSummary) in
            guard left > 0 else { return false }
            left -= 1
            try lines.append(
                global.json ? CanonicalJSON.encode(session.object) : Array(session.line.utf8))
            return left > 0
        }
        if let wanted {
            for session in try source.sessions(wanted, query) where try !append(session) { break }
        } else if left > 0 {
            try source.forEach(query, append)
        }
        try lines.flush()
    }
}

extension SessionSummary {
    /// The members of a line of `sessions --json`.
    var object: JSONObject {
        var object: JSONObject = [
            "clientID": .string(clientID), "durationMs": .integer(durationMilliseconds),
            "events": .integer(Int64(events)), "flow": .string(flow.rawValue),
            "observed": .string(observed.rawValue), "provider": .string(provider),
            "session": .string(session), "startedAt": .string(startedAt.rfc3339),
            "state": .string(state),
        ]
        object["acr"] = acr.map { .string($0) }
        object["erasedAt"] = erasedAt.map { .string($0.rfc3339) }
        object["endedAt"] = endedAt.map { .string($0.rfc3339) }
        object["issuer"] = issuer.map { .string($0) }
        object["reason"] = reason.map { .string($0.code) }
        object["stage"] = stage.map { .string($0.rawValue) }
        return object
    }

    /// One line for people.
    var line: String {
        "\(startedAt)  \(session)  \(provider) \(flow.rawValue)  \(state)"
            + (reason.map { " (\($0.code))" } ?? "")
            + (observed == .reported ? "  reported" : "")
            + (erasedAt == nil ? "" : "  erased")
    }
}
