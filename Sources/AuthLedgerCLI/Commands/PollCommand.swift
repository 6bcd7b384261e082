// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import Platform
internal import RelyingParty
internal import Sessions
internal import Synchronization

struct PollCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "poll",
        abstract: "Ask for the answers of logins without a browser.",
        discussion: """
            Examples:
              authledger poll 0198b0f2
              authledger poll 0198b0f2 --watch --claims person.json
              authledger poll --all
              authledger poll --all --watch
              authledger poll --all --follow --json

            Asks once, after the pause that the provider wants, and prints how the login stands; \
            with --watch it goes on until the login is over. --all does so for every session that \
            waits for an answer and that no other process holds, also for those whose process was \
            killed. --all --follow never ends, and takes up logins that begin later.

            A session is polled for by one process at a time. Every poll is recorded, and the next \
            one comes a full pause after this process took the session over. Exit status 1 when a \
            login failed; with --all, when any did.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("Any unambiguous prefix of a session's id.", valueName: "session"))
    var session: String?

    @Flag(help: "Every session that waits for an answer.")
    var all = false

    @Flag(help: "Go on until the login is over, or with --all until every one is.")
    var watch = false

    @Flag(help: "With --all: go on for ever, and take up logins that begin later.")
    var follow = false

    @Option(
        help: ArgumentHelp(
            "Write subject and claims of the one session to this file (mode 0600) once.",
            valueName: "file"))
    var claims: String?

    func validate() throws {
        guard all == (session == nil) else {
            throw ValidationError("name a session, or all of them with --all")
        }
        guard !follow || all else { throw ValidationError("--follow needs --all") }
        guard claims == nil || !all else {
            throw ValidationError("--claims is for one session, not for --all")
        }
    }

    func run() async throws {
        let log = try global.openLedger(.appending)
        let party = RelyingParty(log: log, capabilities: .live)
        if let session {
            try await poll(log.session(withPrefix: session), party)
        } else {
            try await pollAll(party)
        }
    }

    // MARK: - One session

    private func poll(_ session: String, _ party: RelyingParty) async throws {
        let screen = WaitingScreen(global)
        let result = try await party.poll(session, answersMax: watch ? nil : 1) { result in
            if watch { screen.show(result) }
        }
        screen.finish()
        if let claims { try LoginReport.writeClaims(result, to: claims) }
        try global.output.print(result.object) {
            ([result.text] + result.linesForUser).joined(separator: "\n")
        }
        if result.phase == .failed { throw CommandEnd(status: .findings) }
    }

    // MARK: - All sessions

    private func pollAll(_ party: RelyingParty) async throws {
        let tally = PollTally(global, isWatching: watch || follow)
        var plan = watch || follow ? PollPlan.toTheEnd : .once
        plan.isFollowing = follow
        var progress = Progress("looking for logins", isShown: !global.quiet)
        try await party.pollAll(plan) { count in
            progress.update(UInt64(count), unit: "sessions", fraction: nil)
        } began: { census in
            tally.begin(census)
        } answered: { result in
            tally.note(result)
        }
        progress.finish()
        try tally.finish()
    }
}

/// Tells what became of many logins.
private final class PollTally: Sendable {
    private struct Counts {
        var census = PollCensus()
        var verified = 0
        var failed = 0
        var waiting = 0
        var answers = 0
        var progress: Progress
        /// Why a line could not be written.
        var failure: (any Error)?
    }

    private let global: GlobalOptions
    private let isWatching: Bool
    private let counts: Mutex<Counts>

    init(_ global: GlobalOptions, isWatching: Bool) {
        self.global = global
        self.isWatching = isWatching
        counts = Mutex(Counts(progress: Progress("poll", isShown: !global.quiet)))
    }

    func begin(_ census: PollCensus) {
        counts.withLock { $0.census = census }
        guard census.heldElsewhere > 0 else { return }
        let count = census.heldElsewhere
        global.notices.say(
            count == 1
                ? "1 session is polled for by another process"
                : "\(count) sessions are polled for by another process")
    }

    func note(_ result: LoginResult) {
        counts.withLock { counts in
            counts.answers += 1
            switch result.phase {
            case .verified: counts.verified += 1
            case .failed: counts.failed += 1
            default: if !isWatching { counts.waiting += 1 }
            }
            let over = counts.verified + counts.failed
            counts.progress.update(
                UInt64(counts.answers), unit: "answers",
                fraction: counts.census.taken == 0
                    ? nil : min(1, Double(over) / Double(counts.census.taken)))
            guard result.phase.isTerminal || !isWatching || global.json else { return }
            do {
                try global.output.print(result.object) { result.text }
            } catch {
                counts.failure = counts.failure ?? error
            }
        }
    }

    func finish() throws {
        try counts.withLock { counts in
            counts.progress.finish()
            if let failure = counts.failure { throw failure }
            if !global.json {
                let waiting = counts.waiting > 0 ? ", \(counts.waiting) still waiting" : ""
                global.notices.say(
                    "\(counts.verified) verified, \(counts.failed) failed\(waiting)")
            }
            if counts.failed > 0 { throw CommandEnd(status: .findings) }
        }
    }
}

extension CommandError {
    init(_ refusal: PollRefusal) {
        switch refusal {
        case .heldElsewhere:
            self.init(
                .inputOutput, "session-in-use", "another process drives this session",
                hint: "a session is polled for by one process at a time")
        case .notPolled(let state):
            self.init(
                .usage, "not-polled",
                "this session is not one of a login without a browser that AuthLedger runs; it is "
                    + state,
                hint: "`authledger callback` finishes logins through a browser")
        }
    }
}
