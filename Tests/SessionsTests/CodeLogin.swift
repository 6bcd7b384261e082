// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import SessionEvents
import Sessions

/// A login with fixed values, step by step.
enum CodeLogin {
    static let issuer = "https://op.example"
    // RFC 7636, appendix B.
    static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    static let now = Instant(millisecondsSince1970: 1_700_000_000_000)

    static func digest(_ text: String) -> Digest {
        Digest(SHA256.hash(Array(text.utf8)))
    }

    static func document(_ text: String) -> ArchivedDocument {
        ArchivedDocument(digest: digest(text), bytes: Array(text.utf8))
    }

    static let profile = document(#"{"name":"local"}"#)

    static func parameters(_ flow: Flow) -> LoginParameters {
        LoginParameters(
            provider: "local", issuer: issuer, flow: flow,
            request: AuthorizationRequest(
                registration: ClientRegistration(
                    clientID: "rp", authentication: .clientSecretBasic,
                    redirectURI: "https://rp.example/cb?x=1", scope: "openid"),
                state: "st", nonce: "no", codeVerifier: flow == .pkce ? verifier : nil,
                acrValues: "low"),
            profile: profile, userAgent: ["ip": .string("192.0.2.1")])
    }

    // MARK: - States

    /// The session in a phase; with `isSealed` nothing that is sealed was opened.
    static func state(
        _ phase: SessionPhase, flow: Flow = .pkce, isSealed: Bool = false
    ) -> SessionState {
        events(phase, flow).reduce(SessionState()) { state, step in
            Session.evolve(
                state, by: step.event, at: now, sealed: isSealed ? nil : step.sealed)
        }
    }

    private static func events(_ phase: SessionPhase, _ flow: Flow) -> [SessionStep] {
        let initiated = SessionStep(
            .initiated(Initiated(provider: "local", issuer: issuer, clientID: "rp", flow: flow)),
            sealed: [
                "state": .string("st"), "nonce": .string("no"), "codeVerifier": .string(verifier),
            ])
        let redirected = SessionStep(
            .redirected(
                Redirected(endpoint: "https://op.example/auth", discoveryDigest: digest("d"))))
        let callback = SessionStep(
            .callback(CallbackReceived(responseMode: "query", stateMatched: true)),
            sealed: ["state": .string("st"), "code": .string("co")])
        let issued = SessionStep(
            .tokenIssued(TokenIssued(keySetDigest: digest("k"), policyDigest: digest("p"))),
            sealed: ["idToken": .string("a.b.c")])
        let verified = SessionStep(.verified(Verified(algorithm: "ES256", checks: [])))
        let failed = SessionStep(
            .failed(Failed(stage: .callback, reason: FailureReason(.accessDenied))))
        let polled = SessionStep(.polled(Polled(status: .pending, attempt: 1)))
        return switch phase {
        case .initiated: [initiated]
        case .redirected: [initiated, redirected]
        case .callbackReceived: [initiated, redirected, callback]
        case .polling: [initiated, polled]
        case .tokenIssued: [initiated, redirected, callback, issued]
        case .verified: [initiated, redirected, callback, issued, verified]
        case .failed: [initiated, redirected, callback, failed]
        }
    }

    // MARK: - Commands

    static func receive(
        _ input: String, binding: StateBinding = .session, promisesIssuer: Bool = false,
        in state: SessionState = state(.redirected)
    ) throws(SessionRejection) -> [SessionStep] {
        try Session.decide(
            .receiveCallback(
                CallbackInput(
                    input: input, responseMode: .query, binding: binding,
                    promisesIssuer: promisesIssuer)), in: state)
    }

    /// A token response that is in order, with some members replaced; null leaves one out.
    static func response(_ changes: JSONObject = [:], status: Int = 200) -> HTTPResponse {
        var members: JSONObject = [
            "access_token": .string("access-1"), "expires_in": .integer(300),
            "id_token": .string("a.b.c"), "refresh_token": .string("refresh-1"),
            "token_type": .string("Bearer"),
        ]
        for member in changes.members {
            members[member.name] = member.value == .null ? nil : member.value
        }
        return HTTPResponse(
            status: status, fields: [HTTPField("Content-Type", "application/json")],
            body: CanonicalJSON.encode(members), durationMilliseconds: 7)
    }

    static let good = response()
    static let policy = document("policy")

    static func tokens(
        _ response: HTTPResponse, keySet: ArchivedDocument = document("{}")
    ) -> TokenInput {
        TokenInput(
            .endpoint("https://op.example/token?x=1", response), keySet: keySet, policy: policy)
    }
}
