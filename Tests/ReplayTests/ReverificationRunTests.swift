// SPDX-License-Identifier: Apache-2.0

import EventLog
import LedgerPrimitives
import LoginSupport
import OpenIDConnect
import ProviderSimulator
import Replay
import SessionEvents
import Synchronization
import Testing

@Suite("Many tokens checked again", .serialized)
struct ReverificationRunTests {
    private static func outcomes(_ log: EventLog, jobs: Int) throws -> [TokenOutcome] {
        let found = Mutex<[TokenOutcome]>([])
        let lines = Mutex(0)
        try ReverificationRun(
            log, .all(after: nil),
            writesLine: { outcome, bytes in
                found.withLock { $0.append(outcome) }
                bytes.append(1)
            },
            take: { batch in lines.withLock { $0 += batch.lines.count } }
        ).run(jobs: jobs)
        #expect(found.withLock { $0.count } == lines.withLock { $0 })
        return found.withLock { $0 }.sorted { $0.position < $1.position }
    }

    /// Every way in which a token can be wrong, flows with and without a browser.
    @Test("have the outcomes that each has by itself")
    func sameOutcomes() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        for misbehaviour in Misbehaviour.allCases where misbehaviour.row.needs.isEmpty {
            _ = try? await rig.login(log, misbehaving: misbehaviour)
        }
        let session = try await rig.login(log).session
        let forgery = try Forgery(of: session, in: log, rig)
        for count in 1...4 { _ = try forgery.write(count: count) { _ in } }
        _ = try forgery.write { $0.clear["policyDigest"] = nil }
        _ = try forgery.write { if $0.type == .tokenIssued { $0.sealed?["idToken"] = nil } }
        let large = String(repeating: "x", count: 60_000)
        _ = try forgery.write { $0.sealed?["padding"] = .string(large) }
        let alone = try Self.alone(log)
        #expect(alone.count > 20)
        #expect(Set(alone.map(\.result)) == [.verified, .failed, .inconclusive])
        #expect(try Self.outcomes(log, jobs: 1) == alone)
        #expect(try Self.outcomes(log, jobs: 3) == alone)
    }

    @Test("have them in flows without a browser, too")
    func backchannel() async throws {
        let rig = try LoginRig(.idura)
        let log = try rig.open()
        for flow in [Flow.ciba, .headless] {
            _ = try? await rig.backchannelLogin(log, flow: flow)
        }
        let alone = try Self.alone(log)
        #expect(!alone.isEmpty)
        #expect(try Self.outcomes(log, jobs: 2) == alone)
    }

    /// One session after the other, in the ordinary way.
    private static func alone(_ log: EventLog) throws -> [TokenOutcome] {
        let reverification = try Reverification(log)
        return try log.streams(after: nil, limit: 10_000)
            .compactMap { try reverification.reverify(session: $0) }
            .sorted { $0.position < $1.position }
    }

    /// The verdict is that of the decider, check by check.
    @Test("have the verdicts that the decider comes to")
    func decider() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        for misbehaviour in [Misbehaviour.none, .expired, .badSignature, .wrongNonce] {
            let session = try await rig.login(log, misbehaving: misbehaviour).session
            let outcome = try #require(try Reverification(log).reverify(session: session))
            let recorded = try #require(try log.opened(session).last?.event)
            switch recorded {
            case .verified:
                #expect(outcome.result == .verified && outcome.failedChecks == [])
            case .failed(let failed):
                #expect(outcome.reason == failed.reason)
                let names = failed.checks?.filter { $0.outcome == .failed }.map(\.name)
                #expect(outcome.failedChecks == names)
            default:
                Issue.record("no verdict")
            }
        }
    }

    @Test("begin behind a session, in the order of their batches, and end with what fails")
    func order() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        var sessions: [String] = []
        let forgery = try Forgery(of: try await rig.login(log).session, in: log, rig)
        for _ in 0..<600 { sessions.append(try forgery.write { _ in }) }
        let all = try log.streams(after: nil, limit: 1000)
        let seen = Mutex<[String]>([])
        try ReverificationRun(log, .all(after: all[0])) { batch in
            seen.withLock { $0 += batch.sessions }
        }.run(jobs: 2)
        #expect(seen.withLock { $0 } == Array(all.dropFirst()))
        let listed = Mutex(ReverificationSummary())
        try ReverificationRun(log, .list(sessions[10..<20])) { batch in
            listed.withLock { $0.add(batch.summary) }
        }.run(jobs: 4)
        #expect(listed.withLock { $0.verified } == 10)
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try ReverificationRun(log, .all(after: nil)) { _ in throw Stop() }.run(jobs: 2)
        }
    }
}
