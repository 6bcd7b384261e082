// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("doctor, backup, restore and upgrade", .inTurn)
struct StorageCareTests {
    private static let lines = SampleSession(1).lines + SampleSession(2).lines

    private struct Doctor: Decodable {
        struct Check: Decodable {
            let name: String
            let outcome: String
            let message: String
            let hint: String?
        }

        let ok: Bool
        let checks: [Check]

        func outcome(_ name: String) -> String? { checks.first { $0.name == name }?.outcome }
    }

    private struct Failure: Decodable {
        struct Body: Decodable {
            let code: String
            let message: String
            let hint: String?
        }

        let error: Body
    }

    private func filled() async throws -> Workspace {
        let workspace = try await Workspace.withLedger()
        _ = try await workspace.ingest(Self.lines)
        return workspace
    }

    /// What a command that ended with this status says of the reason.
    private func failure(_ outcome: Outcome, _ status: Int32) throws -> Failure.Body {
        #expect(outcome.status == status, "\(outcome)")
        #expect(outcome.stdout.isEmpty)
        return try JSONDecoder().decode(Failure.self, from: Data(outcome.stderr.utf8)).error
    }

    @Test("a disk that is nearly full stops appending, not reading, and the doctor says so")
    func nearlyFull() async throws {
        let workspace = try await filled()
        let path = try workspace.write(SampleSession(3).lines.map { $0 + "\n" }.joined())
        let reserve = ["AUTHLEDGER_DISK_RESERVE": "8000T"]
        let refused = try failure(
            try await workspace.run("ingest", path, "--json", environment: reserve), 6)
        #expect(refused.code == "disk-nearly-full")
        #expect(refused.hint != nil)
        let verify = try await workspace.run("verify", "--json", environment: reserve)
        #expect(verify.status == 0, "\(verify)")
        let report: VerifyReport = try verify.json()
        #expect(report.events == Self.lines.count)
        let doctor = try await workspace.run("doctor", "--json", environment: reserve)
        #expect(doctor.status == 1, "\(doctor)")
        let found: Doctor = try doctor.json()
        #expect(!found.ok)
        #expect(found.outcome("disk-space") == "problem")
        // With room again, everything goes in.
        try await workspace.succeed("ingest", path)
        let wrong = try failure(
            try await workspace.run(
                "stats", "--json", environment: ["AUTHLEDGER_DISK_RESERVE": "a lot"]), 2)
        #expect(wrong.code == "size-invalid")
    }

    @Test("a log of the largest size that it may have stops appending")
    func sizeLimit() async throws {
        let workspace = try await filled()
        let path = try workspace.write(SampleSession(3).lines.map { $0 + "\n" }.joined())
        let refused = try failure(
            try await workspace.run(
                "ingest", path, "--json", environment: ["AUTHLEDGER_SIZE_MAX": "1M"]), 6)
        #expect(refused.code == "ledger-full")
    }

