// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Capabilities
internal import EventLog
internal import HTTPMessages
internal import LedgerPrimitives
internal import OpenIDConnect
internal import Platform
internal import Projections
internal import ProviderSimulator
internal import RelyingParty
internal import Replay
internal import SessionEvents
internal import Sessions

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Record good and failing logins with a simulated provider, and check them.",
        discussion: """
            Examples:
              authledger demo
              authledger demo --ledger /tmp/demo --json

            Runs simulated providers in this process on loopback: one of no particular kind, Idura \
            Verify, IDPartner with its account selector, and BankID of Norway. Every flow there is \
            goes well once, and others fail as they are meant to.

            Without --ledger and AUTHLEDGER_DIR it makes a temporary ledger and prints its path, \
            so that you can go on looking around in it. It never touches a ledger that is not a \
            demo's (exit status 2).
            """)

    @OptionGroup var global: GlobalOptions

    /// The origin that marks a ledger as one to play with.
    static let origin = "authledger.invalid/demo"

    func run() async throws {
        let directory = try demoDirectory()
        try prepareLedger(directory)
        let log = try EventLog(
            directory, keyRoot: global.keyRoot(), access: .appending, capabilities: .live,
            limits: global.storageLimits())
        let script = DemoScript(log: log, folder: directory + "/providers")
        let sessions = try await script.run { line in
            if !global.json { try global.output.write(Array(line.utf8)) }
        }
        let summary = try ReverifyRun(
            log: log, jobs: 2, progress: Progress("reverify", isShown: false)
        ).checkAll().summary
        let report = try log.check(.tree)
        try print(directory, sessions, summary, report, log)
        let isExpected = sessions.allSatisfy(\.isExpected)
        if !report.isClean { throw CommandEnd(status: .integrity) }
        if !isExpected || summary.mismatches > 0 {
            throw CommandEnd(status: .findings)
        }
    }

    private func demoDirectory() throws -> String {
        if global.ledger != nil || ProcessControl.environment("AUTHLEDGER_DIR") != nil {
            return try Path.absolute(global.ledgerDirectory())
        }
        let temporary = ProcessControl.environment("TMPDIR") ?? "/tmp"
        let name = Hexadecimal.encode(Capabilities.live.randomBytes(6))
        return "\(temporary)/authledger-demo-\(name)"
    }

    /// Makes the ledger, or makes sure that the one that is there is a demo's.
    private func prepareLedger(_ directory: String) throws {
        if Directory.exists(directory), try !Directory.entries(of: directory).isEmpty {
            let log = try EventLog(
                directory, keyRoot: global.keyRoot(), access: .reading, capabilities: .live)
            guard log.info.origin.isIdentical(to: Self.origin) else {
                throw CommandError(
                    .usage, "not-a-demo-ledger", "this ledger is not a demo's; it was not touched",
                    hint: "name another directory with --ledger")
            }
        } else {
            _ = try EventLog.create(
                directory, origin: Self.origin, keyRoot: global.keyRoot(),
                samples: SyntheticSamples.events.map {
                    SampleEvent(envelope: $0.envelope, data: $0.data)
                }, capabilities: .live)
        }
    }

    private func print(
        _ directory: String, _ sessions: [DemoSession], _ summary: ReverificationSummary,
        _ report: CheckReport, _ log: EventLog
    ) throws {
        let object: JSONObject = [
            "ledger": .string(directory),
            "reverify": .object(summary.object),
            "sessions": .array(sessions.map { .object($0.object) }),
            "verify": .object(report.object),
        ]
        try global.output.print(object) {
            let failed = sessions.first { $0.result.reason?.code == "nonce-mismatch" }
            return """

                \((try? story(of: failed?.result.session, in: log)) ?? "")

                Checked again from the log alone: \(summary.tokens) tokens, \(summary.verified) \
                verified, \(summary.failed) failed, \(summary.mismatches) other than recorded.
                The ledger is \(report.isClean ? "clean" : "DAMAGED"): \(report.events) events, \
                root \(report.root.base64)

                Look around:
                  export AUTHLEDGER_DIR=\(directory)
                  authledger sessions --state failed
                  authledger log --limit 5
                """
        }
    }

    /// Timeline and explanation of one session.
    private func story(of session: String?, in log: EventLog) throws -> String {
        guard let session else { return "" }
        let events = try log.stream(session)
        let timeline = try events.map { try TimelineEntry($0).line }.joined(separator: "\n")
        let explanation = try Explanation(session: session, events: events)
        return "What happened in \(session):\n\(timeline)\n" + (explanation?.text ?? "")
    }
}
