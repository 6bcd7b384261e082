// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

/// What one issuer answers, brought to a session that another one was to answer (RFC 9207 §1).
@Suite("A real provider mixed up with another", .serialized, .sharedProvider)
struct MixUpTests {
    let provider: RealProvider
    let relay: Relay

    init() throws {
        provider = try RealProvider.current()
        guard let relay = provider.relay else { throw Trouble("the provider has no relay") }
        self.relay = relay
    }

    @Test("gives itself away by its name, and gets no code", arguments: ["pkce", "code"])
    func otherIssuer(flow: String) async throws {
        let ledger = try await provider.ledger()
        let login = try await ledger.begin(try ledger.profile(provider), flow: flow)
        let callback = try await provider.visit(provider.misled(login.url, to: .second))
        #expect(callback.parameter("iss") == provider.issuer(.second))
        let before = relay.notes.count
        try await ledger.callback(callback, session: login.session).expectFailed("iss-mismatch")
        #expect(relay.notes.count == before)
        #expect(
            try await ledger.sequence(login.session)
                == ["initiated", "redirected", "callback", "failed"])
        let failed = try await ledger.onlyData("failed")
        #expect(failed["stage"] == .string("callback"))
    }

    @Test(
        "that does not say its name leads the code to the issuer of the session, which refuses it")
    func silentIssuer() async throws {
        let ledger = try await provider.ledger()
        let login = try await ledger.begin(try ledger.profile(provider))
        let callback = try await provider.visit(provider.misled(login.url, to: .silent))
        #expect(!callback.hasParameter("iss"))
        let before = relay.tokenRequests.count
        try await ledger.callback(callback, session: login.session).expectFailed("code-refused")
        let requests = relay.tokenRequests.dropFirst(before)
        #expect(requests.map { $0["path"] } == ["/api/oidc/token"])
        try await ledger.reverify(tokens: 0, verified: 0, failed: 0)
    }

    @Test("cannot have its code spent under the name of the session's issuer")
    func foreignCode() async throws {
        let ledger = try await provider.ledger()
        let first = try await ledger.begin(try ledger.profile(provider))
        let second = try await ledger.begin(
            try ledger.profile(provider, "basic", ProfileChanges(issuer: .second)))
        let foreign = try await provider.visit(second.url)
        let callback = try await provider.visit(first.url).replacing("code", with: foreign.code)
        let before = relay.tokenRequests.count
        try await ledger.callback(callback, session: first.session)
            .expectFailed("code-refused", "pkce-failed")
        #expect(relay.tokenRequests.count == before + 1)
        try await ledger.callback(foreign, session: second.session).expectVerified()
        try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
    }

    @Test("does not answer for a session by the state of its own")
    func ownState() async throws {
        let ledger = try await provider.ledger()
        let first = try await ledger.begin(try ledger.profile(provider))
        let second = try await ledger.begin(
            try ledger.profile(provider, "basic", ProfileChanges(issuer: .second)))
        let callback = try await provider.visit(second.url)
        let before = relay.notes.count
        try await ledger.callback(callback, session: first.session).expectFailed("state-mismatch")
        #expect(relay.notes.count == before)
        try await ledger.callback(callback, session: second.session).expectVerified()
    }

    @Test("must not be named by one that names nobody")
    func namedIssuer() async throws {
        let ledger = try await provider.ledger()
        let login = try await ledger.begin(
            try ledger.profile(provider, "basic", ProfileChanges(issuer: .silent)))
        let name = provider.issuer
            .replacingOccurrences(of: ":", with: "%3A").replacingOccurrences(of: "/", with: "%2F")
        let callback = try await provider.visit(login.url).adding("iss", name)
        #expect(callback.parameter("iss") == provider.issuer)
        try await ledger.callback(callback, session: login.session).expectFailed("iss-mismatch")
    }

    @Test(
        "logs users in where it is asked itself", arguments: [RealProvider.Issuer.second, .silent])
    func otherIssuers(issuer: RealProvider.Issuer) async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(provider, "basic", ProfileChanges(issuer: issuer))
        try await ledger.logIn(provider, profile).expectVerified()
        let issued = try await ledger.onlyData("token-issued")
        #expect(issued["algorithm"] == .string("ES256"))
        #expect(issued["keyID"] == .string(issuer == .second ? "second-1" : "silent-1"))
        try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
    }
}
