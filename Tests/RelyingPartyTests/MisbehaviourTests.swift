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
import Testing

/// What has to come of a login with a provider that does one thing wrong.
struct Expectation: Sendable {
    let reason: String?
    let stage: Stage?
    let events: [String]
    let requests: [ProviderEndpoint]

    /// By where it has to be noticed: what is recorded and asked up to there, and nothing beyond.
    init(_ misbehaviour: Misbehaviour) {
        let redirected = ["initiated", "redirected"]
        let callback = redirected + ["callback"]
        let exchange: [ProviderEndpoint] = [.discovery, .keySet, .token]
        reason = Self.reasons[misbehaviour]
        switch misbehaviour.detection {
        case .nowhere:
            stage = nil
            events = callback + ["token-issued", "verified"]
            requests = exchange
        case .discovery:
            stage = .discovery
            events = ["initiated", "failed"]
            requests = [.discovery]
        case .callback:
            stage = .callback
            events = callback + ["failed"]
            requests = [.discovery]
        case .tokenResponse:
            stage = .token
            events = callback + ["failed"]
            requests = exchange
        case .idToken:
            stage = .verification
            events = callback + ["token-issued", "failed"]
            // A key that is not known yet gets one more look.
            requests = misbehaviour == .unknownKeyID ? exchange + [.keySet] : exchange
        default: preconditionFailure("not one of those that are known here")
        }
    }

    /// The misbehaviours that are known here, and good logins.
    static let known = Misbehaviour.allCases.filter { $0 == .none || reasons[$0] != nil }

    private static let reasons: [Misbehaviour: String] = [
        .discoveryIssuerMismatch: "discovery-issuer-mismatch", .accessDenied: "access-denied",
        .stateMismatch: "state-mismatch", .wrongCallbackIssuer: "iss-mismatch",
        .missingCallbackIssuer: "iss-missing", .slowToken: "exchange-interrupted",
        .tokenError: "code-refused", .tokenServerError: "provider-outage",
        .missingIDToken: "id-token-missing", .badSignature: "sig-invalid",
        .algNone: "alg-not-allowed", .algHS256: "alg-not-allowed", .unknownKeyID: "kid-unknown",
        .headerJWK: "header-refused", .duplicateClaims: "token-malformed",
        .wrongIssuer: "iss-mismatch", .missingSubject: "claim-missing",
        .wrongAudience: "aud-mismatch", .expired: "token-expired",
        .issuedInFuture: "iat-invalid", .wrongNonce: "nonce-mismatch",
    ]
}

@Suite("A login with a provider that does something wrong", .serialized)
struct MisbehaviourTests {
    @Test("ends for that reason, and nothing is asked after it", arguments: Expectation.known)
    func outcome(misbehaviour: Misbehaviour) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let expected = Expectation(misbehaviour)
        let login = try await rig.login(log, misbehaving: misbehaviour)
        let result = try #require(login.outcome.taken)
        #expect(result.phase == (expected.reason == nil ? .verified : .failed))
        #expect(result.reason?.code == expected.reason)
        #expect(result.events == expected.events.count)
        #expect((result.claims == nil) == (expected.reason != nil))
        #expect(try log.words(login.session) == expected.events)
        #expect(rig.wire.endpoints == expected.requests)
        let failure = try log.failure(login.session)
        #expect(failure?.reason.code == expected.reason)
        #expect(failure?.stage == expected.stage)
        if case .idToken(let check) = misbehaviour.detection {
            let failed = failure?.checks?.filter { $0.outcome == .failed }.map(\.name)
            #expect(failed == [check.rawValue])
        }
        // Whatever comes after the end is refused and asks for nothing.
        if let callback = login.callback {
            let again = try await rig.party(log).receiveCallback(callback, session: login.session)
            let reason = try #require(FailureReason("callback-replayed"))
            #expect(again == .refused(reason, session: login.session))
            #expect(rig.wire.endpoints == expected.requests)
            #expect(try log.words(login.session) == expected.events)
        }
        #expect(try log.check(.tree).findings == [])
    }

    @Test("leaves the next login untouched")
    func recovery() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        for misbehaviour in Expectation.known {
            _ = try await rig.login(log, misbehaving: misbehaviour)
        }
        let good = try await rig.login(log)
        #expect(good.outcome.taken?.phase == .verified)
        let codes = rig.provider.tokenRequests.compactMap(\.code)
        #expect(Set(codes).count == codes.count)
    }

    @Test("never shows what it planted in an error code")
    func plantedError() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let started = try await rig.party(log).start(rig.profile, flow: .pkce)
        let state = try #require(try log.opened(started.session)[0].sealed?["state"]?.stringValue)
        let outcome = try await rig.party(log).receiveCallback(
            "https://rp.example/callback?state=\(state)&error=01819010001"
                + "&iss=https://op.example/realms/test", session: started.session)
        #expect(outcome.taken?.reason?.code == "broker-error")
        #expect(try log.failure(started.session)?.error == "other")
        let opened = try log.opened(started.session)
        #expect(opened.last?.sealed?["error"] == .string("01819010001"))
        for event in try log.everything() {
            #expect(!String(decoding: event.leaf, as: UTF8.self).contains("01819010001"))
        }
    }

    @Test(
        "whose endpoint no event could hold ends at discovery, and the log stays readable",
        arguments: ["authorization_endpoint", "token_endpoint", "jwks_uri"])
    func unwritableEndpoint(name: String) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        rig.wire.after { exchange in
            guard exchange.endpoint == .discovery, var response = exchange.response else {
                return nil
            }
            let text = String(decoding: response.body, as: UTF8.self)
            let marker = "\"\(name)\":\"https://op.example/"
            response.body = Array(text.replacing(marker, with: marker + "@tenant|1/").utf8)
            return response
        }
        let started = try await rig.party(log).start(rig.profile, flow: .pkce)
        #expect(started.reason?.code == "host-refused")
        #expect(try log.words(started.session) == ["initiated", "failed"])
    }
}
