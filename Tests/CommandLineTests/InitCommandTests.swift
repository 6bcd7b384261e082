// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("init", .inTurn)
struct InitCommandTests {
    @Test("makes a ledger and its keys, and says what they are")
    func members() async throws {
        let workspace = try Workspace()
        let report: InitReport = try await workspace.succeed("init", "--json").json()
        #expect(report.ledger == workspace.ledger)
        #expect(report.formatVersion == 1)
        #expect(report.origin == "authledger.invalid/" + report.ledgerID)
        let keys = workspace.keyRoot + "/" + report.ledgerID
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: keys).sorted()
                == ["root.key", "signing.key"])
        try await #expect(workspace.checkTree().size == 0)
        // C2SP: name + hash of name and key + type and key, where the type of Ed25519 is 1.
        let check = try await workspace.start(
            "/usr/bin/python3",
            [
                "-c",
                """
                import base64, hashlib, sys
                name, hash, key = sys.argv[1].split("+", 2)
                key = base64.b64decode(key, validate=True)
                assert len(key) == 33 and key[0] == 1
                assert hashlib.sha256(name.encode() + b"\\n" + key).hexdigest()[:8] == hash
                print(name)
                """, report.verifierKey,
            ]
        ).end()
        #expect(check.stdout == report.origin + "\n", "\(check)")
    }

    @Test("takes the name under which the ledger signs")
    func origin() async throws {
        let workspace = try Workspace()
        let report: InitReport = try await workspace.succeed(
            "init", "--json", "--origin", "example.org/logins"
        ).json()
        #expect(report.origin == "example.org/logins")
        #expect(report.verifierKey.hasPrefix("example.org/logins+"))
    }

    @Test(
        "refuses a name that cannot sign, and makes nothing",
        arguments: [
            "", "with space", "a+b", "caf\u{E9}", "a\nb", String(repeating: "a", count: 201),
        ])
    func badOrigin(origin: String) async throws {
        let workspace = try Workspace()
        let before = try workspace.snapshot(workspace.root)
        let outcome = try await workspace.run("init", "--json", "--origin", origin)
        #expect(outcome.status == 2)
        #expect(try outcome.error().code == "origin-invalid")
        #expect(try workspace.withoutRuns(before) == workspace.withoutRuns())
    }

    @Test("leaves what is there as it is: a ledger, other files, a file, a broken link")
    func occupied() async throws {
        let workspace = try await Workspace.withLedger()
        _ = try await workspace.ingest(SampleSession(1).lines)
        try workspace.write("something", "full/file")
        try workspace.write("something", "file")
        let link = workspace.files + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/nowhere/at")
        let before = try workspace.snapshot(workspace.root)
        for place in [
            workspace.ledger, workspace.files + "/full", workspace.files + "/file", link,
            workspace.ledger + "/",
        ] {
            let outcome = try await workspace.run("init", "--json", "--ledger", place)
            #expect(outcome.status == 2, "\(outcome)")
            #expect(try outcome.error().code == "ledger-exists")
            #expect(outcome.output.isEmpty)
        }
        #expect(try workspace.withoutRuns(before) == workspace.withoutRuns())
        try await #expect(workspace.checkTree().size == 5)
    }

    @Test(
        "takes a directory however its path is written",
        arguments: ["new", "new/", "./new//", "deep/er/new/.", "empty", "empty/", "./empty/."])
    func paths(path: String) async throws {
        let workspace = try Workspace()
        try FileManager.default.createDirectory(
            atPath: workspace.files + "/empty", withIntermediateDirectories: false)
        let report: InitReport = try await workspace.succeed("init", "--json", "--ledger", path)
            .json()
        let names = path.split(separator: "/").filter { $0 != "." }
        #expect(report.ledger == workspace.files + "/" + names.joined(separator: "/"))
        try await workspace.succeed("verify", "--ledger", report.ledger)
        try await workspace.succeed("verify", "--ledger", path)
        let around = report.ledger.split(separator: "/").dropLast().joined(separator: "/")
        let beside = try FileManager.default.contentsOfDirectory(atPath: "/" + around)
        #expect(!beside.contains { $0.contains(".init-") })
    }

    @Test("works in the current directory when that is empty")
    func currentDirectory() async throws {
        let workspace = try Workspace()
        try await workspace.succeed("init", "--ledger", ".")
        try await workspace.succeed("verify", "--ledger", workspace.files)
    }

    @Test("that cannot put its keys down leaves no ledger behind")
    func noPlaceForKeys() async throws {
        let workspace = try Workspace()
        let file = try workspace.write("", "file")
        let outcome = try await workspace.run(
            "init", "--json", environment: ["XDG_CONFIG_HOME": file])
        #expect(outcome.status == 6)
        #expect(try outcome.error().code == "system")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: workspace.root + "/data").isEmpty)
        try await workspace.succeed("init")
    }

    @Test("that cannot put its ledger down says so")
    func noPlaceForTheLedger() async throws {
        let workspace = try Workspace()
        let file = try workspace.write("", "file")
        for place in [file + "/below", file + "/far/below"] {
            let outcome = try await workspace.run("init", "--json", "--ledger", place)
            #expect(outcome.status == 6)
            #expect(try outcome.error().code == "system")
        }
    }

    @Test("makes what its owner alone may read, whatever the mask")
    func permissions() async throws {
        let workspace = try Workspace()
        let rejects = workspace.files + "/rejects"
        for arguments in [["init"], ["ingest", "--rejects", rejects, "-"], ["verify"]] {
            let outcome = try await workspace.start(
                "/bin/sh",
                ["-c", "umask 0; exec \"$@\"", "sh", Workspace.program] + arguments,
                stdin: .text(Workload.file(SampleSession(1).lines + ["{}"]))
            ).end()
            #expect([0, 1].contains(outcome.status), "\(outcome)")
        }
        let found = try workspace.permissions()
        #expect(found.count > 9)
        for (path, permissions) in found {
            let isDirectory = FileManager.default.contents(atPath: path) == nil
            #expect(permissions == (isDirectory ? 0o700 : 0o600), "\(path)")
        }
        let attributes = try FileManager.default.attributesOfItem(atPath: rejects)
        #expect(attributes[.posixPermissions].map { "\($0)" } == "\(0o600)")
    }

    @Test("and all the other commands write nothing beside the ledger and its keys")
    func nothingElsewhere() async throws {
        let workspace = try Workspace()
        let before = try workspace.snapshot(workspace.root)
        let report: InitReport = try await workspace.succeed("init", "--json").json()
        _ = try await workspace.ingest(SampleSession(1).lines)
        for command in ["log", "stats", "verify"] {
            try await workspace.succeed(command)
        }
        let new = Set(try workspace.withoutRuns().keys).subtracting(before.keys)
        let keys = "config/authledger/keys"
        let expected: Set = [
            "config/authledger", keys, "\(keys)/\(report.ledgerID)",
            "\(keys)/\(report.ledgerID)/root.key", "\(keys)/\(report.ledgerID)/signing.key",
            "data/authledger", "data/authledger/LOCK", "data/authledger/log",
            "data/authledger/log/data.mdb", "data/authledger/log/lock.mdb",
            "data/authledger/keys", "data/authledger/keys/data.mdb",
            "data/authledger/keys/lock.mdb",
            "data/authledger/checkpoint", "data/authledger/keys/checkpoint",
        ]
        #expect(new == expected)
    }
}

extension Workspace {
    /// A snapshot of everything here but the inputs and outputs of the programs that ran.
    fileprivate func withoutRuns(_ snapshot: [String: String]? = nil) throws -> [String: String] {
        try (snapshot ?? self.snapshot(root)).filter {
            !$0.key.hasPrefix("outputs") && !$0.key.hasPrefix("inputs")
        }
    }

    /// The permissions of everything below the ledger's and the keys' directory.
    fileprivate func permissions() throws -> [String: Int] {
        var found: [String: Int] = [:]
        for top in ["/data/authledger", "/config/authledger"] {
            let below = FileManager.default.enumerator(atPath: root + top)?.compactMap { $0 } ?? []
            for path in [root + top] + below.map({ "\(root + top)/\($0)" }) {
                let attributes = try FileManager.default.attributesOfItem(atPath: path)
                found[path] = (attributes[.posixPermissions] as? NSNumber)?.intValue
            }
        }
        return found
    }
}
