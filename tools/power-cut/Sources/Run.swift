// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

@main
struct PowerCut: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "power-cut",
        abstract: "Show that a power cut loses nothing that was acknowledged.",
        discussion: """
            Examples:
              tools/power-cut/run
              tools/power-cut/run --states 20000 --seed 7
              tools/power-cut/run faults

            See tools/power-cut/README.md.
            """,
        subcommands: [
            StatesCommand.self, FaultsCommand.self, ProbeCommand.self, WorkCommand.self,
            PublishCommand.self,
        ],
        defaultSubcommand: StatesCommand.self)
}

/// Records a run and looks at the states that a power cut could have left behind.
struct StatesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "states",
        abstract: "Record a run, cut the power at any moment, look at what is left.")

    @Option(help: "How many different states to look at.")
    var states = 10_000

    @Option(help: "How many states to look at for each way in which a disk may lie.")
    var lies = 300

    @Option(help: "What the choice of states is made from.")
    var seed: UInt64 = 1

    @Option(help: "How many processes look at states at the same time.")
    var jobs = 2

    @Option(help: "How often the recorded run takes in the logins of the tests.")
    var copies = 3

    @Flag(help: "Record nothing but how the ledger is made.")
    var initOnly = false

    @Option(help: "The program to record.")
    var program = Program.ledger

    func run() throws {
        let directory = Places.memory + "/power-cut-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let watched = try Watched(directory: directory)
        try record(watched)
        let recording = try Recording(watched.recordingPath)
        try Rebuilt(watched, recording).compareWithDisk()
        print("seed \(seed): \(recording.records.count) operations recorded")

        var failures: [String] = []
        let honest = try Survey(watched, recording, lie: .none, states: states, seed: seed)
            .run(jobs: jobs)
        print(honest.summary(of: "every sync works"))
        if honest.bad > 0 { failures.append("states with damage") }
        if honest.looked < states {
            failures.append("only \(honest.looked) different states; record more with --copies")
        }
        for lie in Lie.allCases where lie != .none && lies > 0 {
            let tally = try Survey(watched, recording, lie: lie, states: lies, seed: seed)
                .run(jobs: jobs)
            print(tally.summary(of: "syncs left out: \(lie.rawValue)"))
            if !lie.expected.allSatisfy({ (tally.counts[$0] ?? 0) > 0 }) {
                failures.append("syncs left out (\(lie.rawValue)), but it was not noticed")
            }
        }
        guard failures.isEmpty else {
            throw Problem(failures.joined(separator: "; ") + " (--seed \(seed))")
        }
    }

    /// A ledger is made in directories that are not there yet, and takes in events one by one, in
    /// groups, and from many callers; checkpoints are published, every kind of key is rotated, and
    /// sessions are erased.
    private func record(_ watched: Watched) throws {
        let ledger = ["--ledger", watched.places.ledger]
        let checkpoint = ["checkpoint", "--json"] + ledger
        try watched.succeed(program, ["init", "--json"] + ledger)
        if initOnly { return }
        try watched.succeed(Program.own, ["publish", watched.places.root])
        let each = try watched.writeLines("each.jsonl", copies: 0..<copies)
        try watched.succeed(
            program, ["ingest", each, "--durability", "each", "--acks"] + ledger)
        try watched.succeed(program, checkpoint)
        let group = try watched.writeLines("group.jsonl", copies: 100..<100 + copies)
        try watched.succeed(
            program, ["ingest", group, "--durability", "group", "--acks"] + ledger)
        try watched.succeed(Program.own, ["work", watched.places.root])
        try watched.succeed(program, ["keys", "rotate", "root"] + ledger)
        try watched.succeed(program, checkpoint)
        try watched.keepForLater()
        let sessions = try Watched.firstSessions(ofCopies: [0, 100])
        try watched.succeed(
            program,
            ["erase", "--json", "--reason", "reason", "--legal-basis", "gdpr-17-1-a"]
                + sessions.flatMap { ["--session", $0] } + ledger)
        try watched.succeed(program, ["keys", "rotate", "signing"] + ledger)
        try watched.succeed(program, ["keys", "rotate", "bucket"] + ledger)
        let last = try watched.writeLines("last.jsonl", copies: 200..<201)
        try watched.succeed(
            program, ["ingest", last, "--durability", "each", "--acks"] + ledger)
        try watched.succeed(program, checkpoint)
    }
}

extension Lie {
    /// What at least must come of it.
    fileprivate var expected: [Damage] {
        switch self {
        case .none: []
        case .all, .log, .commits, .directories: [.lost]
        case .keys: [.unreadable]
        }
    }
}

/// The disk as the recording has it at its end.
struct Rebuilt {
    private let watched: Watched
    private let recording: Recording

    init(_ watched: Watched, _ recording: Recording) {
        self.watched = watched
        self.recording = recording
    }

    /// Shows that nothing escaped the recorder: with every change kept, the rebuilt files are
    /// those on the disk, to the byte.
    func compareWithDisk() throws {
        var disk = Disk(rootPath: watched.places.root, lie: .none)
        for record in recording.records { try disk.advance(record) }
        let path = watched.scratch + "/rebuilt"
        try disk.write(disk.choice(.allKept, seed: 0), to: path, lockFile: nil)
        let names = try [watched.places.root, path].map { root in
            try FileManager.default.subpathsOfDirectory(atPath: root).sorted()
        }
        guard names[0] == names[1] else {
            throw Problem("the recording has other files than the disk: \(names)")
        }
        for name in names[0] where !name.hasSuffix("/lock.mdb") {
            let contents = [watched.places.root, path].map {
                FileManager.default.contents(atPath: $0 + "/" + name)
            }
            guard contents[0] == contents[1] else {
                throw Problem("\(name) is not on the disk what the recording makes of it")
            }
        }
        try FileManager.default.removeItem(atPath: path)
    }
}
