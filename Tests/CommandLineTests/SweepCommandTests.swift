// SPDX-License-Identifier: Apache-2.0

import ProviderSimulator
import Testing

@Suite("authledger sweep", .serialized, .inTurn)
struct SweepCommandTests {
    private struct Answer: Decodable {
        struct Session: Decodable {
            let session: String
            let state: String
            let reason: String?
        }

        let dryRun: Bool
        let ended: [Session]
        let sessions: Int
        let waiting: Int
    }

    private struct Started: Decodable {
        let session: String
        let state: String
    }

    @Test("ends a login whose user never came back, when the time has passed, and once")
    func abandoned() async throws {
        let workspace = try await Workspace.withLedger()
        let settings = ProviderSettings(clients: [
            RegisteredClient(publicID: "rp", redirectURIs: ["http://127.0.0.1/callback"])
        ])
        let started = try await ProviderServer.runLive(settings) { server in
            let profile = try workspace.write(
                """
                name: test
                issuer: \(server.issuer)
                allowLoopbackHTTP: true
                clientID: rp
                clientAuthentication: { method: none }
                redirectURI: http://127.0.0.1/callback
                """, "test.yaml")
            return try await workspace.succeed("start", "--provider", profile, "--json")
                .json(Started.self)
        }
        #expect(started.state == "redirected")
        let early = try await workspace.succeed("sweep", "--json").json(Answer.self)
        #expect(early.ended.isEmpty && early.waiting == 1 && early.sessions == 1)
        let dry = try await workspace.succeed("sweep", "--older-than", "0", "--dry-run", "--json")
            .json(Answer.self)
        #expect(dry.dryRun && dry.ended.map(\.state) == ["redirected"])
        let swept = try await workspace.succeed("sweep", "--older-than", "0", "--json")
            .json(Answer.self)
        #expect(swept.ended.map(\.session) == [started.session])
        #expect(swept.ended.map(\.reason) == ["abandoned"])
        let again = try await workspace.succeed("sweep", "--older-than", "0", "--json")
            .json(Answer.self)
        #expect(again.ended.isEmpty && again.waiting == 0)
        let wrong = try await workspace.run("sweep", "--older-than", "-1")
        #expect(wrong.status == 2)
    }
}
