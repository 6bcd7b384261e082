// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("Wrong input to a command", .inTurn)
struct WrongInputTests {
    private static let commands = [
        ["ingest"], ["log"], ["log", "--follow"], ["stats"], ["verify"], ["sessions"],
        ["show", "0198b0f2"], ["explain", "0198b0f2"], ["reverify"],
        ["export", "har", "0198b0f2", "-o", "login.har"],
    ]

    /// What a person and a program are told of one mistake.
    private func check(
        _ workspace: Workspace, _ arguments: [String], _ status: Int32, _ code: String,
        hint: String? = nil, environment: [String: String?] = [:],
        location: SourceLocation = #_sourceLocation
    ) async throws {
        let people = try await workspace.start(arguments, environment: environment).end()
        let programs = try await workspace.start(arguments + ["--json"], environment: environment)
            .end()
        let error = try programs.error()
        #expect(people.status == status, "\(people)", sourceLocation: location)
        #expect(programs.status == status, "\(programs)", sourceLocation: location)
        #expect(error.code == code, "\(programs)", sourceLocation: location)
        #expect(people.output.isEmpty && programs.output.isEmpty, sourceLocation: location)
        if let hint { #expect(error.hint == hint, sourceLocation: location) }
        var text = "authledger: \(error.message)\n"
        if let hint = error.hint { text += "hint: \(hint)\n" }
        #expect(people.stderr == text, sourceLocation: location)
    }

    @Test("that is no ledger ends with status 6 and tells how to make one", arguments: commands)
    func missingLedger(command: [String]) async throws {
        let workspace = try Workspace()
        let file = try workspace.write("", "file")
        for place in [workspace.ledger, workspace.files, file, file + "/below"] {
            try await check(
                workspace, command + ["--ledger", place], 6, "ledger-missing",
                hint: "authledger init")
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: workspace.root + "/data").isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: workspace.files) == ["file"])
    }

    @Test("is a mistake in usage, status 2, with a hint to the help of the command")
    func usage() async throws {
        let workspace = try await Workspace.withLedger()
        for (arguments, command) in [
            (["stats", "--bogus"], "stats"), (["stats", "extra"], "stats"),
            (["stats", "--ledger"], "stats"), (["log", "--from", "abc"], "log"),
            (["log", "--from", "-1"], "log"), (["log", "--limit", "-1"], "log"),
            (["log", "--limit", "1.5"], "log"), (["log", "--session"], "log"),
            (["verify", "--level"], "verify"), (["init", "--origin"], "init"),
            (["ingest", "--durability", "never"], "ingest"), (["ingest", "a", "b"], "ingest"),
        ] {
            try await check(
                workspace, arguments, 2, "usage", hint: "authledger \(command) --help")
        }
        let both = try await workspace.run("log", "--raw", "--json")
        #expect(both.status == 2)
        #expect(try both.error().code == "usage")
        try await check(workspace, ["verify", "--level", "deep"], 2, "level-unknown")
        try await check(workspace, ["log", "--type", "nonsense"], 2, "type-unknown")
    }

    @Test("is an unknown command, with the one that was meant where it is near")
    func unknownCommand() async throws {
        let workspace = try Workspace()
        for (word, meant) in [
            ("verfy", "verify"), ("inti", "init"), ("statz", "stats"), ("lgo", "log"),
            ("ingst", "ingest"),
        ] {
            try await check(workspace, [word], 2, "usage", hint: "authledger \(meant)")
        }
        try await check(workspace, ["frobnicate"], 2, "usage", hint: "authledger --help")
        try await check(workspace, [""], 2, "usage", hint: "authledger --help")
        try await check(workspace, ["\u{1B}[31mred"], 2, "usage", hint: "authledger --help")
        let escape = try await workspace.run("\u{1B}[31mred\nline")
        #expect(!escape.stderr.contains("\u{1B}"))
    }

    @Test("is an option in front of the command, which is no unknown command")
    func optionBeforeCommand() async throws {
        let workspace = try await Workspace.withLedger()
        let outcome = try await workspace.run("--ledger", workspace.ledger, "stats")
        #expect(outcome.status == 2)
        #expect(outcome.stderr.contains("'--ledger'"))
        #expect(!outcome.stderr.contains("no command"))
    }

    @Test("is a file that cannot be read")
    func unreadableFile() async throws {
        let workspace = try await Workspace.withLedger()
        try await check(workspace, ["ingest", "nofile.jsonl"], 6, "system")
        try await check(workspace, ["ingest", "/"], 6, "system")
        let file = try workspace.write("{}\n")
        try await check(workspace, ["ingest", file, "--rejects", "no/directory"], 6, "system")
        try await check(workspace, ["ingest", file, "--rejects", workspace.files], 6, "system")
        try await #expect(workspace.checkTree().size == 0)
    }

    @Test("is a root key that is missing, malformed or another ledger's")
    func rootKey() async throws {
        let workspace = try await Workspace.withLedger()
        _ = try await workspace.ingest(SampleSession(1).lines)
        let id = try #require(
            try FileManager.default.contentsOfDirectory(atPath: workspace.keyRoot).first)
        let path = workspace.keyRoot + "/\(id)/root.key"
        let rightKey = try workspace.read(path)
        let before = try workspace.snapshot(workspace.ledger)["log/data.mdb"]
        let wrong = [
            Data([UInt8](repeating: 7, count: 32)).base64EncodedString() + "\n",
            Data([UInt8](repeating: 7, count: 31)).base64EncodedString() + "\n", "", "key\n",
            rightKey + rightKey, " " + rightKey,
        ]
        for text in wrong {
            try Data(text.utf8).write(to: URL(filePath: path))
            try await check(workspace, ["ingest"], 6, "root-key-wrong")
        }
        try FileManager.default.removeItem(atPath: path)
        try await check(workspace, ["ingest"], 6, "root-key-missing")
        try await check(
            workspace, ["ingest"], 6, "root-key-missing",
            environment: ["XDG_CONFIG_HOME": workspace.files])
        try Data(rightKey.utf8).write(to: URL(filePath: path))
        #expect(try workspace.snapshot(workspace.ledger)["log/data.mdb"] == before)
        #expect(try await workspace.ingest(SampleSession(1).lines).duplicates == 5)
    }

    @Test("is to write where a feature is that only writers must know; reading goes on")
    func unknownWriteFeature() async throws {
        let workspace = try await Workspace.withLedger()
        _ = try await workspace.ingest(SampleSession(1).lines)
        try await workspace.surgeon(
            "format", #"{"readFeatures":[],"version":1,"writeFeatures":["shards"]}"#)
        let before = try workspace.snapshot(workspace.ledger)["log/data.mdb"]
        try await check(workspace, ["ingest"], 6, "format-read-only")
        try await workspace.succeed("verify")
        #expect(try await workspace.leaves().split(separator: "\n").count == 5)
        #expect(try workspace.snapshot(workspace.ledger)["log/data.mdb"] == before)
    }

    @Test("is a ledger of a format that this program does not know", arguments: commands)
    func unknownFormat(command: [String]) async throws {
        let workspace = try await Workspace.withLedger()
        for record in [
            #"{"readFeatures":[],"version":2,"writeFeatures":[]}"#,
            #"{"readFeatures":["shards"],"version":1,"writeFeatures":[]}"#,
        ] {
            try await workspace.surgeon("format", record)
            let before = try workspace.snapshot(workspace.ledger)["log/data.mdb"]
            try await check(workspace, command, 6, "format-unknown")
            #expect(try workspace.snapshot(workspace.ledger)["log/data.mdb"] == before)
        }
        for record in ["{}", "nonsense", #"{"version":"1"}"#] {
            try await workspace.surgeon("format", record)
            try await check(workspace, command, 5, "ledger-damaged")
        }
    }

    @Test("is a ledger that another process works on as a whole", arguments: commands)
    func lockedLedger(command: [String]) async throws {
        let workspace = try await Workspace.withLedger()
        let holder = try workspace.start(
            "/usr/bin/flock", ["-x", workspace.ledger + "/LOCK", "sh", "-c", "echo held; cat"],
            stdin: .pipe)
        _ = try await holder.output { $0.contains("held") }
        try await check(workspace, command, 6, "ledger-locked")
        holder.endInput()
        _ = try await holder.end()
        try await workspace.succeed("stats")
    }

    @Test("is standard output that takes nothing; what was recorded stays")
    func fullOutput() async throws {
        let workspace = try await Workspace.withLedger()
        let input = Input.text(Workload.file(SampleSession(1).lines))
        for arguments in [["ingest", "--acks"], ["log"], ["stats"], ["verify"], ["--help"]] {
            let outcome = try await workspace.start(
                "/bin/sh",
                ["-c", "exec \"$@\" > /dev/full", "sh", Workspace.program] + arguments, stdin: input
            ).end()
            #expect(outcome.status == (arguments == ["--help"] ? 0 : 6), "\(outcome)")
        }
        try await #expect(workspace.checkTree().size == 5)
    }
}

