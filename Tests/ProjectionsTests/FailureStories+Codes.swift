// SPDX-License-Identifier: Apache-2.0

import SessionEvents

extension FailureStory {
    /// A login that ends with the code; nil for what only commands and checks of the ledger say.
    static func of(_ code: String) throws -> FailureStory? {
        try beforeTheUser(code) ?? atTheCallback(code) ?? polling(code) ?? exchanging(code)
            ?? withTokens(code) ?? verifying(code)
    }

    private static func beforeTheUser(_ code: String) throws -> FailureStory? {
        let jarm = begin(.jarm, provider: "idpartner", mode: "jwt")
        return switch code {
        case "certificate-expired": try jarm.end(.authorizationRequest, code)
        case "flow-unsupported": try jarm.end(.discovery, code, after: 80)
        case "discovery-issuer-mismatch", "host-refused":
            try begin().end(.discovery, code, after: 95)
        case "metadata-unavailable":
            try begin().end(
                .discovery, code, exchange: request("discovery", nil, took: 10_004), after: 10_010)
        case "par-refused":
            try jarm.end(
                .authorizationRequest, code, error: "invalid_scope", exchange: request("par", 400),
                after: 60)
        case "redirect-uri-mismatch":
            try begin().end(
                .authorizationRequest, code, error: "invalid_request",
                exchange: request("par", 400), after: 60)
        case "response-malformed":
            try begin().end(
                .authorizationRequest, code, exchange: request("par", 201), after: 60)
        case "permission-refused":
            try begin(.ciba, provider: "bankid-no").end(
                .authorizationRequest, code, error: "access_denied",
                exchange: request("permissions", 403), after: 60)
        case "abandoned": try begin().sent().end(.callback, code, after: 3_900_000)
        default: nil
        }
    }

    private static func atTheCallback(_ code: String) throws -> FailureStory? {
        let sent = begin().sent()
        return switch code {
        case "access-denied": try sent.back(error: "access_denied").end(.callback, code)
        case "consent-denied":
            try sent.back(after: 15_200, error: "consent_required").end(.callback, code)
        case "login-required":
            try sent.back(after: 310, error: "login_required").end(.callback, code)
        case "broker-error":
            try sent.back(error: "server_error", trace: "77aa02c1").end(.callback, code)
        case "state-expired": try sent.back(after: 1_560_000).end(.callback, code)
        case "state-mismatch": try sent.back(matched: false).end(.callback, code)
        case "state-missing": try sent.back(matched: nil).end(.callback, code)
        case "iss-mismatch", "iss-missing": try sent.back().end(.callback, code)
        case "callback-replayed": try sent.back().end(.callback, code).reported()
        case "callback-malformed":
            try begin(.implicit, mode: "fragment").sent()
                .back(matched: nil, binding: StateBinding.none, mode: "query").end(.callback, code)
        case "jarm-invalid":
            try begin(.jarm, provider: "idpartner", mode: "jwt").sent(par: true)
                .back(mode: "query").end(.callback, code)
        case "jwe-decrypt-failed":
            try begin(.jarm, provider: "idpartner", mode: "jwt").sent(par: true)
                .back(matched: nil, mode: "jwt").end(.callback, code)
        case "iss-not-allowed":
            try FailureStory().then(
                .initiated(Initiated(provider: "idpartner", clientID: "urn:my:app", flow: .jarm)),
                after: 0
            ).then(
                .redirected(
                    Redirected(to: .accountSelector, endpoint: "https://select.example/accounts")),
                after: 15
            ).then(
                .callback(CallbackReceived(from: .accountSelector, stateBinding: .session)),
                after: 6800
            ).end(.callback, code)
        default: nil
        }
    }

    private static func polling(_ code: String) throws -> FailureStory? {
        let ciba = begin(.ciba, provider: "idura")
        return switch code {
        case "user-cancelled":
            try begin(.headless, provider: "idura").accepted().pending(1...3)
                .poll(.error, 4, "access_denied").end(.polling, code, error: "access_denied")
        case "poll-timeout":
            try ciba.accepted().pending(1...23).poll(.error, 24, "expired_token")
                .end(.polling, code, error: "expired_token")
        case "poll-too-fast":
            try ciba.accepted().pending(1...1, every: 1900)
                .poll(.slowDown, 2, "slow_down", after: 2000)
                .poll(.error, 3, "slow_down", after: 2000).end(.polling, code, error: "slow_down")
        case "result-lost":
            try ciba.accepted().pending(1...2).end(.polling, code, after: 7_500_000)
        case "unknown-user": try refused(ciba, code, "unknown_user_id")
        case "hint-refused": try refused(ciba, code, "expired_login_hint_token")
        case "binding-message-refused": try refused(ciba, code, "invalid_binding_message")
        default: nil
        }
    }

