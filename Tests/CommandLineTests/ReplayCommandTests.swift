// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

@Suite("The commands that look back", .inTurn)
struct ReplayCommandTests {
    /// A demo ledger: logins of every flow and every broker, good and failing.
    private static func demo(_ workspace: Workspace) async throws -> [JSONObject] {
        let demo = try await workspace.run("demo", "--ledger", workspace.ledger, "--json")
        #expect(demo.status == 0)
        return try #require(try demo.object["sessions"]?.arrayValue).compactMap(\.objectValue)
    }

    private static func session(
        _ sessions: [JSONObject], _ isMeant: (JSONObject) -> Bool
    ) throws -> String {
        try #require(sessions.first(where: isMeant)?["session"]?.stringValue)
    }

    @Test("replay decides every login of the demo the same again")
    func replayAll() async throws {
        let workspace = try Workspace()
        let sessions = try await Self.demo(workspace)
        let all = try await workspace.run("replay", "--all", "--json")
        #expect(all.status == 0)
        #expect(try all.object["sessions"] == .integer(Int64(sessions.count)))
        #expect(try all.object["differing"] == .integer(0))
        #expect(try all.object["verdictsDiffer"] == .integer(0))
        let one = try await workspace.run(
            "replay", "--all", "--provider", "idura", "--flow", "ciba")
        #expect(one.status == 0)
        #expect(one.stdout.contains("2 sessions"))
    }

