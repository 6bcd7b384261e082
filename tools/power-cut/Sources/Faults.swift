// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import EventLog
import Foundation
import Ingestion
import LedgerPrimitives

/// Makes every n-th write or sync of a real run fail.
struct FaultsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "faults",
        abstract: "Make every n-th write or sync of a real run fail, then feed its input again.")

    @Option(help: "How many lines a run takes in.")
    var lines = 6

    @Option(help: "The program to run.")
    var program = Program.ledger

    func run() throws {
        let directory = Places.memory + "/power-cut-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let bench = try FaultBench(
            Watched(directory: directory), program: program, lineCount: lines)
        var runs = 0
        var failed = 0
        for durability in ["each", "group"] {
            let operations = try bench.operations(durability)
            for number in 1...operations {
                for mode in ["lost", "kept", "torn"] {
                    runs += 1
                    if try !bench.run(durability, fault: "\(number):\(mode)") { failed += 1 }
                }
            }
        }
        for number in 1...(try bench.operationsOfInit()) {
            for mode in ["lost", "kept", "torn"] {
                runs += 1
                if try !bench.runInit(fault: "\(number):\(mode)") { failed += 1 }
            }
        }
        print("\(runs) runs, each with one failing operation; \(failed) of them ended in an error")
        guard failed > runs / 2 else { throw Problem("the faults were not noticed") }
    }
}

/// A ledger in which the same run is made again and again.
private struct FaultBench {
    private let watched: Watched
    private let program: String
    private let lines: [[UInt8]]
    private let path: String
    private let base: String
    private let earlier: Int

    init(_ watched: Watched, program: String, lineCount: Int) throws {
        self.watched = watched
        self.program = program
        base = watched.directory + "/base"
        let ledger = ["--ledger", watched.places.ledger]
        try watched.succeed(program, ["init"] + ledger, isRecorded: false)
        let first = try watched.writeLines("first.jsonl", copies: 0..<1)
        try watched.succeed(program, ["ingest", first] + ledger, isRecorded: false)
        earlier = try Watched.lines(copies: 0..<1).count
        lines = Array(try Watched.lines(copies: 1..<2).prefix(lineCount))
        path = watched.scratch + "/lines.jsonl"
        try Data(lines.flatMap { $0 + [UInt8(ascii: "\n")] }).write(to: URL(filePath: path))
        try FileManager.default.moveItem(atPath: watched.places.root, toPath: base)
    }

    private func reset() throws {
        let root = watched.places.root
        try? FileManager.default.removeItem(atPath: root)
        try FileManager.default.copyItem(atPath: base, toPath: root)
    }

    private func arguments(_ durability: String) -> [String] {
        [
            "ingest", path, "--durability", durability, "--acks", "--ledger",
            watched.places.ledger,
        ]
    }

    /// How many operations of a run can fail.
    func operations(_ durability: String) throws -> Int {
        try reset()
        try? FileManager.default.removeItem(atPath: watched.recordingPath)
        try watched.succeed(program, arguments(durability))
        return try Recording(watched.recordingPath).records.filter(\.canFail).count
    }

    // MARK: - Making a ledger

    private var initArguments: [String] { ["init", "--ledger", watched.places.ledger] }

    private func clear() throws {
        let root = watched.places.root
        try? FileManager.default.removeItem(atPath: root)
        try FileManager.default.createDirectory(
            atPath: root, withIntermediateDirectories: false)
    }

    /// How many operations of making a ledger can fail.
    func operationsOfInit() throws -> Int {
        try clear()
        try? FileManager.default.removeItem(atPath: watched.recordingPath)
        try watched.succeed(program, initArguments)
        return try Recording(watched.recordingPath).records.filter(\.canFail).count
    }

    /// Makes a ledger with a fault: a whole ledger is there afterwards or none, and in the second
    /// case it can be made.
    func runInit(fault: String) throws -> Bool {
        try clear()
        let outcome = try watched.run(program, initArguments, isRecorded: false, fault: fault)
        let name = "init \(fault)"
        guard !outcome.isSignalled, [0, 6].contains(outcome.status) else {
            throw Problem("\(name): ended with \(outcome.status): \(outcome.errors)")
        }
        let isThere = FileManager.default.fileExists(atPath: watched.places.ledger)
        guard isThere || outcome.status != 0 else { throw Problem("\(name): no ledger") }
        let again = try watched.run(program, initArguments, isRecorded: false)
        guard again.status == (isThere ? 2 : 0) else {
            throw Problem("\(name): init again ended with \(again.status): \(again.errors)")
        }
        let log = try watched.places.open()
        var ingestion = Ingestion(into: log, capabilities: .system)
        let outcomes = try ingestion.record(lines)
        guard try ids(log, name).count == lines.count else {
            throw Problem("\(name): the ledger takes no events: \(outcomes)")
        }
        return outcome.status == 0
    }

    // MARK: - Appending

    /// One run with a fault; answers whether the program ended well all the same.
    func run(_ durability: String, fault: String) throws -> Bool {
        try reset()
        let outcome = try watched.run(
            program, arguments(durability), isRecorded: false, fault: fault)
        let name = "\(durability) \(fault)"
        guard !outcome.isSignalled, [0, 6].contains(outcome.status) else {
            throw Problem("\(name): ended with \(outcome.status): \(outcome.errors)")
        }
        let acknowledged = try outcome.output.split(separator: "\n").map { line in
            try JSONReader.read(Array(line.utf8), numbers: .integersOnly)
                .objectValue?["acknowledged"]?.integerValue ?? 0
        }.last
        try check(name, acknowledged: Int(acknowledged ?? 0))
        return outcome.status == 0
    }

    /// What was acknowledged is there, and the input fed again makes nothing double.
    private func check(_ name: String, acknowledged: Int) throws {
        let log = try watched.places.open()
        let there = try ids(log, name).count - earlier
        guard there >= acknowledged else {
            throw Problem("\(name): \(acknowledged) acknowledged, \(there) there")
        }
        var ingestion = Ingestion(into: log, capabilities: .system)
        var duplicates = 0
        for outcome in try ingestion.record(lines) {
            switch outcome {
            case .accepted: break
            case .duplicate: duplicates += 1
            case .rejected(let rejection): throw Problem("\(name): rejected: \(rejection)")
            }
        }
        let all = try ids(log, name)
        guard duplicates == there, all.count == earlier + lines.count, Set(all).count == all.count
        else { throw Problem("\(name): fed again, \(all.count) events, \(duplicates) known") }
    }

    /// The ids of all events, each of which must open, in a log without findings.
    private func ids(_ log: EventLog, _ name: String) throws -> [String] {
        var ids: [String] = []
        try log.forEachEvent(in: 0..<UInt64.max) { event in
            _ = try Expectation.sealed(of: event, in: log)
            ids.append(event.envelope.id.description)
            return true
        }
        let findings = try log.check(.tree).findings
        guard findings.isEmpty else { throw Problem("\(name): \(findings)") }
        return ids
    }
}
