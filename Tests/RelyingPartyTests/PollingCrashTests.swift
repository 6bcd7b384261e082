// SPDX-License-Identifier: Apache-2.0

import EventLog
import HTTPMessages
import LedgerPrimitives
import LoginSupport
import ProviderSimulator
import RelyingParty
import SessionEvents
import Sessions
import Synchronization
import Testing

@Suite("Polling that is cut off", .serialized)
struct PollingCrashTests {
    private static let script = BackchannelScript(pendingPolls: 2)

    /// A login that is cut off at one of its effects, and the sessions that it left.
    private static func cut(
        at effect: Int, _ rig: LoginRig, flow: Flow = .ciba
    ) async throws -> (sessions: [String], hasFired: Bool) {
        let effects = Effects(fatal: effect)
        effects.arm(rig)
        do {
            let log = try rig.open()
            _ = try await rig.backchannelLogin(log, flow: flow, script)
        } catch is Effects.Crash {}
        Effects.disarm(rig)
        let log = try rig.open()
        return (try log.streams(after: nil, limit: 10), effects.hasFired)
    }

    /// How many polls of a session left unrecorded, by the numbers of those that are recorded.
    private static func missing(
        _ log: EventLog, _ session: String
    ) throws -> (gaps: Int, lost: Int) {
        var last = 0
        var gaps = 0
        var lost = 0
        for recorded in try log.stream(session) {
            let attempt: Int
            switch try SessionEventCodec.decode(recorded) {
            case .polled(let polled):
                attempt = polled.attempt
                gaps += polled.hasGap == true ? 1 : 0
            case .tokenIssued(let issued):
                attempt = issued.attempt ?? 0
                gaps += issued.hasGap == true ? 1 : 0
            default: continue
            }
            guard attempt > 0 else { continue }
            lost += attempt - last - 1
            last = attempt
        }
        return (gaps, lost)
    }

    @Test("at any of its effects goes on from what was recorded, and shows what may be missing")
    func everyEffect() async throws {
        var reasons: Set<String> = []
        var gapsSeen = 0
        var effect = 0
        while true {
            effect += 1
            let rig = try LoginRig(seed: UInt64(effect))
            let (sessions, hasFired) = try await Self.cut(at: effect, rig)
            let log = try rig.open()
            guard let session = sessions.first else { continue }
            let before = try log.stream(session).map(\.leaf)
            let polledBefore = rig.provider.polls.count
            let recordedBefore = try log.recordedPolls(session)
            let takenOver = rig.clock.steadyMilliseconds()
            try await rig.party(log).pollAll()
            let after = try log.stream(session).map(\.leaf)
            #expect(Array(after.prefix(before.count)) == before, "effect \(effect)")
            let last = try #require(try log.words(session).last)
            #expect(["verified", "failed"].contains(last), "effect \(effect)")
            let (gaps, lost) = try Self.missing(log, session)
            #expect(polledBefore - recordedBefore <= 1, "effect \(effect)")
            #expect(
                rig.provider.polls.count - (try log.recordedPolls(session)) <= lost,
                "effect \(effect)")
            #expect(gaps == (lost > 0 ? 1 : 0), "effect \(effect)")
            #expect(rig.provider.polls.early == 0, "effect \(effect)")
            if let next = rig.provider.tokenRequests.dropFirst(polledBefore).first {
                #expect(
                    next.receivedAt.millisecondsSince1970 - takenOver >= 5000, "effect \(effect)")
            }
            if let reason = try log.failure(session)?.reason.code { reasons.insert(reason) }
            gapsSeen += gaps
            #expect(try log.check(.tree).findings == [], "effect \(effect)")
            if !hasFired { break }
        }
        #expect(effect > 20)
        #expect(gapsSeen > 0)
        #expect(reasons == ["abandoned", "result-lost"])
    }

    @Test("by a process whose success was lost ends as lost, whatever the provider says then")
    func lostSuccess() async throws {
        let rig = try LoginRig()
        struct Killed: Error {}
        rig.wire.after { exchange in
            if exchange.endpoint == .token, exchange.response?.status == 200 { throw Killed() }
            return nil
        }
        let session: String
        do {
            let log = try rig.open()
            session = try await rig.party(log).start(rig.profile, flow: .ciba, .ciba).session
            await #expect(throws: Killed.self) { try await rig.party(log).poll(session) }
        }
        rig.wire.clear()
        let log = try rig.open()
        let result = try await rig.party(log).poll(session)
        #expect(result.reason?.code == "result-lost")
        let last = try #require(try log.polls(session).last)
        #expect(last.hasGap == true)
        #expect(last.error == "invalid_grant")
        #expect(last.attempt == 4)
    }

    @Test("with the token recorded gets its verdict, and asks nobody")
    func recordedToken() async throws {
        let rig = try LoginRig()
        struct Killed: Error {}
        let isArmed = Mutex(false)
        rig.wire.after { exchange in
            if exchange.endpoint == .token, exchange.response?.status == 200 {
                isArmed.withLock { $0 = true }
            }
            return nil
        }
        let commits = Mutex(0)
        rig.onCommit { point in
            guard point == .beforeKeys, isArmed.withLock({ $0 }) else { return }
            let count = commits.withLock { count in
                count += 1
                return count
            }
            // The first commit has the token, the second would have the verdict.
            if count > 1 { throw Killed() }
        }
        let session: String
        do {
            let log = try rig.open()
            session = try await rig.party(log).start(rig.profile, flow: .ciba, .ciba).session
            await #expect(throws: Killed.self) { try await rig.party(log).poll(session) }
        }
        Effects.disarm(rig)
        let log = try rig.open()
        #expect(try log.words(session).last == "token-issued")
        let asked = rig.provider.polls.count
        let result = try await rig.party(log).poll(session)
        #expect(result.phase == .verified)
        #expect(rig.provider.polls.count == asked)
    }

    @Test(
        "whose answer was lost ends as lost once the request has run out, whoever ends it",
        arguments: [true, false])
    func runOutBehindGap(sweeps: Bool) async throws {
        let rig = try LoginRig()
        struct Killed: Error {}
        rig.wire.after { exchange in
            if exchange.endpoint == .token, exchange.response?.status == 200 { throw Killed() }
            return nil
        }
        let session: String
        do {
            let log = try rig.open()
            session = try await rig.party(log).start(rig.profile, flow: .ciba, .ciba).session
            await #expect(throws: Killed.self) { try await rig.party(log).poll(session) }
        }
        rig.wire.clear()
        rig.clock.advance(seconds: 121)
        let polled = rig.provider.polls.count
        let log = try rig.open()
        if sweeps {
            #expect(try await rig.party(log).sweep().ended.map(\.session) == [session])
        } else {
            try await rig.party(log).pollAll()
        }
        #expect(try log.failure(session)?.reason.code == "result-lost")
        #expect(rig.provider.polls.count == polled)
    }

    @Test("is ended by a sweep once the request has run out, and not before")
    func sweep() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let party = rig.party(log)
        let session = try await party.start(rig.profile, flow: .ciba, .ciba).session
        #expect(try await party.sweep().waiting == 1)
        rig.clock.advance(seconds: 121)
        let swept = try await party.sweep()
        #expect(swept.ended.map(\.session) == [session])
        #expect(swept.ended.first?.reason?.code == "poll-timeout")
        #expect(rig.provider.polls.count == 0)
    }
}
