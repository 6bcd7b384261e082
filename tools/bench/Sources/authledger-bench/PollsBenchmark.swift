// SPDX-License-Identifier: Apache-2.0

import EventLog
import LedgerPrimitives
import LiveNetwork
import Platform
import ProviderSimulator
import RelyingParty
import SessionEvents
import Sessions
import Synchronization

/// Very many logins without a browser, all waiting at once: one process polls for them at a
/// simulated provider in a process of its own, over HTTP on loopback. On request it is killed
/// again and again while it does.
///
/// In the end the log is compared with what the provider counted.
struct PollsBenchmark {
    /// How long requests are good, in seconds: some users never answer, and the others shall have
    /// done so by then.
    private static let lifetimeSeconds = 130
    /// How much longer for each kill: what a process needs until it polls, and some polls.
    private static let lifetimeSecondsPerKill = 10
    /// When a process is killed at the latest, in milliseconds after it was started.
    private static let killMillisecondsMax = 15_000
    private static let startsAtOnce = 64

    private let options: BenchOptions
    private let scratch: Scratch

    private var ledger: String { scratch.path + "/ledger" }
    private var keyRoot: String { scratch.path + "/keys" }

    init(_ options: BenchOptions) throws {
        guard options.pending > 0, options.kills >= 0 else {
            throw BenchError("there must be at least one login")
        }
        self.options = options
        scratch = try Scratch(in: options.directory)
    }

    func run() async throws -> Report {
        var rows: [Row] = []
        let lifetime = Self.lifetimeSeconds + options.kills * Self.lifetimeSecondsPerKill
        try await ProviderProcess.run(.generic, backchannelSeconds: lifetime) { provider in
            let profile = try LoginBroker.generic.profile(
                issuer: provider.issuer, folder: scratch.path + "/profiles")
            try await begin(profile)
            let log = try EventLog(
                ledger, keyRoot: keyRoot, access: .unsealing, capabilities: .live)
            rows =
                options.kills == 0
                ? try await measure(log, provider) : try await kill(log, provider)
        }
        let kills = options.kills == 0 ? "" : ", \(options.kills) kills"
        return Report(
            name: "polls" + kills,
            conditions: [
                "\(options.pending) logins by CIBA waiting at once",
                "an interval of \(PollScripts.intervalSeconds) s", try scratch.description(),
                "real syncs",
            ], rows: rows)
    }

