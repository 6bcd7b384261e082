// SPDX-License-Identifier: Apache-2.0

import EventLog
import LedgerPrimitives
import LoginSupport
import OpenIDConnect
import ProviderSimulator
import RelyingParty
import Replay
import SessionEvents
import Sessions
import Testing

@Suite("A replay of a session", .serialized)
struct SessionReplayTests {
    private static func replayAll(_ log: EventLog) throws -> [SessionReplay] {
        let replayer = Replayer(log)
        return try log.streams(after: nil, limit: 1000).map { try replayer.replay($0) }
    }

    private static func expectSame(_ replay: SessionReplay, _ comment: Comment) {
        #expect(replay.decisionsMatch, comment)
        #expect(
            replay.verdict?.then == nil || replay.verdict?.then == replay.verdict?.now, comment)
        if let difference = replay.firstDifference {
            Issue.record("\(comment): \(difference.event.type.word) \(difference.outcome)")
        }
    }

    @Test(
        "of a good login comes to every recorded event again, to the byte",
        arguments: [Flow.pkce, .code, .jarm, .implicit, .ciba, .headless])
    func good(flow: Flow) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let session =
            flow.usesRedirect
            ? try await rig.wholeLogin(log, flow: flow).session
            : try await rig.backchannelLogin(log, flow: flow).session
        let replay = try Replayer(log).replay(session)
        Self.expectSame(replay, "\(flow.rawValue)")
        #expect(replay.steps.allSatisfy { $0.outcome == .same })
        #expect(replay.verdict?.then == "verified")
        #expect(replay.steps.count == (try log.stream(session).count))
        #expect(replay.steps.last?.phase == .verified)
    }

    @Test("of every login that a provider spoils comes to the same end")
    func misbehaviours() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        for misbehaviour in Misbehaviour.allCases where misbehaviour.row.needs.isEmpty {
            rig.provider.withProvider { $0.settings.misbehaviour = misbehaviour }
            _ = try await rig.wholeLogin(log, flow: .pkce)
            rig.clock.advance(seconds: 3600)
        }
        let replays = try Self.replayAll(log)
        #expect(replays.count > 100)
        for replay in replays { Self.expectSame(replay, "\(replay.session)") }
        let steps = replays.flatMap(\.steps)
        // What was not recorded is an answer that did not come, or one too large to be kept.
        let taken = steps.filter { $0.outcome == .taken }
        #expect(taken.allSatisfy { [.failed, .tokenIssued].contains($0.event.type) })
        #expect(Double(taken.count) < 0.1 * Double(steps.count))
    }

    @Test(
        "of each broker's logins comes to the same end",
        arguments: [LoginSetup.idura, .idpartner, .bankID])
    func brokers(setup: LoginSetup) async throws {
        let rig = try LoginRig(setup)
        let log = try rig.open()
        try await rig.loginByEveryFlow(
            log, setup.settings.broker == .bankidNorway ? .payment : LoginWishes())
        for replay in try Self.replayAll(log) {
            Self.expectSame(replay, "\(replay.session)")
            #expect(replay.steps.allSatisfy { $0.outcome == .same })
        }
    }

    @Test("of a login with UserInfo, or with encrypted answers, comes to the same end")
    func supplements() async throws {
        for setup in [LoginSetup.generic, try LoginSetup.generic.withEncryption()] {
            let rig = try LoginRig(profileLines: ["userInfo: fetch"], setup)
            let log = try rig.open()
            _ = try await rig.wholeLogin(log, flow: .pkce)
            _ = try await rig.wholeLogin(log, flow: .jarm)
            for replay in try Self.replayAll(log) {
                Self.expectSame(replay, "\(replay.session)")
                #expect(replay.steps.allSatisfy { $0.outcome == .same })
            }
        }
    }

    @Test("of polls that wait, slow down, get nothing, are refused or run out is the same")
    func polls() async throws {
        let rig = try LoginRig(.idura)
        let log = try rig.open()
        let scripts: [BackchannelScript] = [
            BackchannelScript(
                pendingPolls: 4,
                interludes: [
                    1: .slowDown, 3: .outage(retryAfterSeconds: 30), 4: .silence,
                    5: .tooMany(retryAfterSeconds: nil),
                ]),
            BackchannelScript(pendingPolls: 1, ending: .declines),
            BackchannelScript(ending: .neverAnswers),
            BackchannelScript(ending: .fails(code: "made_up", description: "by us")),
        ]
        for script in scripts {
            for flow in [Flow.ciba, .headless] {
                _ = try await rig.backchannelLogin(log, flow: flow, script)
            }
        }
        for replay in try Self.replayAll(log) { Self.expectSame(replay, "\(replay.session)") }
    }

    @Test("under another policy says what that would have said, and leaves the decisions alone")
    func policy() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let session = try await rig.wholeLogin(log, flow: .pkce).session
        let replay = try Replayer(log).replay(session) { recorded in
            var policy = recorded
            policy.levelOfAssuranceMin = 4
            return policy
        }
        #expect(replay.decisionsMatch)
        #expect(replay.verdict?.then == "verified")
        #expect(replay.verdict?.now == "acr-too-low")
        let acr = replay.verdict?.checks.first { $0.name == "acr" }
        #expect(acr?.then == .notApplicable)
        #expect(acr?.now == .failed)
    }

    @Test("of the first events stops there, and has no verdict yet")
    func until() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let session = try await rig.wholeLogin(log, flow: .pkce).session
        let replay = try Replayer(log).replay(session, revisionsMax: 3)
        #expect(replay.steps.map(\.phase) == [.initiated, .redirected, .callbackReceived])
        #expect(replay.verdict == nil)
        #expect(replay.decisionsMatch)
    }

    @Test("names the first event that today's rules decide otherwise")
    func difference() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        // What an earlier program might have done: it took a callback whose state was another.
        let model = try await rig.wholeLogin(log, flow: .pkce).session
        let session = try Forgery(of: model, in: log, rig).write { part in
            if part.type == .callback { part.sealed?["state"] = .string("another state") }
        }
        let replay = try Replayer(log).replay(session)
        #expect(!replay.decisionsMatch)
        let first = try #require(replay.firstDifference)
        #expect(first.event.type == .callback)
        #expect(first.revision == 3)
    }
}
