// SPDX-License-Identifier: Apache-2.0

import EventLog
import JOSE
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
            let name =
                "\(recorded.verdict?.then ?? "no verdict"), "
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
        let rig = try LoginRig()
        let log = try rig.open()
        for misbehaviour in Misbehaviour.allCases where misbehaviour.row.needs.isEmpty {
            rig.provider.withProvider { $0.settings.misbehaviour = misbehaviour }
            _ = try await rig.wholeLogin(log, flow: .pkce)
            rig.clock.advance(seconds: 3600)
        }
        try Self.expectFixtures(log)
    }

    private static let demanding = Misbehaviour.allCases.filter {
        !$0.row.needs.isEmpty
            && $0.row.needs.isDisjoint(with: [.backchannel, .headless, .earlierLogin])
    }

    @Test("of every login that it takes more to spoil comes to the same end", arguments: demanding)
    func demandingMisbehaviours(misbehaviour: Misbehaviour) async throws {
        let needs = misbehaviour.row.needs
        let isBankID = needs.contains(.permission) || needs.contains(.alternativeSubject)
        var setup =
            needs.contains(.accountSelector) ? LoginSetup.idpartner : isBankID ? .bankID : .generic
        if needs.contains(.certificate) {
            setup = try setup.withCertificate()
            setup.profileLines.append("certificateBoundTokens: true")
        }
        setup.settings.misbehaviour = misbehaviour
        if needs.contains(.encryption) { setup = try setup.withEncryption() }
        if needs.contains(.signedUserInfo) {
            setup.settings.clients[0].userInfoAlgorithm = .es256
        }
        if needs.contains(.userInfo) || needs.contains(.signedUserInfo) {
            setup.profileLines.append("userInfo: fetch")
        }
        if setup.settings.broker == .generic {
            setup.profileLines += [
                "flows: [pkce, code, implicit, jarm]",
                #"implicitResponseType: "id_token token""#,
            ]
            if needs.contains(.pushedRequest) {
                setup.profileLines.append("pushedAuthorization: required")
            }
            if needs.contains(.levelOfAssurance) {
                setup.profileLines.append("levelOfAssuranceMin: 3")
            }
        }
        let rig = try LoginRig(setup)
        let log = try rig.open()
        let isJARM = needs.contains(.signedResponse) || needs.contains(.accountSelector)
        _ = try await rig.wholeLogin(
            log, flow: isJARM ? .jarm : needs.contains(.frontChannelTokens) ? .implicit : .pkce,
            needs.contains(.permission) ? .payment : LoginWishes())
        try Self.expectFixtures(log)
    }

    @Test("of every login without a browser that is spoiled comes to the same end")
    func backchannel() async throws {
        let rig = try LoginRig(profileLines: ["userInfo: fetch", "hintClaims: [socialno, ssn]"])
        let log = try rig.open()
        for misbehaviour in Misbehaviour.allCases {
            let needs = misbehaviour.row.needs
            guard !needs.isDisjoint(with: [.backchannel, .headless]) else { continue }
            for _ in 0..<(needs.contains(.earlierLogin) ? 2 : 1) {
                _ = try await rig.backchannelLogin(
                    log, flow: needs.contains(.headless) ? .headless : .ciba,
                    misbehaving: misbehaviour)
            }
        }
        try Self.expectFixtures(log)
    }

    @Test(
        "of each broker's logins comes to the same",
        arguments: [LoginSetup.idura, .idpartner, .bankID])
    func brokers(setup: LoginSetup) async throws {
        let rig = try LoginRig(setup)
        let log = try rig.open()
        try await rig.loginByEveryFlow(
            log, setup.settings.broker == .bankidNorway ? .payment : LoginWishes())
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
