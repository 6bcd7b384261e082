// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// One series of kills.
struct CrashRound: Sendable, CustomTestStringConvertible {
    /// How lines come in.
    enum Feeding: CaseIterable {
        /// From a file, many events a commit.
        case group
        /// From a pipe in pieces of any length, so that commits are of any size.
        case pieces
        /// From a file, one commit an event.
        case each
    }

    let feeding: Feeding
    let seed: UInt64

    /// Fixed seeds, or with AUTHLEDGER_SEED others. A failing round names its seed.
    static let all: [CrashRound] = {
        let first = ProcessInfo.processInfo.environment["AUTHLEDGER_SEED"].flatMap(UInt64.init)
        return Feeding.allCases.flatMap { feeding in
            (0..<(feeding == .group ? 4 : 6)).map { number in
                CrashRound(feeding: feeding, seed: (first ?? 1000) + number)
            }
        }
    }()

    var testDescription: String { "\(feeding), AUTHLEDGER_SEED=\(seed)" }

    var arguments: [String] {
        ["ingest", "--acks", "--durability", feeding == .each ? "each" : "group"]
    }

    /// Enough for several commits.
    var workload: Workload { feeding == .group ? Self.long : Self.short }

    /// A little more than a run over so many lines takes.
    func millisecondsMax(_ lines: Int) -> Int {
        60 + lines * (feeding == .each ? 2500 : 1300) / 1000
    }

    private static let long = Workload(seed: 41, sessions: 260)
    private static let short = Workload(seed: 40, sessions: 80)
}

@Suite("A kill at any moment", .inTurn)
struct CrashTests {
    @Test(
        "of ingest loses nothing that was acknowledged, and the file can be fed again",
        arguments: CrashRound.all)
    func killedIngest(round: CrashRound) async throws {
        let workspace = try await Workspace.withLedger()
        var generator = SeededGenerator(seed: round.seed)
        let events = round.workload.events
        var earlier = ""
        for _ in 0..<3 {
            // Begin a little before the end of what is recorded: the rest of the run is at work.
            let recorded = earlier.split(separator: "\n").count
            let rest = events[max(0, recorded - 5)...]
            let acknowledged = try await acknowledgedUntilKilled(
                workspace, rest.map(\.json.text), round, &generator)
            let leaves = try await workspace.leaves()
            #expect(leaves.hasPrefix(earlier), "\(round)")
            let there = try Self.ids(leaves)
            let missing = rest.prefix(acknowledged).filter { !there.contains($0.id) }
            #expect(missing.isEmpty, "\(round): \(acknowledged) acknowledged")
            let check = try await workspace.run("verify", "--json")
            #expect(check.status == 0, "\(round): \(check)")
            earlier = leaves
        }
        let before = try Self.ids(earlier).count
        let report = try await workspace.ingest(round.workload.lines)
        #expect(report.duplicates == before, "\(round): a sealed part does not open")
        #expect(report.accepted == events.count - before, "\(round)")
        let leaves = try await workspace.leaves()
        #expect(leaves.hasPrefix(earlier), "\(round)")
        #expect(try Self.ids(leaves) == Set(events.map(\.id)), "\(round)")
        try await #expect(workspace.checkTree().size == events.count, "\(round)")
    }

    @Test(
        "of init leaves a whole ledger or none, and init works afterwards", arguments: UInt64(1)...8
    )
    func killedInit(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let workspace = try Workspace()
        let program = try workspace.start(["init", "--json"])
        try await Task.sleep(for: .microseconds(generator.number(0..<40_000)))
        program.interrupt(SIGKILL)
        _ = try await program.end()
        let isThere = try await workspace.run("verify").status == 0
        #expect(try await workspace.run("init").status == (isThere ? 2 : 0), "seed \(seed)")
        #expect(try await workspace.ingest(SampleSession(1).lines).accepted == 5, "seed \(seed)")
    }

    @Test(
        "of checkpoint leaves a whole one, which never shrinks and always continues the last",
        arguments: UInt64(1)...6)
    func killedCheckpoint(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let workspace = try await Workspace.withLedger()
        let (outside, old) = (workspace.files + "/outside", workspace.files + "/old")
        try await workspace.succeed("checkpoint", "--publish", outside)
        for number in 0..<4 {
            _ = try await workspace.ingest(SampleSession(number).lines)
            try Data(workspace.read(outside).utf8).write(to: URL(filePath: old))
            let program = try workspace.start(["checkpoint", "--publish", outside])
            try await Task.sleep(for: .microseconds(generator.number(0..<40_000)))
            program.interrupt(SIGKILL)
            let outcome = try await program.end()
            #expect([0, 128 + SIGKILL].contains(outcome.status), "\(outcome)")
            for file in [outside, workspace.ledger + "/checkpoint"] {
                let check: CheckpointVerifyReport = try await workspace.succeed(
                    "checkpoint", "verify", file, "--old", old, "--json"
                ).json()
                #expect(check.ok && check.consistent == true, "seed \(seed), \(number)")
            }
            #expect(try await workspace.run("verify").status == 0, "seed \(seed), \(number)")
        }
        let last: CheckpointReport = try await workspace.succeed(
            "checkpoint", "--publish", outside, "--json"
        ).json()
        #expect(last.size == 20)
        #expect(try workspace.read(outside) == last.note)
    }

    /// Feeds lines to an `ingest`, kills it at a random moment, and answers how many events it
    /// had acknowledged by then.
    private func acknowledgedUntilKilled(
        _ workspace: Workspace, _ lines: [String], _ round: CrashRound,
        _ generator: inout SeededGenerator
    ) async throws -> Int {
        let input = Input.text(Workload.file(lines))
        let program = try workspace.start(
            round.arguments, stdin: round.feeding == .pieces ? .pipe : input)
        let delay = generator.number(0..<round.millisecondsMax(lines.count))
        let end = ContinuousClock.now + .milliseconds(delay)
        var rest = Data(Workload.file(lines).utf8)
        while program.isRunning, ContinuousClock.now < end {
            if round.feeding == .pieces, !rest.isEmpty {
                let piece = rest.prefix(generator.number(1..<20_000))
                program.send(piece)
                rest = rest.dropFirst(piece.count)
            }
            try await Task.sleep(for: .milliseconds(1))
        }
        program.interrupt(SIGKILL)
        let outcome = try await program.end()
        #expect([0, 128 + SIGKILL].contains(outcome.status), "\(outcome)")
        // The kill may have cut the last line off.
        let whole = outcome.stdout.split(separator: "\n", omittingEmptySubsequences: false)
            .dropLast()
        guard let last = whole.last else { return 0 }
        return try JSONDecoder().decode(Acknowledgement.self, from: Data(last.utf8)).acknowledged
    }

    private static func ids(_ leaves: String) throws -> Set<String> {
        let events = try leaves.split(separator: "\n").map {
            try JSONDecoder().decode(LogLine.Event.self, from: Data($0.utf8))
        }
        let ids = Set(events.map(\.id))
        guard ids.count == events.count else { throw TestFailure("an event is there twice") }
        return ids
    }
}
