// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("authledger reverify", .serialized, .inTurn)
struct ReverifyCommandTests {
    private struct Answer: Decodable, Equatable {
        struct Group: Decodable, Equatable {
            let provider: String?
            let algorithm: String?
            let keyID: String?
            let result: String
            let reason: String?
            let tokens: Int
        }

        struct Line: Decodable, Equatable {
            let session: String
            let position: Int
            let result: String
            let mismatch: Bool
            let differs: Bool?
            let reason: String?
            let failedChecks: [String]?
            let verdictThen: String?
        }

        let tokens: Int
        let verified: Int
        let failed: Int
        let erased: Int
        let inconclusive: Int
        let mismatches: Int
        let differing: Int
        let withoutVerdict: Int
        let groups: [Group]
        let mismatchList: [Line]?
        let differingList: [Line]?
    }

    /// A ledger with logins of every flow, some of them failing.
    private static func demo() async throws -> Workspace {
        let workspace = try Workspace()
        try await workspace.succeed("demo", "--json", "--ledger", workspace.ledger)
        return workspace
    }

    @Test("counts by provider, algorithm, key and outcome, and writes a line for each token")
    func groups() async throws {
        let workspace = try await Self.demo()
        let report = workspace.files + "/outcomes.jsonl"
        let outcome = try await workspace.succeed("reverify", "--json", "--report", report)
        let answer: Answer = try outcome.json()
        #expect(answer.tokens > 4 && answer.failed > 0 && answer.verified > answer.failed)
        #expect(answer.groups.reduce(0) { $0 + $1.tokens } == answer.tokens)
        #expect(answer.groups.allSatisfy { $0.provider != nil && $0.algorithm != nil })
        #expect(
            answer.groups.filter { $0.result == "failed" }.allSatisfy { $0.reason != nil })
        #expect(answer.mismatchList == [] && answer.differing == 0)
        let lines = try workspace.read(report).split(separator: "\n").map {
            try JSONDecoder().decode(Answer.Line.self, from: Data($0.utf8))
        }
        #expect(lines.count == answer.tokens)
        #expect(lines.allSatisfy { !$0.mismatch && $0.differs == nil })
        #expect(
            lines.allSatisfy { ($0.failedChecks ?? []).isEmpty == ($0.result != "failed") })
        let text = try await workspace.succeed("reverify").stdout
        #expect(text.hasPrefix("\(answer.tokens) tokens: "))
        let one = try await workspace.succeed("reverify", "--json", "--jobs", "1")
            .json(Answer.self)
        #expect(one == answer)
    }

    @Test("says what another policy would have refused, without contradicting the record")
    func policy() async throws {
        let workspace = try await Self.demo()
        let recorded: Answer = try await workspace.succeed("reverify", "--json").json()
        for text in ["levelOfAssuranceMin: 4\n", #"{"levelOfAssuranceMin":4}"#] {
            let file = try workspace.write(text, "policy")
            let answer: Answer = try await workspace.succeed(
                "reverify", "--policy", file, "--json"
            ).json()
            #expect(answer.tokens == recorded.tokens)
            #expect(answer.mismatches == 0 && answer.mismatchList == nil)
            #expect(answer.verified + answer.differing == recorded.verified)
            #expect(answer.differing > 0)
            #expect(answer.differingList?.count == min(100, answer.differing))
            let shown = try await workspace.succeed("reverify", "--policy", file).stdout
            #expect(shown.contains("(acr-too-low) now"))
        }
        let later: Answer = try await workspace.succeed(
            "reverify", "--at", "2099-01-01", "--json"
        ).json()
        #expect(later.verified == 0 && later.mismatches == 0)
        let keys: Answer = try await workspace.succeed(
            "reverify", "--keys", "now", "--json"
        ).json()
        #expect(keys.tokens == recorded.tokens)
    }

    @Test(
        "refuses a policy that is none",
        arguments: ["", "- a\n", "levelOfAssuranceMin: 17\n", "minimumLOA: 4\n", "\u{0}"])
    func policyRefused(text: String) async throws {
        let workspace = try await Workspace.withLedger()
        let file = try workspace.write(text, "policy.yaml")
        let outcome = try await workspace.run("reverify", "--policy", file, "--json")
        #expect(outcome.status == 2)
        #expect(try outcome.error().code == "policy-invalid")
        #expect(!outcome.stderr.contains("minimumLOA"))
    }

    @Test("goes on where it was cut off, and only with the same options")
    func cursor() async throws {
        let workspace = try await Workspace.withLedger()
        _ = try await workspace.ingest(Workload(seed: 7, sessions: 3000).lines)
        let whole = workspace.files + "/whole.jsonl"
        let first = try await workspace.run("reverify", "--json", "--report", whole)
        let expected: Answer = try first.json()
        let report = workspace.files + "/cut.jsonl"
        let cursor = workspace.files + "/cursor"
        let command = ["reverify", "--json", "--jobs", "1", "--report", report, "--cursor", cursor]
        let running = try workspace.start(command)
        while running.isRunning, !FileManager.default.fileExists(atPath: cursor) {
            try await Task.sleep(for: .milliseconds(2))
        }
        try #require(running.isRunning, "the run was through before it wrote a cursor")
        kill(running.processID, SIGKILL)
        _ = try await running.end()
        let other = try await workspace.run(
            "reverify", "--json", "--keys", "now", "--cursor", cursor)
        #expect(other.status == 2)
        #expect(try other.error().code == "cursor-mismatch")
        let last = try await workspace.run(
            "reverify", "--json", "--jobs", "1", "--report", report, "--cursor", cursor)
        #expect(last.status == first.status)
        #expect(try last.json(Answer.self) == expected)
        #expect(try workspace.read(report) == workspace.read(whole))
        #expect(!FileManager.default.fileExists(atPath: cursor))
    }

    @Test("refuses a cursor that is something else")
    func cursorRefused() async throws {
        let workspace = try await Workspace.withLedger()
        let cursor = try workspace.write("{}", "cursor")
        let outcome = try await workspace.run("reverify", "--cursor", cursor, "--json")
        #expect(outcome.status == 2)
        #expect(try outcome.error().code == "cursor-invalid")
        #expect(try workspace.read(cursor) == "{}")
    }
}
