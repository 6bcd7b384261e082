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
        let exchanges = (verified["exchanges"]?.arrayValue ?? []).compactMap(\.objectValue)
        #expect(exchanges.map { $0["endpoint"] } == [.string(provider.issuer + "/userinfo")])
        #expect(exchanges.map { $0["status"] } == [.integer(200)])
        try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
    }

    @Test("is not asked for otherwise")
    func notFetched() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(
            provider, "basic", ProfileChanges(members: ["userInfo": "none"]))
        let before = relay.notes.count
        try await ledger.logIn(provider, profile).expectVerified()
        #expect(requests(after: before) == ["/api/oidc/token"])
    }
}
