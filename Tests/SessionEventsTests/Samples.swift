// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import SessionEvents

/// The smallest and the fullest payload of every type, as the golden files hold them.
struct Sample: Sendable, CustomStringConvertible {
    enum Extent: String, CaseIterable, Sendable {
        /// Nothing but what must be there.
        case smallest
        /// Every member there is.
        case fullest
    }

    let extent: Extent
    let event: SessionEvent

    /// The golden file of the sample.
    var file: String {
        "\(event.type.rawValue).v\(event.type.currentVersion).\(extent.rawValue).json"
    }

    /// The schema that the payload must fit.
    var schema: String {
        "events/\(event.type.rawValue).v\(event.type.currentVersion).schema.json"
    }

    var description: String { "\(event.type.word), \(extent)" }

    static let all: [Sample] = SessionEventType.allCases.flatMap { type in
        [
            Sample(extent: .smallest, event: smallest(type)),
            Sample(extent: .fullest, event: fullest(type)),
        ]
    }

    // MARK: - Payloads

    private static func smallest(_ type: SessionEventType) -> SessionEvent {
        switch type {
        case .initiated:
            .initiated(Initiated(provider: "local", clientID: "rp", flow: .code))
        case .redirected:
            .redirected(Redirected(endpoint: "https://idp.example.test/authorize"))
        case .callback:
            .callback(CallbackReceived())
        case .polled:
            .polled(Polled(status: .pending, attempt: 0))
        case .tokenIssued:
            .tokenIssued(TokenIssued())
        case .verified:
            .verified(Verified(algorithm: "RS256", checks: []))
        case .failed:
            .failed(Failed(stage: .callback, reason: reason("access-denied")))
        }
    }

    private static func fullest(_ type: SessionEventType) -> SessionEvent {
        switch type {
        case .initiated: .initiated(fullestInitiated)
        case .redirected:
            .redirected(
                Redirected(
                    to: .accountSelector, endpoint: "https://idp.example.test/authorize",
                    issuer: "https://idp.example.test/realms/a", usedPAR: true,
                    discoveryDigest: digest(3), traceID: trace,
                    exchanges: [exchange, Exchange(purpose: "par", endpoint: endpoint)]))
        case .callback:
            .callback(
                CallbackReceived(
                    from: .accountSelector, responseMode: "form_post.jwt", error: "other",
                    stateMatched: false, stateBinding: StateBinding.none, algorithm: "PS256",
                    keyID: "2026-11/a", encryption: encryption, checks: checks,
                    keySetDigest: digest(2), policyDigest: digest(1), traceID: trace,
                    exchanges: [exchange]))
        case .polled:
            .polled(
                Polled(
                    status: .slowDown, attempt: 17, endpoint: endpoint,
                    error: "slow_down", hint: "userSign", intervalSeconds: 5,
                    expiresInSeconds: 120, httpStatus: 400, durationMilliseconds: 86_400_000,
                    hasGap: true, discoveryDigest: digest(4), traceID: trace,
                    exchanges: [exchange]))
        case .tokenIssued: .tokenIssued(fullestTokenIssued)
        case .verified: .verified(fullestVerified)
        case .failed:
            .failed(
                Failed(
                    stage: .authorizationRequest, reason: reason("provider-outage"),
                    error: "temporarily_unavailable", checks: checks, checksVersion: 1,
                    policyDigest: digest(1), keySetDigest: digest(2), discoveryDigest: digest(3),
                    exchanges: [exchange]))
        }
    }

    private static var fullestInitiated: Initiated {
        Initiated(
            provider: "bankid-no", environment: "test",
            issuer: "https://auth.example.test/realms/current",
            clientID: "urn:my:application:1", flow: .pkce, scope: "openid profile",
            acrValues: "urn:grn:authn:no:bankid urn:grn:authn:no:vipps",
            redirectURI: "com.example.shop:/callback", responseType: "id_token token",
            responseMode: "query.jwt", requestedExpirySeconds: 600, isLegacy: true,
            codeChallenge: digest(4),
            profileDigest: digest(5), policyDigest: digest(1))
    }

    private static var fullestTokenIssued: TokenIssued {
        TokenIssued(
            endpoint: endpoint, attempt: 24,
            acceptedAt: Instant(millisecondsSince1970: 1_795_166_000_123), tokenType: "DPoP",
            expiresInSeconds: 31_536_000, algorithm: "EdDSA",
            keyID: "2026-11/a", encryption: encryption, isCertificateBound: true,
            keySetDigest: digest(2), keySetSource: .own,
            policyDigest: digest(1), policySource: .reported, policyCompleted: false,
            discoveryDigest: digest(3), httpStatus: 200, durationMilliseconds: 0, hasGap: false,
            traceID: trace, exchanges: [exchange])
    }

    private static var fullestVerified: Verified {
        Verified(
            algorithm: "PS256", keyID: "other", acr: "urn:grn:authn:no:bankid", levelOfAssurance: 4,
            subjectClaim: "bankid_altsub",
            tokenIssuedAt: Instant(millisecondsSince1970: 1_795_166_102_000),
            tokenExpiresAt: Instant(millisecondsSince1970: 1_795_167_302_000), checks: checks,
            checksVersion: 1, policyDigest: digest(1), keySetDigest: digest(2),
            discoveryDigest: digest(3), exchanges: [])
    }

    // MARK: - Parts

    private static let endpoint = "https://idp.example.test:8443/oauth2/token"
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    private static let checks = [
        Check("signature", .passed), Check("at_hash", .notApplicable), Check("acr", .notChecked),
        Check("nonce", .failed),
    ]

    private static let encryption = Encryption(
        algorithm: "RSA-OAEP", contentEncryption: "A256CBC-HS512", keyID: "other")

    private static let exchange = Exchange(
        purpose: "userinfo", endpoint: "https://idp.example.test/userinfo", status: 200,
        durationMilliseconds: 41, traceID: "span-1")

    private static func digest(_ number: UInt8) -> Digest {
        Digest(InlineArray(repeating: number))
    }

    private static func reason(_ code: String) -> FailureReason {
        guard let reason = FailureReason(code) else { preconditionFailure("no such code: \(code)") }
        return reason
    }
}
