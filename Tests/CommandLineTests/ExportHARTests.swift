// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

@Suite("A login as an HTTP Archive, from the command line", .inTurn)
struct ExportHARTests {
    private struct Report: Decodable {
        let path: String
        let session: String
        let entries: Int
        let events: Int
        let bytes: Int
        let sha256: String
    }

    /// What another reader finds in an archive.
    private struct Read: Decodable {
        struct Entry: Decodable {
            let method: String
            let url: String
            let status: Int
            let time: Int
        }

        let creator: String
        let page: String
        let title: String
        let entries: [Entry]
    }

    private func export(
        _ workspace: Workspace, _ session: String, _ arguments: String...
    ) async throws -> Report {
        let path = workspace.files + "/\(session).har"
        let outcome = try await workspace.start(
            ["export", "har", session, "-o", path, "--json"] + arguments
        ).end()
        guard outcome.status == 0 else { throw TestFailure(outcome.description) }
        return try outcome.json()
    }

    private func object(_ text: String) throws -> JSONObject {
        try #require(try JSONReader.read(Array(text.utf8), numbers: .integersOnly).objectValue)
    }

    private func archive(_ report: Report) throws -> JSONObject {
        let text = try String(contentsOfFile: report.path, encoding: .utf8)
        return try #require(try object(text)["log"]?.objectValue)
    }

    @Test("is one of every flow and every ending, and has nothing that is sealed in the ledger")
    func demo() async throws {
        let workspace = try Workspace()
        try await workspace.succeed("demo", "--ledger", workspace.ledger)
        let sessions = try await workspace.succeed("sessions", "--json").lines.map(object)
        #expect(Set(sessions.compactMap { $0["flow"]?.stringValue }).count == 6)
        var reports: [Report] = []
        var sealedCount = 0
        for line in sessions {
            let session = try #require(line["session"]?.stringValue)
            let report = try await export(workspace, session)
            let text = try String(contentsOfFile: report.path, encoding: .utf8)
            let clear = try object(try await workspace.succeed("show", session, "--json").stdout)
            let shown = try object(
                try await workspace.succeed(
                    "show", session, "--reveal", "--reason", "test", "--json"
                ).stdout)
            let known = JSONValue.object(clear).texts + ["application/json"]
            let sealed = Set(JSONValue.object(shown).texts).filter { text in
                // When an exchange began may be sealed, and follows from what is not.
                text.utf8.count >= 8 && !known.contains { $0.contains(text) }
                    && Instant(rfc3339: text) == nil
            }
            for secret in sealed where text.contains(secret) {
                Issue.record("\(session): what is sealed stands in the archive: \(secret)")
            }
            sealedCount += sealed.count
            reports.append(report)
        }
        #expect(sealedCount > 10 * sessions.count)
        let outcome = try await workspace.haralyzer(reports.map(\.path))
        #expect(outcome.status == 0, "\(outcome)")
        let read = try outcome.jsonLines(Read.self)
        #expect(read.map(\.page) == reports.map(\.session))
        #expect(read.map(\.entries.count) == reports.map(\.entries))
        for (archive, line) in zip(read, sessions) {
            #expect(archive.creator == "AuthLedger")
            let state = try #require(line["state"]?.stringValue)
            #expect(archive.title.contains(": \(state)"))
            // Nothing is sent where discovery already fails.
            #expect(archive.entries.isEmpty == (line["stage"] == .string("discovery")))
            #expect(archive.entries.allSatisfy { !$0.url.contains("?") && !$0.url.contains("#") })
        }
        let requests = read.flatMap(\.entries)
        #expect(requests.contains { $0.url.hasSuffix("/par") && $0.status == 201 })
        #expect(requests.contains { $0.status == 400 && $0.method == "POST" })
    }

    @Test("has none of the secrets that other programs reported, in no form")
    func planted() async throws {
        let workspace = try await Workspace.withLedger()
        let workload = Workload(seed: 61, sessions: 36)
        _ = try await workspace.ingest(workload.lines)
        let folder = workspace.files + "/archives"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false)
        let sessions = Set(workload.events.map(\.session)).sorted()
        for session in sessions {
            try await workspace.succeed(
                "export", "har", session, "--output", "\(folder)/\(session).har")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(names.count == sessions.count)
        let list = try workspace.write(Workload.file(workload.secrets), "secrets")
        let found = try await workspace.python("search.py", [list, folder, workspace.outputs])
        #expect(found.status == 0 && found.stdout.isEmpty, "\(found)")
        let read = try await workspace.haralyzer(names.map { "\(folder)/\($0)" })
        #expect(read.status == 0, "\(read)")
    }

