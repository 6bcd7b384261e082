// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

/// Signed responses and ID tokens that are nested in JWE for the client's key.
@Suite("A real provider's encrypted token", .serialized, .sharedProvider)
struct EncryptionTests {
    let provider: RealProvider
    let relay: Relay
    private let key: RealProvider.DecryptionKey

    init() throws {
        provider = try RealProvider.current()
        guard let relay = provider.relay else { throw Trouble("the provider has no relay") }
        self.relay = relay
        key = try provider.decryptionKey("encrypted")
    }

    /// - Parameter key: the client's key for this; nil where the profile has none.
    private func changes(
        _ key: RealProvider.DecryptionKey?, mode: String? = nil
    ) -> ProfileChanges {
        var members: [String: String] = [:]
        if let mode {
            members = ["flows": "[jarm]", "responseMode": mode, "jarmAlgorithms": "[RS256]"]
        }
        members["decryption"] = key.map {
            "[{ privateKeyFile: \($0.privateKeyFile), keyID: \($0.keyID) }]"
        }
        return ProfileChanges(members: members)
    }

    private func begin(
        _ ledger: Ledger, _ changes: ProfileChanges, flow: String = "jarm"
    ) async throws -> (login: StartedLogin, profile: String) {
        let profile = try ledger.profile(provider, "encrypted", changes)
        return (try await ledger.begin(profile, flow: flow), profile)
    }

    /// How a token was encrypted, as an event tells it.
    private func expectEncrypted(
        _ event: JSONObject, location: SourceLocation = #_sourceLocation
    ) {
        let encryption = event["encryption"]?.objectValue ?? [:]
        #expect(encryption["algorithm"] == .string("RSA-OAEP"), sourceLocation: location)
        #expect(
            encryption["contentEncryption"] == .string("A256CBC-HS512"), sourceLocation: location)
        #expect(encryption["keyID"] == .string(key.keyID), sourceLocation: location)
        #expect(event["algorithm"] == .string("RS256"), sourceLocation: location)
    }

    @Test(
        "is opened in every mode of a signed response",
        arguments: ["jwt", "query.jwt", "fragment.jwt", "form_post.jwt"])
    func modes(mode: String) async throws {
        let ledger = try await provider.ledger()
        let (login, _) = try await begin(ledger, changes(key, mode: mode))
        let callback = try await provider.visit(login.url)
        #expect(callback.parameter("response").split(separator: ".").count == 5)
        try await ledger.callback(callback, session: login.session).expectVerified()
        expectEncrypted(try await ledger.onlyData("callback"))
        expectEncrypted(try await ledger.onlyData("token-issued"))
        try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
    }

    @Test("is opened when a plain callback brings the code", arguments: ["pkce", "code"])
    func tokenAlone(flow: String) async throws {
        let ledger = try await provider.ledger()
        let (login, _) = try await begin(ledger, changes(key), flow: flow)
        try await ledger.callback(try await provider.visit(login.url), session: login.session)
            .expectVerified()
        #expect(try await ledger.onlyData("callback")["encryption"] == nil)
        expectEncrypted(try await ledger.onlyData("token-issued"))
        try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
    }

    @Test("hides the state, which only the profile's key brings to light")
    func unbound() async throws {
        let ledger = try await provider.ledger()
        let (login, profile) = try await begin(ledger, changes(key, mode: "jwt"))
        let callback = try await provider.visit(login.url)
        try await ledger.callback(callback).expectRefused("state-missing")
        #expect(try await ledger.session(login.session).state == "redirected")
        let run = try await ledger.run(["callback", "-", "--provider", profile], input: callback)
        run.expectVerified()
        #expect(run.object["session"] == .string(login.session))
        let received = try await ledger.onlyData("callback")
        #expect(received["stateBinding"] == .string("none"))
    }

    @Test("is not opened without the key, and nobody is asked for it", arguments: [true, false])
    func noKey(hasOther: Bool) async throws {
        let ledger = try await provider.ledger()
        let other = RealProvider.DecryptionKey(
            privateKeyFile: try #require(
                try provider.client("private-key-jwt-rs256").privateKeyFile),
            keyID: key.keyID)
        let (login, _) = try await begin(ledger, changes(hasOther ? other : nil, mode: "jwt"))
        let callback = try await provider.visit(login.url)
        let before = relay.tokenRequests.count
        try await ledger.callback(callback, session: login.session)
            .expectFailed("jwe-decrypt-failed")
        #expect(relay.tokenRequests.count == before)
        #expect(
            try await ledger.sequence(login.session)
                == ["initiated", "redirected", "callback", "failed"])
    }

    @Test("that was issued for a code is not opened without the key")
    func tokenWithoutKey() async throws {
        let ledger = try await provider.ledger()
        let (login, _) = try await begin(ledger, changes(nil), flow: "pkce")
        try await ledger.callback(try await provider.visit(login.url), session: login.session)
            .expectFailed("jwe-decrypt-failed")
        let failed = try await ledger.onlyData("failed")
        #expect(failed["stage"] == .string("token"))
        try await ledger.reverify(tokens: 0, verified: 0, failed: 0)
    }

    @Test("that was altered on its way is not opened")
    func altered() async throws {
        let ledger = try await provider.ledger()
        let (login, _) = try await begin(ledger, changes(key, mode: "jwt"))
        let callback = try await provider.visit(login.url)
        var parts = callback.parameter("response").split(separator: ".").map(String.init)
        let tag = parts[4]
        parts[4] = (tag.hasPrefix("A") ? "B" : "A") + tag.dropFirst()
        let altered = callback.replacing("response", with: parts.joined(separator: "."))
        try await ledger.callback(altered, session: login.session)
            .expectFailed("jwe-decrypt-failed")
    }
}
