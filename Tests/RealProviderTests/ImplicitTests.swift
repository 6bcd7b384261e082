// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

/// ID tokens that come with the callback. Other kinds of responses than `code` and `id_token` are
/// not for us.
@Suite("A real provider's token in the callback", .serialized, .sharedProvider)
struct ImplicitTests {
    let provider: RealProvider
    let relay: Relay

    init() throws {
        provider = try RealProvider.current()
        guard let relay = provider.relay else { throw Trouble("the provider has no relay") }
        self.relay = relay
    }

    private func begin(
        _ ledger: Ledger, mode: String = "fragment", issuer: RealProvider.Issuer = .first
    ) async throws -> StartedLogin {
        let changes = ProfileChanges(
            issuer: issuer, members: ["flows": "[implicit]", "responseMode": mode])
        let profile = try ledger.profile(provider, "implicit", changes)
        return try await ledger.begin(profile, flow: "implicit")
    }

    @Test("logs a user in without a token request", arguments: ["fragment", "form_post"])
    func login(mode: String) async throws {
        let ledger = try await provider.ledger()
        // The first issuer's name arrives encoded twice in a form.
        let login = try await begin(
            ledger, mode: mode, issuer: mode == "form_post" ? .silent : .first)
        #expect(login.url.parameter("response_type") == "id_token")
        #expect(!login.url.hasParameter("code_challenge"))
        let callback = try await provider.visit(login.url)
        #expect(callback.contains("#") == (mode == "fragment"))
        #expect(!callback.hasParameter("code"))
        let before = relay.tokenRequests.count
        try await ledger.callback(callback, session: login.session).expectVerified()
        #expect(relay.tokenRequests.count == before)
        #expect(
            try await ledger.sequence(login.session)
                == ["initiated", "redirected", "callback", "token-issued", "verified"])
        try ledger.expectNoOutput(
            with: callback.parameter("id_token").split(separator: ".").dropFirst().map(String.init))
        try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
    }

    @Test("comes beside an access token that it vouches for", arguments: [true, false])
    func accessToken(isItsOwn: Bool) async throws {
        let ledger = try await provider.ledger()
        let changes = ProfileChanges(members: [
            "flows": "[implicit]", "implicitResponseType": "id_token token",
        ])
        let profile = try ledger.profile(provider, "implicit", changes)
        let logins = [
            try await ledger.begin(profile, flow: "implicit"),
            try await ledger.begin(profile, flow: "implicit"),
        ]
        #expect(logins[0].url.parameter("response_type") == "id_token token")
        let callbacks = [
            try await provider.visit(logins[0].url), try await provider.visit(logins[1].url),
        ]
        let tokens = callbacks.map { $0.parameter("access_token") }
        #expect(tokens[0] != tokens[1] && !tokens[0].isEmpty)
        let callback = callbacks[0].replacing("access_token", with: tokens[isItsOwn ? 0 : 1])
        let before = relay.notes.count { $0["path"].hasSuffix("/userinfo") }
        let run = try await ledger.callback(callback, session: logins[0].session)
        if isItsOwn { run.expectVerified() } else { run.expectFailed("at-hash-mismatch") }
        let verdict = try await ledger.onlyData(isItsOwn ? "verified" : "failed")
        #expect(verdict.checks(isItsOwn ? "passed" : "failed").contains("at_hash"))
        #expect(relay.notes.count { $0["path"].hasSuffix("/userinfo") } == before)
        try await ledger.reverify(tokens: 1, verified: isItsOwn ? 1 : 0, failed: isItsOwn ? 0 : 1)
        try ledger.expectNoOutput(
            with: tokens.flatMap { $0.split(separator: ".").dropFirst().map(String.init) })
    }

    @Test("is not taken with an access token that was not asked for, or without one that was")
    func otherKind() async throws {
        let ledger = try await provider.ledger()
        for (asked, given) in [("id_token", "id_token token"), ("id_token token", "id_token")] {
            let changes = ProfileChanges(members: [
                "flows": "[implicit]", "implicitResponseType": asked,
            ])
            let login = try await ledger.begin(
                try ledger.profile(provider, "implicit", changes), flow: "implicit")
            let url = login.url.replacing(
                "response_type", with: given.replacingOccurrences(of: " ", with: "%20"))
            let callback = try await provider.visit(url)
            #expect(callback.hasParameter("access_token") == (given != "id_token"))
            try await ledger.callback(callback, session: login.session)
                .expectFailed("callback-malformed")
        }
        try await ledger.reverify(tokens: 0, verified: 0, failed: 0)
    }

    @Test("reaches the listener of `login` from the fragment")
    func listener() async throws {
        let ledger = try await provider.ledger()
        let changes = ProfileChanges(
            members: ["flows": "[implicit]", "responseMode": "fragment"])
        let profile = try ledger.profile(provider, "implicit", changes)
        let login = try ledger.start(["login", "--provider", profile, "--flow", "implicit"])
        let url = try await login.authorizationURL()
        #expect(try await provider.visitAndFollow(url) == "200")
        try await login.wait().expectVerified()
        let received = try await ledger.onlyData("callback")
        #expect(received["responseMode"] == .string("fragment"))
    }

    @Test("of another session is refused, and is refused again later")
    func otherSession() async throws {
        let ledger = try await provider.ledger()
        let logins = [try await begin(ledger), try await begin(ledger)]
        let foreign = try await provider.visit(logins[1].url).parameter("id_token")
        let callback = try await provider.visit(logins[0].url)
            .replacing("id_token", with: foreign)
        try await ledger.callback(callback, session: logins[0].session)
            .expectFailed("nonce-mismatch")
        try await ledger.reverify(tokens: 1, verified: 0, failed: 1)
    }

    @Test("of another issuer is refused")
    func otherIssuer() async throws {
        let ledger = try await provider.ledger()
        let login = try await begin(ledger)
        let callback = try await provider.visit(provider.misled(login.url, to: .silent))
        #expect(!callback.hasParameter("iss"))
        try await ledger.callback(callback, session: login.session)
            .expectFailed("kid-unknown", "alg-not-allowed", "iss-mismatch")
        try await ledger.reverify(tokens: 1, verified: 0, failed: 1)
    }

    @Test("may be an error instead")
    func error() async throws {
        let ledger = try await provider.ledger()
        let login = try await begin(ledger)
        let callback = try await provider.visit(login.url.adding("prompt", "none"))
        #expect(callback.contains("#"))
        try await ledger.callback(callback, session: login.session)
            .expectFailed("login-required")
    }

    @Test("beside a code is not asked for")
    func hybrid() async throws {
        let ledger = try await provider.ledger()
        let before = relay.notes.count
        let profile = try ledger.profile(
            provider, "hybrid", ProfileChanges(members: ["flows": "[hybrid]"]))
        let listed = try await ledger.run(["start", "--provider", profile]).expect(2)
        #expect(listed.errors.contains("flows"))
        let plain = try ledger.profile(provider, "hybrid")
        try await ledger.run(["start", "--provider", plain, "--flow", "hybrid"]).expect(2)
        #expect(relay.notes.count == before)
        #expect(try await ledger.run(["sessions"]).expect(0).lines.isEmpty)
    }
}
