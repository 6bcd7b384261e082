// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("prove", .inTurn)
struct ProveCommandTests {
    @Test("an event: a proof that another program verifies with openssl, in trees of any size")
    func event() async throws {
        let (workspace, key) = try await Workspace.signed(seed: 420, sessions: 70)
        let leaves = try await workspace.leaves().split(separator: "\n").map(String.init)
        #expect(leaves.count > 300)
        for (position, size) in [
            (0, leaves.count), (leaves.count - 1, leaves.count), (255, 256), (256, 257), (17, 100),
            (0, 1),
        ] {
            let leaf = try workspace.write(leaves[position], "leaf")
            let whole = size == leaves.count
            let proof = try await workspace.start(
                ["prove", "\(position)"] + (whole ? [] : ["--size", "\(size)"])
            ).end()
            let verified = try await workspace.verifyProof(proof.stdout, key, "event", leaf)
            #expect(verified.lines == ["\(size)"], "\(position) of \(size): \(verified)")
            let other = try workspace.write(leaves[(position + 1) % leaves.count], "other")
            let refused = try await workspace.verifyProof(proof.stdout, key, "event", other)
            #expect(refused.status == 1)
        }
        #expect(try await workspace.run("prove", "\(leaves.count)").status == 2)
        #expect(
            try await workspace.run("prove", "3", "--size", "\(leaves.count + 1)").status == 2)
        #expect(try await workspace.run("prove").status == 2)
        #expect(try await workspace.run("prove", "3", "--old", "2").status == 2)
    }

    @Test("a session: every event of it, linked, and what this does not show")
    func session() async throws {
        let (workspace, key) = try await Workspace.signed(seed: 421, sessions: 12)
        let all = try await workspace.succeed("log", "--json").jsonLines(LogLine.self)
        for session in Set(all.map(\.event.subject)) {
            let outcome = try await workspace.succeed("prove", "--session", session)
            let verified = try await workspace.verifyProof(outcome.stdout, key, "session")
            #expect(verified.lines == ["\(all.count)"], "\(verified)")
            let proof: SessionProofReport = try outcome.json()
            #expect(proof.gapFree && proof.session == session)
            let expected = all.filter { $0.event.subject == session }
            #expect(proof.events.map(\.position) == expected.map(\.position))
            #expect(proof.events.map(\.leafHash) == expected.map(\.leafHash))
            #expect(
                Set(proof.notProven).isSuperset(of: [
                    "stream-uniqueness", "unrecorded-events", "fork", "rollback",
                ]))
            // Without one of its events it is refused.
            if proof.events.count > 1 {
                var object = try #require(
                    try JSONSerialization.jsonObject(with: outcome.output) as? [String: Any])
                var events = try #require(object["events"] as? [Any])
                events.remove(at: events.count / 2 - (events.count == 2 ? 1 : 0))
                object["events"] = events
                let part = String(
                    decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
                #expect(try await workspace.verifyProof(part, key, "session").status == 1)
            }
        }
    }

    @Test("growth: the hashes that lead from an older checkpoint to the present one")
    func growth() async throws {
        let (workspace, key) = try await Workspace.signed(seed: 422, sessions: 5)
        var checkpoints: [(String, Int)] = []
        for seed in 423..<427 {
            let path = workspace.files + "/\(seed)"
            let report: CheckpointReport = try await workspace.succeed(
                "checkpoint", "--out", path, "--json"
            ).json()
            checkpoints.append((path, report.size))
            _ = try await workspace.ingest(Workload(seed: UInt64(seed), sessions: 20).lines)
        }
        for (path, size) in checkpoints {
            let proof = try await workspace.succeed("prove", "--old", "\(size)").stdout
            #expect(proof.hasPrefix("old \(size)\n"))
            let verified = try await workspace.verifyProof(proof, key, "growth", path)
            #expect(verified.status == 0, "\(verified)")
            let others = checkpoints.filter { $0.1 != size }
            for (other, _) in others {
                #expect(try await workspace.verifyProof(proof, key, "growth", other).status == 1)
            }
        }
    }

    @Test("needs no key where a checkpoint of the size is stored")
    func withoutKeys() async throws {
        let (workspace, key) = try await Workspace.signed(seed: 428, sessions: 5)
        try FileManager.default.removeItem(atPath: workspace.keyRoot)
        let proof = try await workspace.succeed("prove", "--old", "0").stdout
        #expect(proof.hasPrefix("old 0\n\nexample.org/logins\n"))
        let checkpoint = proof.dropFirst("old 0\n\n".count)
        let verified = try await workspace.verifyProof(String(checkpoint), key, "checkpoint")
        #expect(verified.status == 0, "\(verified)")
        let missing = try await workspace.run("prove", "0", "--size", "3", "--json")
        #expect(missing.status == 6)
        #expect(try missing.error().code == "root-key-missing")
    }
}
