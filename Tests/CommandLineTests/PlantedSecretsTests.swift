// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("What is secret in the input", .inTurn)
struct PlantedSecretsTests {
    private struct Hit: Decodable {
        let file: String
        let form: String
        let secret: String
    }

    /// Looks for secrets in every form below these paths.
    private func search(
        _ workspace: Workspace, for secrets: [String], in paths: String...
    ) async throws -> [Hit] {
        let list = try workspace.write(Workload.file(secrets), "secrets")
        let outcome = try await workspace.python("search.py", [list] + paths)
        guard outcome.status == 0 else { throw TestFailure(outcome.description) }
        return try outcome.jsonLines()
    }

    @Test("stands nowhere in the clear: not in the ledger, not expanded, not in any output")
    func nowhereInTheClear() async throws {
        let workspace = try await Workspace.withLedger()
        let workload = Workload(seed: 60, sessions: 32)
        let file = try workspace.write(workload.file)
        try await workspace.succeed("ingest", file, "-v", "--acks")
        _ = try await workspace.ingest(workload.lines)
        try await refuseEverything(workspace, workload)
        for command in [
            ["log"], ["log", "--json"], ["log", "--raw"], ["stats"], ["verify", "-v"],
        ] {
            let outcome = try await workspace.start(command).end()
            #expect(outcome.status == 0)
        }
        let session = try #require(workload.events.first?.session)
        try await workspace.succeed("log", "--session", session)
        // What it expands to lies in the outputs then.
        try await workspace.surgeon("inflate")
        let hits = try await search(
            workspace, for: workload.secrets, in: workspace.outputs, workspace.root + "/data",
            workspace.root + "/config", workspace.root + "/home")
        #expect(hits.isEmpty, "\(hits.prefix(5))")
    }

    /// Lines with every secret in them that are refused, for people and for programs.
    private func refuseEverything(_ workspace: Workspace, _ workload: Workload) async throws {
        let refused = workload.events.flatMap { event in
            [
                event.json.setting("extra", "x"), event.json.setting("data.extra", "x"),
                event.json.setting("data.sealed.more", "x"), event.json.setting("data.flow", 1),
            ].map(\.text) + [event.json.text + "}", String(event.json.text.dropLast(30))]
        }
        let planted = workload.secrets.flatMap { secret in
            let event = SampleSession(700).event("initiated")
            return ["specversion", "subject", "id", "time", "type", "data.flow", "data.issuer"].map
            {
                event.setting($0, .string(secret)).text
            } + [event.setting("data." + secret.replacing(".", with: "-"), 1).text]
        }
        let file = Workload.file(refused + planted)
        let people = try await workspace.run("ingest", "-v", stdin: .text(file))
        #expect(people.status == 1)
        let report: IngestReport = try await workspace.run("ingest", "--json", stdin: .text(file))
            .json()
        #expect(report.rejected == refused.count + planted.count)
    }

    @Test("would be found in every form, at each alignment of base64")
    func searchFinds() async throws {
        let workspace = try Workspace()
        let secret = "19121299999/Åse?>"
        let bytes = Array(secret.utf8)
        var forms: [String: String] = [
            "plain": secret, "hex": bytes.map { String($0, radix: 16) }.joined(),
            "HEX": bytes.map { String($0, radix: 16).uppercased() }.joined(),
            "json": "19121299999/\\u00c5se?>", "json/slash": "19121299999\\/Åse?>",
        ]
        for shift in 0..<3 {
            let around = [UInt8](repeating: 0xFF, count: 3 + shift) + bytes + [0xEE, 0xDD]
            let text = Data(around).base64EncodedString()
            forms["base64/\(shift)"] = text
            forms["base64url/\(shift)"] = text.replacing("+", with: "-").replacing("/", with: "_")
        }
        #expect(Set(forms.values).count == 11)
        for (form, text) in forms {
            try workspace.write("before\(text)after", "hidden")
            let hits = try await search(workspace, for: [secret], in: workspace.files + "/hidden")
            #expect(hits.map(\.form).contains(form), "\(form): \(hits)")
        }
    }

    @Test("would be found in what comes in")
    func searchFindsInput() async throws {
        let workspace = try Workspace()
        let workload = Workload(seed: 60, sessions: 32)
        let file = try workspace.write(workload.file)
        let hits = try await search(workspace, for: workload.secrets, in: file)
        #expect(Set(hits.map(\.secret)).count > workload.secrets.count / 2)
        // The claims of tokens come as base64.
        #expect(hits.contains { $0.form.hasPrefix("base64url/") })
    }

    @Test("is replaced in the clear by `other` where a registered value belongs")
    func unregisteredValues() async throws {
        let workspace = try await Workspace.withLedger()
        let session = SampleSession(20)
        let phone = SampleSession(21, flow: "ciba")
        let lines = [
            session.event("initiated").setting("data.responseMode", "id19121299999"),
            session.event("redirected"),
            session.event("callback").setting("data.error", "id19121299999"),
            session.further("failed", ["stage": "callback", "reason": "access-denied"])
                .setting("data.error", "access_denied"),
            phone.event("initiated"),
            phone.event("polled").setting("data.hint", "id19121299999"),
        ].map(\.text)
        #expect(try await workspace.ingest(lines).accepted == 6)
        let leaves = try await workspace.leaves().split(separator: "\n")
        #expect(leaves[0].contains("\"responseMode\":\"other\""))
        #expect(leaves[2].contains("\"error\":\"other\""))
        #expect(leaves[3].contains("\"error\":\"access_denied\""))
        #expect(leaves[5].contains("\"hint\":\"other\""))
        #expect(try await workspace.ingest(lines).duplicates == 6)
        let other = session.event("callback").setting("data.error", "id19121299998").text
        #expect(try await workspace.ingest([other]).rejections.map(\.code) == ["id-conflict"])
    }
}
