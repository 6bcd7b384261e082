// SPDX-License-Identifier: Apache-2.0

import EventLog
import LedgerPrimitives
import Platform

/// How fast reported events come in, from the line of JSON to the disk.
struct IngestBenchmark {
    private static let linesPerCommit = 512

    private let options: BenchOptions
    private let scratch: Scratch

    init(_ options: BenchOptions) throws {
        self.options = options
        scratch = try Scratch(in: options.directory)
    }

    func run() throws -> Report {
        let path = try options.eventsFile ?? writeWorkload()
        let memoryBefore = try MemoryUse.peakBytes()
        var own: [Double] = []
        var peer: [Double] = []
        var memory: [Double] = []
        var events: UInt64 = 0
        for round in 0..<options.rounds {
            let log = try BenchLedger.create("ledger-\(round)", in: scratch)
            let seconds = try Stopwatch.seconds {
                try BenchLedger.record(
                    LineSource(file: path), into: log, linesPerCommit: Self.linesPerCommit)
            }
            let head = try log.head()
            events = head.size
            own.append(Double(events) / seconds)
            memory.append(Double(try MemoryUse.peakBytes()) / 1_048_576)
            peer.append(
                try rawRate(events: Int(events), mean: Int(head.bytesStored / events), round))
        }
        let limit = "raw LMDB, same stored bytes, \(Self.linesPerCommit) a commit"
        return Report(
            name: "ingest",
            conditions: [
                "\(events) events", try scratch.description(), "real syncs",
                "\(options.rounds) rounds", "median (least–most)",
                "\(memoryBefore / 1_048_576) MiB before the first round",
            ],
            rows: [
                Row("from the line to the disk", .eventsPerSecond, own, peer: (limit, peer)),
                Row("peak resident memory, mapped pages included", .mebibytes, memory),
            ])
    }

    private func rawRate(events: Int, mean: Int, _ round: Int) throws -> Double {
        let raw = try RawLog(scratch.path + "/raw-\(round)")
        let values = [[UInt8]](repeating: [UInt8](repeating: 0xA5, count: mean), count: events)
        let seconds = try Stopwatch.seconds {
            try raw.append(values, perCommit: Self.linesPerCommit)
        }
        return Double(events) / seconds
    }

    /// Writes the generated lines to a file, so that making them is not measured.
    private func writeWorkload() throws -> String {
        let path = scratch.path + "/events.jsonl"
        let file = try File(path, .creating(permissions: 0o600))
        var lines = LineSource(try Workload(sessions: options.sessions, seed: options.seed))
        while true {
            let part = try lines.next(upTo: 512)
            if part.isEmpty { return path }
            try file.write(Array(part.map { $0 + [UInt8(ascii: "\n")] }.joined()))
        }
    }
}

/// What this process takes up in memory.
enum MemoryUse {
    /// The most that was resident at any time so far.
    static func peakBytes() throws -> Int {
        let status = try File("/proc/self/status", .reading).readAll(limit: 65_536)
        for line in String(decoding: status, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            let words = fields.flatMap { $0.split(separator: "\t") }
            if words.first == "VmHWM:", words.count > 1, let kibibytes = Int(words[1]) {
                return kibibytes * 1024
            }
        }
        throw BenchError("/proc/self/status does not tell the peak of resident memory")
    }
}
