// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

/// Authorization requests that are pushed to the provider beforehand (RFC 9126).
@Suite("A request pushed to a real provider", .serialized, .sharedProvider)
struct PARTests {
    let provider: RealProvider
    let relay: Relay

    init() throws {
        provider = try RealProvider.current()
        guard let relay = provider.relay else { throw Trouble("the provider has no relay") }
        self.relay = relay
    }

    private func changes(_ members: [String: String] = [:]) -> ProfileChanges {
        ProfileChanges(
            members: ["pushedAuthorization": "required"].merging(members) { _, new in new })
    }

    @Test(
        "leaves a name for the browser, and comes back in the callback",
        arguments: [
            "basic", "post", "public", "secret-jwt", "private-key-jwt-rs256",
            "private-key-jwt-es256",
        ])
    func pushed(client: String) async throws {
        let ledger = try await provider.ledger()
        let before = (relay.pushedRequests.count, relay.tokenRequests.count)
        let login = try await ledger.begin(try ledger.profile(provider, client, changes()))
        #expect(login.url.parameter("client_id") == client)
        #expect(login.url.parameter("request_uri").hasPrefix("urn:ietf:params:oauth:request_uri:"))
        for name in ["state", "nonce", "redirect_uri", "code_challenge", "scope"] {
            #expect(!login.url.hasParameter(name))
        }
        let request = try #require(relay.pushedRequests.dropFirst(before.0).first)
        let form = request.parameters("body")
        #expect(form["state"] != nil && form["nonce"] != nil && form["code_challenge"] != nil)
        #expect(form["redirect_uri"] == provider.redirectURI)
        let callback = try await provider.visit(login.url)
        // The provider tells the browser more of it than it should.
        #expect(callback.hasParameter("client_assertion") == (form["client_assertion"] != nil))
        try await ledger.callback(callback, session: login.session).expectVerified()
        let exchange = try #require(relay.tokenRequests.dropFirst(before.1).first)
        try check(form, exchange.parameters("body"))
        let redirected = try await ledger.onlyData("redirected")
        #expect(redirected["par"] == .bool(true))
        #expect(redirected.exchanges("purpose") == [.string("par")])
        #expect(redirected.exchanges("endpoint") == [.string(provider.issuer + "/par")])
        #expect(redirected.exchanges("status") == [.integer(201)])
        #expect(
            try await ledger.sequence(login.session)
                == ["initiated", "redirected", "callback", "token-issued", "verified"])
        try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
    }

    /// Every request has an assertion of its own, for its own endpoint.
    private func check(_ pushed: [String: String], _ exchange: [String: String]) throws {
        guard let first = pushed["client_assertion"] else {
            #expect(exchange["client_assertion"] == nil)
            return
        }
        let claims = try first.tokenPart(1)
        let others = try #require(exchange["client_assertion"]).tokenPart(1)
        #expect(claims["aud"] == .string(provider.issuer + "/par"))
        #expect(others["aud"] == .string(provider.issuer + "/token"))
        #expect(claims["jti"] != nil && claims["jti"] != others["jti"])
    }

    @Test(
        "is made as the profile says",
        arguments: [
            (nil, false), ("never", false), ("when-needed", false), ("optional", true),
            ("required", true),
        ])
    func setting(value: String?, isPushed: Bool) async throws {
        let ledger = try await provider.ledger()
        let before = relay.pushedRequests.count
        let members = value.map { ["pushedAuthorization": $0] } ?? [:]
        let profile = try ledger.profile(provider, "basic", ProfileChanges(members: members))
        let login = try await ledger.begin(profile)
        #expect(relay.pushedRequests.count == before + (isPushed ? 1 : 0))
        #expect(login.url.hasParameter("request_uri") == isPushed)
        #expect(login.url.hasParameter("state") != isPushed)
        #expect(try await ledger.onlyData("redirected")["par"] == .bool(isPushed))
        try await ledger.callback(try await provider.visit(login.url), session: login.session)
            .expectVerified()
    }

    @Test("is made for a hint that must not stand in a URL")
    func personalHint() async throws {
        let ledger = try await provider.ledger()
        let hint = "person-31415926535"
        let file = ledger.newProfile("hint")
        try Data("\(hint)\n".utf8).write(to: URL(filePath: file))
        let before = relay.pushedRequests.count
        let run = try await ledger.run(
            ["start", "--provider", try ledger.profile(provider), "--login-hint-file", file]
        ).expect(0)
        let url = try #require(run.object["authorizationURL"]?.stringValue)
        let session = try #require(run.object["session"]?.stringValue)
        let pushed = relay.pushedRequests.dropFirst(before).map { $0.parameters("body") }
        #expect(pushed.map { $0["login_hint"] } == [hint])
        try await ledger.callback(try await provider.visit(url), session: session)
            .expectVerified()
        let forbidding = try ledger.profile(
            provider, "basic", changes(["pushedAuthorization": "never"]))
        try await ledger.run(["start", "--provider", forbidding, "--login-hint-file", file])
            .expect(2)
        #expect(relay.pushedRequests.count == before + 1)
        try ledger.expectNoOutput(with: ["31415926535"])
    }

    @Test("that is refused ends the session before the user is sent anywhere")
    func wrongSecret() async throws {
        let ledger = try await provider.ledger()
        var changes = changes()
        changes.secret = "no-secret-of-any-client-here"
        let run = try await ledger.run(
            ["start", "--provider", try ledger.profile(provider, "basic", changes)])
        // The provider answers with status 403 and nothing else, so that nobody knows why.
        run.expectFailed("par-refused")
        #expect(run.object["authorizationURL"] == nil)
        let failed = try await ledger.onlyData("failed")
        #expect(failed["stage"] == .string("authorization-request"))
        #expect(failed.exchanges("purpose") == [.string("par")])
        #expect(failed.exchanges("status") == [.integer(403)])
        let session = try #require(run.object["session"]?.stringValue)
        #expect(try await ledger.sequence(session) == ["initiated", "failed"])
        try ledger.expectNoOutput(with: ["no-secret-of-any-client-here"])
    }

    @Test(
        "with an assertion for somebody else is refused",
        arguments: ["secret-jwt", "private-key-jwt-rs256", "private-key-jwt-es256"])
    func wrongAudience(client: String) async throws {
        let ledger = try await provider.ledger()
        var changes = changes()
        changes.authentication = ["audience": "issuer"]
        let run = try await ledger.run(
            ["start", "--provider", try ledger.profile(provider, client, changes)])
        // Of an assertion the provider says with status 401 what it is about.
        run.expectFailed("client-auth-failed")
        #expect(try await ledger.onlyData("failed").exchanges("status") == [.integer(401)])
    }

    @Test("for a redirect URI that the provider does not know is not blamed on the client's secret")
    func otherRedirectURI() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(
            provider, "basic", changes(["redirectURI": "https://other.example/callback"]))
        let run = try await ledger.run(["start", "--provider", profile])
        run.expectFailed("par-refused")
        #expect(try await ledger.onlyData("failed").exchanges("status") == [.integer(403)])
    }

    @Test("does not carry its response mode, and a plain response is refused")
    func signedResponse() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(
            provider, "jarm-rs256",
            changes([
                "flows": "[jarm]", "responseMode": "jwt", "jarmAlgorithms": "[RS256]",
            ]))
        let login = try await ledger.begin(profile, flow: "jarm")
        #expect(relay.pushedRequests.last?.parameters("body")["response_mode"] == "jwt")
        let callback = try await provider.visit(login.url)
        #expect(!callback.hasParameter("response"))
        let before = relay.tokenRequests.count
        try await ledger.callback(callback, session: login.session)
            .expectFailed("callback-malformed")
        #expect(relay.tokenRequests.count == before)
    }

    @Test("leaves a session that is begun and no more when the program is killed")
    func killed() async throws {
        let ledger = try await provider.ledger()
        try relay.hold("/par")
        let login = try ledger.start(
            ["start", "--provider", try ledger.profile(provider, "basic", changes())])
        try await login.untilHeld(by: relay, "/par")
        try await login.killAndWait()
        try await relay.release()
        let sessions = try await ledger.run(["sessions"]).expect(0).lines
        #expect(sessions.map(\.state) == ["initiated"])
        #expect(login.output == "")
    }
}
