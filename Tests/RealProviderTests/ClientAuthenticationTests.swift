// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import Testing

/// Every way to authenticate that needs no certificate.
@Suite("A client of a real provider", .serialized, .sharedProvider)
struct ClientAuthenticationTests {
    let provider: RealProvider
    let relay: Relay

    init() throws {
        provider = try RealProvider.current()
        guard let relay = provider.relay else { throw Trouble("the provider has no relay") }
        self.relay = relay
    }

    @Test(
        "authenticates with an assertion",
        arguments: ["secret-jwt", "private-key-jwt-rs256", "private-key-jwt-es256"])
    func assertions(client: String) async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(provider, client)
        let before = relay.tokenRequests.count
        for _ in 0..<2 { try await ledger.logIn(provider, profile).expectVerified() }
        let forms = relay.tokenRequests.dropFirst(before).map { $0.parameters("body") }
        #expect(forms.count == 2)
        var identifiers: Set<String> = []
        for form in forms {
            #expect(form["client_id"] == client)
            #expect(form["client_secret"] == nil)
            #expect(
                form["client_assertion_type"]
                    == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
            let assertion = try #require(form["client_assertion"])
            let header = try assertion.tokenPart(0)
            let claims = try assertion.tokenPart(1)
            let known = try provider.client(client)
            #expect(header["alg"]?.stringValue == known.algorithm ?? "HS256")
            #expect(header["kid"]?.stringValue == known.keyID)
            #expect(claims["iss"] == .string(client))
            #expect(claims["sub"] == .string(client))
            #expect(claims["aud"] == .string(provider.issuer + "/token"))
            identifiers.insert(claims["jti"]?.stringValue ?? "")
        }
        #expect(identifiers.count == 2 && identifiers.allSatisfy { $0.count >= 16 })
        #expect(relay.tokenRequests.dropFirst(before).allSatisfy { $0["authorization"] == "" })
        try await ledger.reverify(tokens: 2, verified: 2, failed: 0)
    }

    @Test("authenticates by one method alone", arguments: ["basic", "post", "public"])
    func oneMethod(client: String) async throws {
        let ledger = try await provider.ledger()
        let before = relay.tokenRequests.count
        try await ledger.logIn(provider, try ledger.profile(provider, client)).expectVerified()
        let request = try #require(relay.tokenRequests.dropFirst(before).first)
        let form = request.parameters("body")
        #expect(request["authorization"].hasPrefix("Basic ") == (client == "basic"))
        #expect((form["client_secret"] != nil) == (client == "post"))
        #expect((form["client_id"] != nil) == (client != "basic"))
        #expect(form["client_assertion"] == nil)
    }

    @Test("may name itself beside Basic")
    func basicWithClientID() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(
            provider, "basic", ProfileChanges(authentication: ["clientIDInBody": "true"]))
        let before = relay.tokenRequests.count
        try await ledger.logIn(provider, profile).expectVerified()
        let request = try #require(relay.tokenRequests.dropFirst(before).first)
        #expect(request["authorization"].hasPrefix("Basic "))
        #expect(request.parameters("body")["client_id"] == "basic")
    }

    @Test(
        "is refused with an assertion for the issuer",
        arguments: ["secret-jwt", "private-key-jwt-rs256", "private-key-jwt-es256"])
    func wrongAudience(client: String) async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(
            provider, client, ProfileChanges(authentication: ["audience": "issuer"]))
        try await ledger.logIn(provider, profile).expectRefusedWithoutWords()
        let failed = try await ledger.onlyData("failed")
        #expect(failed["stage"] == .string("token"))
        #expect(failed.exchanges("status") == [.integer(403)])
        #expect(failed.exchanges("endpoint") == [.string(provider.issuer + "/token")])
        try await ledger.reverify(tokens: 0, verified: 0, failed: 0)
    }

    @Test("is refused with a wrong secret under its assertion")
    func wrongSecret() async throws {
        let ledger = try await provider.ledger()
        let secret = "no-secret-of-any-client-here-at-all"
        let profile = try ledger.profile(
            provider, "secret-jwt", ProfileChanges(secret: secret))
        try await ledger.logIn(provider, profile).expectRefusedWithoutWords()
        try ledger.expectNoOutput(with: [secret])
    }

    @Test("is refused with the key of another client")
    func foreignKey() async throws {
        let ledger = try await provider.ledger()
        let other = try provider.client("private-key-jwt-rs256")
        let key = try #require(other.privateKeyFile)
        let profile = try ledger.profile(
            provider, "private-key-jwt-es256",
            ProfileChanges(authentication: ["privateKeyFile": key, "algorithm": "RS256"]))
        try await ledger.logIn(provider, profile).expectRefusedWithoutWords()
    }
}

extension Run {
    /// Records a failure unless the client was refused. To an assertion that it does not take the
    /// provider answers with status 403 and nothing else, so that nobody knows why.
    fileprivate func expectRefusedWithoutWords(location: SourceLocation = #_sourceLocation) {
        expectFailed("token-response-malformed", location: location)
    }
}
