// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import Platform
internal import Projections
internal import Replay
internal import SessionEvents

/// Which key set counts.
enum KeySetChoice: String, ExpressibleByArgument, CaseIterable {
    /// The one that was recorded with the verdict.
    case then
    /// The newest one that the log has of the issuer.
    case now
}

struct ReverifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reverify",
        abstract: "Check stored ID tokens again, with the keys and the policy of their day.",
        discussion: """
            Examples:
              authledger reverify
              authledger reverify --provider my-provider --since -30d --json
              authledger reverify --report outcomes.jsonl --cursor reverify.cursor
              authledger reverify --policy stricter.yaml
              authledger reverify --keys now
              authledger reverify --as-of 2026-03-31

            Everything comes from the ledger: no network, no clock. Exit status 1 when a verdict \
            differs from the recorded one, 3 when a token cannot be checked or was erased.

            --policy, --keys now and --at ask what the verdict would have been with something \
            else. A verdict that differs is the answer then: it is counted as `differing`, not as \
            a mismatch, and does not change the exit status. Of a policy, the members of the file \
            stand in the place of the recorded ones, such as `levelOfAssuranceMin: 4`, \
            `algorithms: [PS256]`, `clockSkewSeconds: 0`, `rsaBitsMin: 3072` or \
            `requiredClaims: [birthdate]`.

            With --cursor a run that was cut off goes on where it was, if it is asked for the \
            same; the file goes when the run is through.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var filter: SessionFilter
    @OptionGroup var asOf: AsOfOption

    @Option(help: ArgumentHelp("Check so many tokens at a time.", valueName: "n"))
    var jobs = 2

    @Option(
        help: ArgumentHelp(
            "Check with the settings in this file, in JSON or YAML, instead of the recorded ones.",
            valueName: "file"))
    var policy: String?

    @Option(
        help: ArgumentHelp(
            "Check with the recorded keys, or with the newest of each issuer in the log.",
            valueName: "then|now"))
    var keys = KeySetChoice.then

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Check as at this instant, instead of that of each token's receipt.",
            valueName: "instant"))
    var at: InstantArgument?

    @Option(
        help: ArgumentHelp("Write a line for each token to this file.", valueName: "file"))
    var report: String?

    @Option(
        help: ArgumentHelp(
            "Keep in this file how far the run is, and go on from there.", valueName: "file"))
    var cursor: String?

    func run() throws {
        guard (1...64).contains(jobs) else {
            throw CommandError(.usage, "jobs-invalid", "--jobs is a number from 1 to 64")
        }
        let changes = try self.changes()
        let log = try global.openLedger(.appending)
        let size = try asOf.size(of: log, global)
        let cursorFile = try cursor.map { ReverifyCursor(path: $0, asked: try asked(log, changes)) }
        let run = try ReverifyRun(
            log: log, size: size ?? .max, changes: changes, jobs: jobs, report: report,
            cursor: cursorFile, progress: Progress("reverify", isShown: !global.quiet))
        let result =
            try filter.isOpen ? run.checkAll() : run.check(try sessions(log, size))
        try global.output.print(result.object) { result.text }
        if result.summary.mismatches > 0 { throw CommandEnd(status: .findings) }
        if result.summary.erased + result.summary.inconclusive > 0 {
            throw CommandEnd(status: .inconclusive)
        }
    }

    private func sessions(_ log: EventLog, _ size: UInt64?) throws -> [String] {
        let source = try SessionSource(log, global, asOf: size)
        var sessions: [String] = []
        try source.forEach(try filter.query(asOf: size)) {
            sessions.append($0.session)
            return true
        }
        try source.refuseStop(before: size)
        return sessions
    }

    private func changes() throws -> ReverificationChanges {
        var changes = ReverificationChanges()
        changes.policySettings = try policy.map(PolicyFile.read)
        changes.usesNewestKeys = keys == .now
        changes.instant = at?.instant(now: .present)
        return changes
    }

    /// What a run is asked for: a cursor counts for the same only.
    private func asked(_ log: EventLog, _ changes: ReverificationChanges) throws -> JSONObject {
        var asked: JSONObject = ["ledger": .string(log.info.ledgerID.description)]
        asked["state"] = filter.state.map { .string($0) }
        asked["provider"] = filter.provider.map { .string($0) }
        asked["flow"] = filter.flow.map { .string($0) }
        asked["reason"] = filter.reason.map { .string($0) }
        asked["since"] = filter.since.map { .string($0.question) }
        asked["until"] = filter.until.map { .string($0.question) }
        asked["asOf"] = try asOf.size(of: log, global).map { .integer(Int64($0)) }
        asked["policy"] = changes.policySettings.map { .object($0) }
        asked["keys"] = .string(keys.rawValue)
        asked["at"] = at.map { .string($0.question) }
        asked["report"] = try report.map { .string(try Path.absolute($0)) }
        return asked
    }
}
