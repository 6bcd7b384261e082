// SPDX-License-Identifier: Apache-2.0

/// Names of the cases that the OpenID conformance suite has for relying parties.
enum Matrix {
    /// Cases of the plans for OpenID Connect Core.
    static func core(_ names: String...) -> [String] { names.map { "oidcc-client-test-\($0)" } }

    /// Cases of FAPI 1.0 Advanced.
    static func fapi1(_ names: String...) -> [String] {
        names.map { "fapi1-advanced-final-client-test-\($0)" }
    }

    /// Cases of the FAPI 2.0 Security Profile.
    static func fapi2(_ names: String...) -> [String] {
        names.map { "fapi2-security-profile-final-client-test-\($0)" }
    }

    /// Cases that both FAPI profiles have.
    static func fapi(_ name: String) -> [String] { fapi1(name) + fapi2(name) }

    /// Cases of the FAPI profile of CIBA.
    static func ciba(_ names: String...) -> [String] {
        names.map { "fapi-ciba-id1-client-\($0)-test" }
    }

    /// What a provider does that is in order: how the client is registered and asks makes the case.
    static let soundLogins =
        ["oidcc-client-test", "fapi1-advanced-final-client-test", "fapi-ciba-id1-client-test"]
        + core(
            "client-secret-basic", "nonce-unless-code-flow", "idtoken-sig-rs256",
            "userinfo-bearer-header", "userinfo-bearer-body", "userinfo-signed",
            "scope-userinfo-claims", "mtls-endpoint-aliases", "discovery-openid-config")
        + fapi1("encrypted-idtoken") + fapi2("happy-path", "happy-path-no-dpop-nonce")
}
