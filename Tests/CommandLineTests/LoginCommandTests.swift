// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProviderSimulator
import Testing

@Suite("authledger login", .serialized, .inTurn)
struct LoginCommandTests {
    private struct Answer: Decodable {
        let state: String
    }

    @Test("whose callback came in time counts, though its exchange outlasts the waiting")
    func finishedLoginTakenForTimeout() async throws {
        let workspace = try await Workspace.withLedger()
        let callback = ProviderServer.callbackURL()
        var settings = ProviderSettings(clients: [
            RegisteredClient(publicID: "rp", redirectURIs: [callback])
        ])
        settings.misbehaviour = .slowToken
        settings.slowTokenMilliseconds = 4000
        // Claims are personal, whoever made the file before.
        let claims = try workspace.write("", "claims.json")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: claims)
        let outcome = try await ProviderServer.runLive(settings) { server in
            let profile = try workspace.write(
                """
                name: test
                issuer: \(server.issuer)
                allowLoopbackHTTP: true
                clientID: rp
                clientAuthentication: { method: none }
                redirectURI: \(callback)
                """, "test.yaml")
            let program = try workspace.start([
                "login", "--provider", profile, "--timeout", "2", "--claims", claims, "--json",
            ])
            let url = try await program.firstError { $0.hasPrefix("http") }
            let user = try workspace.start(
                "/usr/bin/python3",
                ["-c", "import sys, urllib.request as r; r.urlopen(sys.argv[1]).read()", url])
            let outcome = try await program.end()
            _ = try await user.end()
            return outcome
        }
        #expect(outcome.status == 0, "\(outcome)")
        #expect(try outcome.json(Answer.self).state == "verified")
        let mode = try FileManager.default.attributesOfItem(atPath: claims)[.posixPermissions]
        #expect(mode as? Int == 0o600)
        #expect(try String(contentsOfFile: claims, encoding: .utf8).contains("claims"))
    }
}