    private static func refused(
        _ story: FailureStory, _ code: String, _ error: String
    ) throws -> FailureStory {
        try story.poll(.error, 0, error, after: 140)
            .end(.authorizationRequest, code, error: error)
    }

    private static func exchanging(_ code: String) throws -> FailureStory? {
        let back = begin().sent().back()
        return switch code {
        case "client-auth-failed":
            try back.end(
                .token, code, error: "invalid_client", exchange: request("token", 401), after: 70)
        case "code-expired":
            try back.end(.token, code, error: "invalid_grant", after: 47_300)
        case "code-refused", "code-reused":
            try back.end(.token, code, error: "invalid_grant", after: 180)
        case "pkce-failed":
            try begin().sent(par: true).back().end(.token, code, error: "invalid_grant", after: 90)
        case "provider-outage":
            try back.end(.token, code, exchange: request("token", 503), after: 90)
        case "token-response-malformed":
            try back.end(.token, code, exchange: request("token", 502), after: 90)
        case "exchange-interrupted":
            try back.end(
                .token, code, exchange: request("token", nil, took: 30_000), after: 30_006)
        case "id-token-missing":
            try begin(scope: "profile").sent().back().end(.token, code, after: 90)
        case "key-set-invalid": try back.end(.discovery, code, after: 90)
        default: nil
        }
    }

    private static func withTokens(_ code: String) throws -> FailureStory? {
        let jarm = begin(.jarm, provider: "idpartner", mode: "jwt").sent(par: true)
            .back(mode: "jwt").tokens("PS256")
        return switch code {
        case "userinfo-invalid", "userinfo-subject-mismatch":
            try upToTokens().end(.userinfo, code, exchange: request("userinfo", 200), after: 70)
        case "cert-binding-mismatch":
            try jarm.end(.userinfo, code, exchange: request("userinfo", 401), after: 70)
        case "subject-mismatch":
            try begin(.ciba, provider: "idura").accepted().pending(1...4).tokens(after: 5000)
                .end(.verification, code)
        case "token-replayed": try upToTokens().end(.verification, code).reported()
        default: nil
        }
    }

    private static func verifying(_ code: String) throws -> FailureStory? {
        let tokens = upToTokens()
        let back = begin().sent().back()
        return switch code {
        case "acr-too-low": try tokens.judged(code, "acr")
        case "auth-time-stale": try tokens.judged(code, "auth_time")
        case "aud-mismatch": try tokens.judged(code, "aud")
        case "token-expired": try back.tokens(took: 8100, after: 8150).judged(code, "exp")
        case "not-yet-valid": try tokens.judged(code, "nbf")
        case "iat-invalid", "iat-too-old": try tokens.judged(code, "iat")
        case "clock-skew":
            try begin().sent().back().tokens(after: -46_800).judged(code, "iat", "nbf").reported()
        case "kid-unknown": try back.tokens(keyID: "other").judged(code, "key")
        case "key-unsuitable", "key-weak": try tokens.judged(code, "key")
        case "crit-unsupported": try tokens.judged(code, "crit")
        case "claim-missing": try tokens.judged(code, "sub")
        case "claim-malformed": try tokens.judged(code, "exp", "iat")
        case "token-malformed": try back.tokens("other", keyID: nil).judged(code, "token")
        case "response-too-large": try tokens.judged(code, "size")
        case "nonce-mismatch": try tokens.judged(code, "nonce")
        case "sig-invalid": try back.tokens(keys: .reported).judged(code, "signature").reported()
        case "alg-not-allowed": try back.tokens("none", keyID: nil).judged(code, "alg")
        case "header-refused": try tokens.judged(code, "header")
        case "azp-mismatch": try tokens.judged(code, "azp")
        case "at-hash-mismatch": try tokens.judged(code, "at_hash")
        case "c-hash-mismatch": try tokens.judged(code, "c_hash")
        case "s-hash-mismatch": try tokens.judged(code, "s_hash")
        default: nil
        }
    }
}
