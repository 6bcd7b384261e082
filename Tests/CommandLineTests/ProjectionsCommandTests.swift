// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// The members of a line of `projections status|verify|rebuild --json`.
private struct ProjectionLine: Decodable {
    let name: String
    let watermark: Int
    let digest: String
    let matches: Bool?
    let events: Int
    let rows: Int
    let elapsedMs: Int
    let stoppedAt: Int?
}

private struct SessionLine: Decodable, Equatable {
    let session: String
    let provider: String
    let flow: String
    let state: String
    let reason: String?
    let startedAt: String
    let endedAt: String?
    let events: Int
    let durationMs: Int
    let erasedAt: String?
}

private struct Shown: Decodable {
    struct Event: Decodable {
        let position: Int
    }

    let state: String
    let events: [Event]
}

@Suite("projections", .inTurn)
struct ProjectionsCommandTests {
    private static let workload = Workload(seed: 90, sessions: 60)

    private static func filled() async throws -> Workspace {
        let workspace = try await Workspace.withLedger()
        _ = try await workspace.ingest(workload.lines)
        return workspace
    }

    private func lines(
        _ workspace: Workspace, _ command: String, _ options: String...
    ) async throws -> [ProjectionLine] {
        try await workspace.start(["projections", command, "--json"] + options).end().jsonLines()
    }

    @Test("status, verify and rebuild agree on what all events come to")
    func agree() async throws {
        let workspace = try await Self.filled()
        let status = try await lines(workspace, "status")
        #expect(status.map(\.name) == ["sessions", "provider-health", "failures", "key-usage"])
        #expect(status.allSatisfy { $0.watermark == Self.workload.lines.count })
        #expect(status[0].rows == Self.workload.sessions)
        let verified = try await lines(workspace, "verify")
        #expect(verified.map(\.matches) == [true, true, true, true])
        #expect(verified.map(\.digest) == status.map(\.digest))
        let session = try #require(try await sessions(workspace).first?.session)
        try await workspace.succeed(
            "erase", "--session", session, "--reason", "r", "--legal-basis", "gdpr-17-1-a")
        let erased = try await lines(workspace, "status")
        #expect(erased[0].digest != status[0].digest)
        #expect(try await sessions(workspace).first?.erasedAt != nil)
        let rebuilt = try await lines(workspace, "rebuild")
        #expect(rebuilt.map(\.digest) == erased.map(\.digest))
        #expect(rebuilt.allSatisfy { $0.events == erased[0].watermark && $0.elapsedMs >= 0 })
        let again = try await lines(workspace, "verify", "sessions")
        #expect(again.map(\.name) == ["sessions"] && again[0].matches == true)
        let report: VerifyReport = try await workspace.succeed(
            "verify", "--level", "projections", "--json"
        ).json()
        #expect(report.ok && report.level == "projections")
        for name in status.map(\.name) {
            #expect(!(try await workspace.succeed("projections", "show", name)).lines.isEmpty)
        }
    }

    private func sessions(
        _ workspace: Workspace, _ options: String...
    ) async throws -> [SessionLine] {
        try await workspace.start(["sessions", "--json"] + options).end().jsonLines()
    }

