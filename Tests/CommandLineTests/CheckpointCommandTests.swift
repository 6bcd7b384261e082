// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("checkpoint", .inTurn)
struct CheckpointCommandTests {
    @Test("prints a note that openssl verifies, and lies where it was asked to")
    func signs() async throws {
        let (workspace, key) = try await Workspace.signed(seed: 410, sessions: 10)
        let stats: StatsReport = try await workspace.succeed("stats", "--json").json()
        // Ingest has made one by itself.
        let own = try workspace.read(workspace.ledger + "/checkpoint")
        #expect(own.hasPrefix("example.org/logins\n\(stats.events)\n"))
        let (out, outside) = (workspace.files + "/out", workspace.files + "/outside")
        let printed = try await workspace.succeed(
            "checkpoint", "--out", out, "--publish", outside)
        for note in [printed.stdout, try workspace.read(out), try workspace.read(outside)] {
            #expect(note == own)
        }
        let report: CheckpointReport = try await workspace.succeed("checkpoint", "--json").json()
        #expect(report.note == own)
        #expect(report.origin == "example.org/logins")
        #expect(report.size == stats.events)
        let computed = try await workspace.checkTree()
        #expect(report.root == computed.root)
        let verified = try await workspace.verifyProof(own, key, "checkpoint")
        #expect(verified.lines == ["\(stats.events)"], "\(verified)")
        let forged = own.replacing("\n\(stats.events)\n", with: "\n\(stats.events + 1)\n")
        #expect(try await workspace.verifyProof(forged, key, "checkpoint").status == 1)
        // A checkpoint of an empty ledger is one, too.
        let empty = try Workspace()
        let made: InitReport = try await empty.succeed("init", "--json").json()
        let note = try await empty.succeed("checkpoint").stdout
        #expect(
            try await empty.verifyProof(note, made.verifierKey, "checkpoint").lines == ["0"])
    }

    @Test("is verified by a key without any ledger, and by an older one with it")
    func verifies() async throws {
        let (workspace, key) = try await Workspace.signed(seed: 411, sessions: 6)
        let old = workspace.files + "/old"
        try await workspace.succeed("checkpoint", "--out", old)
        _ = try await workspace.ingest(Workload(seed: 412, sessions: 6).lines)
        let new = workspace.files + "/new"
        try await workspace.succeed("checkpoint", "--out", new)
        let nowhere = try Workspace()
        let offline: CheckpointVerifyReport = try await nowhere.succeed(
            "checkpoint", "verify", new, "--key", key, "--json"
        ).json()
        #expect(offline.ok && offline.keyGiven && offline.signedBy == [key])
        let online: CheckpointVerifyReport = try await workspace.succeed(
            "checkpoint", "verify", new, "--old", old, "--json"
        ).json()
        #expect(online.ok && online.consistent == true && !online.keyGiven)
        // The wrong way round it is no growth.
        #expect(try await workspace.run("checkpoint", "verify", old, "--old", new).status == 5)
        let other = try Workspace()
        let foreign: InitReport = try await other.succeed(
            "init", "--origin", "example.org/logins", "--json"
        ).json()
        let wrong = try await nowhere.run(
            "checkpoint", "verify", new, "--key", foreign.verifierKey, "--json")
        #expect(wrong.status == 1)
        let report: CheckpointVerifyReport = try wrong.json()
        #expect(report.findings.map(\.code) == ["key-unknown"])
        let changed = try workspace.write(
            try workspace.read(new).replacing("example.org/logins\n", with: "example.org/logs\n"))
        let refused = try await nowhere.run("checkpoint", "verify", changed, "--key", key, "--json")
        #expect(refused.status == 1)
        #expect(try refused.json(CheckpointVerifyReport.self).findings.map(\.code) == ["signature"])
        let text = try workspace.write("hello\n")
        #expect(try await nowhere.run("checkpoint", "verify", text, "--key", key).status == 1)
        #expect(try await nowhere.run("checkpoint", "verify", new, "--key", "x").status == 2)
        #expect(try await nowhere.run("checkpoint", "verify", new).status == 6)
    }

    @Test("keeps signatures of others, which count for nothing")
    func keepsOthers() async throws {
        let (workspace, key) = try await Workspace.signed(seed: 413, sessions: 2)
        let note = try await workspace.succeed("checkpoint").stdout
        let path = try workspace.write(
            note + "— witness.example/w1 AAAAAQAAAAA=\n— example.org/logins AAAAAgAAAAA=\n")
        let report: CheckpointVerifyReport = try await workspace.succeed(
            "checkpoint", "verify", path, "--key", key, "--json"
        ).json()
        #expect(report.ok && report.unknownSignatures == 2)
        try await workspace.succeed("verify", "--checkpoint", path, "--key", key)
    }

    @Test("that the signing key was changed leads from the old key to the new one")
    func rotates() async throws {
        struct Rotation: Decodable {
            let verifierKey: String
            let previousVerifierKey: String
            let checkpoint: String
        }
        let (workspace, key) = try await Workspace.signed(seed: 414, sessions: 4)
        let rotation: Rotation = try await workspace.succeed(
            "keys", "rotate", "signing", "--json"
        ).json()
        #expect(rotation.previousVerifierKey == key)
        for trusted in [key, rotation.verifierKey] {
            let verified = try await workspace.verifyProof(
                rotation.checkpoint, trusted, "checkpoint")
            #expect(verified.status == 0, "\(verified)")
        }
        _ = try await workspace.ingest(Workload(seed: 415, sessions: 4).lines)
        let report: ProvenReport = try await workspace.succeed(
            "verify", "--key", key, "--json"
        ).json()
        #expect(report.proven.map(\.key) == [key, rotation.verifierKey])
        #expect(report.proven.map(\.keyGiven) == [true, true])
        let stats: StatsReport = try await workspace.succeed("stats", "--json").json()
        #expect(report.proven.last?.size == stats.events)
        let events = try await workspace.run(
            "log", "--type", "authledger.ledger.signing-key-rotated")
        #expect(events.lines.count == 1, "\(events)")
    }

    @Test("newer than the log keeps anything from being recorded, and is named")
    func rollback() async throws {
        let (workspace, key) = try await Workspace.signed(seed: 416, sessions: 4)
        let older = workspace.files + "/older"
        try FileManager.default.copyItem(atPath: workspace.ledger, toPath: older)
        _ = try await workspace.ingest(Workload(seed: 417, sessions: 4).lines)
        let kept = workspace.files + "/kept"
        try await workspace.succeed("checkpoint", "--out", kept)
        // Only the log is put back.
        try FileManager.default.removeItem(atPath: workspace.ledger + "/log")
        try FileManager.default.copyItem(
            atPath: older + "/log", toPath: workspace.ledger + "/log")
        let lines = Workload.file(Workload(seed: 418, sessions: 1).lines)
        let refused = try await workspace.run("ingest", "--json", stdin: .text(lines))
        #expect(refused.status == 5, "\(refused)")
        #expect(try refused.error().code == "rolled-back")
        let found = try await workspace.run("verify", "--json")
        #expect(found.status == 5)
        #expect(try found.json(ProvenReport.self).findings.map(\.code).contains("rolled-back"))
        try await workspace.succeed("log")
        // The whole directory is put back: only what was kept outside tells.
        try FileManager.default.removeItem(atPath: workspace.ledger)
        try FileManager.default.copyItem(atPath: older, toPath: workspace.ledger)
        let blind: ProvenReport = try await workspace.succeed("verify", "--json").json()
        #expect(blind.notProven.contains("rollback"))
        let seen = try await workspace.run(
            "verify", "--checkpoint", kept, "--key", key, "--json")
        #expect(seen.status == 5)
        #expect(try seen.json(ProvenReport.self).findings.map(\.code) == ["rolled-back"])
        let compared = try await workspace.run("checkpoint", "verify", kept, "--json")
        #expect(compared.status == 5, "\(compared)")
    }

    @Test("handed in takes `rollback` from what is not proven, and is named with its key")
    func handedIn() async throws {
        let (workspace, key) = try await Workspace.signed(seed: 419, sessions: 4)
        let kept = workspace.files + "/kept"
        try await workspace.succeed("checkpoint", "--out", kept)
        let report: ProvenReport = try await workspace.succeed(
            "verify", "--checkpoint", kept, "--key", key, "--json"
        ).json()
        #expect(!report.notProven.contains("rollback"))
        #expect(report.proven.map(\.key) == [key])
        let stats: StatsReport = try await workspace.succeed("stats", "--json").json()
        #expect(report.proven.first?.from == 0 && report.proven.first?.size == stats.events)
        let text = try await workspace.succeed("verify").stdout
        #expect(text.contains("signed by the ledger's own key: the first \(stats.events) events"))
        let low = try await workspace.run("verify", "--level", "frames", "--key", key)
        #expect(low.status == 2)
    }
}