    /// Begins the logins, at whatever speed, and closes the ledger.
    private func begin(_ profile: ProviderProfile) async throws {
        let party = RelyingParty(
            log: try BenchLedger.create("ledger", in: scratch),
            capabilities: .live(LiveTransport(userAgent: "AuthLedger/bench")))
        var wishes = LoginWishes()
        // The first person of the simulated provider.
        wishes.loginHint = ProviderSettings(clients: []).persons.first?.subject
        let turnstile = Turnstile(limit: options.pending)
        let wanted = wishes
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.startsAtOnce {
                group.addTask {
                    while turnstile.letsIn() {
                        let started = try await party.start(profile, flow: .ciba, wanted)
                        guard started.phase == .polling else {
                            throw BenchError(
                                "a login did not begin: \(started.reason?.code ?? "")")
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    // MARK: - Without kills

    private func measure(_ log: EventLog, _ provider: ProviderProcess) async throws -> [Row] {
        let before = try Directory.allocatedBytes(of: log.paths.log)
        let begun = try log.head().size
        let providerBefore = try await provider.report().processorSeconds
        let figures = try await PollerProcess.run(ledger)
        let providerSeconds = try await provider.report().processorSeconds - providerBefore
        let grown = try Directory.allocatedBytes(of: log.paths.log) - before
        let appended = try log.head().size - begun
        let audit = try PollsAudit(log)
        let unrecorded = try await audit.check(
            provider, count: options.pending, earlier: [], lost: [:])
        guard unrecorded == 0, figures.taken == options.pending else {
            throw BenchError("\(unrecorded) polls were not recorded")
        }
        guard try log.check(.tree).isClean else { throw BenchError("the ledger has findings") }
        let polls = try await provider.polls()
        let count = Double(audit.pollCount)
        return lateness(polls)
            + [
                atMost("peak resident memory", .mebibytes, figures.peakBytes / 1_048_576, 300),
                Row("polls", .count, [count]),
                Row("polls", .pollsPerSecond, [count / figures.seconds]),
                Row(
                    "processor time, this side", .microsecondsPerPoll,
                    [figures.processorSeconds * 1e6 / count]),
                Row(
                    "processor time, the provider", .microsecondsPerPoll,
                    [providerSeconds * 1e6 / count]),
                Row("taking all up", .seconds, [figures.takeUpSeconds]),
                Row("from the first poll to the last end", .seconds, [figures.seconds]),
            ] + (try sizes(log, audit))
            + [Row("growth of log/", .bytes, [Double(grown) / Double(appended)])]
    }

    private func lateness(_ polls: ProviderProcess.Polls) -> [Row] {
        let sorted = polls.latenessMilliseconds
        guard !sorted.isEmpty else { return [] }
        return [
            Row("early polls", .count, [Double(polls.early)]),
            Row("lateness, p50", .milliseconds, [LatencyShare.half.of(sorted)]),
            atMost("lateness, p99", .milliseconds, LatencyShare.ninetyNine.of(sorted), 250),
            Row("lateness, max", .milliseconds, [LatencyShare.all.of(sorted)]),
        ]
    }

    private func sizes(_ log: EventLog, _ audit: PollsAudit) throws -> [Row] {
        let copy = try EnvironmentCopy(of: log.paths.log, at: scratch.path + "/log-copy")
        let lengths = try copy.lengths(of: "events")
        let repeated = audit.repeated.map { Double(lengths[$0]) }
        guard !repeated.isEmpty else { return [] }
        let mean = repeated.reduce(0, +) / Double(repeated.count)
        return [
            atMost("a repeated pending poll, mean", .bytes, mean, 150),
            atMost("… the longest", .bytes, repeated.max() ?? 0, 150),
            atMost("… in pages of its own", .bytes, try bytesInPages(repeated), 150),
            Row(
                "pages of the frames of all events", .bytes,
                [Double(try copy.bytes(of: "events")) / Double(lengths.count)]),
        ]
    }

    /// What frames take up on disk with nothing between them: with the keys, the page headers and
    /// what stays free in pages.
    private func bytesInPages(_ lengths: [Double]) throws -> Double {
        let path = scratch.path + "/repeated"
        let log = try RawLog(path)
        try log.append(
            lengths.map { [UInt8](repeating: 0xA5, count: Int($0)) }, perCommit: 512)
        return Double(try Directory.allocatedBytes(of: path)) / Double(lengths.count)
    }

    private func atMost(_ name: String, _ unit: Unit, _ value: Double, _ limit: Double) -> Row {
        Row(name, unit, [value], peer: ("at most", [limit]), bar: 1)
    }

    // MARK: - With kills

    private func kill(_ log: EventLog, _ provider: ProviderProcess) async throws -> [Row] {
        let kills = try await killAgainAndAgain(log)
        let figures = try await PollerProcess.run(ledger)
        let audit = try PollsAudit(log)
        let unrecorded = try await audit.check(
            provider, count: options.pending, earlier: kills.earlier, lost: kills.lost)
        guard try log.check(.tree).isClean else { throw BenchError("the ledger has findings") }
        let missing = audit.sessions.values.reduce(0) { $0 + $1.missing.count }
        let early = try await provider.polls().early
        return [
            Row("early polls", .count, [Double(early)]),
            Row("polls that came", .count, [Double(audit.pollCount + unrecorded)]),
            Row("polls that were recorded", .count, [Double(audit.pollCount)]),
            Row("under way at a kill", .count, kills.lostAtOnce.map { Double($0) }),
            Row("under way at all kills", .count, [Double(kills.lostAtOnce.reduce(0, +))]),
            Row("shown as missing", .count, [Double(missing)]),
            Row("… that came to the provider", .count, [Double(unrecorded)]),
            Row("logins left at the last kill", .count, [Double(figures.taken)]),
            Row("taking them up", .seconds, [figures.takeUpSeconds]),
        ]
    }

    /// What was seen at the kills.
    private struct Kills {
        /// The hashes of the events that were there before the last kill, by position.
        var earlier: [Digest] = []
        /// The polls that were under way, by session.
        var lost: [String: Set<Int>] = [:]
        /// How many they were at each kill.
        var lostAtOnce: [Int] = []
    }

    private func killAgainAndAgain(_ log: EventLog) async throws -> Kills {
        var dice = SeededGenerator(seed: options.seed)
        var kills = Kills()
        let names = try sessions(of: log)
        for _ in 0..<options.kills {
            try await PollerProcess.run(
                ledger, killedAfterMilliseconds: dice.number(0..<Self.killMillisecondsMax)
            ) {
                let known = UInt64(kills.earlier.count)
                try log.forEachLeaf(in: known..<(try log.head().size)) { _, hash, _ in
                    kills.earlier.append(hash)
                    return true
                }
            }
            var count = 0
            for name in names {
                guard let number = try log.notedAttempt(of: name) else { continue }
                if kills.lost[name, default: []].insert(number).inserted { count += 1 }
            }
            kills.lostAtOnce.append(count)
        }
        return kills
    }

    private func sessions(of log: EventLog) throws -> [String] {
        var names: [String] = []
        while true {
            let next = try log.streams(after: names.last, limit: 1024)
            if next.isEmpty { return names }
            names += next
        }
    }
}

/// When polling began, for the process that polls.
final class PollingStart: Sendable {
    private let start = Mutex((monotonic: UInt64(0), processor: UInt64(0)))

    func note() {
        start.withLock {
            $0 = (ProcessControl.monotonicNanoseconds, ProcessControl.processorNanoseconds)
        }
    }

    /// Seconds since then, and those of processor time.
    var passed: (seconds: Double, processorSeconds: Double) {
        let start = start.withLock { $0 }
        return (
            Double(ProcessControl.monotonicNanoseconds - start.monotonic) / 1e9,
            Double(ProcessControl.processorNanoseconds - start.processor) / 1e9
        )
    }
}
