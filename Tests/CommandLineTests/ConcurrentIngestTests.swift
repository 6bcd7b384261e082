// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Several processes on one ledger", .inTurn)
struct ConcurrentIngestTests {
    /// Starts one `ingest` a file at once and waits for all.
    private func ingestAtOnce(
        _ files: [[String]], into workspace: Workspace, _ options: String...
    ) async throws -> [IngestReport] {
        let programs = try files.map { lines in
            try workspace.start(
                ["ingest", "--json"] + options, stdin: .text(Workload.file(lines)))
        }
        var reports: [IngestReport] = []
        for program in programs {
            let outcome = try await program.end(within: .seconds(120))
            guard outcome.status == 0 else { throw TestFailure(outcome.description) }
            reports.append(try outcome.json())
        }
        return reports
    }

    private func checkPositions(_ workspace: Workspace, _ lines: [String]) async throws {
        let recorded = try await workspace.succeed("log", "--json").jsonLines(LogLine.self)
        #expect(recorded.map(\.position) == Array(0..<lines.count))
        #expect(Set(recorded.map(\.event.id)).count == lines.count)
        try await #expect(workspace.checkTree().size == lines.count)
        let again = try await workspace.ingest(lines)
        #expect(again.duplicates == lines.count, "a sealed part does not open, or is another's")
    }

    @Test("record eight files at once: all of it, without a gap, with the right root")
    func eightFiles() async throws {
        let workspace = try await Workspace.withLedger()
        let files = (0..<8).map { Workload(seed: 100 + $0, sessions: 32).lines }
        let reports = try await ingestAtOnce(files, into: workspace)
        #expect(reports.map(\.accepted) == files.map(\.count))
        #expect(reports.allSatisfy { $0.duplicates == 0 && $0.rejected == 0 })
        try await checkPositions(workspace, files.flatMap(\.self))
    }

    @Test(
        "record one file that all of them are fed just once",
        arguments: ["group", "each"])
    func oneFile(durability: String) async throws {
        let workspace = try await Workspace.withLedger()
        let lines = Workload(seed: 110, sessions: 32).lines
        let reports = try await ingestAtOnce(
            [[String]](repeating: lines, count: 8), into: workspace, "--durability", durability)
        #expect(reports.map(\.accepted).reduce(0, +) == lines.count)
        #expect(reports.allSatisfy { $0.accepted + $0.duplicates == lines.count })
        #expect(reports.allSatisfy { $0.rejected == 0 })
        try await checkPositions(workspace, lines)
    }

    @Test("may report the steps of one session in turns")
    func turns() async throws {
        let workspace = try await Workspace.withLedger()
        let servers = try (0..<2).map { _ in
            try workspace.start(["ingest", "--acks"], stdin: .pipe)
        }
        let lines = SampleSession(5).lines
        var sent = [0, 0]
        // The first server knows the session's beginning only when its next turn comes.
        for (line, server) in zip(lines, [0, 1, 1, 0, 1]) {
            sent[server] += 1
            servers[server].send(line + "\n")
            let count = sent[server]
            _ = try await servers[server].output { $0.contains("\"acknowledged\":\(count),") }
        }
        for server in servers {
            server.endInput()
            let outcome = try await server.end()
            #expect(outcome.status == 0, "\(outcome)")
        }
        try await #expect(workspace.checkTree().size == lines.count)
    }

    @Test("read and check while others write, and find nothing amiss")
    func readersDuringIngest() async throws {
        let workspace = try await Workspace.withLedger()
        let lines = Workload(seed: 120, sessions: 200).lines
        let writer = try workspace.start(
            ["ingest", "--durability", "each"], stdin: .text(Workload.file(lines)))
        var earlier = ""
        var rounds = 0
        while writer.isRunning {
            try await workspace.succeed("verify")
            let leaves = try await workspace.leaves()
            #expect(leaves.hasPrefix(earlier))
            earlier = leaves
            try await workspace.succeed("stats")
            rounds += 1
        }
        #expect(try await writer.end().status == 0)
        #expect(rounds > 0)
        try await #expect(workspace.checkTree().size == lines.count)
    }
}
