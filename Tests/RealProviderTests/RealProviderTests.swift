// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

/// Logins of the built program at a provider that somebody else wrote. When the last test is done
/// the provider is switched off, and every ledger is checked; see `Aftermath.swift`.
@Suite("A real provider", .serialized, .sharedProvider)
struct RealProviderTests {
    let provider: RealProvider
    let relay: Relay

    init() throws {
        provider = try RealProvider.current()
        guard let relay = provider.relay else { throw Trouble("the provider has no relay") }
        self.relay = relay
    }

    @Test(
        "logs a user in",
        arguments: [
            ("basic", "pkce"), ("post", "pkce"), ("public", "pkce"), ("basic", "code"),
            ("post", "code"),
        ])
    func login(client: String, flow: String) async throws {
        let ledger = try await provider.ledger()
        let before = relay.tokenRequests.count
        let run = try await ledger.logIn(provider, try ledger.profile(provider, client), flow: flow)
        run.expectVerified()
        let requests = relay.tokenRequests.dropFirst(before)
        #expect(requests.count == 1)
        let request = try #require(requests.first)
        let form = request.parameters("body")
        #expect(request["authorization"].hasPrefix("Basic ") == (client == "basic"))
        #expect((form["client_secret"] != nil) == (client == "post"))
        #expect((form["code_verifier"] != nil) == (flow == "pkce"))
        try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
    }

    @Test("sends the user back to the listener of `login`")
    func listener() async throws {
        let ledger = try await provider.ledger()
        let login = try ledger.start(["login", "--provider", try ledger.profile(provider)])
        let url = try await login.authorizationURL()
        #expect(try await provider.visitAndFollow(url) == "200")
        try await login.wait().expectVerified()
        let data = try await ledger.events("callback")[0]["data"]?.objectValue
        #expect(data?["stateBinding"] == .string("session"))
    }

    @Test("sends the user back to a pipe into `login`")
    func pipedCallback() async throws {
        let ledger = try await provider.ledger()
        let login = try ledger.start(
            ["login", "--provider", try ledger.profile(provider), "--callback-file", "-"],
            input: .pipe)
        let url = try await login.authorizationURL()
        try login.write(try await provider.visit(url) + "\n")
        try login.closeInput()
        try await login.wait().expectVerified()
    }

    @Test("takes `start` and `callback` in separate processes, and records what bound them")
    func separateProcesses() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(provider)
        let first = try await ledger.begin(profile)
        let second = try await ledger.begin(profile)
        let callbacks = [
            try await provider.visit(second.url), try await provider.visit(first.url),
        ]
        let run = try await ledger.callback(callbacks[0])
        run.expectVerified()
        #expect(run.object["session"] == .string(second.session))
        try await ledger.callback(callbacks[1], session: String(first.session))
            .expectVerified()
        let bindings = try await ledger.events("callback").map {
            $0["data"]?.objectValue?["stateBinding"]?.stringValue
        }
        #expect(bindings == ["none", "session"])
        try await ledger.reverify(tokens: 2, verified: 2, failed: 0)
    }

    @Test("hands subject and claims over once, in a private file")
    func claims() async throws {
        let ledger = try await provider.ledger()
        let login = try await ledger.begin(try ledger.profile(provider))
        let file = provider.folder + "/claims.json"
        let run = try await ledger.run(
            ["callback", "--session", login.session, "--claims", file],
            input: try await provider.visit(login.url))
        run.expectVerified()
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let claims = try JSONReader.read(Array(text.utf8), numbers: .anyAsText).objectValue ?? [:]
        #expect(claims["claims"]?.objectValue?["iss"] == .string(provider.issuer))
        #expect(claims["subject"]?.stringValue?.isEmpty == false)
    }

    @Test("changes its key between the key set and the token")
    func rotationDuringExchange() async throws {
        let ledger = try await provider.ledger()
        let login = try await ledger.begin(try ledger.profile(provider))
        let callback = try await provider.visit(login.url)
        try relay.hold("/token")
        let execution = try ledger.start(
            ["callback", "--session", login.session], input: .text(callback))
        try await execution.untilHeld(by: relay)
        try await provider.addKey()
        try await provider.dropOldKeys()
        try await relay.release()
        try await execution.wait().expectVerified()
        try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
    }

    @Test("with https, an authority of its own and changing keys, is not needed to check again")
    func tlsAndRotation() async throws {
        try await RealProvider.run(.glewlwydWithTLS) { provider in
            let ledger = try await provider.ledger()
            let basic = try ledger.profile(provider)
            try await ledger.logIn(provider, basic).expectVerified()
            try await ledger.logIn(provider, try ledger.profile(provider, "post"), flow: "code")
                .expectVerified()
            let underway = try await ledger.begin(basic)
            try await provider.addKey()
            try await ledger.logIn(provider, basic).expectVerified()
            try await provider.dropOldKeys()
            try await ledger.logIn(provider, basic).expectVerified()
            let callback = try await provider.visit(underway.url)
            try await ledger.callback(callback, session: underway.session).expectVerified()
            let keys = try await ledger.events("token-issued").map {
                $0["data"]?.objectValue?["keyID"]?.stringValue
            }
            #expect(keys.count == 5)
            #expect(keys[0] == "key-1" && keys[1] == "key-1")
            #expect(keys[2] != "key-1" && keys[2] == keys[3] && keys[3] == keys[4])
            let untrusted = try ledger.profile(provider, "basic", ProfileChanges(trusted: false))
            let run = try await ledger.run(["start", "--provider", untrusted])
            run.expectFailed("metadata-unavailable")
            try await provider.switchOff()
            try await ledger.reverify(tokens: 5, verified: 5, failed: 0)
            try ledger.expectNoOutput(with: [callback.code])
        }
    }
}

extension Execution {
    /// The URL that `login` tells the user to open.
    func authorizationURL() async throws -> String {
        try await first("the URL") {
            let lines = errors.split(separator: "\n", omittingEmptySubsequences: false)
            // A last line without its end may still grow.
            return lines.dropLast().first { $0.hasPrefix("http") }.map(String.init)
        }
    }

    /// Waits until the relay holds a request of this program.
    func untilHeld(by relay: Relay, _ path: String = "/token") async throws {
        _ = try await first("the request") { relay.held?.hasSuffix(path) == true ? true : nil }
    }
}
