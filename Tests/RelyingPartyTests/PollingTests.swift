// SPDX-License-Identifier: Apache-2.0

import EventLog
import HTTPMessages
import LedgerPrimitives
import LoginSupport
import OpenIDConnect
import ProviderSimulator
import RelyingParty
import SessionEvents
import Sessions
import Synchronization
import Testing

@Suite("Polling", .serialized)
struct PollingTests {
    /// The pauses between the polls that the provider received, in seconds.
    private static func pauses(_ rig: LoginRig) -> [Int64] {
        let times = rig.provider.tokenRequests.map(\.receivedAt.millisecondsSince1970)
        return zip(times, times.dropFirst()).map { ($1 - $0) / 1000 }
    }

    @Test(
        "keeps to the interval that the provider names, and to five seconds without one",
        arguments: [(31, 31), (nil, 5), (0, 1)])
    func interval(named: Int?, kept: Int64) async throws {
        let rig = try LoginRig()
        rig.provider.withProvider { $0.settings.backchannel.intervalSeconds = named }
        let log = try rig.open()
        let result = try await rig.backchannelLogin(log)
        #expect(result.phase == .verified)
        #expect(Self.pauses(rig).allSatisfy { $0 >= kept && $0 <= kept + 1 })
        #expect(rig.provider.polls.early == 0)
    }

