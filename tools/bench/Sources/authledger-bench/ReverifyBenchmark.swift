// SPDX-License-Identifier: Apache-2.0

import EventLog
import JOSE
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import Platform
import Replay
import SessionEvents
import Synchronization

/// What checking stored ID tokens again costs, beside the bare signature checks of `openssl speed`
/// and those of JWT libraries.
struct ReverifyBenchmark {
    /// At least 0.4 of the bare rate end to end, and 0.6 for the signatures alone: at most so many
    /// times its cost.
    private static let bar = 1 / 0.4
    private static let signatureBar = 1 / 0.6
    private static let opensslSeconds = 3
    /// What `authledger reverify` does unless told otherwise.
    private static let jobs = 2
    /// How many tokens are checked by themselves and stage by stage.
    private static let samplesMax = 50_000

    private let options: BenchOptions
    private let ledger: TokenLedger

    init(_ options: BenchOptions) throws {
        self.options = options
        ledger = try TokenLedger(options)
    }

    func run() async throws -> [Report] {
        defer { ledger.end() }
        let whole = try await endToEnd()
        let samples = try ReverifySamples(ledger.log, countMax: Self.samplesMax)
        return [whole, try await signatures(samples), try await stages(samples)]
    }

    private func openssl(processes: Int) async throws -> Double {
        try await OpenSSLSpeed.rsaVerificationsPerSecond(
            processes: processes, seconds: Self.opensslSeconds)
    }

    // MARK: - All of it

    private func endToEnd() async throws -> Report {
        var bare: [Double] = []
        var recorded: [Double] = []
        var stricter: [Double] = []
        var memory: [Double] = []
        var refused = 0
        var changes = ReverificationChanges()
        changes.policySettings = ["levelOfAssuranceMin": 4]
        for _ in 0..<options.rounds {
            bare.append(try await openssl(processes: Self.jobs))
            try MemoryUse.resetPeak()
            recorded.append(try rate(ReverificationChanges()).perSecond)
            memory.append(Double(try MemoryUse.peakBytes()) / 1_048_576)
            let result = try rate(changes)
            stricter.append(result.perSecond)
            refused = result.summary.failed
        }
        let peer = (name: "openssl speed -multi \(Self.jobs) rsa2048", values: bare)
        return Report(
            name: "re-verification",
            conditions: [
                "\(ledger.manifest.tokens) RS256 tokens, \(ledger.manifest.distinct) distinct",
                "\(Self.jobs) threads", "\(options.rounds) rounds",
                "minimum level of assurance 4 would have refused \(refused)",
                "median (least–most)",
            ],
            rows: [
                Row("as recorded", .tokensPerSecond, recorded, peer: peer, bar: Self.bar),
                Row(
                    "what if the level of assurance had to be 4", .tokensPerSecond, stricter,
                    peer: peer, bar: Self.bar),
                Row("peak resident memory, mapped pages included", .mebibytes, memory),
            ])
    }

    private func rate(
        _ changes: ReverificationChanges
    ) throws -> (perSecond: Double, summary: ReverificationSummary) {
        let summary = Mutex(ReverificationSummary())
        let seconds = try Stopwatch.seconds {
            try ReverificationRun(ledger.log, .all(after: nil), changing: changes) { outcomes in
                summary.withLock { $0.add(outcomes.summary) }
            }.run(jobs: Self.jobs)
        }
        let found = summary.withLock { $0 }
        guard found.tokens == ledger.manifest.tokens, found.mismatches == 0,
            found.inconclusive == 0, changes.isEmpty ? found.verified > 0 : found.verified == 0
        else { throw BenchError("the tokens were not judged as they should be: \(found)") }
        return (Double(found.tokens) / seconds, found)
    }

    // MARK: - Signatures

    private func signatures(_ samples: ReverifySamples) async throws -> Report {
        let peers = try JWTPeers(options, samples)
        var bare: [Double] = []
        var own: [Double] = []
        var rates: [String: [Double]] = [:]
        for _ in 0..<options.rounds {
            bare.append(try await openssl(processes: Self.jobs))
            own.append(try samples.signaturesPerSecond(threads: Self.jobs))
            for (name, rate) in try await peers.rates(processes: Self.jobs) {
                rates[name, default: []].append(rate)
            }
        }
        var rows = [
            Row(
                "signatures alone, \(Self.jobs) threads", .tokensPerSecond, own,
                peer: ("openssl speed -multi \(Self.jobs) rsa2048", bare), bar: Self.signatureBar)
        ]
        for (name, values) in rates.sorted(by: { $0.key < $1.key }) {
            rows.append(
                Row(
                    "signatures alone, \(Self.jobs) threads", .tokensPerSecond, own,
                    peer: ("\(name), \(Self.jobs) at a time", values), bar: 1))
        }
        return Report(
            name: "signatures of the same tokens",
            conditions: ["\(samples.items.count) RS256 tokens", "\(options.rounds) rounds"]
                + peers.notes + ["median (least–most)"],
            rows: rows)
    }

    // MARK: - Stage by stage

    private func stages(_ samples: ReverifySamples) async throws -> Report {
        let stages = try samples.stages()
        var figures = [[Double]](repeating: [], count: stages.count)
        var bare: [Double] = []
        for _ in 0..<options.rounds {
            bare.append(1e6 / (try await openssl(processes: 1)))
            for (index, stage) in stages.enumerated() {
                let seconds = try Stopwatch.processorSeconds(stage.body)
                figures[index].append(seconds * 1e6 / Double(samples.items.count))
            }
        }
        return Report(
            name: "re-verification, stage by stage",
            conditions: [
                "one thread", "processor time", "\(options.rounds) rounds", "median (least–most)",
            ],
            rows: zip(stages, figures).map { stage, values in
                Row(
                    stage.name, .microsecondsPerToken, values,
                    peer: ("one of openssl's verifications", bare))
            })
    }
}

extension MemoryUse {
    /// Forgets what was resident at most so far.
    fileprivate static func resetPeak() throws {
        try File("/proc/self/clear_refs", .overwriting).write(Array("5".utf8))
    }
}
