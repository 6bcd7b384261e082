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
import TestSupport
import Testing

@Suite("A fixture of a session", .serialized)
struct FixtureTests {
    /// Makes a fixture of each session, and holds it to what the session comes to.
    static func expectFixtures(_ log: EventLog) throws {
        let replayer = Replayer(log)
        let maker = FixtureMaker(log)
        for session in try log.streams(after: nil, limit: 1000) where UUIDv7(session) != nil {
            let recorded = try replayer.replay(session)
            let name = "\(recorded.verdict?.then ?? "no verdict"), "
                + "\(recorded.steps.map { $0.event.type.word })"
            do {
                let fixture = try maker.make(session)
                let replay = try Replayer(fixture).replay(fixture.session)
                #expect(replay.verdict == recorded.verdict, "\(name)")
                #expect(replay.decisionsMatch == recorded.decisionsMatch, "\(name)")
                #expect(
                    replay.steps.map(\.event.type) == recorded.steps.map(\.event.type), "\(name)")
                #expect(replay.steps.map(\.event.reason) == recorded.steps.map(\.event.reason))
                #expect(fixture.surprise(in: replay) == nil)
            } catch {
                Issue.record("\(name): \(error)")
            }
        }
    }

    @Test(
        "of a good login comes to the same",
        arguments: [Flow.pkce, .code, .jarm, .implicit, .ciba, .headless])
    func good(flow: Flow) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        _ =
            flow.usesRedirect
            ? try await rig.wholeLogin(log, flow: flow).session
            : try await rig.backchannelLogin(log, flow: flow).session
        try Self.expectFixtures(log)
    }

    @Test("of every login that a provider spoils comes to the same end")
    func misbehaviours() async throws {
        for flow in [Flow.pkce, .jarm, .ciba] {
            let rig = try LoginRig()
            let log = try rig.open()
            for misbehaviour in Misbehaviour.allCases where misbehaviour.row.needs.isEmpty {
                rig.provider.withProvider { $0.settings.misbehaviour = misbehaviour }
                _ =
                    flow.usesRedirect
                    ? try await rig.wholeLogin(log, flow: flow).session
                    : try await rig.backchannelLogin(log, flow: flow).session
                rig.clock.advance(seconds: 3600)
            }
            try Self.expectFixtures(log)
        }
    }

    @Test(
        "of each broker's logins comes to the same",
        arguments: [LoginSetup.idura, .idpartner, .bankID])
    func brokers(setup: LoginSetup) async throws {
        let rig = try LoginRig(setup)
        let log = try rig.open()
        for flow in rig.profile.flows {
            let wishes =
                setup.settings.broker == .bankidNorway ? LoginWishes.payment : LoginWishes()
            _ =
                flow.usesRedirect
                ? try await rig.wholeLogin(log, flow: flow, wishes)
                : try await rig.backchannelLogin(log, flow: flow)
        }
        try Self.expectFixtures(log)
    }

    @Test("of a login with UserInfo, or with encrypted answers, comes to the same")
    func supplements() async throws {
        for setup in [LoginSetup.generic, try LoginSetup.generic.withEncryption()] {
            let rig = try LoginRig(profileLines: ["userInfo: fetch"], setup)
            let log = try rig.open()
            _ = try await rig.wholeLogin(log, flow: .pkce)
            _ = try await rig.wholeLogin(log, flow: .jarm)
            try Self.expectFixtures(log)
        }
    }
}

extension SessionEvent {
    fileprivate var reason: String? {
        if case .failed(let failed) = self { failed.reason.code } else { nil }
    }
}
