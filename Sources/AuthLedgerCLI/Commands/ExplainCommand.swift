// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import Projections
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
        let log = try global.openLedger(.reading)
        let name = try log.session(withPrefix: session)
        let size = try asOf.size(of: log, global) ?? .max
        let events = try log.stream(name, before: size)
        guard let explanation = try Explanation(session: name, events: events) else {
            throw CommandError(.inputOutput, "session-unknown", "there is no such session")
        }
        try global.output.print(explanation.object) { explanation.text }
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
