// SPDX-License-Identifier: Apache-2.0

import EventLog
import JOSE
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import Replay
import SessionEvents

/// What checking a stored ID token again costs, beside the bare signature check of `openssl speed`.
struct ReverifyBenchmark {
    /// A session with everything that the stages of its check take in.
    private struct Sample {
        let session: String
        let events: [RecordedEvent]
        let key: DataKey
        let evidence: TokenEvidence
        let token: [UInt8]
        let jws: VerifiedJWS
        /// The part of the token that is signed.
        let signed: ArraySlice<UInt8>
        let signature: [UInt8]
    }

    /// One stage on the way to a verdict.
    private struct Stage {
        let name: String
        let body: (Sample) throws -> Void

        init(_ name: String, _ body: @escaping (Sample) throws -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// At least 0.3 of the bare rate: at most so many times its cost.
    private static let bar = 1 / 0.3
    private static let opensslSeconds = 1
    /// What `authledger reverify` does unless told otherwise.
    private static let jobs = 2

    private let options: BenchOptions
    private let scratch: Scratch
    private let log: EventLog
    private let keys: JSONWebKeySet

    init(_ options: BenchOptions) throws {
        self.options = options
        scratch = try Scratch(in: options.directory)
        log = try BenchLedger.create("ledger", in: scratch)
        let workload = try Workload(sessions: options.sessions, seed: options.seed, signed: true)
        keys = workload.keySet
        try BenchLedger.record(LineSource(workload), into: log)
    }

    func run() async throws -> [Report] {
        let samples = try samples()
        return [try await endToEnd(samples.map(\.session)), try await stages(samples)]
    }

    // MARK: - All of it

    private func endToEnd(_ sessions: [String]) async throws -> Report {
        var bare: [Double] = []
        var bareOnAll: [Double] = []
        var oneCore: [Double] = []
        var all: [Double] = []
        for _ in 0..<options.rounds {
            bare.append(try await openssl(processes: 1))
            bareOnAll.append(try await openssl(processes: Self.jobs))
            let reverification = Reverification(log)
            let oneCoreSeconds = try Stopwatch.processorSeconds {
                try reverify(sessions[...], reverification)
            }
            let allSeconds = try await Stopwatch.seconds {
                try await reverify(sessions, Reverification(log))
            }
            oneCore.append(Double(sessions.count) / oneCoreSeconds)
            all.append(Double(sessions.count) / allSeconds)
        }
        return Report(
            name: "re-verification",
            conditions: [
                "\(sessions.count) RS256 tokens", "\(options.rounds) rounds",
                "median (least–most)",
            ],
            rows: [
                Row(
                    "as the command runs, \(Self.jobs) jobs", .tokensPerSecond, all,
                    peer: ("openssl speed rsa2048", bare), bar: Self.bar),
                Row(
                    "as the command runs, \(Self.jobs) jobs", .tokensPerSecond, all,
                    peer: ("openssl speed -multi \(Self.jobs) rsa2048", bareOnAll)),
                Row(
                    "one job, by processor time", .tokensPerSecond, oneCore,
                    peer: ("openssl speed rsa2048", bare)),
            ])
    }

    private func openssl(processes: Int) async throws -> Double {
        try await OpenSSLSpeed.rsaVerificationsPerSecond(
            processes: processes, seconds: Self.opensslSeconds)
    }

    private func reverify(
        _ sessions: [String], _ reverification: Reverification
    ) async throws {
        let size = (sessions.count + Self.jobs - 1) / Self.jobs
        try await withThrowingTaskGroup(of: Void.self) { group in
            for start in stride(from: 0, to: sessions.count, by: size) {
                let part = sessions[start..<min(sessions.count, start + size)]
                group.addTask { try reverify(part, reverification) }
            }
            try await group.waitForAll()
        }
    }

    private func reverify(
        _ sessions: ArraySlice<String>, _ reverification: Reverification
    ) throws {
        for session in sessions {
            guard try reverification.reverify(session: session)?.result == .verified else {
                throw BenchError("a token did not verify")
            }
        }
    }

    // MARK: - Stage by stage

    /// The sessions with a good token, taken apart.
    private func samples() throws -> [Sample] {
        let reverification = Reverification(log)
        let verifier = SignatureVerifier(algorithms: [.rs256])
        var samples: [Sample] = []
        var last: String?
        while true {
            let sessions = try log.streams(after: last, limit: 512)
            guard let end = sessions.last else { return samples }
            last = end
            for session in sessions {
                guard let evidence = try reverification.evidence(session: session),
                    try reverification.judge(evidence).result == .verified,
                    let token = evidence.idToken.map({ Array($0.utf8) }),
                    let jws = verifier.examine(token, keys: keys).jws,
                    let dot = token.lastIndex(of: UInt8(ascii: ".")),
                    let signature = Base64URL.decode(token[(dot + 1)...]),
                    let key = try log.dataKey(for: session)
                else { continue }
                samples.append(
                    Sample(
                        session: session, events: try log.streamEnds(session, last: 2).events,
                        key: key, evidence: evidence, token: token, jws: jws,
                        signed: token[..<dot], signature: signature))
            }
        }
    }

    private func stages(_ samples: [Sample]) async throws -> Report {
        let stages = self.stages
        var figures = [[Double]](repeating: [], count: stages.count)
        var bare: [Double] = []
        for _ in 0..<options.rounds {
            bare.append(1e6 / (try await openssl(processes: 1)))
            for (index, stage) in stages.enumerated() {
                let seconds = try Stopwatch.processorSeconds {
                    try samples.forEach(stage.body)
                }
                figures[index].append(seconds * 1e6 / Double(samples.count))
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

    private var stages: [Stage] {
        let log = log
        let keys = keys
        let reverification = Reverification(log)
        let verifier = SignatureVerifier(algorithms: [.rs256])
        return [
            Stage("find, read, restore and decode three events") {
                _ = try log.streamEnds($0.session, last: 2)
            },
            Stage("read their payloads") { sample in
                for event in sample.events {
                    _ = try SessionEventCodec.decode(event)
                }
            },
            Stage("find and unwrap the data key") { _ = try log.dataKey(for: $0.session) },
            Stage("open and decode what is sealed in two of them") { sample in
                for event in sample.events.dropLast() {
                    _ = try log.openSealed(event, dataKey: sample.key)
                }
            },
            Stage("these four together: the evidence") {
                _ = try reverification.evidence(session: $0.session)
            },
            Stage("the signature alone") { sample in
                guard let key = sample.jws.key.publicKey,
                    key.verify(sample.signature, over: sample.signed, scheme: .rsaPKCS1(.sha256))
                else { throw BenchError("a signature is not valid") }
            },
            Stage("take the token apart, choose the key, check the signature") {
                _ = verifier.examine($0.token, keys: keys)
            },
            Stage("the whole judgement, claims and all") {
                _ = try reverification.judge($0.evidence)
            },
        ]
    }
}
