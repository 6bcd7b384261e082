// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// Events of made-up sessions, as alike to real ones in form as they can be.
///
/// They prime the compression of a new ledger. What is made of them stays in the ledger for good,
/// so nothing of a real login may ever be among them.
public enum SyntheticSamples {
    /// The samples; the most frequent kinds come last.
    public static var events: [(envelope: EventEnvelope, data: JSONObject)] {
        payloads.enumerated().map { index, payload in
            let isFirst = payload.type == .initiated
            var data = payload.clearMembers
            data["sealed"] = .string(sealedBox)
            if isFirst { data["keyCommitment"] = .string(digest.base64URL) }
            let envelope = EventEnvelope(
                id: id, source: "backend", type: payload.type.rawValue, typeVersion: 1,
                subject: subject, revision: isFirst ? 1 : index + 2,
                previous: isFirst ? nil : digest, time: instant, recordedTime: instant)
            return (envelope, data)
        }
    }

    private static let instant = Instant(millisecondsSince1970: 1_800_000_000_000)
    private static let id = UUIDv7(at: instant, random: [UInt8](repeating: 0, count: 10))
    private static let subject = "00000000-0000-7000-8000-000000000000"
    private static let digest = Digest(InlineArray(repeating: 0))
    private static let traceID = "00000000000000000000000000000000"
    private static let sealedBox =
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA."
        + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA"
    private static let keyID = "0000000000000000000000000000000000000000"

    private static var payloads: [SessionEvent] {
        let failures: [SessionEvent] = ["sig-invalid", "token-expired", "nonce-mismatch"]
            .compactMap(FailureReason.init)
            .map { .failed(Failed(stage: .verification, reason: $0, checks: checks(.failed))) }
        return failures + accessDenied + [
            .initiated(initiated(provider: "bankid-no", issuer: bankIDIssuer, flow: .code)),
            .initiated(initiated(provider: "idpartner", issuer: partnerIssuer, flow: .jarm)),
            .initiated(initiated(provider: "idura", issuer: iduraIssuer, flow: .headless)),
            .initiated(initiated(provider: "idura", issuer: iduraIssuer, flow: .ciba)),
            .redirected(
                Redirected(
                    endpoint: partnerIssuer + "/authorize", usedPAR: true, traceID: traceID)),
            .callback(CallbackReceived(responseMode: "jwt", stateMatched: true)),
            .tokenIssued(tokenIssued(bankIDIssuer)),
            .tokenIssued(tokenIssued(partnerIssuer)),
            .initiated(initiated(provider: "idura", issuer: iduraIssuer, flow: .pkce)),
            .redirected(
                Redirected(
                    endpoint: iduraIssuer + "/oauth2/authorize", usedPAR: false, traceID: traceID)),
            .callback(CallbackReceived(responseMode: "query", stateMatched: true)),
            .tokenIssued(tokenIssued(iduraIssuer)),
            .verified(verified),
            .polled(
                Polled(
                    status: .accepted, attempt: 0, intervalSeconds: 5, expiresInSeconds: 120,
                    httpStatus: 200, traceID: traceID)),
            .polled(
                Polled(
                    status: .pending, attempt: 1, error: "authorization_pending",
                    intervalSeconds: 5, httpStatus: 400, traceID: traceID)),
        ]
    }

    private static let iduraIssuer = "https://example.idura.broker"
    private static let bankIDIssuer = "https://auth.bankid.no/auth/realms/prod"
    private static let partnerIssuer = "https://idp.example.test"

    private static var accessDenied: [SessionEvent] {
        let failed = FailureReason("access-denied").map {
            SessionEvent.failed(Failed(stage: .callback, reason: $0, error: "access_denied"))
        }
        return [
            .callback(
                CallbackReceived(
                    responseMode: "query", error: "access_denied", stateMatched: true)),
            failed,
        ].compactMap { $0 }
    }

    private static func initiated(provider: String, issuer: String, flow: Flow) -> Initiated {
        Initiated(
            provider: provider, issuer: issuer, clientID: "urn:my:application:1", flow: flow,
            scope: "openid profile", acrValues: "urn:grn:authn:no:bankid",
            redirectURI: flow.usesRedirect ? "https://shop.example.test/callback" : nil,
            codeChallenge: flow.usesRedirect ? digest : nil)
    }

    private static func tokenIssued(_ issuer: String) -> TokenIssued {
        TokenIssued(
            endpoint: issuer + "/oauth2/token", tokenType: "Bearer", expiresInSeconds: 120,
            algorithm: "RS256", keyID: keyID, keySetDigest: digest, keySetSource: .reported,
            policyDigest: digest, policySource: .reported, policyCompleted: true,
            traceID: traceID)
    }

    private static var verified: Verified {
        Verified(
            algorithm: "RS256", keyID: keyID, acr: "urn:grn:authn:no:bankid",
            tokenIssuedAt: instant, tokenExpiresAt: instant, checks: checks(.passed))
    }

    private static func checks(_ last: Check.Outcome) -> [Check] {
        ["signature", "alg", "iss", "aud", "exp", "iat"].map { Check($0, .passed) }
            + [Check("nonce", last)]
    }
}