    @Test("replay shows verdict then and now, and what another policy would have said")
    func policy() async throws {
        let workspace = try Workspace()
        let sessions = try await Self.demo(workspace)
        let session = try Self.session(sessions) {
            $0["flow"] == .string("pkce") && $0["state"] == .string("verified")
        }
        let plain = try await workspace.run("replay", session, "--json")
        #expect(plain.status == 0)
        #expect(try plain.object["decisionsMatch"] == .bool(true))
        #expect(try plain.object["verdictThen"] == .string("verified"))
        #expect(try plain.object["verdictNow"] == .string("verified"))
        let policy = workspace.files + "/policy.yaml"
        try Data("levelOfAssuranceMin: 4\n".utf8).write(to: URL(fileURLWithPath: policy))
        let other = try await workspace.run("replay", session, "--policy", policy, "--json")
        #expect(other.status == 0)
        #expect(try other.object["decisionsMatch"] == .bool(true))
        #expect(try other.object["verdictNow"] == .string("acr-too-low"))
        let checks = try #require(try other.object["checks"]?.arrayValue).compactMap(\.objectValue)
        #expect(
            checks.contains {
                $0["name"] == .string("acr") && $0["now"] == .string("failed")
            })
        try Data("levelOfAssuranceMin: many\n".utf8).write(to: URL(fileURLWithPath: policy))
        #expect(try await workspace.run("replay", session, "--policy", policy).status == 2)
    }

    @Test("replay --until stops early, and --step walks forwards and back")
    func steps() async throws {
        let workspace = try Workspace()
        let sessions = try await Self.demo(workspace)
        let session = try Self.session(sessions) {
            $0["flow"] == .string("code") && $0["state"] == .string("verified")
        }
        let early = try await workspace.run("replay", session, "--until", "2", "--json")
        #expect(try early.object["events"]?.arrayValue?.count == 2)
        #expect(try early.object["verdictThen"] == nil)
        let walk = try await workspace.run(
            "replay", session, "--step", stdin: .text("\n\nb\n5\nq\n"))
        let shown = walk.stdout.split(separator: "\n").filter { $0.hasPrefix("[") }.map {
            $0.prefix(5)
        }
        #expect(shown == ["[1/5]", "[2/5]", "[3/5]", "[2/5]", "[5/5]"])
        #expect(try await workspace.run("replay", session, "--until", "soon").status == 2)
        #expect(try await workspace.run("replay").status == 2)
        #expect(try await workspace.run("replay", session, "--all").status == 2)
    }

    @Test("replay writes a login as a fixture, and replays that without the ledger")
    func fixture() async throws {
        let workspace = try Workspace()
        let sessions = try await Self.demo(workspace)
        let session = try Self.session(sessions) { $0["reason"] == .string("nonce-mismatch") }
        let directory = workspace.files + "/bad-nonce"
        let written = try await workspace.run(
            "replay", session, "--fixture", directory, "--json")
        #expect(written.status == 0)
        #expect(try written.object["session"] == .string(session))
        #expect(try written.object["fixture"] == .string(directory))
        let again = try await workspace.run("replay", session, "--fixture", directory)
        #expect(again.status == 2)
        #expect(again.stderr.contains("not empty"))
        try await workspace.succeed(
            "erase", "--session", session, "--reason", "r", "--legal-basis", "b")
        let nowhere = workspace.files + "/erased"
        let erased = try await workspace.run(
            "replay", session, "--fixture", nowhere, "--json")
        #expect(erased.status == 3)
        #expect(try erased.error().code == "session-erased")
        #expect(!FileManager.default.fileExists(atPath: nowhere))
        try FileManager.default.removeItem(atPath: workspace.ledger)
        let replay = try await workspace.run("replay", "--from", directory, "--json")
        #expect(replay.status == 0)
        #expect(try replay.object["session"] == written.object["standsFor"])
        #expect(try replay.object["verdictThen"] == .string("nonce-mismatch"))
        #expect(try replay.object["verdictNow"] == .string("nonce-mismatch"))
        #expect(try replay.object["decisionsMatch"] == .bool(true))
        let policy = workspace.files + "/policy.yaml"
        try Data("levelOfAssuranceMin: 4\n".utf8).write(to: URL(fileURLWithPath: policy))
        let asked = try await workspace.run("replay", "--from", directory, "--policy", policy)
        #expect(asked.status == 0)
        #expect(asked.stdout.contains("acr: "))
        let early = try await workspace.run("replay", "--from", directory, "--until", "2")
        #expect(early.status == 0)
        let head = directory + "/fixture.json"
        let text = try String(contentsOfFile: head, encoding: .utf8)
        try text.replacingOccurrences(
            of: "\"verdictNow\": \"nonce-mismatch\"", with: "\"verdictNow\": \"verified\""
        ).write(toFile: head, atomically: true, encoding: .utf8)
        let other = try await workspace.run("replay", "--from", directory)
        #expect(other.status == 1)
        #expect(other.stdout.contains("not as the fixture expects: the verdict now"))
        try "{".write(toFile: head, atomically: true, encoding: .utf8)
        let broken = try await workspace.run("replay", "--from", directory)
        #expect(broken.status == 2)
        #expect(broken.stderr.contains("fixture.json"))
        #expect(try await workspace.run("replay", "--from", directory, "--all").status == 2)
        #expect(try await workspace.run("replay", "--all", "--fixture", directory).status == 2)
    }

    @Test("explain shows what a check compared, masked, and what other logins say")
    func explain() async throws {
        let workspace = try Workspace()
        let sessions = try await Self.demo(workspace)
        let session = try Self.session(sessions) { $0["reason"] == .string("nonce-mismatch") }
        let first = try await workspace.run("explain", session, "--json")
        let check = try #require(try first.object["checks"]?.arrayValue?.first?.objectValue)
        #expect(check["name"] == .string("nonce"))
        let expected = try #require(check["expected"]?.stringValue)
        let actual = try #require(check["actual"]?.stringValue)
        #expect(expected.hasPrefix("masked:") && actual.hasPrefix("masked:"))
        #expect(expected != actual)
        let second = try await workspace.run("explain", session, "--json")
        let again = try second.object["checks"]?.arrayValue?.first?.objectValue?["expected"]
        #expect(again != .string(expected))
        let neighbours = try #require(try first.object["neighbours"]?.objectValue)
        #expect(neighbours["verified"]?.integerValue ?? 0 > 0)
        #expect(neighbours["sameReason"] == .integer(0))
        let healthy = try #require(try first.object["healthySession"]?.stringValue)
        #expect(
            sessions.contains {
                $0["session"] == .string(healthy) && $0["state"] == .string("verified")
            })
        #expect(try first.object["providerClockAheadSeconds"] != nil)
        // A login that another key set was needed for differs from the one that went well in it.
        let expired = try Self.session(sessions) { $0["reason"] == .string("token-expired") }
        let page = try await workspace.run("explain", expired)
        #expect(page.stdout.contains("What the checks compared:"))
        #expect(page.stdout.contains("exp: expired"))
    }

    @Test("explain without keys at hand says what is in the clear")
    func explainWithoutKeys() async throws {
        let workspace = try Workspace()
        let sessions = try await Self.demo(workspace)
        let session = try Self.session(sessions) { $0["reason"] == .string("nonce-mismatch") }
        try FileManager.default.removeItem(atPath: workspace.root + "/config")
        let page = try await workspace.run("explain", session, "--json")
        #expect(page.status == 0)
        #expect(try page.object["reason"] == .string("nonce-mismatch"))
        #expect(try page.object["checks"] == nil)
    }

    @Test("keys list, show and timeline tell each key's life and use")
    func keys() async throws {
        let workspace = try Workspace()
        let sessions = try await Self.demo(workspace)
        let list = try await workspace.run("keys", "list", "--json")
        #expect(list.status == 0)
        let keys = try list.stdout.split(separator: "\n").map {
            try #require(
                try JSONReader.read(Array($0.utf8), numbers: .integersOnly).objectValue)
        }
        #expect(keys.count >= 4)
        #expect(keys.allSatisfy { $0["sources"] == .array([.string("own")]) })
        let verified = keys.reduce(0) { $0 + ($1["verified"]?.integerValue ?? 0) }
        let good = sessions.count { $0["state"] == .string("verified") }
        #expect(verified == Int64(good))
        let used = try #require(keys.first { $0["verified"]?.integerValue ?? 0 > 0 })
        let keyID = try #require(used["keyID"]?.stringValue)
        let issuer = try #require(used["issuer"]?.stringValue)
        let show = try await workspace.run("keys", "show", keyID, "--issuer", issuer, "--json")
        #expect(show.status == 0)
        #expect(try show.object["sessions"]?.arrayValue?.isEmpty == false)
        let timeline = try await workspace.run("keys", "timeline", "--issuer", issuer)
        #expect(timeline.stdout.contains("came: "))
        #expect(try await workspace.run("keys", "show", "no-such-key").status == 6)
    }
}

extension Outcome {
    /// Standard output read as one object.
    fileprivate var object: JSONObject {
        get throws {
            try #require(
                try JSONReader.read(Array(output), numbers: .integersOnly).objectValue)
        }
    }
}
