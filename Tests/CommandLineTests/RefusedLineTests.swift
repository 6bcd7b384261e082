// SPDX-License-Identifier: Apache-2.0

import Foundation
import Ingestion
import Testing

@Suite("A line that cannot be recorded", .inTurn)
struct RefusedLineTests {
    /// A file of good lines with the bad ones of one code among them.
    private struct File {
        var content = Data()
        var good: [String] = []
        var bad: [(number: Int, row: RefusedLine, values: [String])] = []
        var badLines = Data()
        private var lineNumber = 0

        init(_ code: RefusedLine.Code) {
            for (number, row) in RefusedLine.all.enumerated() where row.code == code {
                let story = row.story(number)
                add(story.before)
                append(story.line)
                badLines += story.line + [UInt8(ascii: "\n")]
                bad.append((lineNumber, row, row.values(number)))
                add(story.after)
            }
        }

        private mutating func add(_ lines: [String]) {
            for line in lines { append(Array(line.utf8)) }
            good += lines
        }

        private mutating func append(_ line: [UInt8]) {
            content += line + [UInt8(ascii: "\n")]
            lineNumber += 1
        }
    }

    /// All codes but that of an erased session, which no line alone brings about: ErasureTests.
    static let codesOfLines = LineRejection.Code.allCases.filter { $0 != .sessionErased }

    @Test("is tried for every code that there is")
    func everyCodeIsTried() {
        #expect(Set(RefusedLine.all.map(\.code)) == Set(Self.codesOfLines))
    }

    @Test(
        "is reported by number and reason, kept aside as it came, and leaves no trace",
        arguments: codesOfLines)
    func refused(code: LineRejection.Code) async throws {
        let workspace = try Workspace()
        try await workspace.succeed("init", "--origin", RefusedLine.origin)
        let file = File(code)
        let rejects = workspace.files + "/rejects.jsonl"
        let outcome = try await workspace.run(
            "ingest", "--json", "--rejects", rejects, stdin: .data(file.content))
        #expect(outcome.status == 1)
        let report: IngestReport = try outcome.json()
        #expect(report.rejected == file.bad.count)
        #expect(report.accepted == file.good.count)
        #expect(report.duplicates == 0)
        for (bad, rejection) in zip(file.bad, report.rejections) {
            #expect(rejection.line == bad.number, "\(bad.row.name)")
            #expect(rejection.code == bad.row.code.rawValue, "\(bad.row.name)")
            #expect(rejection.message.contains(bad.row.message), "\(bad.row.name)")
            for value in bad.values {
                #expect(!rejection.message.contains(value), "\(bad.row.name)")
            }
        }
        #expect(FileManager.default.contents(atPath: rejects) == file.badLines)
        try await #expect(workspace.checkTree().size == file.good.count)

        // Fed again, the good ones are known and the bad ones are still bad.
        let again: IngestReport = try await workspace.run(
            "ingest", "--json", stdin: .data(file.content)
        ).json()
        #expect(again.accepted == 0)
        #expect(again.duplicates == file.good.count)
        #expect(again.rejections.map(\.line) == report.rejections.map(\.line))
    }

    @Test("for its size does not move its session on: the event in its right size can follow")
    func tooLargeForTheLog() async throws {
        let workspace = try await Workspace.withLedger()
        let session = SampleSession(1)
        let long = JSON.string("https://example.org/" + String(repeating: "a", count: 1500))
        let exchange: JSON = ["purpose": "par", "endpoint": long]
        let tooLarge = session.event("redirected")
            .setting("data.exchanges", .array(.init(repeating: exchange, count: 60)))
        var lines = session.lines
        lines.insert(tooLarge.text, at: 1)
        let report = try await workspace.ingest(lines)
        #expect(report.accepted == 5)
        #expect(report.rejections.map(\.line) == [2])
        try await #expect(workspace.checkTree().size == 5)
    }

    @Test("is refused against what an earlier run recorded as against the same run")
    func conflictWithAnEarlierRun() async throws {
        let workspace = try await Workspace.withLedger()
        let session = SampleSession(1)
        #expect(try await workspace.ingest(session.lines).accepted == 5)
        let other = session.event("callback").setting("data.sealed.code", "another")
        let report = try await workspace.ingest([other.text])
        #expect(report.rejections.map(\.code) == ["id-conflict"])
        try await #expect(workspace.checkTree().size == 5)
    }

    @Test("leaves a ledger untouched when there is nothing else in the file")
    func nothingButBadLines() async throws {
        let workspace = try await Workspace.withLedger()
        let before = try workspace.snapshot(workspace.ledger)
        let report = try await workspace.ingest(["{}", "nonsense"])
        #expect(report.rejected == 2)
        #expect(report.accepted == 0)
        #expect(report.firstPosition == nil)
        #expect(report.lastPosition == nil)
        let after = try workspace.snapshot(workspace.ledger)
        #expect(before["log/data.mdb"] == after["log/data.mdb"])
        #expect(before["keys/data.mdb"] == after["keys/data.mdb"])
    }

    @Test("of a new session leaves no data key behind")
    func noKeyForARefusedSession() async throws {
        let workspace = try await Workspace.withLedger()
        let line = SampleSession(1).event("callback").text
        #expect(try await workspace.ingest([line]).rejected == 1)
        // The one that there is seals the ledger's own events.
        #expect(try await workspace.surgeon("count", "keys", "data-keys").stdout == "1\n")
    }

    @Test("does not cost its session the data key when the session begins after all")
    func keyOfASessionRefusedBefore() async throws {
        let workspace = try await Workspace.withLedger()
        let late = SampleSession(1)
        let other = SampleSession(2)
        let program = try workspace.start(["ingest", "--acks"], stdin: .pipe)
        program.send(late.event("callback").text + "\n" + other.lines[0] + "\n")
        _ = try await program.output { $0.contains("\"acknowledged\":1,") }
        program.send(late.lines[0] + "\n")
        _ = try await program.output { $0.contains("\"acknowledged\":2,") }
        program.endInput()
        #expect(try await program.end().status == 1)
        #expect(try await workspace.surgeon("count", "keys", "data-keys").stdout == "3\n")
        let report = try await workspace.ingest(late.lines)
        #expect(report.duplicates == 1)
        #expect(report.accepted == 4)
    }

    @Test("is told of on standard error for people, with number, reason and code")
    func messageForPeople() async throws {
        let workspace = try await Workspace.withLedger()
        let lines = SampleSession(1).lines + ["", "{\"a\":\"19121299999\"}"]
        let outcome = try await workspace.run("ingest", stdin: .text(Workload.file(lines)))
        #expect(outcome.status == 1)
        #expect(outcome.stderr.contains("line 7: "))
        #expect(outcome.stderr.contains("(member-unknown)"))
        #expect(!(outcome.stderr + outcome.stdout).contains("19121299999"))
        #expect(outcome.stdout.hasPrefix("5 recorded, 0 already there, 1 rejected"))
        let quiet = try await workspace.run("ingest", "-q", stdin: .text(Workload.file(lines)))
        #expect(quiet.status == 1)
        #expect(quiet.stderr.isEmpty)
    }

    @Test("is counted beyond the hundredth, though no longer listed")
    func manyBadLines() async throws {
        let workspace = try await Workspace.withLedger()
        let lines = SampleSession(1).lines + [String](repeating: "{}", count: 1500)
        let report = try await workspace.ingest(lines)
        #expect(report.rejected == 1500)
        #expect(report.rejections.map(\.line) == Array(6...105))
        #expect(report.accepted == 5)
    }
}