@Suite("The place of a ledger", .inTurn)
struct LedgerPlaceTests {
    private func place(
        _ workspace: Workspace, _ arguments: [String] = [], environment: [String: String?]
    ) async throws -> String {
        let outcome = try await workspace.start(
            ["init", "--json"] + arguments, environment: environment
        ).end()
        guard outcome.status == 0 else { throw TestFailure(outcome.description) }
        let report: InitReport = try outcome.json()
        return report.ledger
    }

    @Test("is named by --ledger, else by AUTHLEDGER_DIR, else under XDG_DATA_HOME, else in HOME")
    func order() async throws {
        let workspace = try Workspace()
        let root = workspace.root
        let own = ["AUTHLEDGER_DIR": Optional(root + "/own")]
        try await #expect(
            place(workspace, ["--ledger", root + "/option"], environment: own) == root + "/option")
        try await #expect(place(workspace, environment: own) == root + "/own")
        try await #expect(place(workspace, environment: ["AUTHLEDGER_DIR": ""]) == workspace.ledger)
        try await #expect(
            place(workspace, environment: ["XDG_DATA_HOME": nil]) == root
                + "/home/.local/share/authledger")
        let outcome = try await workspace.run("stats", environment: own)
        #expect(outcome.status == 0)
    }

    @Test("of keys is under XDG_CONFIG_HOME, else in HOME")
    func keys() async throws {
        let workspace = try Workspace()
        let environment: [String: String?] = ["XDG_CONFIG_HOME": nil]
        try await workspace.run("init", environment: environment)
        let keys = workspace.root + "/home/.config/authledger/keys"
        #expect(try FileManager.default.contentsOfDirectory(atPath: keys).count == 1)
        let line = Input.text(SampleSession(1).lines[0])
        #expect(
            try await workspace.run("ingest", stdin: line, environment: environment).status == 0)
        #expect(try await workspace.run("ingest", stdin: line).status == 6)
    }

    @Test("is not guessed when there is no home")
    func noHome() async throws {
        let workspace = try Workspace()
        let outcome = try await workspace.run(
            "stats", "--json", environment: ["HOME": nil, "XDG_DATA_HOME": ""])
        #expect(outcome.status == 2)
        #expect(try outcome.error().code == "no-home")
    }
}
