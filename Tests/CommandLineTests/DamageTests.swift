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
            (["drop-index", "17"], "index-count", nil),
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
}
