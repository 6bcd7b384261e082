// SPDX-License-Identifier: Apache-2.0

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
        let pushes = (redirected["exchanges"]?.arrayValue ?? []).compactMap(\.objectValue)
        #expect(pushes.map { $0["endpoint"] } == [.string(provider.issuer + "/par")])
        #expect(pushes.map { $0["status"] } == [.integer(201)])
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
        "is made when it is offered and not forbidden",
        arguments: [("never", false), ("optional", true)])
    func setting(value: String, isPushed: Bool) async throws {
        let ledger = try await provider.ledger()
        let before = relay.pushedRequests.count
        let profile = try ledger.profile(
            provider, "basic", changes(["pushedAuthorization": value]))
        let login = try await ledger.begin(profile)
        #expect(relay.pushedRequests.count == before + (isPushed ? 1 : 0))
        #expect(login.url.hasParameter("request_uri") == isPushed)
        #expect(login.url.hasParameter("state") != isPushed)
        try await ledger.callback(try await provider.visit(login.url), session: login.session)
            .expectVerified()
    }

    @Test("that is refused ends the session before the user is sent anywhere")
    func wrongSecret() async throws {
        let ledger = try await provider.ledger()
        var changes = changes()
        changes.secret = "no-secret-of-any-client-here"
        let run = try await ledger.run(
            ["start", "--provider", try ledger.profile(provider, "basic", changes)])
        // The provider answers with status 403 and nothing else.
        run.expectFailed("client-auth-failed", "par-refused")
        #expect(run.object["authorizationURL"] == nil)
        let failed = try await ledger.onlyData("failed")
        #expect(failed["stage"] == .string("authorization-request"))
        let session = try #require(run.object["session"]?.stringValue)
        #expect(try await ledger.sequence(session) == ["initiated", "failed"])
        try ledger.expectNoOutput(with: ["no-secret-of-any-client-here"])
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
        try await ledger.callback(callback, session: login.session).expectFailed("jarm-invalid")
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
