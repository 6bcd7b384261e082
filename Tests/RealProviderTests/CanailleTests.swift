// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

/// Logins of the built program at a second provider that somebody else wrote. It has arrays as
/// audiences, fractions in `auth_time`, promises `iss`, and lets users refuse.
@Suite("A second real provider", .serialized, .sharedProvider(.canaille))
struct CanailleTests {
    let provider: RealProvider
    let relay: Relay

    init() throws {
        provider = try RealProvider.current()
        guard let relay = provider.relay else { throw Trouble("the provider has no relay") }
        self.relay = relay
    }

    /// A client's tokens of one second are the same for this provider, which it then refuses.
    private func waitForAnotherSecond() async throws {
        try await Task.sleep(for: .milliseconds(1100))
    }

    @Test(
        "logs a user in",
        arguments: [
            ("public", "pkce"), ("basic", "pkce"), ("post", "pkce"), ("es256", "pkce"),
            ("private-key-jwt-rs256", "pkce"), ("private-key-jwt-es256", "pkce"),
        ])
    func login(client: String, flow: String) async throws {
        try await waitForAnotherSecond()
        let ledger = try await provider.ledger()
        let before = relay.tokenRequests.count
        let login = try await ledger.begin(try ledger.profile(provider, client), flow: flow)
        try await ledger.callback(try await provider.visit(login.url), session: login.session)
            .expectVerified()
        #expect(
            try await ledger.sequence(login.session)
                == ["initiated", "redirected", "callback", "token-issued", "verified"])
        let requests = relay.tokenRequests.dropFirst(before)
        #expect(requests.count == 1)
        let form = try #require(requests.first).parameters("body")
        #expect(form["code_verifier"] != nil)
        let issued = try await ledger.onlyData("token-issued")
        #expect(issued["algorithm"] == .string(client == "es256" ? "ES256" : "RS256"))
        #expect((form["client_assertion"] != nil) == client.hasPrefix("private-key-jwt"))
        if let assertion = form["client_assertion"] {
            let claims = try assertion.tokenPart(1)
            #expect(try assertion.tokenPart(0)["kid"] == .string(client))
            #expect(claims["sub"] == .string(client))
            #expect(claims["aud"] == .string(provider.issuer + "/oauth/token"))
        }
        try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
    }

    @Test("works without PKCE")
    func withoutPKCE() async throws {
        try await waitForAnotherSecond()
        let ledger = try await provider.ledger()
        try await ledger.logIn(provider, try ledger.profile(provider), flow: "code")
            .expectVerified()
    }

    @Test("refuses a code that comes with the verifier of another session")
    func swappedCodes() async throws {
        try await waitForAnotherSecond()
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(provider, "public")
        let logins = [try await ledger.begin(profile), try await ledger.begin(profile)]
        let callbacks = [
            try await provider.visit(logins[0].url), try await provider.visit(logins[1].url),
        ]
        for (index, login) in logins.enumerated() {
            let swapped = callbacks[index].replacing("code", with: callbacks[1 - index].code)
            try await ledger.callback(swapped, session: login.session)
                .expectFailed("code-refused", "pkce-failed")
        }
    }

    @Test("refuses a client with a wrong secret", arguments: ["basic", "post"])
    func wrongSecret(client: String) async throws {
        let ledger = try await provider.ledger()
        let secret = "no-secret-of-any-client-here"
        let profile = try ledger.profile(provider, client, ProfileChanges(secret: secret))
        try await ledger.logIn(provider, profile).expectFailed("client-auth-failed")
        try ledger.expectNoOutput(with: [secret])
    }

    @Test("refuses an assertion with the issuer as its audience")
    func wrongAudience() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(
            provider, "private-key-jwt-es256",
            ProfileChanges(authentication: ["audience": "issuer"]))
        try await ledger.logIn(provider, profile).expectFailed("client-auth-failed")
    }

    @Test("tells that the user refused, and sees no token request")
    func userRefuses() async throws {
        let ledger = try await provider.ledger()
        let login = try await ledger.begin(try ledger.profile(provider, "unwanted"))
        let callback = try await provider.visitAndRefuse(login.url)
        let before = relay.tokenRequests.count
        try await ledger.callback(callback, session: login.session).expectFailed("access-denied")
        #expect(relay.tokenRequests.count == before)
        #expect(
            try await ledger.sequence(login.session)
                == ["initiated", "redirected", "callback", "failed"])
        let received = try await ledger.onlyData("callback")
        #expect(received["error"] == .string("access_denied"))
    }

    @Test("promises its name, and is not believed without it")
    func missingIssuer() async throws {
        let ledger = try await provider.ledger()
        let login = try await ledger.begin(try ledger.profile(provider, "public"))
        let callback = try await provider.visit(login.url).removing("iss")
        let before = relay.tokenRequests.count
        try await ledger.callback(callback, session: login.session).expectFailed("iss-missing")
        #expect(relay.tokenRequests.count == before)
    }

    @Test("fails by itself, and nothing of its words is shown")
    func internalError() async throws {
        try await waitForAnotherSecond()
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(provider)
        var executions: [Execution] = []
        var callbacks: [(session: String, text: String)] = []
        for _ in 0..<5 {
            let login = try await ledger.begin(profile)
            callbacks.append((login.session, try await provider.visit(login.url)))
        }
        // Of several tokens of one client some fall into the same second.
        for callback in callbacks {
            executions.append(
                try ledger.start(
                    ["callback", "--session", callback.session], input: .text(callback.text)))
        }
        var runs: [Run] = []
        for execution in executions { runs.append(try await execution.wait()) }
        #expect(runs.contains { $0.status == 0 })
        let failed = runs.filter { $0.status != 0 }
        #expect(!failed.isEmpty)
        for run in failed { run.expectFailed("provider-outage") }
        try ledger.expectNoOutput(with: ["IntegrityError"])
    }
}
