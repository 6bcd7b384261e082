// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import Testing

/// Both ways to authenticate with a certificate (RFC 8705). The first issuer takes certificates at
/// its endpoint aliases alone, the second one at its plain endpoints.
@Suite("A certificate at a real provider", .serialized, .sharedProvider(.glewlwydWithTLS))
struct MutualTLSTests {
    let provider: RealProvider

    init() throws {
        provider = try RealProvider.current()
    }

    @Test(
        "authenticates a client", arguments: ["tls", "tls-self-signed"],
        [RealProvider.Issuer.first, .second])
    func authenticates(client: String, issuer: RealProvider.Issuer) async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(provider, client, ProfileChanges(issuer: issuer))
        let login = try await ledger.begin(profile)
        try await ledger.callback(try await provider.visit(login.url), session: login.session)
            .expectVerified()
        #expect(
            try await ledger.sequence(login.session)
                == ["initiated", "redirected", "callback", "token-issued", "verified"])
        let issued = try await ledger.onlyData("token-issued")
        let path = issuer == .first ? "/mtls/token" : "/token"
        #expect(issued["endpoint"] == .string(provider.issuer(issuer) + path))
        try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
    }

    @Test(
        "binds the access token, which UserInfo is asked with",
        arguments: ["tls", "tls-self-signed"])
    func boundToken(client: String) async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(
            provider, client,
            ProfileChanges(members: ["certificateBoundTokens": "true", "userInfo": "fetch"]))
        try await ledger.logIn(provider, profile).expectVerified()
        let issued = try await ledger.onlyData("token-issued")
        #expect(issued["certificateBound"] == .bool(true))
        let verified = try await ledger.onlyData("verified")
        #expect(verified.exchanges("purpose") == [.string("userinfo")])
        #expect(verified.exchanges("status") == [.integer(200)])
        try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
    }

    @Test(
        "of a stranger is refused", arguments: ["tls", "tls-self-signed"], [false, true])
    func stranger(client: String, selfSigned: Bool) async throws {
        let ledger = try await provider.ledger()
        let stranger = try provider.stranger(selfSigned: selfSigned)
        for issuer in [RealProvider.Issuer.first, .second] {
            let profile = try ledger.profile(
                provider, client, ProfileChanges(certificate: stranger, issuer: issuer))
            try await ledger.logIn(provider, profile)
                .expectFailed("token-response-malformed")
        }
        try await ledger.reverify(tokens: 0, verified: 0, failed: 0)
    }

    @Test("authenticates a pushed request as well", arguments: ["tls", "tls-self-signed"])
    func pushed(client: String) async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(
            provider, client, ProfileChanges(members: ["pushedAuthorization": "required"]))
        try await ledger.logIn(provider, profile).expectVerified()
        let redirected = try await ledger.onlyData("redirected")
        #expect(redirected["par"] == .bool(true))
    }

    @Test("of a stranger ends a session before the user is sent anywhere")
    func pushedByStranger() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(
            provider, "tls",
            ProfileChanges(
                certificate: try provider.stranger(),
                members: ["pushedAuthorization": "required"]))
        let run = try await ledger.run(["start", "--provider", profile])
        run.expectFailed("par-refused")
        #expect(run.object["authorizationURL"] == nil)
        let failed = try await ledger.onlyData("failed")
        #expect(failed["stage"] == .string("authorization-request"))
    }

    @Test("is not needed by other clients")
    func otherClients() async throws {
        let ledger = try await provider.ledger()
        for client in ["basic", "private-key-jwt-es256", "public"] {
            try await ledger.logIn(provider, try ledger.profile(provider, client))
                .expectVerified()
        }
        try await ledger.reverify(tokens: 3, verified: 3, failed: 0)
    }
}
