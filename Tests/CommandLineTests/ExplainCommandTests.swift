// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("explain", .inTurn)
struct ExplainCommandTests {
    private struct Evidence: Decodable {
        let position: Int
        let text: String
    }

    private struct Report: Decodable {
        let session: String
        let reason: String?
        let `class`: String?
        let severity: String?
        let title: String
        let evidence: [Evidence]
        let likelyCauses: [String]
        let hint: String
        let retrySafe: Bool
    }

    private struct Entry: Decodable, Equatable {
        let code: String
        let `class`: String
        let severity: String
        let title: String
        let evidence: [String]
        let likelyCauses: [String]
        let hint: String
        let retrySafe: Bool
    }

    private struct Catalogue: Decodable, Equatable {
        let codes: [Entry]
    }

    private static func published() throws -> Catalogue {
        let file = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Schemas/failure-codes.json")
        return try JSONDecoder().decode(Catalogue.self, from: Data(contentsOf: file))
    }

    /// A login that failed as `login` would have gone on, and its workspace.
    private static func failed() async throws -> (Workspace, SampleSession) {
        let workspace = try await Workspace.withLedger()
        let login = SampleSession(0)
        let denied = login.further(
            "failed", ["stage": "callback", "reason": "state-mismatch", "error": "other"])
        let lines = login.lines.prefix(3) + [denied.text]
        try #require(try await workspace.ingest(Array(lines)).rejected == 0)
        return (workspace, login)
    }

    @Test("says why, what shows it, what may have led to it, and what to do")
    func session() async throws {
        let (workspace, login) = try await Self.failed()
        let report: Report = try await workspace.succeed("explain", login.subject, "--json").json()
        #expect(report.session == login.subject)
        #expect(report.reason == "state-mismatch")
        #expect(report.class == "attack")
        #expect(report.severity == "warning")
        #expect(!report.retrySafe)
        #expect(Set(report.evidence.map(\.position)) == [0, 1, 2, 3])
        #expect(report.likelyCauses.count > 1)
        let text = try await workspace.succeed("explain", login.subject).stdout
        #expect(
            text.hasPrefix("state-mismatch: \(report.title)\nclass attack · severity warning\n"))
        #expect(text.split(separator: "\n").contains("session \(login.subject)"))
        for part in ["at 3", "1. ", "What to do: ", "Do not just try again"] {
            #expect(text.contains(part), "\(part)")
        }
    }

    @Test("of a session that did not fail ends well and names no cause")
    func good() async throws {
        let workspace = try await Workspace.withLedger()
        let login = SampleSession(1)
        _ = try await workspace.ingest(login.lines)
        let report: Report = try await workspace.succeed("explain", login.subject, "--json").json()
        #expect(report.reason == nil)
        #expect(report.class == nil)
        #expect(report.severity == nil)
        #expect(report.likelyCauses.isEmpty)
        #expect(report.hint == "Nothing needs to be done.")
    }

    @Test("prints the catalogue that is published, and needs no ledger for it")
    func codes() async throws {
        let workspace = try Workspace()
        let published = try Self.published()
        let printed: Catalogue = try await workspace.succeed("explain", "--codes", "--json").json()
        #expect(printed == published)
        #expect(published.codes.count > 60)
        let lines = try await workspace.succeed("explain", "--codes").lines
        #expect(lines.count == published.codes.count)
        for (line, entry) in zip(lines, published.codes) {
            #expect(line.hasPrefix("\(entry.code) ") && line.hasSuffix("  \(entry.title)"))
        }
        #expect(!FileManager.default.fileExists(atPath: workspace.ledger))
    }

    @Test("tells what one code means without a ledger")
    func code() async throws {
        let workspace = try Workspace()
        let entry: Entry = try await workspace.succeed(
            "explain", "--code", "key-missing", "--json"
        ).json()
        #expect(try Self.published().codes.contains(entry))
        let text = try await workspace.succeed("explain", "--code", "key-missing").stdout
        #expect(text.hasPrefix("key-missing: \(entry.title)\nclass ledger · severity incident\n"))
    }

    @Test(
        "is told one thing at a time",
        arguments: [
            ["explain"], ["explain", "0198b0f2", "--codes"], ["explain", "--code", "x", "--codes"],
            ["explain", "0198b0f2", "--code", "key-missing"],
        ])
    func oneAtATime(arguments: [String]) async throws {
        let workspace = try Workspace()
        let outcome = try await workspace.start(arguments + ["--json"]).end()
        #expect(outcome.status == 2)
        #expect(try outcome.error().code == "usage")
        #expect(outcome.output.isEmpty)
    }

    @Test("of a code that there is not says where to find them all")
    func unknown() async throws {
        let workspace = try Workspace()
        let outcome = try await workspace.run("explain", "--code", "state_mismatch", "--json")
        #expect(outcome.status == 2)
        #expect(try outcome.error().code == "code-unknown")
        #expect(try outcome.error().hint == "authledger explain --codes")
    }
}
