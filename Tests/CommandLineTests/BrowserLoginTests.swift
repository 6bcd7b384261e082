// SPDX-License-Identifier: Apache-2.0

import ProviderSimulator
import Testing

/// Logins of the program with simulated providers over real HTTP, in which a real browser goes to
/// the pages that the program serves.
@Suite("A login in a real browser", .serialized, .inTurn)
struct BrowserLoginTests {
    /// Runs a login of the program, whose user has Chromium.
    private static func login(
        _ broker: SimulatedBroker, _ flow: String, profile lines: [String],
        misbehaving: Misbehaviour = .none
    ) async throws -> (outcome: Outcome, page: String, events: [String]) {
        let workspace = try await Workspace.withLedger()
        let callback = ProviderServer.callbackURL()
        var client = RegisteredClient(id: "rp", secret: "a-secret", redirectURIs: [callback])
        client.selectorReturnURI = callback
        var settings = ProviderSettings(clients: [client], broker: broker)
        settings.misbehaviour = misbehaving
        return try await ProviderServer.runLive(settings) { server in
            try workspace.write("a-secret", "secret.txt")
            let profile =
                [
                    "name: test", "clientID: rp", "redirectURI: \(callback)",
                    "allowLoopbackHTTP: true",
                    "clientAuthentication: { method: client_secret_basic, secretFile: secret.txt }",
                ] + lines.map { $0.replacing("ISSUER", with: server.issuer) }
            let path = try workspace.write(profile.joined(separator: "\n") + "\n", "test.yaml")
            let program = try workspace.start([
                "login", "--provider", path, "--flow", flow, "--timeout", "60", "--json",
            ])
            let url = try await program.firstError { $0.hasPrefix("http") }
            let browser = try workspace.start(
                "/usr/bin/chromium",
                [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                    "--disable-dev-shm-usage", "--user-data-dir=\(workspace.files)/browser",
                    "--virtual-time-budget=10000", "--dump-dom", url,
                ])
            let outcome = try await program.end()
            let page = try await browser.end()
            let session = try outcome.json(LoginAnswer.self).session
            let shown = try await workspace.succeed("log", "--session", session, "--json")
            let events = shown.lines.compactMap { line -> String? in
                let word = line.split(separator: #""type":"authledger.session."#).dropFirst().first
                return word.map { String($0.prefix { $0 != "\"" }) }
            }
            return (outcome, page.stdout, events)
        }
    }

    private struct LoginAnswer: Decodable {
        let session: String
        let state: String
        let reason: String?
    }

    @Test("whose answer comes in the fragment is posted back by a page, and leaves no trace there")
    func fragment() async throws {
        let (outcome, page, events) = try await Self.login(
            .generic, "implicit",
            profile: ["issuer: ISSUER", "flows: [implicit]"])
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try outcome.json(LoginAnswer.self).state == "verified")
        #expect(page.contains("The answer arrived"))
        #expect(!page.contains("eyJ"))
        #expect(
            events == ["initiated", "redirected", "callback", "token-issued", "verified"])
    }

    @Test("whose answer is a form goes to the program as it is")
    func form() async throws {
        let (outcome, page, _) = try await Self.login(
            .generic, "pkce", profile: ["issuer: ISSUER", "responseMode: form_post"])
        #expect(outcome.status == 0, "\(outcome)")
        #expect(page.contains("The answer arrived"))
    }

    @Test("goes on from the account selector to the chosen provider by itself")
    func selector() async throws {
        let (outcome, page, events) = try await Self.login(
            .idpartner, "jarm",
            profile: [
                "extends: idpartner", "accountSelector:", "  url: ISSUER/v1/select-accounts",
                "  issuers: [ISSUER]",
            ])
        #expect(outcome.status == 0, "\(outcome)")
        #expect(page.contains("The answer arrived"))
        #expect(
            events == [
                "initiated", "redirected", "callback", "redirected", "callback", "token-issued",
                "verified",
            ])
    }

    @Test("that is refused ends with the reason, and the browser learns nothing of it")
    func refused() async throws {
        let (outcome, page, events) = try await Self.login(
            .generic, "implicit", profile: ["issuer: ISSUER", "flows: [implicit]"],
            misbehaving: .wrongNonce)
        #expect(outcome.status == 1)
        #expect(try outcome.json(LoginAnswer.self).reason == "nonce-mismatch")
        #expect(page.contains("The answer arrived") && !page.contains("nonce"))
        #expect(events.last == "failed")
    }
}
