// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// Events of made-up sessions, as alike to real ones in form as they can be.
///
/// They prime the compression of a new ledger. What is made of them stays in the ledger for good,
/// so nothing of a real login may ever be among them.
public enum SyntheticSamples {
    /// The samples; the most frequent kinds come last. Those without a recorded time stand for
    /// events of logins that this program runs.
    public static var events: [(envelope: EventEnvelope, data: JSONObject)] {
        reported.enumerated().map { index, payload in
            event(payload, number: index, source: "backend", recordedTime: instant)
        }
            + own.enumerated().map { index, payload in
                event(payload, number: index, source: "authledger", recordedTime: nil)
            }
    }

    private static func event(
        _ payload: SessionEvent, number: Int, source: String, recordedTime: Instant?
    ) -> (envelope: EventEnvelope, data: JSONObject) {
        let isFirst = payload.type == .initiated
        var data = payload.clearMembers
        if hasSealed(payload) || recordedTime != nil { data["sealed"] = .string(sealedBox) }
        if isFirst { data["keyCommitment"] = .string(digest.base64URL) }
        let envelope = EventEnvelope(
            id: id, source: source, type: payload.type.rawValue, typeVersion: 1,
            subject: subject, revision: isFirst ? 1 : number + 2,
            previous: isFirst ? nil : digest, time: instant, recordedTime: recordedTime)
        return (envelope, data)
    }

    /// Polls that say what was said before are many, and nothing is sealed in them.
    private static func hasSealed(_ payload: SessionEvent) -> Bool {
        switch payload {
        case .polled(let polled): polled.status == .accepted
        case .failed: false
        default: true
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

    private static var reported: [SessionEvent] {
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

    /// A login without a browser, with the polls last.
    private static var own: [SessionEvent] {
        let declined = FailureReason("access-denied").map {
            SessionEvent.failed(Failed(stage: .polling, reason: $0, error: "access_denied"))
        }
        return [
            .initiated(initiated(provider: "generic", issuer: partnerIssuer, flow: .ciba)),
            .verified(verified),
            .tokenIssued(
                TokenIssued(
                    endpoint: iduraIssuer + "/oauth2/token", attempt: 2, acceptedAt: instant,
                    tokenType: "Bearer", expiresInSeconds: 120, algorithm: "RS256", keyID: keyID,
                    keySetDigest: digest, keySetSource: .own, policyDigest: digest,
                    policySource: .own, httpStatus: 200, durationMilliseconds: 45,
                    traceID: traceID)),
            .polled(
                Polled(
                    status: .accepted, attempt: 0, endpoint: iduraIssuer + "/ciba/bc-authorize",
                    intervalSeconds: 5, expiresInSeconds: 120, httpStatus: 200,
                    durationMilliseconds: 87, discoveryDigest: digest, traceID: traceID)),
            .polled(
                Polled(
                    status: .error, attempt: 3, error: "access_denied", httpStatus: 400,
                    durationMilliseconds: 12)),
            declined,
            .polled(polled(.unavailable, httpStatus: 503)),
            .polled(polled(.slowDown, hint: RegisteredNames.other)),
            .polled(polled(.pending, hint: "outstandingTransaction")),
            .polled(polled(.pending, hint: "userSign", traceID: traceID)),
            .polled(polled(.pending, hint: RegisteredNames.other)),
        ].compactMap(\.self)
    }

    private static func polled(
        _ status: PollStatus, hint: String? = nil, httpStatus: Int = 400, traceID: String? = nil
    ) -> Polled {
        Polled(
            status: status, attempt: 1, hint: hint,
            intervalSeconds: status == .slowDown ? 10 : nil, httpStatus: httpStatus,
            durationMilliseconds: 12, traceID: traceID)
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
