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
            // One that is self-signed counts as none, and only of that the provider speaks.
            try await ledger.logIn(provider, profile).expectFailed(
                selfSigned ? "client-auth-failed" : "token-response-malformed")
        }
        let failed = try await ledger.allData("failed")
        #expect(failed.map { $0["stage"] } == [.string("token"), .string("token")])
        for event in failed {
            #expect(event.exchanges("purpose") == [.string("token")])
            #expect(event.exchanges("status") == [.integer(403)])
            #expect(event["error"] == (selfSigned ? .string("unauthorized_client") : nil))
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

    @Test("without its own key is shown to nobody")
    func otherKey() async throws {
        let ledger = try await provider.ledger()
        let certificate = RealProvider.Certificate(
            certificateFile: try #require(try provider.client("tls").certificateFile),
            privateKeyFile: try provider.stranger().privateKeyFile)
        let profile = try ledger.profile(
            provider, "tls", ProfileChanges(certificate: certificate))
        try await ledger.logIn(provider, profile).expectFailed("client-auth-failed")
        let failed = try await ledger.onlyData("failed")
        #expect(failed["stage"] == .string("token"))
        #expect(failed.exchanges("status") == [nil])
        try await ledger.reverify(tokens: 0, verified: 0, failed: 0)
    }

    @Test(
        "of a stranger ends a session before the user is sent anywhere", arguments: [false, true])
    func pushedByStranger(selfSigned: Bool) async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(
            provider, "tls",
            ProfileChanges(
                certificate: try provider.stranger(selfSigned: selfSigned),
                members: ["pushedAuthorization": "required"]))
        let run = try await ledger.run(["start", "--provider", profile])
        // With status 401 the provider says what it is about, with 403 it does not.
        run.expectFailed(selfSigned ? "par-refused" : "client-auth-failed")
        #expect(run.object["authorizationURL"] == nil)
        let failed = try await ledger.onlyData("failed")
        #expect(failed["stage"] == .string("authorization-request"))
        #expect(failed.exchanges("purpose") == [.string("par")])
        #expect(failed.exchanges("status") == [.integer(selfSigned ? 403 : 401)])
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
