// SPDX-License-Identifier: Apache-2.0

import EventLog
import LedgerPrimitives
import Platform

/// Durable appends and bytes on disk beside other event stores, in turn.
///
/// Each stores the same events, one row or message an event, and syncs before it acknowledges. The
/// ledger besides packs, indexes and hashes them into its tree; making events ready is not measured
/// here, for nobody.
struct PeersBenchmark {
    /// A store that is measured by `peers/peer.py`, in a process of its own.
    private struct OutsidePeer {
        let argument: String
        let name: String
    }

    private static let outsidePeers = [
        OutsidePeer(argument: "eventsourcing", name: "eventsourcing (Python) on SQLite"),
        OutsidePeer(argument: "postgresql", name: "PostgreSQL, a row an event"),
        OutsidePeer(argument: "nats", name: "NATS JetStream, sync_interval always"),
    ]

    private let options: BenchOptions
    private let scratch: Scratch
    private let log: EventLog
    private let raw: RawLog
    private let drafts: SampleDrafts
    private let eventsPath: String
    private let leaves: [SQLiteLog.Entry]

    init(_ options: BenchOptions) throws {
        self.options = options
        scratch = try Scratch(in: options.directory)
        log = try BenchLedger.create("ledger", in: scratch)
        raw = try RawLog(scratch.path + "/raw")
        try BenchLedger.record(options.lines(sessionsMax: options.sessions), into: log)
        drafts = try SampleDrafts(of: log)
        eventsPath = scratch.path + "/events.jsonl"
        let file = try File(eventsPath, .creating(permissions: 0o644))
        var entries: [SQLiteLog.Entry] = []
        try log.forEachEvent(in: 0..<log.head().size) { event in
            try file.write(event.leaf + [UInt8(ascii: "\n")])
            entries.append(
                SQLiteLog.Entry(
                    stream: Array(event.envelope.subject.utf8),
                    revision: event.envelope.revision, event: event.leaf))
            return true
        }
        leaves = entries
    }

    func run() async throws -> [Report] {
        var notes: [String] = []
        // The ledger's size comes first: what is appended later has other streams.
        let sizes = try await sizes(&notes)
        var rows: [Row] = []
        for callers in [1, 64, 512] {
            rows += try await appends(callers)
        }
        let conditions = [
            try scratch.description(), "real syncs", "\(options.rounds) rounds",
            "median (least–most)",
        ]
        return [
            Report(
                name: "durable append beside others", conditions: conditions + notes, rows: rows),
            Report(
                name: "bytes on disk beside others",
                conditions: ["\(leaves.count) events"] + notes, rows: sizes),
        ]
    }

    // MARK: - Appending

    private func appends(_ callers: Int) async throws -> [Row] {
        var own: [Double] = []
        var peers: [(name: String, values: [Double], bar: Double?)] = []
        func note(_ name: String, _ value: Double, bar: Double?) {
            if let index = peers.firstIndex(where: { $0.name == name }) {
                peers[index].values.append(value)
            } else {
                peers.append((name, [value], bar))
            }
        }
        // One caller: 0.8 of raw LMDB. Many: 0.5 of it, and 1.5 times every other.
        let rawBar: Double? = callers == 1 ? 1.25 : callers == 64 ? 2 : nil
        let peerBar = callers == 64 ? 1 / 1.5 : nil
        for round in 0..<options.rounds {
            let load = try await ledgerLoad(callers)
            let count = Double(load.reduce(0) { $0 + $1.count })
            let before = try log.head().bytesStored
            own.append(count / (try await Stopwatch.seconds { try await log.append(load) }))
            let mean = Int(Double(try log.head().bytesStored - before) / count)
            let values = load.map {
                [[UInt8]](repeating: .init(repeating: 9, count: mean), count: $0.count)
            }
            let rawName = callers == 1 ? "raw LMDB, a commit an event" : "raw LMDB, group commit"
            note(rawName, count / (try await rawSeconds(values)), bar: rawBar)
            for perCommit in callers == 1 ? [1] : [1, 1024] {
                let name = perCommit == 1 ? "SQLite, a commit an event" : "SQLite, group commit"
                let isPlain = perCommit == 1
                note(
                    name, try await sqliteRate(callers, round, perCommit: perCommit),
                    bar: isPlain ? peerBar : nil)
            }
            for peer in Self.outsidePeers {
                guard let rate = try outside(peer, ["--callers", "\(callers)"]).number else {
                    continue
                }
                note(peer.name, rate, bar: peerBar)
            }
        }
        let people = callers == 1 ? "1 caller" : "\(callers) callers"
        return peers.map {
            Row(people, .eventsPerSecond, own, peer: ($0.name, $0.values), bar: $0.bar)
        }
    }