    @Test("that are changed are found, and made right again")
    func changed() async throws {
        let workspace = try await Self.filled()
        let before = try await lines(workspace, "status")
        let file = workspace.ledger + "/projections/data.mdb"
        var content = try Data(contentsOf: URL(filePath: file))
        // A client's id stands in several rows; every one of them says another one now.
        let client = try #require(
            try await workspace.succeed("sessions", "--json").lines.first?
                .firstMatch(of: /"clientID":"([^"]+)"/)?.1)
        let old = Data(client.utf8)
        let new = Data(String(repeating: "x", count: client.count).utf8)
        while let range = content.range(of: old) { content.replaceSubrange(range, with: new) }
        try content.write(to: URL(filePath: file))
        let outcome = try await workspace.run("projections", "verify", "--json")
        #expect(outcome.status == 5)
        #expect(try outcome.jsonLines(ProjectionLine.self).contains { $0.matches == false })
        let report = try await workspace.run("verify", "--level", "projections", "--json")
        #expect(report.status == 5)
        let findings = try report.json(VerifyReport.self).findings.map(\.code)
        #expect(Set(findings) == ["projection-mismatch"])
        try await workspace.succeed("verify")
        #expect(try await lines(workspace, "rebuild").map(\.digest) == before.map(\.digest))
        try await workspace.succeed("projections", "verify")
    }

    @Test("that are gone, empty or of nonsense do no harm")
    func removed() async throws {
        let workspace = try await Self.filled()
        let expected = try await workspace.succeed("sessions").stdout
        let directory = workspace.ledger + "/projections"
        try FileManager.default.removeItem(atPath: directory)
        #expect(try await workspace.succeed("sessions").stdout == expected)
        try Data().write(to: URL(filePath: directory + "/data.mdb"))
        #expect(try await workspace.succeed("sessions").stdout == expected)
        try FileManager.default.removeItem(atPath: directory)
        try Data("in the way".utf8).write(to: URL(filePath: directory))
        let outcome = try await workspace.run("sessions")
        #expect(outcome.stdout == expected && outcome.status == 0, "\(outcome)")
    }

    @Test(
        "stop at an event that cannot be read, and every command that reads them says so",
        arguments: [
            ("authledger.session.redirected", "authledger.session.redirectex", 3, "event-unknown"),
            ("authledger.session.redirected", "authledger.session.failed", 5, "event-malformed"),
        ])
    func poison(type: String, other: String, status: Int32, code: String) async throws {
        let workspace = try await Self.filled()
        let events = try await workspace.succeed("log", "--json").jsonLines(LogLine.self)
        let position = try #require(events.lastIndex { $0.event.type == type })
        let whole = try await sessions(workspace)
        try await workspace.surgeon(
            "forge-frame", "\(position)", type, other, stdin: .text(workspace.leaves()))
        try FileManager.default.removeItem(atPath: workspace.ledger + "/projections")
        let listed = try await workspace.run("sessions", "--json")
        #expect(listed.status == status, "\(listed)")
        #expect(try listed.error().code == code)
        #expect(listed.lines.count > 1 && listed.lines.count <= whole.count)
        let state = try await workspace.run("projections", "status", "--json")
        #expect(state.status == status)
        #expect(
            try state.jsonLines(ProjectionLine.self).allSatisfy {
                $0.stoppedAt == position && $0.watermark == position
            })
        let doctor = try await workspace.run("doctor")
        #expect(doctor.status == 1)
        #expect(doctor.stdout.contains("PROBLEM projections: they stop at position \(position)"))
        let report: VerifyReport = try await workspace.run(
            "verify", "--level", "projections", "--json"
        ).json()
        #expect(
            report.findings.contains { $0.code == "projection-stopped" && $0.position == position })
        let before = try await workspace.run("sessions", "--as-of", "\(position - 1)")
        #expect(before.status == 0, "\(before)")
    }

    @Test("are not needed where there is no room to write them")
    func noRoom() async throws {
        let workspace = try await Self.filled()
        let expected = try await workspace.succeed("sessions").stdout
        try FileManager.default.removeItem(atPath: workspace.ledger + "/projections")
        let full = ["AUTHLEDGER_DISK_RESERVE": "1000T"]
        let outcome = try await workspace.run("sessions", environment: full)
        #expect(outcome.status == 0 && outcome.stdout == expected, "\(outcome)")
        let status = try await workspace.run("projections", "status", "--json", environment: full)
        #expect(status.status == 6)
        #expect(try status.error().code == "projections-unavailable")
        let asOf = try await workspace.run("sessions", "--as-of", "30", environment: full)
        #expect(asOf.stdout == (try await workspace.succeed("sessions", "--as-of", "30")).stdout)
    }

    @Test("are read by several processes at once, also while they are made anew")
    func concurrent() async throws {
        let workspace = try await Self.filled()
        let expected = try await workspace.succeed("sessions").stdout
        try FileManager.default.removeItem(atPath: workspace.ledger + "/projections")
        var running: [RunningProgram] = []
        for index in 0..<8 {
            running.append(
                try workspace.start(index % 4 == 3 ? ["projections", "rebuild"] : ["sessions"]))
        }
        for (index, program) in running.enumerated() {
            let outcome = try await program.end()
            #expect(outcome.status == 0, "\(outcome)")
            if index % 4 != 3 { #expect(outcome.stdout == expected) }
        }
        try await workspace.succeed("projections", "verify")
        let left = try FileManager.default.contentsOfDirectory(atPath: workspace.ledger)
        #expect(left.sorted() == ["LOCK", "checkpoint", "keys", "log", "projections"])
    }

    @Test("sessions gives pages, by cursor, as one list")
    func pages() async throws {
        let workspace = try await Self.filled()
        let all = try await sessions(workspace)
        #expect(all.count == Self.workload.sessions)
        var paged: [SessionLine] = []
        while true {
            let cursor = paged.last.map { ["--after", $0.session] } ?? []
            let page: [SessionLine] = try await workspace.start(
                ["sessions", "--json", "--limit", "7"] + cursor
            ).end().jsonLines()
            if page.isEmpty { break }
            paged += page
        }
        #expect(paged == all)
        for (option, value) in [
            ("--state", \SessionLine.state), ("--flow", \.flow), ("--provider", \.provider),
        ] {
            let wanted = all[5][keyPath: value]
            let found: [SessionLine] = try await workspace.start(
                ["sessions", "--json", option, wanted]
            ).end().jsonLines()
            #expect(found == all.filter { $0[keyPath: value] == wanted }, "\(option)")
        }
        #expect(try await sessions(workspace, "--limit", "0").isEmpty)
    }
}

