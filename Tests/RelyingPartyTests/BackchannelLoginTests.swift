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
import TestSupport
import Testing

@Suite("A login without a browser", .serialized)
struct BackchannelLoginTests {
    @Test("is recorded step by step, each poll among them", arguments: [Flow.ciba, .headless])
    func sequence(flow: Flow) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let result = try await rig.backchannelLogin(log, flow: flow)
        #expect(result.phase == .verified)
        #expect(
            try log.words(result.session) == [
                "initiated", "polled", "polled", "polled", "token-issued", "verified",
            ])
        let polls = try log.polls(result.session)
        #expect(polls.map(\.status) == [.accepted, .pending, .pending])
        #expect(polls.map(\.attempt) == [0, 1, 2])
        #expect(polls[0].expiresInSeconds == 120)
        #expect(polls[0].intervalSeconds == 5)
        #expect(polls.allSatisfy { $0.hasGap == nil })
        #expect(try log.recordedPolls(result.session) == 3)
        #expect(rig.provider.polls.count == 3)
        #expect(rig.provider.polls.early == 0)
        #expect(result.claims?["subject"] == .string("person-no-1"))
        #expect(try log.check(.tree).findings == [])
    }

    @Test("records what binds the token to its request")
    func bindings() async throws {
        let rig = try LoginRig(profileLines: ["hintClaims: [socialno, ssn]"])
        let log = try rig.open()
        let result = try await rig.backchannelLogin(log)
        guard case .verified(let verified)? = try log.opened(result.session).last?.event else {
            Issue.record("the login is not verified")
            return
        }
        let outcomes = Dictionary(
            uniqueKeysWithValues: verified.checks.map { ($0.name, $0.outcome) })
        #expect(outcomes["auth_req_id"] == .passed)
        #expect(outcomes["subject"] == .passed)
        #expect(outcomes["replay"] == .passed)
        #expect(outcomes["nonce"] == .notApplicable)
    }

    @Test("says which bindings could not be checked")
    func uncheckedBindings() async throws {
        let rig = try LoginRig(.idura)
        let log = try rig.open()
        let result = try await rig.backchannelLogin(log, flow: .headless)
        guard case .verified(let verified)? = try log.opened(result.session).last?.event else {
            Issue.record("the login is not verified")
            return
        }
        let outcomes = Dictionary(
            uniqueKeysWithValues: verified.checks.map { ($0.name, $0.outcome) })
        #expect(outcomes["auth_req_id"] == .notChecked)
        #expect(outcomes["subject"] == .notApplicable)
        #expect(outcomes["replay"] == .passed)
    }

    @Test(
        "keeps hint, request id, message, address and token out of the clear",
        arguments: [
            Flow.ciba, .headless,
        ])
    func secrets(flow: Flow) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        var wishes = LoginWishes.needed(for: flow)
        wishes.bindingMessage = "Blue Elephant 4711"
        wishes.authorizationDetails = .array([
            .object(["type": .string("phoneAuth"), "note": .string("Secret Garden")])
        ])
        let result = try await rig.backchannelLogin(log, flow: flow, nil, wishes)
        let opened = try log.opened(result.session)
        let requestID = try #require(opened[1].sealed?["requestID"]?.stringValue)
        let token = try #require(
            opened.first { $0.event.type == .tokenIssued }?.sealed?["idToken"]?.stringValue)
        var planted = [requestID, token, "Blue Elephant", "Secret Garden", LoginRig.secret]
        planted.append(flow == .ciba ? LoginWishes.personNumber : "203.0.113.7")
        for event in try log.everything() {
            let text = String(decoding: event.leaf, as: UTF8.self)
            for secret in planted { #expect(!text.contains(secret)) }
        }
        #expect(opened[0].sealed?["bindingMessage"] == .string("Blue Elephant 4711"))
    }

    @Test("hands what opens the eID to the caller with every answer, and seals it")
    func acrData() async throws {
        let rig = try LoginRig(.idura)
        let log = try rig.open()
        let shown = Mutex<[LoginResult]>([])
        let result = try await rig.party(log).runBackchannel(
            rig.profile, flow: .headless, .headless
        ) { result in shown.withLock { $0.append(result) } }
        #expect(result.phase == .verified)
        let answers = shown.withLock { $0 }
        let codes = answers.compactMap { $0.acrData?["qrData"]?.stringValue }
        #expect(codes.count == 3)
        #expect(Set(codes).count == 3)
        #expect(answers[0].acrData?["autoStartToken"] != nil)
        #expect(answers[1].hint == "outstandingTransaction")
        #expect(answers[2].hint == "userSign")
        let opened = try log.opened(result.session)
        #expect(opened[1].sealed?["acrData"]?.objectValue == answers[0].acrData)
        #expect(opened[3].sealed?["acrData"]?.objectValue == answers[2].acrData)
        #expect(try log.polls(result.session).map(\.hint).last == "userSign")
    }

    @Test("hands the provider's own message to the caller")
    func messageForUser() async throws {
        let rig = try LoginRig(.idura)
        let log = try rig.open()
        var wishes = LoginWishes.ciba
        wishes.authorizationDetails = .array([.object(["type": .string("customerServiceCall.v1")])])
        let started = try await rig.party(log).start(rig.profile, flow: .ciba, wishes)
        #expect(started.messageForUser == "Frekk Julekos")
        #expect(started.phase == .polling)
        let accepted = try #require(try log.polls(started.session).first)
        #expect(accepted.expiresInSeconds == 900)
        #expect(accepted.intervalSeconds == 3)
    }

    @Test("tells the user's refusal from the provider's where the text says so")
    func declined() async throws {
        let declines = BackchannelScript(pendingPolls: 1, ending: .declines)
        let rig = try LoginRig(.idura)
        let log = try rig.open()
        let result = try await rig.backchannelLogin(log, declines)
        #expect(result.reason?.code == "user-cancelled")
        #expect(try log.words(result.session).suffix(2) == ["polled", "failed"])
        #expect(try log.polls(result.session).last?.error == "access_denied")
        #expect(try log.failure(result.session)?.stage == .polling)
    }

    @Test("repeats no description that was recorded before")
    func repeatedDescription() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        rig.wire.after { exchange in
            guard exchange.endpoint == .token, var response = exchange.response,
                response.status == 400
            else { return nil }
            response.body = Array(
                #"{"error":"authorization_pending","error_description":"one moment, Kari"}"#.utf8)
            return response
        }
        let result = try await rig.backchannelLogin(log)
        let polls = try log.opened(result.session).filter { $0.event.type == .polled }
        #expect(polls[1].sealed?["pollDescription"] == .string("one moment, Kari"))
        #expect(polls[2].sealed == nil)
        #expect(try log.polls(result.session)[2].hint == "other")
    }

    // MARK: - Before anything is recorded

    @Test("is for clients that show who they are")
    func publicClient() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        var profile = rig.profile
        profile.registration.authentication = .none
        profile.credentials.secret = nil
        await #expect(throws: ProfileError.self) {
            try await rig.party(log).start(profile, flow: .ciba, .ciba)
        }
        #expect(try log.head().size == 0)
        #expect(rig.wire.exchanges.isEmpty)
    }

    @Test("needs exactly one hint of whom it is about, and headless the address of the device")
    func hints() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        var two = LoginWishes.ciba
        two.idTokenHint = "e30.e30.e30"
        for (flow, wishes) in [(Flow.ciba, LoginWishes()), (.ciba, two), (.headless, .ciba)] {
            await #expect(throws: ProfileError.self) {
                try await rig.party(log).start(rig.profile, flow: flow, wishes)
            }
        }
        #expect(try log.head().size == 0)
    }

    @Test("refuses details without a type and a lifetime that is none")
    func details() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        var untyped = LoginWishes.ciba
        untyped.authorizationDetails = .array([.object(["kind": .string("x")])])
        var expired = LoginWishes.ciba
        expired.requestedExpirySeconds = 0
        for wishes in [untyped, expired] {
            await #expect(throws: ProfileError.self) {
                try await rig.party(log).start(rig.profile, flow: .ciba, wishes)
            }
        }
        #expect(try log.head().size == 0)
    }

    @Test("sends everything that was wished for, and nothing twice")
    func parameters() async throws {
        let rig = try LoginRig(profileLines: ["acrValues: urn:a"])
        let log = try rig.open()
        var wishes = LoginWishes.ciba
        wishes.bindingMessage = "W4SCT"
        wishes.requestedExpirySeconds = 90
        wishes.acrValues = "urn:b"
        wishes.authorizationDetails = .array([.object(["type": .string("phoneAuth")])])
        let started = try await rig.party(log).start(rig.profile, flow: .ciba, wishes)
        #expect(started.phase == .polling)
        let asked = try #require(
            rig.wire.exchanges.first { $0.endpoint == .backchannelAuthentication })
        let form = String(decoding: asked.request.body, as: UTF8.self)
        for part in [
            "login_hint=sub%3Assn%3A01819010001", "binding_message=W4SCT", "requested_expiry=90",
            "acr_values=urn%3Ab", "scope=openid",
            "authorization_details=%5B%7B%22type%22%3A%22phoneAuth%22%7D%5D",
        ] {
            #expect(form.ranges(of: part).count == 1, "\(part)")
        }
        guard case .initiated(let initiated)? = try log.opened(started.session).first?.event else {
            Issue.record("the session has no beginning")
            return
        }
        #expect(initiated.requestedExpirySeconds == 90)
        #expect(initiated.redirectURI == nil)
        #expect(try log.polls(started.session).first?.expiresInSeconds == 90)
    }

    @Test("of a profile without a redirect URI has the flows without a browser alone")
    func withoutRedirectURI() throws {
        let profile = try ProviderProfile(
            [
                "name": .string("phone"), "issuer": .string("https://op.example"),
                "clientID": .string("rp"),
                "clientAuthentication": .object([
                    "method": .string("client_secret_basic"), "secretFile": .string("s"),
                ]),
            ], relativeTo: "/")
        #expect(profile.flows == [.ciba, .headless])
        #expect(try ProviderProfile(profile.object, relativeTo: "/") == profile)
    }
}
