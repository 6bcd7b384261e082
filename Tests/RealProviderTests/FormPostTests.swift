// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

/// Codes that a page posts to us, or that come in the fragment.
@Suite("A real provider's form", .serialized, .sharedProvider)
struct FormPostTests {
    let provider: RealProvider
    let relay: Relay

    init() throws {
        provider = try RealProvider.current()
        guard let relay = provider.relay else { throw Trouble("the provider has no relay") }
        self.relay = relay
    }

    private func changes(
        _ mode: String, issuer: RealProvider.Issuer = .silent
    ) -> ProfileChanges {
        ProfileChanges(issuer: issuer, members: ["responseMode": mode])
    }

    @Test(
        "and its fragment bring a code as well as its query",
        arguments: [
            ("query", RealProvider.Issuer.first), ("fragment", .first), ("form_post", .silent),
        ])
    func modes(mode: String, issuer: RealProvider.Issuer) async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(provider, "basic", changes(mode, issuer: issuer))
        let login = try await ledger.begin(profile)
        let callback = try await provider.visit(login.url)
        #expect(callback.contains("#") == (mode == "fragment"))
        #expect(callback.hasPrefix("http") == (mode != "form_post"))
        try await ledger.callback(callback, session: login.session).expectVerified()
        let received = try await ledger.onlyData("callback")
        #expect(received["responseMode"] == .string(mode))
        #expect(
            try await ledger.sequence(login.session)
                == ["initiated", "redirected", "callback", "token-issued", "verified"])
        try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
    }

    @Test(
        "is posted to the listener of `login`, as is its fragment",
        arguments: [
            ("fragment", RealProvider.Issuer.first), ("form_post", .silent),
        ])
    func listener(mode: String, issuer: RealProvider.Issuer) async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(provider, "basic", changes(mode, issuer: issuer))
        let login = try ledger.start(["login", "--provider", profile])
        let url = try await login.authorizationURL()
        #expect(try await provider.visitAndFollow(url) == "200")
        try await login.wait().expectVerified()
        let received = try await ledger.onlyData("callback")
        #expect(received["responseMode"] == .string(mode))
    }

    @Test("that encodes the issuer's name twice does not name the issuer")
    func encodedTwice() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(provider, "basic", changes("form_post", issuer: .first))
        let login = try await ledger.begin(profile)
        let form = try await provider.visit(login.url)
        #expect(form.parameter("iss").removingPercentEncoding == provider.issuer)
        #expect(form.parameter("iss") != provider.issuer)
        let before = relay.notes.count
        try await ledger.callback(form, session: login.session).expectFailed("iss-mismatch")
        #expect(relay.notes.count == before)
    }

    @Test("with two codes is refused")
    func twoCodes() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(provider, "basic", changes("form_post"))
        let login = try await ledger.begin(profile)
        let form = try await provider.visit(login.url)
        let before = relay.notes.count
        try await ledger.callback(form.adding("code", form.code), session: login.session)
            .expectFailed("callback-malformed")
        #expect(relay.notes.count == before)
    }
}
