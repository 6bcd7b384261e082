// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import RelyingParty

struct SweepCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "End the logins that nobody will finish.",
        discussion: """
            Examples:
              authledger sweep
              authledger sweep --older-than 900
              authledger sweep --dry-run --json

            A user who never comes back leaves a session that waits. Each profile says how long \
            (`abandonedAfterSeconds`, an hour by default); after that it ends `failed` with \
            `abandoned`. A session whose process died with a code on its way ends \
            `exchange-interrupted`, and one with a token gets its verdict. Sessions that a process \
            holds are left alone. Run it from time to time, from cron or a timer.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(
        help: ArgumentHelp(
            "Give users so many seconds, whatever the profiles say.", valueName: "seconds"))
    var olderThan: Int?

    @Flag(help: "Only say which sessions it would end.")
    var dryRun = false

    func validate() throws {
        if let olderThan, olderThan < 0 {
            throw ValidationError("--older-than takes a number of seconds")
        }
    }

    func run() async throws {
        let log = try global.openLedger(.appending)
        let party = RelyingParty(log: log, capabilities: .live)
        var progress = Progress("sweep", isShown: !global.quiet)
        let result = try await party.sweep(olderThan: olderThan, isDry: dryRun) { count in
            progress.update(UInt64(count), unit: "sessions", fraction: nil)
        }
        progress.finish()
        let object: JSONObject = [
            "dryRun": .bool(dryRun),
            "ended": .array(result.ended.map { .object($0.object) }),
            "sessions": .integer(Int64(result.sessions)),
            "waiting": .integer(Int64(result.waiting)),
        ]
        try global.output.print(object) {
            (result.ended.map(\.text)
                + [
                    "\(result.sessions) sessions: \(result.ended.count) "
                        + (dryRun ? "would be ended" : "ended")
                        + ", \(result.waiting) still waiting"
                ]).joined(separator: "\n")
        }
    }
}