@Suite("--as-of", .inTurn)
struct AsOfTests {
    private static let workload = Workload(seed: 91, sessions: 40)

    @Test("shows by every command what it showed then")
    func earlier() async throws {
        let workspace = try await Workspace.withLedger()
        let half = Self.workload.lines.count / 2
        _ = try await workspace.ingest(Self.workload.lines[..<half])
        let commands = [["sessions", "--json"], ["log", "--raw"], ["access"], ["hold", "list"]]
        var then: [String] = []
        for command in commands { then.append(try await workspace.start(command).end().stdout) }
        let stats: StatsReport = try await workspace.succeed("stats", "--json").json()
        let verdicts = try await workspace.start(["reverify", "--json"]).end()
        // The ledger's clock counts milliseconds; what comes next is recorded later.
        try await Task.sleep(for: .milliseconds(20))
        let instant =
            Date.now.ISO8601Format(
                .iso8601(timeZone: .gmt, includingFractionalSeconds: true)) + "Z"
        try await Task.sleep(for: .milliseconds(20))
        _ = try await workspace.ingest(Self.workload.lines[half...])
        let last = try #require(
            then[0].split(separator: "\n").last?.firstMatch(of: /"session":"([^"]+)"/)?.1)
        try await workspace.succeed(
            "hold", "add", String(last), "--reason", "r")
        for asOf in [String(half - 1), instant] {
            for (command, expected) in zip(commands, then) {
                let outcome = try await workspace.start(command + ["--as-of", asOf]).end()
                #expect(outcome.stdout == expected, "\(outcome)")
            }
            let again: EarlierStats = try await workspace.succeed(
                "stats", "--json", "--as-of", asOf
            ).json()
            #expect(again.events == stats.events && again.sessions == stats.sessions)
            #expect(again.bytesRaw == stats.bytesRaw && again.bytesStored == stats.bytesStored)
            #expect(again.blobBytes == stats.blobBytes)
            let retried = try await workspace.start(["reverify", "--json", "--as-of", asOf]).end()
            #expect(try retried.json(Tokens.self) == verdicts.json(Tokens.self))
            #expect(retried.status == verdicts.status)
        }
        let shown: Shown = try await workspace.succeed(
            "show", String(last), "--json", "--as-of", String(half - 1)
        ).json()
        #expect(shown.events.allSatisfy { $0.position < half })
        let explained = try await workspace.run("explain", String(last), "--as-of", instant)
        #expect(explained.status == 0)
    }

    private struct EarlierStats: Decodable {
        let events: Int
        let sessions: Int
        let bytesRaw: Int
        let bytesStored: Int
        let blobBytes: Int
    }

    private struct Tokens: Decodable, Equatable {
        let tokens: Int
        let verified: Int
        let failed: Int
        let mismatches: Int
    }

    @Test("is refused where it makes no sense")
    func refused() async throws {
        let workspace = try await Workspace.withLedger()
        _ = try await workspace.ingest(Self.workload.lines.prefix(10))
        for arguments in [
            ["sessions", "--as-of", "10"], ["sessions", "--as-of", "soon"],
            ["log", "--follow", "--as-of", "3"], ["explain", "--codes", "--as-of", "3"],
            ["stats", "--as-of", "99999999999999999999"],
        ] {
            #expect(try await workspace.start(arguments).end().status == 2, "\(arguments)")
        }
        #expect(try await workspace.succeed("sessions", "--as-of", "9").lines.count > 0)
        #expect(try await workspace.succeed("log", "--as-of", "2000-01-01").stdout.isEmpty)
        #expect(try await workspace.succeed("log", "--as-of", "0").lines.count == 1)
    }
}