    @Test("slows down by five seconds for good when the provider asks for it")
    func slowDown() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let script = BackchannelScript(pendingPolls: 4, interludes: [2: .slowDown])
        let result = try await rig.backchannelLogin(log, script)
        #expect(result.phase == .verified)
        #expect(Self.pauses(rig) == [5, 10, 10, 10, 10])
        #expect(rig.provider.polls.early == 0)
        let slowed = try #require(try log.polls(result.session).first { $0.status == .slowDown })
        #expect(slowed.intervalSeconds == 10)
    }

    @Test(
        "outlives a provider that is out, too busy or silent, and backs off",
        arguments: [
            BackchannelScript.Interlude.outage(retryAfterSeconds: nil),
            .outage(retryAfterSeconds: 40), .tooMany(retryAfterSeconds: 25), .silence,
        ])
    func outage(interlude: BackchannelScript.Interlude) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let script = BackchannelScript(
            pendingPolls: 2, interludes: [1: interlude, 2: interlude])
        let result = try await rig.backchannelLogin(log, script)
        #expect(result.phase == .verified)
        let polls = try log.polls(result.session)
        #expect(
            polls.map(\.status) == [.accepted, .unavailable, .unavailable, .pending, .pending])
        let pauses = Self.pauses(rig)
        switch interlude {
        case .outage(let wanted?), .tooMany(let wanted?):
            #expect(pauses[0] >= wanted && pauses[1] >= wanted)
        default:
            #expect(pauses[0] >= 10 && pauses[1] >= 20)
        }
        #expect(pauses[2] < 7)
        #expect(try log.recordedPolls(result.session) == rig.provider.polls.count)
    }

    @Test(
        "ends with any error that is final, and never asks for that request again",
        arguments: [
            ("access_denied", "access-denied"), ("expired_token", "poll-timeout"),
            ("invalid_request", "broker-error"), ("invalid_grant", "broker-error"),
            ("unauthorized_client", "client-auth-failed"), ("made_up", "broker-error"),
        ])
    func finalError(code: String, reason: String) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let script = BackchannelScript(
            pendingPolls: 2, ending: .fails(code: code, description: nil))
        let result = try await rig.backchannelLogin(log, script)
        #expect(result.reason?.code == reason)
        #expect(rig.provider.polls.count == 3)
        let polled = rig.wire.endpoints.count
        await #expect(throws: Never.self) {
            _ = try await rig.party(log).poll(result.session)
        }
        #expect(rig.wire.endpoints.count == polled)
        #expect(try log.words(result.session).suffix(2) == ["polled", "failed"])
    }

    @Test("ends when the request has run out, without asking once more")
    func expiry() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let result = try await rig.backchannelLogin(log, BackchannelScript(ending: .neverAnswers))
        #expect(result.reason?.code == "poll-timeout")
        #expect(try log.words(result.session).last == "failed")
        let times = try log.stream(result.session).map(\.envelope.time.millisecondsSince1970)
        #expect((118_000...122_000).contains(times[times.count - 1] - times[1]))
        #expect(try log.recordedPolls(result.session) == rig.provider.polls.count)
    }

    @Test("gives up with its own patience where the provider has more")
    func patience() async throws {
        let rig = try LoginRig(profileLines: ["abandonedAfterSeconds: 60"])
        let log = try rig.open()
        let result = try await rig.backchannelLogin(log, BackchannelScript(ending: .neverAnswers))
        #expect(result.reason?.code == "poll-timeout")
        #expect(rig.provider.polls.count <= 12)
    }

    @Test("takes no tokens that come after the request has run out")
    func lateTokens() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        rig.wire.after { exchange in
            if exchange.endpoint == .token, exchange.response?.status == 200 {
                rig.clock.advance(seconds: 200)
            }
            return nil
        }
        let result = try await rig.backchannelLogin(log)
        #expect(result.reason?.code == "poll-timeout")
        #expect(try !log.words(result.session).contains("token-issued"))
        #expect(try log.recordedPolls(result.session) == rig.provider.polls.count)
    }

    @Test("minds no wall clock that is set while it waits", arguments: [-7200, 30] as [Int64])
    func clockJump(seconds: Int64) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        rig.wire.before { exchange in
            if exchange.endpoint == .token, rig.provider.polls.count == 1 {
                rig.clock.setWall(forwardBySeconds: seconds)
            }
            return nil
        }
        let script = BackchannelScript(pendingPolls: 4, ending: .declines)
        let result = try await rig.backchannelLogin(log, script)
        #expect(result.reason?.code == "access-denied")
        #expect(Self.pauses(rig).allSatisfy { $0 == 5 })
        #expect(rig.provider.polls.early == 0)
    }

    @Test("once asks for one answer, and the session waits on")
    func once() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let started = try await rig.party(log).start(rig.profile, flow: .ciba, .ciba)
        let first = try await rig.party(log).poll(started.session, answersMax: 1)
        #expect(first.phase == .polling)
        #expect(rig.provider.polls.count == 1)
        let second = try await rig.party(log).poll(started.session, answersMax: 1)
        #expect(second.phase == .polling)
        let third = try await rig.party(log).poll(started.session, answersMax: 1)
        #expect(third.phase == .verified)
        #expect(rig.provider.polls.early == 0)
    }

    @Test("is one process's at a time")
    func held() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let started = try await rig.party(log).start(rig.profile, flow: .ciba, .ciba)
        let hold = try #require(try log.hold(started.session))
        await #expect(throws: PollRefusal.heldElsewhere) {
            try await rig.party(log).poll(started.session)
        }
        let census = Mutex(PollCensus())
        try await rig.party(log).pollAll(began: { found in census.withLock { $0 = found } })
        #expect(census.withLock { $0.heldElsewhere } == 1)
        #expect(census.withLock { $0.taken } == 0)
        #expect(rig.provider.polls.count == 0)
        withExtendedLifetime(hold) {}
    }

    @Test("is for logins without a browser")
    func redirectFlow() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let started = try await rig.party(log).start(rig.profile, flow: .pkce)
        await #expect(throws: PollRefusal.notPolled(state: "redirected")) {
            try await rig.party(log).poll(started.session)
        }
    }

    @Test("of all sessions brings each to its end, and counts what it found")
    func all() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let party = rig.party(log)
        rig.provider.withProvider {
            $0.settings.backchannel.scripts = [
                BackchannelScript(), BackchannelScript(ending: .declines),
                BackchannelScript(pendingPolls: 5, interludes: [3: .slowDown]),
            ]
            $0.settings.backchannel.lifetimeSeconds = 600
        }
        var sessions: [String] = []
        for _ in 0..<30 {
            sessions.append(try await party.start(rig.profile, flow: .ciba, .ciba).session)
        }
        _ = try await party.start(rig.profile, flow: .pkce)
        let ended = Mutex<[String]>([])
        let census = Mutex(PollCensus())
        try await party.pollAll(
            began: { found in census.withLock { $0 = found } },
            answered: { result in
                if result.phase.isTerminal { ended.withLock { $0.append(result.session) } }
            })
        #expect(census.withLock { $0 }.taken == 30)
        #expect(census.withLock { $0 }.sessions == 31)
        #expect(ended.withLock { $0.sorted() } == sessions.sorted())
        var recorded = 0
        for session in sessions { recorded += try log.recordedPolls(session) }
        #expect(recorded == rig.provider.polls.count)
        #expect(rig.provider.polls.early == 0)
    }
}
