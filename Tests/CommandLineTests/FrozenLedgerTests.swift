// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The ledgers in `Fixtures` were each made by the last program that wrote their format, with
/// `Tests/Support/make_fixture.py`, and are never made again.
@Suite("A ledger that was made long ago", .inTurn)
struct FrozenLedgerTests {
    private struct Expected: Decodable {
        struct Verify: Decodable, Equatable {
            let events: Int
            let ok: Bool
            let root: String
            let treeSize: Int
        }

        struct Reverify: Decodable, Equatable {
            let tokens: Int
            let verified: Int
            let failed: Int
            let erased: Int
            let inconclusive: Int
            let mismatches: Int
        }

        struct Stats: Decodable, Equatable {
            let bytesRaw: Int
            let bytesStored: Int
            let sessions: Int
        }

        struct Session: Decodable, Equatable {
            let session: String
            let state: String
            let reason: String?
            let flow: String
            let events: Int
        }

        let verify: Verify
        let reverify: Reverify
        let stats: Stats
        let sessions: [Session]
    }

    private static let fixtures =
        URL(filePath: #filePath).deletingLastPathComponent().path
        + "/Fixtures"

    /// A copy of a frozen ledger with its keys, and what was said of it when it was made.
    private func unpacked(_ name: String) async throws -> (Workspace, Expected) {
        let workspace = try Workspace()
        let outcome = try await workspace.start(
            "/bin/tar", ["-xJf", "\(Self.fixtures)/\(name)", "-C", workspace.files]
        ).end()
        #expect(outcome.status == 0, "\(outcome)")
        let expected = try Data(contentsOf: URL(filePath: workspace.files + "/expected.json"))
        return (workspace, try JSONDecoder().decode(Expected.self, from: expected))
    }

    private func run(_ workspace: Workspace, _ arguments: String...) async throws -> Outcome {
        try await workspace.start(
            arguments + ["--ledger", workspace.files + "/ledger"],
            environment: ["XDG_CONFIG_HOME": workspace.files + "/config"]
        ).end()
    }

    @Test("opens, is whole, and its tokens are judged as they were", arguments: [1])
    func isReadForEver(format: Int) async throws {
        let (workspace, expected) = try await unpacked("ledger-format-\(format).tar.xz")
        let verify: Expected.Verify = try await run(workspace, "verify", "--json").json()
        #expect(verify == expected.verify)
        #expect(verify.ok)
        let reverify: Expected.Reverify = try await run(workspace, "reverify", "--json").json()
        #expect(reverify == expected.reverify)
        #expect(reverify.verified > 0)
        #expect(reverify.mismatches == 0)
        let stats: Expected.Stats = try await run(workspace, "stats", "--json").json()
        #expect(stats == expected.stats)
        let sessions = try await run(workspace, "sessions", "--json")
        #expect(try sessions.jsonLines(Expected.Session.self) == expected.sessions)
        #expect(expected.sessions.count > 5)
        let log = try await run(workspace, "log", "--json")
        #expect(log.stdout.contains(#""algorithm":"RS256""#))
        #expect(log.stdout.contains(#""source":"shop-backend""#))
    }

    @Test("takes more events, and stays whole", arguments: [1])
    func goesOn(format: Int) async throws {
        let (workspace, expected) = try await unpacked("ledger-format-\(format).tar.xz")
        let lines = SampleSession(9).lines
        let path = try workspace.write(lines.map { $0 + "\n" }.joined())
        let ingest = try await run(workspace, "ingest", path, "--json")
        #expect(ingest.status == 0, "\(ingest)")
        let verify: Expected.Verify = try await run(workspace, "verify", "--json").json()
        #expect(verify.ok)
        #expect(verify.events == expected.verify.events + lines.count)
    }
}
