// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import HTTPMessages
import LedgerPrimitives
import LiveNetwork
import Platform
import ProviderSimulator
import RelyingParty

/// Whole redirect logins, many at a time: a relying party with a real ledger and the simulated
/// provider in a process of its own, over HTTP on loopback.
///
/// After each round the ledger and the provider are asked whether a login was lost or doubled.
struct LoginsBenchmark {
    /// How long `openssl speed` measures, in seconds.
    private static let opensslSeconds = 1
    /// How many logins are measured one after the other.
    private static let aloneMax = 200

    private let options: BenchOptions
    private let scratch: Scratch

    init(_ options: BenchOptions) throws {
        guard options.logins > 0, options.concurrency > 0 else {
            throw BenchError("there must be at least one login, and one at a time")
        }
        let loginsMax = SimulatedProvider.receivedMax - Self.aloneMax
        guard options.logins <= loginsMax else {
            throw BenchError("the provider keeps count of \(loginsMax) logins at most")
        }
        self.options = options
        scratch = try Scratch(in: options.directory)
    }

    func run() async throws -> [Report] {
        var reports: [Report] = []
        for broker in options.brokers.isEmpty ? LoginBroker.allCases : options.brokers {
            var rounds: [Round] = []
            for number in 0..<options.rounds {
                rounds.append(try await round(broker, number))
            }
            reports.append(
                Report(
                    name: "redirect logins, \(broker.rawValue)",
                    conditions: [
                        "\(options.logins) logins, \(options.concurrency) at a time",
                        "code flow with PKCE and a secret" + (broker.pushes ? ", pushed" : ""),
                        try scratch.description(), "real syncs", "\(options.rounds) rounds",
                        "median (least–most)",
                    ], rows: rows(rounds)))
        }
        return reports
    }

    // MARK: - A round

    /// What a round came to.
    private struct Round {
        var together = LoginFigures()
        /// The same, one login after the other.
        var alone = LoginFigures()
        /// Of a client that keeps and checks nothing.
        var bare = LoginFigures()
        /// Processor time of the provider for a login, in seconds.
        var providerSeconds = 0.0
        var appendedAlone = 0.0
        var appendedRaw = 0.0
        var crypto = 0.0
    }

    private func round(_ broker: LoginBroker, _ number: Int) async throws -> Round {
        let folder = "\(broker.rawValue)-\(number)"
        let log = try BenchLedger.create(folder, in: scratch)
        var round = Round()
        try await ProviderProcess.run(broker) { provider in
            let profile = try broker.profile(
                issuer: provider.issuer, folder: scratch.path + "/profiles-" + folder)
            let live = Capabilities.live(LiveTransport(userAgent: "AuthLedger/bench"))
            let crowd = LoginCrowd(
                party: RelyingParty(log: log, capabilities: live), profile: profile,
                browser: LiveTransport(userAgent: "Browser/bench"))
            let before = try await provider.report()
            round.together = try await crowd.run(options.logins, atOnce: options.concurrency)
            let after = try await provider.report()
            round.providerSeconds =
                (after.processorSeconds - before.processorSeconds) / Double(options.logins)
            let alone = min(options.logins, Self.aloneMax)
            round.alone = try await crowd.run(alone, atOnce: 1)
            try LoginAudit(log).check(
                round.together.sessions + round.alone.sessions,
                tokenRequests: try await provider.report())
            let client = try await BareClient(
                profile, broker, send: live.send,
                browser: LiveTransport(userAgent: "Browser/bench"))
            round.bare = try await client.run(options.logins, atOnce: options.concurrency)
        }
        let events = RecordedLogins(log, round.together.sessions)
        round.appendedAlone = try await events.appendRate(
            to: try BenchLedger.create(folder + "-alone", in: scratch),
            callers: options.concurrency)
        round.appendedRaw = try await events.rawRate(
            RawLog(scratch.path + "/raw-" + folder), callers: options.concurrency)
        round.crypto = try await OpenSSLSpeed.rsaSignaturesAndVerificationsPerSecond(
            seconds: Self.opensslSeconds)
        return round
    }

    // MARK: - Rows

    private func rows(_ rounds: [Round]) -> [Row] {
        let rate = rounds.map(\.together.rate)
        let events = rate.map { $0 * Double(RecordedLogins.eventsPerLogin) }
        let bare = "the same requests, nothing kept or checked"
        return [
            Row(
                "logins", .loginsPerSecond, rate, peer: (bare, rounds.map(\.bare.rate))),
            Row(
                "logins", .loginsPerSecond, rate,
                peer: ("openssl speed rsa2048, sign and verify, one core", rounds.map(\.crypto))),
            Row(
                "events", .eventsPerSecond, events,
                peer: ("the same events, appended alone", rounds.map(\.appendedAlone))),
            Row(
                "events", .eventsPerSecond, events,
                peer: ("raw LMDB, group commit", rounds.map(\.appendedRaw))),
            Row(
                "processor time, this side", .microsecondsPerLogin,
                rounds.map { $0.together.processorSeconds * 1e6 },
                peer: (bare, rounds.map { $0.bare.processorSeconds * 1e6 })),
            Row(
                "processor time, the provider", .microsecondsPerLogin,
                rounds.map { $0.providerSeconds * 1e6 }),
        ] + latencies(rounds)
    }

    private func latencies(_ rounds: [Round]) -> [Row] {
        var rows: [Row] = []
        for phase in LoginFigures.Phase.allCases {
            for share in LatencyShare.allCases {
                rows.append(
                    Row(
                        "\(phase.rawValue), \(share.name)", .milliseconds,
                        rounds.map { $0.together.milliseconds(phase, share) },
                        peer: (
                            "one login after the other",
                            rounds.map { $0.alone.milliseconds(phase, share) }
                        )))
            }
        }
        return rows
    }
}
