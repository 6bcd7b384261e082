// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import Testing

/// Authorization responses in a signed token (JARM).
@Suite("A real provider's signed response", .serialized, .sharedProvider)
struct JARMTests {
    let provider: RealProvider
    let relay: Relay

    init() throws {
        provider = try RealProvider.current()
        guard let relay = provider.relay else { throw Trouble("the provider has no relay") }
        self.relay = relay
    }

    private func changes(
        _ algorithm: String = "RS256", mode: String = "jwt",
        issuer: RealProvider.Issuer = .first
    ) -> ProfileChanges {
        ProfileChanges(
            issuer: issuer,
            members: [
                "flows": "[jarm]", "responseMode": mode, "jarmAlgorithms": "[\(algorithm)]",
            ])
    }

    private func begin(
        _ ledger: Ledger, _ client: String = "jarm-rs256", _ changes: ProfileChanges? = nil
    ) async throws -> StartedLogin {
        let profile = try ledger.profile(provider, client, changes ?? self.changes())
        return try await ledger.begin(profile, flow: "jarm")
    }

    /// The callback ends the session, and nobody is asked for tokens.
    ///
    /// - Parameter check: the check of the signed response that failed; nil where none did.
    private func expectRefused(
        _ callback: String, _ login: StartedLogin, in ledger: Ledger, _ reason: String,
        check: String? = nil, location: SourceLocation = #_sourceLocation
    ) async throws {
        let before = relay.tokenRequests.count
        let run = try await ledger.callback(callback, session: login.session)
        run.expectFailed(reason, location: location)
        #expect(relay.tokenRequests.count == before, sourceLocation: location)
        #expect(
            try await ledger.sequence(login.session)
                == ["initiated", "redirected", "callback", "failed"], sourceLocation: location)
        let failed = try await ledger.onlyData("failed")
        #expect(failed["stage"] == .string("callback"), sourceLocation: location)
        for event in [failed, try await ledger.onlyData("callback")] {
            #expect(
                event.checks("failed") == [check].compactMap(\.self), sourceLocation: location)
        }
    }

    @Test(
        "is taken in every mode and of every algorithm",
        arguments: ["jwt", "query.jwt", "fragment.jwt", "form_post.jwt"])
    func modes(mode: String) async throws {
        let ledger = try await provider.ledger()
        for algorithm in ["RS256", "ES256", "PS256"] {
            let client = "jarm-\(algorithm.lowercased())"
            let login = try await begin(ledger, client, changes(algorithm, mode: mode))
            #expect(login.url.parameter("response_mode") == mode)
            let callback = try await provider.visit(login.url)
            let response = callback.parameter("response")
            #expect(try response.tokenPart(0)["alg"] == .string(algorithm))
            #expect(callback.contains("#") == (mode == "fragment.jwt"))
            #expect(callback.hasPrefix("http") == (mode != "form_post.jwt"))
            try await ledger.callback(callback, session: login.session).expectVerified()
            #expect(
                try await ledger.sequence(login.session)
                    == ["initiated", "redirected", "callback", "token-issued", "verified"])
        }
        let received = try await ledger.allData("callback")
        #expect(received.map { $0["responseMode"] } == Array(repeating: .string(mode), count: 3))
        #expect(
            received.map { $0["algorithm"]?.stringValue } == ["RS256", "ES256", "PS256"])
        for event in received {
            #expect(event.checks("failed").isEmpty)
            let passed = event.checks("passed")
            #expect(Set(["alg", "signature", "iss", "aud", "exp"]).isSubset(of: passed))
        }
        try await ledger.reverify(tokens: 3, verified: 3, failed: 0)
    }

    @Test("finds its session by the state in it")
    func unbound() async throws {
        let ledger = try await provider.ledger()
        let logins = [try await begin(ledger), try await begin(ledger)]
        let run = try await ledger.callback(try await provider.visit(logins[1].url))
        run.expectVerified()
        #expect(run.object["session"] == .string(logins[1].session))
        #expect(try await ledger.session(logins[0].session).state == "redirected")
    }

    @Test("is refused when its algorithm is not the one that its key is published for")
    func mislabelled() async throws {
        let ledger = try await provider.ledger()
        let login = try await begin(ledger, "jarm-ps256-mislabelled", changes("PS256"))
        let callback = try await provider.visit(login.url)
        #expect(try callback.parameter("response").tokenPart(0)["alg"] == .string("PS256"))
        try await expectRefused(callback, login, in: ledger, "jarm-invalid", check: "key")
    }

    @Test("is refused when the profile does not list its algorithm")
    func notListed() async throws {
        let ledger = try await provider.ledger()
        let login = try await begin(ledger, "jarm-es256", changes("RS256"))
        try await expectRefused(
            try await provider.visit(login.url), login, in: ledger, "jarm-invalid", check: "alg")
    }

    @Test("cannot be left out")
    func plainResponse() async throws {
        let ledger = try await provider.ledger()
        let login = try await begin(ledger)
        let plain = login.url.replacing("response_mode", with: "query")
        let callback = try await provider.visit(plain)
        #expect(!callback.code.isEmpty)
        try await expectRefused(callback, login, in: ledger, "callback-malformed")
    }

    @Test("is refused with a code beside it")
    func codeBeside() async throws {
        let ledger = try await provider.ledger()
        let login = try await begin(ledger)
        let plain = try await provider.visit(
            login.url.replacing("response_mode", with: "query"))
        let callback = try await provider.visit(login.url).adding("code", plain.code)
        try await expectRefused(callback, login, in: ledger, "callback-malformed")
    }

    @Test("is not taken from another place than the one it was asked to come by")
    func otherPlace() async throws {
        let ledger = try await provider.ledger()
        let login = try await begin(ledger, "jarm-rs256", changes(mode: "fragment.jwt"))
        let callback = try await provider.visit(
            login.url.replacing("response_mode", with: "query.jwt"))
        #expect(callback.hasParameter("response"))
        try await expectRefused(callback, login, in: ledger, "callback-malformed")
    }

    @Test("of another session is refused")
    func otherSession() async throws {
        let ledger = try await provider.ledger()
        let logins = [try await begin(ledger), try await begin(ledger)]
        let callback = try await provider.visit(logins[1].url)
        try await expectRefused(callback, logins[0], in: ledger, "state-mismatch")
        try await ledger.callback(callback, session: logins[1].session).expectVerified()
    }

    @Test("for another client is refused")
    func otherClient() async throws {
        let ledger = try await provider.ledger()
        let login = try await begin(ledger)
        let callback = try await provider.visit(
            login.url.replacing("client_id", with: "basic"))
        let claims = try callback.parameter("response").tokenPart(1)
        #expect(claims["aud"] == .string("basic"))
        #expect(claims["state"] == .string(login.url.parameter("state")))
        try await expectRefused(callback, login, in: ledger, "jarm-invalid", check: "aud")
    }

    @Test("of another issuer is refused")
    func otherIssuer() async throws {
        let ledger = try await provider.ledger()
        // Both issuers have keys of this algorithm.
        let login = try await begin(ledger, "jarm-es256", changes("ES256"))
        let callback = try await provider.visit(provider.misled(login.url, to: .second))
        let claims = try callback.parameter("response").tokenPart(1)
        #expect(claims["iss"] == .string(provider.issuer(.second)))
        // Without a key nobody knows whether that issuer really said so.
        try await expectRefused(callback, login, in: ledger, "jarm-invalid", check: "key")
    }

    @Test("with another signature is refused")
    func alteredSignature() async throws {
        let ledger = try await provider.ledger()
        let logins = [try await begin(ledger), try await begin(ledger)]
        let callback = try await provider.visit(logins[0].url)
        let foreign = try await provider.visit(logins[1].url).parameter("response")
        let parts = callback.parameter("response").split(separator: ".")
        let signature = try #require(foreign.split(separator: ".").last)
        let altered = callback.replacing(
            "response", with: "\(parts[0]).\(parts[1]).\(signature)")
        try await expectRefused(
            altered, logins[0], in: ledger, "jarm-invalid", check: "signature")
    }

    @Test("may hold an error")
    func error() async throws {
        let ledger = try await provider.ledger()
        let login = try await begin(ledger)
        let callback = try await provider.visit(login.url.adding("prompt", "none"))
        let claims = try callback.parameter("response").tokenPart(1)
        #expect(claims["error"] == .string("interaction_required"))
        try await expectRefused(callback, login, in: ledger, "login-required")
    }

    @Test("is taken once")
    func replay() async throws {
        let ledger = try await provider.ledger()
        let login = try await begin(ledger)
        let callback = try await provider.visit(login.url)
        try await ledger.callback(callback, session: login.session).expectVerified()
        let before = relay.notes.count
        try await ledger.callback(callback, session: login.session)
            .expectRefused("callback-replayed")
        try await ledger.callback(callback).expectRefused("callback-replayed")
        #expect(relay.notes.count == before)
    }

    @Test(
        "reaches the listener of `login` in every mode",
        arguments: ["jwt", "fragment.jwt", "form_post.jwt"])
    func listener(mode: String) async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(provider, "jarm-rs256", changes(mode: mode))
        let login = try ledger.start(["login", "--provider", profile, "--flow", "jarm"])
        let url = try await login.authorizationURL()
        #expect(try await provider.visitAndFollow(url) == "200")
        try await login.wait().expectVerified()
        let received = try await ledger.onlyData("callback")
        #expect(received["responseMode"] == .string(mode))
        #expect(received["stateBinding"] == .string("session"))
    }
}
