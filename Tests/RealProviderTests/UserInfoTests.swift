// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import Testing

/// What the access token is good for (OpenID Connect Core §5.3).
@Suite("A real provider's UserInfo", .serialized, .sharedProvider)
struct UserInfoTests {
    let provider: RealProvider
    let relay: Relay

    init() throws {
        provider = try RealProvider.current()
        guard let relay = provider.relay else { throw Trouble("the provider has no relay") }
        self.relay = relay
    }

    private func requests(after count: Int) -> [String] {
        relay.notes.dropFirst(count).filter { $0["at"] == "arrived" }.map { $0["path"] }
            .filter { $0.hasSuffix("/token") || $0.hasSuffix("/userinfo") }
    }

    @Test("is asked for after the token, and recorded", arguments: ["pkce", "code"])
    func fetched(flow: String) async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(
            provider, "basic", ProfileChanges(members: ["userInfo": "fetch"]))
        let before = relay.notes.count
        let login = try await ledger.begin(profile, flow: flow)
        try await ledger.callback(try await provider.visit(login.url), session: login.session)
            .expectVerified()
        #expect(requests(after: before) == ["/api/oidc/token", "/api/oidc/userinfo"])
        #expect(
            try await ledger.sequence(login.session)
                == ["initiated", "redirected", "callback", "token-issued", "verified"])
        let verified = try await ledger.onlyData("verified")
        #expect(verified.exchanges("purpose") == [.string("userinfo")])
        #expect(verified.exchanges("endpoint") == [.string(provider.issuer + "/userinfo")])
        #expect(verified.exchanges("status") == [.integer(200)])
        try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
    }

    @Test("is asked for with an access token that came with the callback")
    func fetchedOfImplicit() async throws {
        let ledger = try await provider.ledger()
        let changes = ProfileChanges(members: [
            "flows": "[implicit]", "implicitResponseType": "id_token token", "userInfo": "fetch",
        ])
        let profile = try ledger.profile(provider, "implicit", changes)
        let before = relay.notes.count
        try await ledger.logIn(provider, profile, flow: "implicit").expectVerified()
        #expect(requests(after: before) == ["/api/oidc/userinfo"])
        let verified = try await ledger.onlyData("verified")
        #expect(verified.exchanges("purpose") == [.string("userinfo")])
        try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
    }

    @Test("is not asked for otherwise", arguments: [["userInfo": "none"], [:]])
    func notFetched(members: [String: String]) async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(provider, "basic", ProfileChanges(members: members))
        let before = relay.notes.count
        try await ledger.logIn(provider, profile).expectVerified()
        #expect(requests(after: before) == ["/api/oidc/token"])
    }

    @Test("is not asked for with a token that was refused")
    func refusedToken() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(
            provider, "ps256-mislabelled",
            ProfileChanges(members: ["algorithms": "[PS256]", "userInfo": "fetch"]))
        let before = relay.notes.count
        try await ledger.logIn(provider, profile).expectFailed("key-unsuitable")
        #expect(requests(after: before) == ["/api/oidc/token"])
    }

    @Test("cannot be asked for any more when the program was killed with the access token")
    func killed() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(
            provider, "basic", ProfileChanges(members: ["userInfo": "fetch"]))
        let login = try await ledger.begin(profile)
        let callback = try await provider.visit(login.url)
        let before = relay.notes.count
        try relay.hold("/userinfo")
        let execution = try ledger.start(
            ["callback", "--session", login.session], input: .text(callback))
        try await execution.untilHeld(by: relay, "/userinfo")
        try await execution.killAndWait()
        try await relay.release()
        #expect(try await ledger.session(login.session).state == "token-issued")
        try await ledger.callback(callback, session: login.session).expectFailed("result-lost")
        #expect(requests(after: before) == ["/api/oidc/token", "/api/oidc/userinfo"])
        let failed = try await ledger.onlyData("failed")
        #expect(failed["stage"] == .string("userinfo"))
        #expect(failed.checks("failed").isEmpty)
        try await ledger.callback(callback, session: login.session)
            .expectRefused("callback-replayed")
    }
}
