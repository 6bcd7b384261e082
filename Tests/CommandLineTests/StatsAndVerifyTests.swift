// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("stats and verify", .inTurn)
struct StatsAndVerifyTests {
    private static let workload = Workload(seed: 80, sessions: 48)

    private static func filled() async throws -> Workspace {
        let workspace = try await Workspace.withLedger()
        _ = try await workspace.ingest(workload.lines)
        return workspace
    }

    @Test("stats counts what is there, in events, sessions and bytes")
    func stats() async throws {
        let workspace = try await Self.filled()
        let stats: StatsReport = try await workspace.succeed("stats", "--json").json()
        #expect(stats.events == Self.workload.lines.count)
        #expect(stats.treeSize == stats.events)
        #expect(stats.sessions == Self.workload.sessions)
        let leaves = try await workspace.succeed("log", "--raw").stdout
        #expect(stats.bytesRaw == leaves.utf8.count - stats.events)
        struct Stored: Decodable {
            let hex: String
        }
        let frames = try await workspace.surgeon("frames").jsonLines(Stored.self)
        #expect(stats.bytesStored == frames.map { $0.hex.utf8.count / 2 }.reduce(0, +))
        #expect(abs(stats.ratio - Double(stats.bytesStored) / Double(stats.bytesRaw)) < 0.001)
        let perEvent = Double(stats.bytesStored) / Double(stats.events)
        #expect(abs(stats.bytesPerEvent - perEvent) < 0.001)
        #expect(stats.ratio < 0.58, "the part of the leaves that is stored")
        let allocated = try await workspace.start(
            "/bin/sh",
            ["-c", "stat -c %b \(workspace.ledger)/log/* \(workspace.ledger)/keys/*"]
        ).end().lines.compactMap { Int($0) }.reduce(0, +)
        #expect(stats.bytesOnDisk == allocated * 512)
        #expect(stats.blobBytes > 0)
        let text = try await workspace.succeed("stats").stdout
        #expect(text.contains("events         \(stats.events)\n"))
    }

    @Test("stats of an empty ledger are all nought")
    func emptyStats() async throws {
        let workspace = try await Workspace.withLedger()
        let stats: StatsReport = try await workspace.succeed("stats", "--json").json()
        #expect(stats.events == 0)
        #expect(stats.sessions == 0)
        #expect(stats.bytesRaw == 0)
        #expect(stats.ratio == 0)
        #expect(stats.bytesPerEvent == 0)
    }

    @Test("verify says what it has not proven, by fixed codes, at each level")
    func levels() async throws {
        let workspace = try await Self.filled()
        let always = [
            "event-times", "fork", "key-set-origin", "rollback", "sealed-not-opened",
            "unrecorded-events",
        ]
        let usual: VerifyReport = try await workspace.succeed("verify", "--json").json()
        #expect(usual.ok)
        #expect(usual.level == "tree")
        #expect(usual.notProven == always)
        let frames: VerifyReport = try await workspace.succeed(
            "verify", "--level", "frames", "--json"
        ).json()
        #expect(frames.level == "frames")
        #expect(frames.notProven == (always + ["stream-uniqueness"]).sorted())
        #expect(frames.root == usual.root)
        let all: VerifyReport = try await workspace.succeed("verify", "--level", "all", "--json")
            .json()
        // At this level everything sealed is opened.
        #expect(all.notProven == always.filter { $0 != "sealed-not-opened" })
        #expect(all.events == Self.workload.lines.count)
        let people = try await workspace.succeed("verify")
        #expect(people.stdout.hasPrefix("clean: \(all.events) events read at level tree\n"))
        #expect(people.stdout.contains("root \(usual.root ?? "?")"))
        #expect(people.stdout.contains("not proven: event-times, fork"))
    }

    @Test("no command that reads changes anything, or needs a key")
    func readingChangesNothing() async throws {
        let workspace = try await Self.filled()
        let before = try workspace.snapshot(workspace.ledger)
        try FileManager.default.removeItem(atPath: workspace.keyRoot)
        for arguments in [["log"], ["log", "--raw"], ["log", "--json"], ["stats"], ["verify"]] {
            let outcome = try await workspace.start(arguments).end()
            #expect(outcome.status == 0, "\(outcome)")
        }
        let after = try workspace.snapshot(workspace.ledger)
        for file in ["LOCK", "log/data.mdb", "keys/data.mdb", "keys/lock.mdb"] {
            #expect(before[file] == after[file], "\(file)")
        }
        #expect(before.keys == after.keys)
    }
}
