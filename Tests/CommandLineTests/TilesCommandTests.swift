// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("Tiles", .inTurn)
struct TilesCommandTests {
    struct Export: Decodable {
        let events: Int
        let eventsBefore: Int
        let tilesWritten: Int
        let root: String
    }

    struct Import: Decodable {
        let events: Int
        let root: String
        let keys: Bool
        let origin: String
    }

    @Test("and proofs over them are accepted by pymerkle and by Go's checksum database")
    func interoperate() async throws {
        let (workspace, key) = try await Workspace.signed(seed: 430, sessions: 20)
        let old = workspace.files + "/old"
        let mirror = workspace.files + "/mirror"
        try await workspace.succeed("checkpoint", "--out", old)
        try await workspace.succeed("export", "tiles", mirror)
        _ = try await workspace.ingest(Workload(seed: 431, sessions: 120).lines)
        let export: Export = try await workspace.succeed("export", "tiles", mirror, "--json").json()
        #expect(export.events > 400 && export.eventsBefore > 0)
        let oldSize = export.eventsBefore
        var proofs: [String] = []
        for position in [0, 1, 255, 256, oldSize, export.events - 1] {
            let proof = try await workspace.succeed("prove", "\(position)").stdout
            proofs.append(try workspace.write(proof, "\(position).tlog-proof"))
        }
        let early = try await workspace.succeed("prove", "5", "--size", "\(oldSize)").stdout
        proofs.append(try workspace.write(early, "early.tlog-proof"))
        let growth = try workspace.write(
            try await workspace.succeed("prove", "--old", "\(oldSize)").stdout, "growth")

        let go = try await workspace.sumdb([key, mirror] + proofs + [old, growth])
        #expect(go.lines == ["\(export.events)"], "\(go)")
        let python = try await workspace.pymerkle([mirror] + proofs + [old])
        #expect(python.lines == ["\(export.events)"], "\(python)")

        // Both refuse what was changed.
        let tile = mirror + "/tile/0/000"
        var bytes = try Data(contentsOf: URL(filePath: tile))
        bytes[40] ^= 1
        try bytes.write(to: URL(filePath: tile))
        #expect(try await workspace.sumdb([key, mirror]).status != 0)
        #expect(try await workspace.pymerkle([mirror]).status != 0)
    }

    @Test("make a ledger again, on another machine, and with its keys it goes on")
    func migrate() async throws {
        let (workspace, key) = try await Workspace.signed(seed: 432, sessions: 20)
        let mirror = workspace.files + "/mirror"
        try await workspace.succeed("export", "tiles", mirror)
        let before: ReverifyReport = try await workspace.run("reverify", "--json").json()
        #expect(before.tokens > 0)
        let elsewhere = try Workspace()
        try FileManager.default.createDirectory(
            atPath: elsewhere.root + "/config/authledger", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: workspace.keyRoot, toPath: elsewhere.keyRoot)
        let made: Import = try await elsewhere.succeed(
            "import", mirror, "--keys", workspace.ledger + "/keys", "--key", key, "--json"
        ).json()
        #expect(made.keys)
        let (old, new) = (try await workspace.leaves(), try await elsewhere.leaves())
        #expect(old == new)
        let computed = try await elsewhere.checkTree()
        #expect(made.root == computed.root)
        let after: ReverifyReport = try await elsewhere.run("reverify", "--json").json()
        #expect(after.tokens == before.tokens && after.verified == before.verified)
        _ = try await elsewhere.ingest(Workload(seed: 433, sessions: 2).lines)
        try await elsewhere.succeed("verify", "--key", key)
        // A place that is taken is left alone.
        let again = try await elsewhere.run("import", mirror, "--json")
        #expect(again.status == 2)
        #expect(try again.error().code == "ledger-exists")
    }

    @Test("that were changed make no ledger, and the first bad position is named")
    func changed() async throws {
        let (workspace, _) = try await Workspace.signed(seed: 434, sessions: 6)
        let mirror = workspace.files + "/mirror"
        let export: Export = try await workspace.succeed("export", "tiles", mirror, "--json").json()
        let bundle = mirror + "/tile/entries/000.p/\(export.events)"
        var bytes = try Data(contentsOf: URL(filePath: bundle))
        bytes[bytes.count - 20] ^= 1
        try bytes.write(to: URL(filePath: bundle))
        let copy = workspace.files + "/copy"
        let refused = try await workspace.run("import", mirror, "--ledger", copy, "--json")
        #expect(refused.status == 5, "\(refused)")
        let error = try refused.error()
        #expect(error.code == "export-damaged")
        #expect(error.message.contains("position \(export.events - 1)"))
        #expect(!FileManager.default.fileExists(atPath: copy))
        let nothing = try await workspace.run("import", workspace.root + "/home", "--ledger", copy)
        #expect(nothing.status == 2)
        #expect(try await workspace.run("export", "tiles", workspace.root).status == 2)
    }

    struct ReverifyReport: Decodable {
        let tokens: Int
        let verified: Int
    }
}

@Suite("A command that reads damaged pages", .inTurn)
struct DamagedPagesTests {
    @Test("says so and ends with status 5, never by a signal")
    func endsWithStatus() async throws {
        let workspace = try await Workspace.withLedger()
        _ = try await workspace.ingest(Workload(seed: 440, sessions: 40).lines)
        let file = URL(filePath: workspace.ledger + "/log/data.mdb")
        let good = try Data(contentsOf: file)
        let line = Workload.file(Workload(seed: 441, sessions: 1).lines)
        var crashes = 0
        for pages in [3, 5, 8, 12, 20, 40] where pages * 4096 < good.count {
            try good.prefix(pages * 4096).write(to: file)
            for arguments in [["log", "--json"], ["stats", "--json"], ["ingest", "--json"]] {
                let outcome = try await workspace.start(
                    arguments, stdin: arguments[0] == "ingest" ? .text(line) : .nothing
                ).end()
                #expect(outcome.status < 128, "\(pages) pages: \(outcome)")
                #expect(!outcome.stderr.contains("crashed"), "\(outcome)")
                guard outcome.status == 5 else { continue }
                if try outcome.error().code == "storage-damaged" { crashes += 1 }
            }
        }
        try good.write(to: file)
        #expect(crashes > 0, "no read came as far as the pages that are not there")
    }
}