    /// Later events of sessions, whose first ones are in the log.
    private func ledgerLoad(_ callers: Int) async throws -> [[AppendBatch]] {
        let sessions = max(1, options.eventsPerCaller(callers) / 5)
        var load: [[AppendBatch]] = []
        for caller in 0..<callers {
            var openings = AppendBatch(events: [])
            var batches: [AppendBatch] = []
            for session in 0..<sessions {
                var stream = try Stream(log, number: caller * sessions + session)
                let first = try stream.next(drafts.openings)
                openings.events += first.events
                openings.newDataKeys += first.newDataKeys
                for _ in 0..<5 { batches.append(try stream.next(drafts.later)) }
            }
            _ = try await log.append(openings)
            load.append(batches)
        }
        return load
    }

    private func rawSeconds(_ values: [[[UInt8]]]) async throws -> Double {
        try await Stopwatch.seconds {
            if values.count == 1 {
                try raw.append(values[0], perCommit: 1)
            } else {
                try await raw.appendInGroups(values)
            }
        }
    }

    private func sqliteRate(_ callers: Int, _ round: Int, perCommit: Int) async throws -> Double {
        let sqlite = try SQLiteLog("\(scratch.path)/sqlite-\(callers)-\(round)-\(perCommit)")
        // A commit an event takes so long that fewer events tell as much.
        let each = perCommit == 1 ? 3000 / callers : options.eventsPerCaller(callers)
        let load = (0..<callers).map { caller in
            (0..<max(1, each)).map { number in
                SQLiteLog.Entry(
                    stream: Array("caller \(caller)".utf8), revision: number + 1,
                    event: leaves[(caller * 31 + number) % leaves.count].event)
            }
        }
        let count = Double(load.reduce(0) { $0 + $1.count })
        let seconds = try await Stopwatch.seconds {
            if callers == 1 {
                for entry in load[0] { try sqlite.append([entry]) }
            } else {
                try await sqlite.append(load, perCommit: perCommit)
            }
        }
        return count / seconds
    }

    // MARK: - Size

    private func sizes(_ notes: inout [String]) async throws -> [Row] {
        let count = Double(leaves.count)
        let own = [Double(try log.bytesOnDisk()) / count]
        let plain = try RawLog(scratch.path + "/raw-size")
        try plain.append(leaves.map(\.event), perCommit: 512)
        let rawBytes = try Directory.allocatedBytes(of: scratch.path + "/raw-size")
        let sqlite = try SQLiteLog(scratch.path + "/sqlite-size")
        for start in stride(from: 0, to: leaves.count, by: 512) {
            try sqlite.append(leaves[start..<min(leaves.count, start + 512)])
        }
        var rows = [
            Row(
                "bytes on disk", .bytes, own,
                peer: ("raw LMDB, whole leaves", [Double(rawBytes) / count])),
            Row(
                "bytes on disk", .bytes, own,
                peer: ("SQLite", [Double(try sqlite.bytesOnDisk()) / count])),
        ]
        for peer in Self.outsidePeers {
            let answer = try outside(peer, ["--size"])
            if let bytes = answer.number {
                rows.append(Row("bytes on disk", .bytes, own, peer: (peer.name, [bytes])))
            } else {
                notes.append("\(peer.name): not there (\(answer.text))")
            }
        }
        return rows
    }

    // MARK: - Others' programs

    private struct Answer {
        let text: String
        var number: Double? { Double(text) }
    }

    /// Asks `peer.py`; a peer that is not there answers why.
    private func outside(_ peer: OutsidePeer, _ arguments: [String]) throws -> Answer {
        guard let program = options.peerProgram else {
            return Answer(text: "run by tools/bench/run it is measured")
        }
        let output = try ChildProcess.output(
            of: [
                "/bin/sh", "-c", "\"$0\" \"$@\"; s=$?; [ $s -eq 7 ] && exit 0; exit $s", program,
                peer.argument, "--events", eventsPath, "--directory", scratch.path, "--seconds",
                "\(max(1, options.roundMilliseconds / 1000))",
            ] + arguments, bytesMax: 4096, timeoutMilliseconds: 600_000)
        let text = String(decoding: output, as: UTF8.self)
        return Answer(text: String(text.split(separator: "\n").last ?? ""))
    }
}