    @Test("is a private file whose hash is told, and takes the place of what was there")
    func file() async throws {
        let workspace = try await Workspace.withLedger()
        let login = SampleSession(40)
        _ = try await workspace.ingest(login.lines)
        let path = try workspace.write("older and longer than nothing", "\(login.subject).har")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let report = try await export(workspace, login.subject)
        #expect(report.path == path && report.session == login.subject)
        #expect(report.events == login.lines.count)
        let bytes = try Data(contentsOf: URL(filePath: path))
        #expect(report.bytes == bytes.count)
        let sum = try await workspace.start("/usr/bin/sha256sum", [path]).end()
        #expect(sum.stdout.hasPrefix(report.sha256 + " "))
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        #expect(mode as? Int == 0o600)
        #expect(!FileManager.default.fileExists(atPath: path + ".tmp"))
        let people = try await workspace.succeed(
            "export", "har", String(login.subject.prefix(13)), "-o", path)
        #expect(people.stdout.contains("\(report.entries) exchanges"))
        #expect(people.stdout.contains(report.sha256))
        #expect(try Data(contentsOf: URL(filePath: path)) == bytes)
    }

    @Test("is one of the session as it was, and says when it was erased")
    func asOfAndErased() async throws {
        let workspace = try await Workspace.withLedger()
        let login = SampleSession(41)
        _ = try await workspace.ingest(SampleSession(40).lines)
        _ = try await workspace.ingest(login.lines)
        let whole = try await export(workspace, login.subject)
        let pageOf = { (report: Report) in
            try archive(report)["pages"]?.arrayValue?.first?.objectValue ?? [:]
        }
        #expect(try pageOf(whole)["_verdict"] == .string("verified"))
        let positions = try await workspace.succeed("log", "--session", login.subject, "--json")
            .lines.compactMap { try object($0)["position"]?.integerValue }
        let early = try await export(workspace, login.subject, "--as-of", "\(positions[1])")
        #expect(early.events == 2 && early.entries < whole.entries)
        #expect(try pageOf(early)["_verdict"] == nil)
        #expect(try pageOf(early)["_state"] == .string("redirected"))
        let before = try await workspace.run(
            "export", "har", login.subject, "-o", whole.path, "--as-of", "\(positions[0] - 1)")
        #expect(before.status == 6)

        try await workspace.succeed(
            "erase", "--session", login.subject, "--reason", "r", "--legal-basis", "b")
        let erased = try await export(workspace, login.subject)
        #expect(try pageOf(erased)["_erasedAt"] != nil)
        #expect(erased.entries == whole.entries)
        let then = try await export(
            workspace, login.subject, "--as-of", "\(try #require(positions.last))")
        #expect(try pageOf(then)["_erasedAt"] == nil)
    }

    @Test("is refused for what is no session, and where no file can be")
    func refused() async throws {
        let workspace = try await Workspace.withLedger()
        let login = SampleSession(42)
        _ = try await workspace.ingest(login.lines)
        let path = workspace.files + "/login.har"
        try await workspace.succeed(
            "sessions", "--subject-stdin", stdin: .text("01017012345"))
        let streams = try await workspace.succeed("log", "--json").lines.compactMap {
            try object($0)["event"]?.objectValue?["subject"]?.stringValue
        }
        // The ledger tells of itself in streams that are no sessions.
        let others = Set(streams).subtracting([login.subject])
            .filter { UUID(uuidString: $0) != nil }
        #expect(!others.isEmpty)
        for name in others + ["0198ffff"] {
            let outcome = try await workspace.run("export", "har", name, "-o", path, "--json")
            #expect(outcome.status == 6, "\(outcome)")
            #expect(try outcome.error().code == "session-unknown")
        }
        for name in ["no-session", "authledger/access"] {
            let outcome = try await workspace.run("export", "har", name, "-o", path, "--json")
            #expect(outcome.status == 2, "\(outcome)")
            #expect(try outcome.error().code == "session-malformed")
        }
        for place in [workspace.files, "/dev/null"] {
            let outcome = try await workspace.run(
                "export", "har", login.subject, "-o", place, "--json")
            #expect(outcome.status == 2)
            #expect(try outcome.error().code == "output-not-a-file")
        }
        let nowhere = try await workspace.run(
            "export", "har", login.subject, "-o", workspace.files + "/none/login.har")
        #expect(nowhere.status == 6)
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}

extension JSONValue {
    /// Every text in it.
    fileprivate var texts: [String] {
        switch self {
        case .string(let text): [text]
        case .array(let elements): elements.flatMap(\.texts)
        case .object(let object): object.members.flatMap { $0.value.texts }
        case .null, .bool, .integer, .number: []
        }
    }
}
