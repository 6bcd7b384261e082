// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import Testing

/// Logins that must not succeed.
extension RealProviderTests {
    @Test("refuses a code that comes with the verifier of another session")
    func swappedCodes() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(provider)
        let logins = [try await ledger.begin(profile), try await ledger.begin(profile)]
        let callbacks = [
            try await provider.visit(logins[0].url), try await provider.visit(logins[1].url),
        ]
        for (index, login) in logins.enumerated() {
            let swapped = callbacks[index].replacing("code", with: callbacks[1 - index].code)
            try await ledger.callback(swapped, session: login.session)
                .expectFailed("code-refused", "pkce-failed")
        }
        try await ledger.reverify(tokens: 0, verified: 0, failed: 0)
    }

    @Test("refuses a verifier that was altered on the way")
    func tamperedVerifier() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(provider)
        try await relay.tampering {
            try await ledger.logIn(provider, profile).expectFailed("code-refused", "pkce-failed")
        }
        let failure = try await ledger.events("failed")[0]["data"]?.objectValue
        #expect(failure?["stage"] == .string("token"))
    }

    @Test("takes a foreign code without PKCE, and the nonce gives it away")
    func swappedCodesWithoutPKCE() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(provider)
        let login = try await ledger.begin(profile, flow: "code")
        let foreign = try await ledger.begin(profile, flow: "code")
        let callback = try await provider.visit(login.url)
            .replacing("code", with: try await provider.visit(foreign.url).code)
        try await ledger.callback(callback, session: login.session).expectFailed("nonce-mismatch")
        try await ledger.reverify(tokens: 1, verified: 0, failed: 1)
    }

    @Test("refuses a client with a wrong secret", arguments: ["basic", "post"])
    func wrongSecret(client: String) async throws {
        let ledger = try await provider.ledger()
        let secret = "no-secret-of-any-client-here"
        let profile = try ledger.profile(provider, client, ProfileChanges(secret: secret))
        try await ledger.logIn(provider, profile).expectFailed("client-auth-failed")
        try ledger.expectNoOutput(with: [secret])
    }

    @Test("never sees a replayed callback")
    func replayedCallback() async throws {
        let ledger = try await provider.ledger()
        let login = try await ledger.begin(try ledger.profile(provider))
        let callback = try await provider.visit(login.url)
        try await ledger.callback(callback, session: login.session).expectVerified()
        let requests = relay.notes.count
        let session = try await ledger.session(login.session)
        try await ledger.callback(callback, session: login.session)
            .expectRefused("callback-replayed")
        try await ledger.callback(callback).expectRefused("callback-replayed")
        #expect(relay.notes.count == requests)
        #expect(try await ledger.session(login.session) == session)
        let refusals = try await ledger.refusals()
        #expect(refusals.count == 2)
        for refusal in refusals {
            #expect(refusal.reason == "callback-replayed")
            #expect(refusal["session"] == .string(login.session))
        }
        let events = try await ledger.events("authledger.callback.refused")
        #expect(events.allSatisfy { $0["subject"] == .string("authledger/callbacks") })
    }

    @Test("refuses a code that another session used")
    func replayedCode() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(provider)
        let first = try await ledger.begin(profile)
        let second = try await ledger.begin(profile)
        let callback = try await provider.visit(first.url)
        try await ledger.callback(callback, session: first.session).expectVerified()
        let replay = try await provider.visit(second.url)
            .replacing("code", with: callback.code)
        try await ledger.callback(replay, session: second.session).expectFailed("code-refused")
        #expect(try await ledger.session(first.session).state == "verified")
        try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
    }

    @Test("never sees the code of a callback with another state")
    func otherState() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(provider)
        let login = try await ledger.begin(profile)
        let other = try await ledger.begin(profile)
        let callbacks = [
            try await provider.visit(login.url), try await provider.visit(other.url),
        ]
        let requests = relay.notes.count
        try await ledger.callback(callbacks[1], session: login.session)
            .expectFailed("state-mismatch")
        let unknown = callbacks[0].replacing("state", with: "of-no-session-at-all")
        try await ledger.callback(unknown).expectRefused("state-mismatch")
        #expect(relay.notes.count == requests)
        let refusals = try await ledger.refusals()
        #expect(refusals.count == 1)
        #expect(refusals[0]["session"] == nil)
        // The other session is untouched.
        try await ledger.callback(callbacks[1], session: other.session).expectVerified()
    }

    @Test("sees one token request of two callbacks at the same time")
    func concurrentCallbacks() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(provider)
        for _ in 0..<4 {
            let login = try await ledger.begin(profile)
            let callback = try await provider.visit(login.url)
            let before = relay.tokenRequests.count
            let executions = try (0..<2).map { _ in
                try ledger.start(["callback", "--session", login.session], input: .text(callback))
            }
            let runs = [try await executions[0].wait(), try await executions[1].wait()]
            #expect(runs.map(\.status).sorted() == [0, 1])
            runs.first { $0.status == 0 }?.expectVerified()
            runs.first { $0.status == 1 }?.expectRefused("callback-replayed")
            #expect(relay.tokenRequests.count == before + 1)
        }
        #expect(try await ledger.refusals().count == 4)
        try await ledger.reverify(tokens: 4, verified: 4, failed: 0)
    }

    @Test("sees one token request when a callback comes while another is being exchanged")
    func callbackDuringExchange() async throws {
        let ledger = try await provider.ledger()
        let login = try await ledger.begin(try ledger.profile(provider))
        let callback = try await provider.visit(login.url)
        let before = relay.tokenRequests.count
        try relay.hold("/token")
        let first = try ledger.start(
            ["callback", "--session", login.session], input: .text(callback))
        try await first.untilHeld(by: relay)
        try await ledger.callback(callback, session: login.session)
            .expectRefused("callback-replayed")
        try await ledger.callback(callback).expectRefused("callback-replayed")
        try await relay.release()
        try await first.wait().expectVerified()
        #expect(relay.tokenRequests.count == before + 1)
    }
}