    @Test("the doctor finds a new ledger well, and names what is not")
    func doctor() async throws {
        let workspace = try await filled()
        let well = try await workspace.run("doctor", "--json")
        #expect(well.status == 0, "\(well)")
        let found: Doctor = try well.json()
        #expect(found.ok)
        for name in ["ledger", "format", "root-key", "permissions", "readers", "libraries"] {
            #expect(found.outcome(name) == "ok", "\(name)")
        }
        #expect(found.checks.allSatisfy { $0.outcome == "ok" || $0.hint != nil })
        let key = try #require(
            try FileManager.default.subpathsOfDirectory(atPath: workspace.keyRoot)
                .first { $0.hasSuffix("root.key") })
        try FileManager.default.removeItem(atPath: workspace.keyRoot + "/" + key)
        let ill = try await workspace.run("doctor")
        #expect(ill.status == 1, "\(ill)")
        #expect(ill.stdout.contains("PROBLEM root-key"))
        let missing = try failure(
            try await workspace.run("doctor", "--json", "--ledger", workspace.files + "/no"), 6)
        #expect(missing.code == "ledger-missing")
    }

    @Test("the doctor names a process that holds on to an old state")
    func reader() async throws {
        let workspace = try await filled()
        let script = """
            import lmdb, sys
            log = lmdb.open(sys.argv[1] + "/log", readonly=True, max_dbs=16, lock=True)
            reading = log.begin()
            print("reading", flush=True)
            sys.stdin.readline()
            """
        let path = try workspace.write(script, "reader.py")
        let reader = try workspace.start(
            "/usr/bin/python3", [path, workspace.ledger], stdin: .pipe)
        _ = try await reader.output { $0.contains("reading") }
        try await workspace.succeed(
            "ingest", try workspace.write(SampleSession(4).lines.map { $0 + "\n" }.joined()))
        let found: Doctor = try await workspace.run("doctor", "--json").json()
        #expect(found.outcome("readers") == "warning")
        let message = found.checks.first { $0.name == "readers" }?.message ?? ""
        #expect(message.contains("python3"), "\(message)")
        reader.endInput()
        #expect(try await reader.end().status == 0)
        let after: Doctor = try await workspace.succeed("doctor", "--json").json()
        #expect(after.outcome("readers") == "ok")
    }

    @Test("the doctor survives a ledger that ends who reads it")
    func damaged() async throws {
        let workspace = try await filled()
        let path = workspace.ledger + "/log/data.mdb"
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        try file.truncate(atOffset: 12_288)
        try file.close()
        let outcome = try await workspace.run("doctor", "--json")
        #expect(outcome.status == 1, "\(outcome)")
        let found: Doctor = try outcome.json()
        #expect(found.outcome("ledger") == "problem")
    }

    @Test("a backup comes back as the ledger that it was")
    func backup() async throws {
        let workspace = try await filled()
        let before = try await workspace.leaves()
        let backup = workspace.files + "/backup"
        struct Made: Decodable {
            let path: String
            let size: Int
            let root: String
            let bytes: Int
            let withKeys: Bool
        }
        let made: Made = try await workspace.succeed("backup", backup, "--with-keys", "--json")
            .json()
        #expect(made.size == Self.lines.count)
        #expect(made.path == backup)
        #expect(made.withKeys)
        #expect(
            try failure(try await workspace.run("backup", backup, "--json"), 2).code
                == "ledger-exists")
        let taken = try failure(try await workspace.run("restore", backup, "--json"), 2)
        #expect(taken.hint?.contains("--replace") == true)
        _ = try await workspace.ingest(SampleSession(5).lines)
        struct Restored: Decodable {
            let ledger: String
            let size: Int
            let root: String
            let replaced: String?
        }
        let restored: Restored = try await workspace.succeed(
            "restore", backup, "--replace", "--json"
        ).json()
        #expect(restored.size == made.size)
        #expect(restored.root == made.root)
        let kept = try #require(restored.replaced)
        #expect(try await workspace.leaves() == before)
        let old = try await workspace.succeed("log", "--raw", "--ledger", kept).stdout
        #expect(old.hasPrefix(before) && old.count > before.count)
        // What was lost is fed again.
        _ = try await workspace.ingest(SampleSession(5).lines)
        try await workspace.succeed("verify")
        try await workspace.succeed("doctor")
    }

    @Test("a backup with a flipped bit is refused, and leaves nothing behind")
    func spoiledBackup() async throws {
        let workspace = try await filled()
        let backup = workspace.files + "/backup"
        try await workspace.succeed("backup", backup)
        var bytes = try Data(contentsOf: URL(filePath: backup + "/log/data.mdb"))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(filePath: backup + "/log/data.mdb"))
        let target = workspace.files + "/restored"
        let refused = try failure(
            try await workspace.run("restore", backup, "--json", "--ledger", target), 5)
        #expect(refused.code == "backup-invalid")
        let names = try FileManager.default.contentsOfDirectory(atPath: workspace.files)
        #expect(!names.contains { $0.hasPrefix("restored") })
    }

    @Test("a ledger of the present format needs no upgrade")
    func upgrade() async throws {
        let workspace = try await filled()
        struct Report: Decodable {
            let from: Int
            let to: Int
            let upgraded: Bool
        }
        let report: Report = try await workspace.succeed("upgrade", "--json").json()
        #expect(report.from == report.to)
        #expect(!report.upgraded)
    }
}
