// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The ledgers in `Fixtures` were made with `Tests/Support/make_fixture.py` and are never made
/// again: for each format by the last program that wrote it, and where no earlier one had the like
/// of its logins.
@Suite("A ledger that was made long ago", .inTurn)
struct FrozenLedgerTests {
    /// A ledger in `Fixtures`, and what today's rules come to otherwise than its program did.
    struct Frozen: CustomTestStringConvertible {
        let file: String
        /// How many decisions differ. A rule that raises the number is to be changed knowingly.
        let differing: Int
        /// In which members.
        let members: Set<String>
        /// What `replay --all` counts, of a ledger that was made before anybody counted.
        var replay: Expected.Replay?

        var testDescription: String { file }
    }

    private static let frozen = [
        // Its program had the checks of version 1. It did not keep a hash of the code, and told
        // neither the level of assurance nor the claim that names the subject.
        Frozen(
            file: "ledger-format-1", differing: 14,
            members: ["checksVersion", "levelOfAssurance", "sealed.codeHash", "subjectClaim"],
            replay: Expected.Replay(
                sessions: 12, events: 53, same: 30, taken: 9, reported: 2, erased: 0)),
        // Every flow and every broker, with the checks of version 3.
        Frozen(file: "ledger-format-1-all-flows", differing: 0, members: []),
    ]

    struct Expected: Decodable {
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

        struct Replay: Decodable, Equatable {
            let sessions: Int
            let events: Int
            let same: Int
            let taken: Int
            let reported: Int
            let erased: Int
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
        let replay: Replay?
        let stats: Stats
        let sessions: [Session]
    }

    /// What `replay --all` says of decisions that differ.
    private struct ReplayReport: Decodable {
        struct Session: Decodable {
            let events: [Event]
        }

        struct Event: Decodable {
            let differences: [Difference]?
        }

        struct Difference: Decodable {
            let member: String
        }

        let differing: Int
        let verdictsDiffer: Int
        let findings: [Session]
    }

    private static let fixtures =
        URL(filePath: #filePath).deletingLastPathComponent().path
        + "/Fixtures"

    /// A copy of a frozen ledger with its keys, and what was said of it when it was made.
    private func unpacked(_ frozen: Frozen) async throws -> (Workspace, Expected) {
        let workspace = try Workspace()
        let outcome = try await workspace.start(
            "/bin/tar", ["-xJf", "\(Self.fixtures)/\(frozen.file).tar.xz", "-C", workspace.files]
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

    @Test("opens, is whole, and its tokens are judged as they were", arguments: frozen)
    func isReadForEver(ledger: Frozen) async throws {
        let (workspace, expected) = try await unpacked(ledger)
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

    @Test("is decided again as it was, but for what the rules have become since", arguments: frozen)
    func isReplayedForEver(ledger: Frozen) async throws {
        let (workspace, expected) = try await unpacked(ledger)
        let outcome = try await run(workspace, "replay", "--all", "--json")
        #expect(outcome.status == (ledger.differing == 0 ? 0 : 1), "\(outcome)")
        let replay: Expected.Replay = try outcome.json()
        #expect(replay == (ledger.replay ?? expected.replay))
        let report: ReplayReport = try outcome.json()
        #expect(report.verdictsDiffer == 0)
        #expect(report.differing == ledger.differing)
        let differing = report.findings.flatMap(\.events).compactMap(\.differences)
        #expect(differing.count == ledger.differing)
        let members = differing.flatMap { $0.map(\.member) }
        #expect(Set(members) == ledger.members)
    }

    @Test("has every flow in the newest of its kind, run by the program itself")
    func hasEveryFlow() async throws {
        let newest = try #require(Self.frozen.last)
        let (_, expected) = try await unpacked(newest)
        let replay = try #require(expected.replay)
        #expect(replay.same > 2 * replay.taken)
        #expect(replay.sessions - replay.reported > 20)
        let flows = Dictionary(grouping: expected.sessions, by: \.flow)
        #expect(flows.keys.sorted() == ["ciba", "code", "headless", "implicit", "jarm", "pkce"])
        for (flow, sessions) in flows {
            #expect(sessions.contains { $0.state == "verified" }, "\(flow)")
        }
    }

    @Test("takes more events, and stays whole", arguments: frozen)
    func goesOn(ledger: Frozen) async throws {
        let (workspace, expected) = try await unpacked(ledger)
        let lines = SampleSession(9).lines
        let path = try workspace.write(lines.map { $0 + "\n" }.joined())
        let ingest = try await run(workspace, "ingest", path, "--json")
        #expect(ingest.status == 0, "\(ingest)")
        let verify: Expected.Verify = try await run(workspace, "verify", "--json").json()
        #expect(verify.ok)
        #expect(verify.events == expected.verify.events + lines.count)
    }
}
