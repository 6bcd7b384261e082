// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("log", .inTurn)
struct LogCommandTests {
    private static let workload = Workload(seed: 70, sessions: 40)

    private static func filled() async throws -> Workspace {
        let workspace = try await Workspace.withLedger()
        _ = try await workspace.ingest(workload.lines)
        return workspace
    }

    private func events(_ workspace: Workspace, _ arguments: String...) async throws -> [LogLine] {
        let outcome = try await workspace.start(["log", "--json"] + arguments).end()
        guard outcome.status == 0 else { throw TestFailure(outcome.description) }
        return try outcome.jsonLines()
    }

    @Test("prints every event in order, with position and hash, around the very bytes hashed")
    func jsonLines() async throws {
        let workspace = try await Self.filled()
        let leaves = try await workspace.succeed("log", "--raw").lines
        let outcome = try await workspace.succeed("log", "--json")
        let lines = try outcome.jsonLines(LogLine.self)
        #expect(lines.map(\.event.id) == Self.workload.events.map(\.id))
        #expect(lines.map(\.position) == Array(Self.workload.events.indices))
        for (text, (leaf, line)) in zip(outcome.lines, zip(leaves, lines)) {
            let place = "\"leafHash\":\"\(line.leafHash)\",\"position\":\(line.position)"
            let whole = "{\"event\":\(leaf),\(place)}"
            #expect(text == whole)
        }
    }

    @Test("begins and ends where it is told")
    func fromAndLimit() async throws {
        let workspace = try await Self.filled()
        let all = Self.workload.events.map(\.id)
        let count = all.count
        try await #expect(events(workspace, "--from", "7").map(\.event.id) == Array(all[7...]))
        try await #expect(events(workspace, "--limit", "7").map(\.event.id) == Array(all[..<7]))
        try await #expect(
            events(workspace, "--from", "5", "--limit", "3").map(\.position) == [5, 6, 7])
        try await #expect(events(workspace, "--limit", "0").isEmpty)
        try await #expect(events(workspace, "--from", "\(count)").isEmpty)
        try await #expect(events(workspace, "--from", "\(count - 1)").count == 1)
        try await #expect(events(workspace, "--from", "\(UInt64.max)").isEmpty)
        try await #expect(events(workspace, "--limit", "\(UInt64.max)").count == count)
        try await #expect(
            workspace.succeed("log", "--raw", "--from", "3", "--limit", "1").lines.count == 1)
    }

    @Test("picks out a type by its last word or in full")
    func types() async throws {
        let workspace = try await Self.filled()
        let words = [
            "initiated", "redirected", "callback", "polled", "token-issued", "verified", "failed",
        ]
        var total = 0
        for word in words {
            let type = "authledger.session." + word
            let found = try await events(workspace, "--type", word)
            #expect(!found.isEmpty)
            #expect(found.allSatisfy { $0.event.type == type })
            let inFull = try await events(workspace, "--type", type, "--limit", "2")
            #expect(inFull.map(\.position) == found.prefix(2).map(\.position))
            total += found.count
        }
        #expect(total == Self.workload.events.count)
        try await #expect(events(workspace, "--type", "authledger.access.revealed").isEmpty)
    }

    @Test("picks out a session by any prefix that names one alone")
    func sessions() async throws {
        let workspace = try await Self.filled()
        let session = try #require(Self.workload.events.first?.session)
        let expected = Self.workload.events.filter { $0.session == session }.map(\.id)
        let others = Set(Self.workload.events.map(\.session)).subtracting([session])
        let unique = try #require(
            (1...36).map { session.prefix($0) }.first { prefix in
                !others.contains { $0.hasPrefix(prefix) }
            })
        for prefix in [session, String(unique), String(session.prefix(35))] {
            try await #expect(events(workspace, "--session", prefix).map(\.event.id) == expected)
        }
        let failed = try await events(workspace, "--session", session, "--limit", "1")
        #expect(failed.map(\.event.id) == Array(expected.prefix(1)))
        let rest = try await events(
            workspace, "--session", session, "--from", "\(failed[0].position + 1)")
        #expect(rest.map(\.event.id) == Array(expected.dropFirst()))
        let raw = try await workspace.succeed("log", "--session", session, "--raw")
        #expect(raw.lines.count == expected.count)

        for (prefix, code, status) in [
            (String(unique.dropLast()), "session-ambiguous", 2),
            ("ffffffff", "session-unknown", 6), ("", "session-malformed", 2),
            (session.uppercased(), "session-malformed", 2), (session + "0", "session-malformed", 2),
            ("0198b0f2x", "session-malformed", 2),
        ] as [(String, String, Int32)] {
            let outcome = try await workspace.run("log", "--json", "--session", prefix)
            #expect(outcome.status == status, "\(prefix)")
            #expect(try outcome.error().code == code, "\(prefix)")
        }
    }

    @Test("follows what another process records, filtered and limited, until it is interrupted")
    func follow() async throws {
        let workspace = try await Workspace.withLedger()
        let session = SampleSession(30)
        _ = try await workspace.ingest(session.lines.prefix(1))
        let follower = try workspace.startUnmasked(["log", "--follow", "--json"])
        let filtered = try workspace.start([
            "log", "--follow", "--json", "--type", "callback", "--limit", "2",
        ])
        let one = try workspace.start([
            "log", "--follow", "--raw", "--session", session.subject, "--limit", "4",
        ])
        _ = try await follower.output { $0.contains("\"position\":0}") }
        _ = try await workspace.ingest(session.lines.prefix(3))
        _ = try await follower.output { $0.contains("\"position\":2}") }
        _ = try await workspace.ingest(SampleSession(31).lines)
        _ = try await follower.output { $0.contains("\"position\":7}") }
        #expect(try await filtered.end().jsonLines(LogLine.self).map(\.position) == [2, 5])
        _ = try await workspace.ingest(session.lines)
        #expect(try await one.end().lines.count == 4)
        _ = try await follower.output { $0.contains("\"position\":9}") }
        follower.interrupt()
        let outcome = try await follower.end()
        #expect(outcome.status == 130)
        #expect(try outcome.jsonLines(LogLine.self).map(\.position) == Array(0...9))
    }

    @Test("for people has a line an event: position, time, session and what happened")
    func text() async throws {
        let workspace = try await Self.filled()
        let lines = try await workspace.succeed("log").lines
        #expect(lines.count == Self.workload.events.count)
        for (position, (line, event)) in zip(lines, Self.workload.events).enumerated() {
            let words = line.split(separator: " ")
            #expect(words.count >= 4)
            #expect(words[0] == "\(position)")
            #expect(words[1].hasSuffix("Z"))
            #expect(words[2] == event.session)
            #expect(event.json.text.contains("authledger.session.\(words[3])\""))
        }
        #expect(lines.contains { $0.contains("reason=nonce-mismatch") })
    }
}
