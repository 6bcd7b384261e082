// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("Damage to a ledger", .inTurn)
struct DamageTests {
    private static let workload = Workload(seed: 50, sessions: 60)

    /// A ledger with the workload in it, more than one full subtree.
    private static func filled() async throws -> Workspace {
        let workspace = try await Workspace.withLedger()
        _ = try await workspace.ingest(workload.lines)
        return workspace
    }

    private func verify(_ workspace: Workspace) async throws -> VerifyReport {
        let outcome = try await workspace.run("verify", "--json")
        #expect(outcome.status == 5, "\(outcome)")
        let report: VerifyReport = try outcome.json()
        #expect(!report.ok)
        #expect(!report.findings.isEmpty)
        return report
    }

    @Test(
        "done through its storage is found, with the position where there is one",
        arguments: [
            (["alter-frame", "17"], "frame-damaged", 17),
            (["drop-frame", "17"], "frame-damaged", 17),
            (["swap-frames", "17", "40"], "stream-broken", 17),
            (["drop-frame", "\(workload.lines.count - 1)"], "event-count", nil),
            (
                ["drop-index", "\(workload.lines.count - 1)"], "index-count",
                workload.lines.count - 1
            ),
        ] as [([String], String, Int?)])
    func throughTheStorage(damage: [String], code: String, position: Int?) async throws {
        let workspace = try await Self.filled()
        let arguments = [damage[0], workspace.ledger] + damage.dropFirst()
        let surgery = try await workspace.python("surgeon.py", arguments)
        try #require(surgery.status == 0, "\(surgery)")
        let report = try await verify(workspace)
        #expect(
            report.findings.contains { $0.code == code && $0.position == position }, "\(report)")
        for finding in report.findings {
            #expect(finding.position.map { (0..<Self.workload.lines.count).contains($0) } ?? true)
        }
        let people = try await workspace.run("verify")
        #expect(people.status == 5)
        #expect(people.stdout.hasPrefix("DAMAGED"))
    }

    @Test("that changes an event together with its hash is found by the root")
    func forgedEvent() async throws {
        let workspace = try await Self.filled()
        let leaves = try await workspace.leaves()
        let lines = leaves.split(separator: "\n")
        let position = try #require(lines.firstIndex { $0.contains("\"access_denied\"") })
        try await workspace.surgeon(
            "forge-frame", "\(position)", "access_denied", "server_error", stdin: .text(leaves))
        let report = try await verify(workspace)
        #expect(report.findings.contains { $0.code == "root-mismatch" }, "\(report)")
    }

    @Test("to a document is found when it is changed")
    func alteredDocument() async throws {
        let workspace = try await Self.filled()
        let name = try #require(try await workspace.surgeon("blobs").lines.first)
        try await workspace.surgeon("alter-blob", name)
        let report = try await verify(workspace)
        #expect(report.findings.contains { $0.code == "blob-damaged" }, "\(report)")
    }

    @Test("to a document is found when it is gone, with the event that names it")
    func missingDocument() async throws {
        let workspace = try await Self.filled()
        let leaves = try await workspace.leaves().split(separator: "\n")
        for member in ["sealedBlob", "keySetDigest", "policyDigest"] {
            let position = try #require(leaves.firstIndex { $0.contains("\"\(member)\":\"") })
            let name = try #require(
                leaves[position].firstMatch(of: try Regex("\"\(member)\":\"([^\"]*)\""))?
                    .output[1].substring)
            let first = leaves.firstIndex { $0.contains(name) }
            try await workspace.surgeon("drop-blob", String(name))
            let report = try await verify(workspace)
            #expect(
                report.findings.contains { $0.code == "blob-missing" && $0.position == first },
                "\(report)")
            #expect(report.findings.contains { $0.code == "blob-count" }, "\(report)")
        }
    }

    // MARK: - In the file

    /// A small ledger, and a copy of it to damage.
    private struct Patient {
        let workspace: Workspace
        let leaves: String
        let content: Data
        var copy: String { workspace.files + "/copy" }
        var file: URL { URL(filePath: copy + "/log/data.mdb") }

        init() async throws {
            workspace = try await Workspace.withLedger()
            _ = try await workspace.ingest(Workload(seed: 51, sessions: 16).lines)
            leaves = try await workspace.leaves()
            try FileManager.default.copyItem(
                atPath: workspace.ledger, toPath: workspace.files + "/copy")
            content = try Data(contentsOf: URL(filePath: workspace.ledger + "/log/data.mdb"))
        }

        func verify(after damage: Data) async throws -> Outcome {
            try damage.write(to: file)
            return try await workspace.run("verify", "--json", "--ledger", copy)
        }
    }

    @Test("to a byte of a stored event is found, with the event's position")
    func flippedInFrames() async throws {
        struct Stored: Decodable {
            let position: Int
            let hex: String
        }
        let patient = try await Patient()
        let frames = try await patient.workspace.surgeon("frames").jsonLines(Stored.self)
        var generator = SeededGenerator(seed: 52)
        for _ in 0..<40 {
            let frame = generator.pick(frames)
            let bytes = Self.bytes(frame.hex)
            let offset = generator.number(0..<bytes.count)
            var damaged = patient.content
            // Pages are copied when they change, so older copies may lie about; all are hit alike.
            var start = damaged.startIndex
            while let range = damaged.range(of: bytes, in: start..<damaged.endIndex) {
                damaged[range.lowerBound + offset] ^= UInt8(1 << generator.number(0..<8))
                start = range.upperBound
            }
            try #require(start > damaged.startIndex)
            let outcome = try await patient.verify(after: damaged)
            #expect(outcome.status == 5, "byte \(offset) of \(frame.position): \(outcome)")
            let report: VerifyReport = try outcome.json()
            #expect(
                report.findings.contains { $0.position == frame.position },
                "byte \(offset) of \(frame.position): \(report)")
        }
    }

    @Test("to any byte of the file is found, or changes no event")
    func flippedAnywhere() async throws {
        let patient = try await Patient()
        var generator = SeededGenerator(seed: 53)
        for round in 0..<60 {
            var damaged = patient.content
            // Every other time in the first bytes of a page, where its structure is.
            let page = generator.number(0..<damaged.count / 4096) * 4096
            let offset = page + generator.number(0..<(round % 2 == 0 ? 4096 : 32))
            damaged[offset] ^= UInt8(1 << generator.number(0..<8))
            let outcome = try await patient.verify(after: damaged)
            guard outcome.status == 0 else {
                #expect(outcome.status == 5, "byte \(offset): \(outcome)")
                continue
            }
            let leaves = try await patient.workspace.run("log", "--raw", "--ledger", patient.copy)
            #expect(leaves.stdout == patient.leaves, "byte \(offset): \(outcome)")
        }
    }

    @Test("that cut the file short is found, though reading it ends by a signal")
    func cutShort() async throws {
        let patient = try await Patient()
        for pages in [1, 2, 3, 5, 8, patient.content.count / 4096 - 6] {
            let outcome = try await patient.verify(after: patient.content.prefix(pages * 4096))
            #expect(outcome.status == 5, "\(pages) pages: \(outcome)")
            #expect(!outcome.stderr.contains("crashed"), "memory is shown: \(outcome)")
        }
        // Nothing at all is no damaged environment any more.
        #expect(try await patient.verify(after: Data()).status == 6)
        _ = try await patient.verify(after: patient.content.prefix(8 * 4096))
        let people = try await patient.workspace.run("verify", "--ledger", patient.copy)
        #expect(people.status == 5)
        #expect(people.stdout.hasPrefix("DAMAGED"))
        #expect(people.stdout.contains("(storage-damaged)"))
    }

    private static func bytes(_ hex: String) -> Data {
        let digits = Array(hex.utf8).map { $0 < 0x3A ? $0 - 0x30 : $0 - 0x57 }
        return Data(
            stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
    }
}
