// SPDX-License-Identifier: Apache-2.0

import ProviderSimulator
import Testing

@Suite("The table of misbehaviours")
struct MatrixTests {
    /// The cases of the OpenID conformance suite for relying parties that concern redirect flows:
    /// code, PKCE, implicit, form post, signed responses, pushed requests, configuration, UserInfo
    /// and certificates. Those for hybrid responses are here as far as a code flow can meet them;
    /// a relying party that refuses hybrid responses never sees a hash that must be there.
    static let core = [
        "", "client-secret-basic", "invalid-iss", "invalid-aud", "missing-aud", "missing-sub",
        "missing-iat", "nonce-unless-code-flow", "nonce-invalid", "idtoken-sig-rs256",
        "idtoken-sig-none", "invalid-sig-rs256", "invalid-sig-hs256", "invalid-sig-es256",
        "kid-absent-single-jwks", "kid-absent-multiple-jwks", "invalid-athash", "missing-athash",
        "userinfo-invalid-sub", "userinfo-bearer-header", "userinfo-bearer-body",
        "userinfo-signed", "scope-userinfo-claims", "form-post-error", "mtls-endpoint-aliases",
        "discovery-openid-config", "discovery-jwks-uri-keys", "discovery-issuer-mismatch",
        "signing-key-rotation", "signing-key-rotation-just-before-signing",
    ]

    static let fapi1 = [
        "", "encrypted-idtoken", "encrypted-idtoken-usingrsa15", "discovery-issuer-mismatch",
        "invalid-shash", "invalid-chash", "missing-athash", "invalid-nonce",
        "invalid-missing-nonce", "invalid-iss", "invalid-missing-iss", "invalid-aud",
        "invalid-missing-aud", "invalid-secondary-aud", "valid-aud-as-array",
        "invalid-signature", "invalid-null-alg", "invalid-alternate-alg", "invalid-expired-exp",
        "invalid-missing-exp", "iat-is-week-in-past", "no-scope-in-token-endpoint-response",
    ]

    static let fapi2 = [
        "happy-path", "happy-path-no-dpop-nonce", "discovery-issuer-mismatch", "invalid-iss",
        "invalid-missing-iss", "invalid-aud", "invalid-missing-aud", "invalid-secondary-aud",
        "valid-aud-as-array", "invalid-null-alg", "invalid-alternate-alg", "invalid-expired-exp",
        "invalid-missing-exp", "invalid-nonce", "invalid-missing-nonce",
        "invalid-authorization-response-iss", "remove-authorization-response-iss",
        "ensure-authorization-response-with-invalid-state-fails",
        "ensure-authorization-response-with-invalid-missing-state-fails",
        "token-endpoint-response-without-expires_in", "token-type-case-insensitivity",
        "ensure-jarm-without-iss-fails", "ensure-jarm-with-invalid-iss-fails",
        "ensure-jarm-without-aud-fails", "ensure-jarm-with-invalid-aud-fails",
        "ensure-jarm-without-exp-fails", "ensure-jarm-with-expired-exp-fails",
        "ensure-jarm-with-invalid-sig-fails", "ensure-jarm-signature-is-not-none",
    ]

    /// The cases for logins without redirects. Refresh tokens, the ping mode and the extensions of
    /// ConnectID, an Australian scheme, are no part of what we do.
    static let ciba = [
        "test", "valid-aud-as-array-test", "no-scope-in-token-endpoint-response-test",
        "respects-interval-test", "slow-down-test", "invalid-missing-authreqid-test",
        "invalid-missing-expiresin-test", "invalid-unknown-user-id-test",
        "invalid-expired-id-token-hint-test", "invalid-id-token-hint-test",
        "invalid-request-test", "invalid-access-denied-test", "invalid-expired-token-test",
        "invalid-iss-test", "invalid-missing-iss-test", "invalid-aud-test",
        "invalid-missing-aud-test", "invalid-secondary-aud-test", "invalid-signature-test",
        "invalid-null-alg-test", "invalid-alternate-alg-test", "invalid-expired-exp-test",
        "invalid-missing-exp-test", "invalid-iat-is-week-in-past-test",
    ]

    /// Further cases that the suite lacks. 1 and 2 are what a browser does, not a provider; 27 and
    /// 28 belong to other flows.
    static let further = (3...26).map { "HX\($0)" }

    private static func names(_ prefix: String, _ names: [String]) -> [String] {
        names.map { $0.isEmpty ? prefix : "\(prefix)-\($0)" }
    }

    static let applicable =
        names("oidcc-client-test", core) + names("fapi1-advanced-final-client-test", fapi1)
        + names("fapi2-security-profile-final-client-test", fapi2)
        + names("fapi-ciba-id1-client", ciba) + further

    @Test("has a line for every case that concerns what we do")
    func complete() {
        let covered = Set(Misbehaviour.allCases.flatMap(\.row.matrix))
        #expect(Self.applicable.filter { !covered.contains($0) } == [])
        #expect(covered.subtracting(Self.applicable) == [])
        #expect(Set(Self.applicable).count == Self.applicable.count)
    }

    @Test("has summaries and names that tell the misbehaviours apart")
    func distinct() {
        let all = Misbehaviour.allCases
        #expect(Set(all.map(\.summary)).count == all.count)
        let letters = Set("abcdefghijklmnopqrstuvwxyz0123456789-_")
        for misbehaviour in all {
            #expect(misbehaviour.rawValue.allSatisfy(letters.contains))
        }
    }
}
