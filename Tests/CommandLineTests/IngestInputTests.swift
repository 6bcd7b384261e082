// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("The input of ingest", .inTurn)
struct IngestInputTests {
    private let lines = SampleSession(9).lines

    @Test("comes from a file, or from standard input by its sign or by default")
    func sources() async throws {
        let workspace = try await Workspace.withLedger()
        let path = try workspace.write(Workload.file(lines))
        try await workspace.succeed("ingest", path)
        #expect(
            try await workspace.succeed("ingest", "-", stdin: .file(path)).stdout
                .hasPrefix("0 recorded, 5 already there, 0 rejected"))
        #expect(
            try await workspace.succeed("ingest", stdin: .file(path)).stdout
                .hasPrefix("0 recorded, 5 already there, 0 rejected"))
        #expect(try await workspace.succeed("ingest").stdout.hasPrefix("0 recorded, 0 already"))
        try await #expect(workspace.checkTree().size == 5)
    }

    @Test("may have blank lines, CRLF and no newline at its end, and lines keep their numbers")
    func blankLines() async throws {
        let workspace = try await Workspace.withLedger()
        let text = "\n" + lines[0] + "\r\n  \t \r\n\n" + lines[1] + "\n{}\r\n\n" + lines[2]
        let report: IngestReport = try await workspace.run("ingest", "--json", stdin: .text(text))
            .json()
        #expect(report.accepted == 3)
        #expect(report.rejections.map(\.line) == [6])
        let bad = try await workspace.run("ingest", "--json", stdin: .text("\n\n{\"a\":1}"))
        let badReport: IngestReport = try bad.json()
        #expect(badReport.rejections.map(\.line) == [3])
        try await #expect(workspace.checkTree().size == 3)
    }

    @Test(
        "may come slowly: what is there is recorded without waiting for more",
        arguments: ["group", "each"])
    func slowPipe(durability: String) async throws {
        let workspace = try await Workspace.withLedger()
        let program = try workspace.start(
            ["ingest", "--acks", "--durability", durability], stdin: .pipe)
        for (number, line) in lines.enumerated() {
            program.send(line + "\n")
            _ = try await program.output {
                $0.hasSuffix("{\"acknowledged\":\(number + 1),\"position\":\(number)}\n")
            }
            #expect(try await workspace.recordedIDs().count == number + 1)
        }
        program.endInput()
        #expect(try await program.end().status == 0)
    }

    @Test("does not keep what came whole waiting for the rest of a line that came in part")
    func halfALineWaiting() async throws {
        let workspace = try await Workspace.withLedger()
        let workload = Workload(seed: 21, sessions: 120).lines
        // What is whole fills one read to the byte; the begun line waits behind it in the pipe.
        var whole = ""
        var count = 0
        while (whole + workload[count]).utf8.count < 261_000 {
            whole += workload[count] + "\n"
            count += 1
        }
        whole += String(repeating: " ", count: 262_143 - whole.utf8.count) + "\n"
        let program = try workspace.start(["ingest", "--acks"], stdin: .pipe)
        try await program.pause()
        try program.widenInput(to: 1_048_576)
        program.send(whole + workload[count].prefix(100))
        program.resume()
        _ = try await program.output { $0.contains("\"acknowledged\":\(count),") }
        program.send(workload[count].dropFirst(100) + "\n")
        _ = try await program.output { $0.contains("\"acknowledged\":\(count + 1),") }
        program.endInput()
        #expect(try await program.end().status == 0)
    }

    @Test("is acknowledged one by one with --durability each, many at once in groups")
    func acknowledgements() async throws {
        let lines = Workload(seed: 22, sessions: 30).lines
        for durability in ["each", "group"] {
            let workspace = try await Workspace.withLedger()
            let outcome = try await workspace.succeed(
                "ingest", "--acks", "--durability", durability, stdin: .text(Workload.file(lines)))
            let acks = try outcome.jsonLines(Acknowledgement.self)
            #expect(acks.last?.acknowledged == lines.count)
            #expect(acks.last?.position == lines.count - 1)
            let numbers = acks.map(\.acknowledged)
            if durability == "each" {
                #expect(numbers == Array(1...lines.count))
            } else {
                #expect(numbers.count < 4)
            }
            #expect(outcome.stderr.contains("\(lines.count) recorded"))
        }
    }

    @Test("may hold lines of any length: one that is too long goes to the rejects as it came")
    func endlessLine() async throws {
        let workspace = try await Workspace.withLedger()
        let rejects = workspace.files + "/rejects.jsonl"
        let program = try workspace.start(
            ["ingest", "--acks", "--rejects", rejects], stdin: .pipe)
        program.send("nonsense\n" + lines[0] + "\n")
        _ = try await program.output { $0.contains("\"acknowledged\":1,") }
        let piece = String(repeating: "0123456789abcdef", count: 65_536)
        for _ in 0..<48 { program.send(piece) }
        program.send("\n" + lines[1] + "\n")
        _ = try await program.output { $0.contains("\"acknowledged\":2,") }
        let memory =
            try workspace.read("/proc/\(program.processID)/status")
            .split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
            .flatMap { Int($0.filter(\.isNumber)) } ?? .max
        #expect(memory < 100_000, "kB at most in use while 48 MiB passed through")
        program.endInput()
        let outcome = try await program.end()
        #expect(outcome.status == 1)
        #expect(outcome.stderr.contains("line 3: the line is longer than 4194304 bytes"))
        let kept = try Data(contentsOf: URL(filePath: rejects))
        let size = "nonsense\n".utf8.count + 48 * piece.utf8.count + 1
        #expect(kept.count == size)
        #expect(kept.prefix(9) == Data("nonsense\n".utf8))
        try await #expect(workspace.checkTree().size == 2)
    }

    @Test("is kept aside in its order when it is refused, lines that are too long too")
    func orderOfRejects() async throws {
        let workspace = try await Workspace.withLedger()
        let long = String(repeating: "x", count: 4_194_305)
        let bad = ["first", long, "second", "third", long + "y"]
        let rejects = workspace.files + "/rejects.jsonl"
        let text = bad.joined(separator: "\n")
        let outcome = try await workspace.run(
            "ingest", "--json", "--rejects", rejects, stdin: .text(text))
        let report: IngestReport = try outcome.json()
        #expect(report.rejections.map(\.line) == [1, 2, 3, 4, 5])
        #expect(try workspace.read(rejects) == text)
    }

    @Test("is not overwritten by its own rejects")
    func rejectsOverInput() async throws {
        let workspace = try await Workspace.withLedger()
        let text = Workload.file(lines + ["{}"])
        let path = try workspace.write(text)
        let alias = workspace.files + "/alias.jsonl"
        try FileManager.default.createSymbolicLink(atPath: alias, withDestinationPath: path)
        for (arguments, input) in [
            ([path, "--rejects", path], Input.nothing), ([path, "--rejects", alias], .nothing),
            (["-", "--rejects", path], .file(path)),
        ] {
            let outcome = try await workspace.start(
                ["ingest", "--json"] + arguments, stdin: input
            ).end()
            #expect(outcome.status == 2)
            #expect(try outcome.error().code == "rejects-is-input")
            #expect(try workspace.read(path) == text)
        }
        #expect(try await workspace.leaves().isEmpty)
    }

    @Test("may hold sealed data larger than a leaf: they go to a sealed document")
    func largeSealedData() async throws {
        let workspace = try await Workspace.withLedger()
        let large = String(repeating: "response ", count: 100_000)
        let session = SampleSession(10)
        var lines = session.lines
        lines[2] = session.event("callback").setting("data.sealed.response", .string(large)).text
        #expect(try await workspace.ingest(lines).accepted == 5)
        let stats: StatsReport = try await workspace.succeed("stats", "--json").json()
        #expect(stats.blobBytes > 500_000)
        let leaf = try await workspace.leaves().split(separator: "\n")[2]
        #expect(leaf.contains("\"sealedBlob\":\""))
        #expect(!leaf.contains("\"sealed\":"))
        #expect(leaf.utf8.count < 61_440)
        let again = try await workspace.ingest(lines)
        #expect(again.duplicates == 5)
        lines[2] =
            session.event("callback")
            .setting("data.sealed.response", .string(large + "!")).text
        #expect(try await workspace.ingest(lines).rejections.map(\.code) == ["id-conflict"])
        try await #expect(workspace.checkTree().size == 5)
    }

    @Test("keeps sealed JSON of any kind to the letter")
    func anySealedJSON() async throws {
        let workspace = try await Workspace.withLedger()
        let session = SampleSession(11)
        let sealed: JSON = [
            "fraction": .raw("1.50"), "large": .raw("123456789012345678901234567890"),
            "tiny": .raw("-1E-400"), "minus": .raw("-0"), "null": .null, "text": "A\u{30A}\u{C5}",
            "escaped": .raw(#""\u0000\uD83D\uDE00\/""#), "list": [[], [:], [true, .raw("false")]],
            "": "empty name",
        ]
        let line = session.event("initiated").setting("data.sealed", sealed)
        #expect(try await workspace.ingest([line.text]).accepted == 1)
        #expect(try await workspace.ingest([line.text]).duplicates == 1)
        let others: [(String, JSON)] = [
            ("fraction", .raw("1.5")), ("text", "\u{C5}\u{C5}"), ("minus", 0), ("null", "null"),
        ]
        for (name, value) in others {
            let other = line.setting("data.sealed.\(name)", value).text
            #expect(try await workspace.ingest([other]).rejections.map(\.code) == ["id-conflict"])
        }
    }

    @Test("has its times brought to UTC and gets the time of recording")
    func times() async throws {
        let workspace = try await Workspace.withLedger()
        let event = SampleSession(12).event("initiated")
            .setting("time", "2026-11-20T23:15:02.9996+02:00")
        let before = Date.now.addingTimeInterval(-1)
        _ = try await workspace.ingest([event.text])
        struct Leaf: Decodable {
            let time: String
            let recordedtime: String
            let source: String
        }
        let leaf: Leaf = try await workspace.succeed("log", "--raw").json()
        #expect(leaf.time == "2026-11-20T21:15:02.999Z")
        #expect(leaf.source == "shop-backend")
        let recorded = try Date.ISO8601FormatStyle(includingFractionalSeconds: true)
            .parse(leaf.recordedtime)
        #expect((before...Date.now).contains(recorded))
    }

    @Test("stops at an interrupt with status 130, and what was acknowledged is there")
    func interrupt() async throws {
        let workspace = try await Workspace.withLedger()
        let program = try workspace.startUnmasked(["ingest", "--acks"], stdin: .pipe)
        program.send(Workload.file(lines[..<3]))
        _ = try await program.output { $0.contains("\"acknowledged\":3,") }
        program.interrupt()
        #expect(try await program.end().status == 130)
        try await #expect(workspace.checkTree().size == 3)
    }
}
