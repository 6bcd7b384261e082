// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import LedgerPrimitives

/// How fast events become durable, one at a time and from many callers at once.
struct AppendBenchmark {
    /// How many callers append at the same time, and the ratio that must not be exceeded.
    private static let settings = [(callers: 1, bar: 2.0), (8, 2.0), (64, 3.0)]

    private let options: BenchOptions
    private let scratch: Scratch
    private let log: EventLog
    private let raw: RawLog
    private let drafts: [EventDraft]
    private let openings: [EventDraft]

    init(_ options: BenchOptions) throws {
        self.options = options
        scratch = try Scratch(in: options.directory)
        log = try BenchLedger.create("ledger", in: scratch)
        raw = try RawLog(scratch.path + "/raw")
        try BenchLedger.record(options.lines(sessionsMax: 800), into: log)
        let recorded = try BenchLedger.drafts(of: log, limit: 4096)
        drafts = recorded.filter { !$0.type.hasSuffix(".initiated") }
        openings = recorded.filter { $0.type.hasSuffix(".initiated") }
    }

    func run() async throws -> Report {
        var rows: [Row] = []
        for (callers, bar) in Self.settings {
            rows.append(try await laterEvents(callers: callers, bar: bar))
        }
        for (callers, _) in Self.settings {
            rows.append(try await firstEvents(callers: callers))
        }
        return Report(
            name: "durable append",
            conditions: [
                try scratch.description(), "real syncs", "\(options.rounds) rounds",
                "median (least–most)",
            ], rows: rows)
    }

    // MARK: - Rounds

    /// Each caller appends to a stream of its own that is there already.
    private func laterEvents(callers: Int, bar: Double) async throws -> Row {
        let perCaller = options.eventsPerCaller(callers)
        var streams = try (0..<callers).map { try Stream(log, number: $0) }
        for index in streams.indices {
            _ = try await log.append(try streams[index].opening(openings))
        }
        var own: [Double] = []
        var peer: [Double] = []
        for _ in 0..<options.rounds {
            let batches = try streams.indices.map { index in
                try (0..<perCaller).map { try streams[index].later(drafts, number: $0) }
            }
            try await measure(batches, callers: callers, &own, &peer)
        }
        return Row(
            "\(callers) \(callers == 1 ? "caller" : "callers")", .eventsPerSecond, own,
            peer: (Self.peerName(callers), peer), bar: bar)
    }

    /// Each append begins a new stream and brings its data key.
    private func firstEvents(callers: Int) async throws -> Row {
        let perCaller = options.eventsPerCaller(callers) / 2
        var own: [Double] = []
        var peer: [Double] = []
        for _ in 0..<options.rounds {
            let batches = try (0..<callers).map { caller in
                try (0..<perCaller).map { number in
                    var stream = try Stream(log, number: caller * perCaller + number)
                    return try stream.opening(openings)
                }
            }
            try await measure(batches, callers: callers, &own, &peer)
        }
        return Row(
            "a session's first event with its data key, \(callers) "
                + (callers == 1 ? "caller" : "callers"),
            .eventsPerSecond, own, peer: (Self.peerName(callers), peer))
    }

    private static func peerName(_ callers: Int) -> String {
        callers == 1 ? "raw LMDB, a commit an event" : "raw LMDB, group commit"
    }

    /// Appends the same events to the ledger and, as values of the same sizes, to raw LMDB.
    private func measure(
        _ batches: [[AppendBatch]], callers: Int, _ own: inout [Double], _ peer: inout [Double]
    ) async throws {
        let events = Double(batches.reduce(0) { $0 + $1.count })
        let storedBefore = try log.head().bytesStored
        let ownSeconds = try await Stopwatch.seconds { try await append(batches) }
        let stored = try log.head().bytesStored - storedBefore
        let mean = Int(stored) / Int(events)
        let values = batches.map { $0.map { _ in [UInt8](repeating: 0xA5, count: mean) } }
        let peerSeconds = try await Stopwatch.seconds {
            if callers == 1 {
                try raw.append(values[0], perCommit: 1)
            } else {
                try await raw.appendInGroups(values)
            }
        }
        own.append(events / ownSeconds)
        peer.append(events / peerSeconds)
    }

    private func append(_ callers: [[AppendBatch]]) async throws {
        try await withThrowingTaskGroup { [log] group in
            for batches in callers {
                group.addTask {
                    for batch in batches {
                        _ = try await log.append(batch)
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// A stream of made-up length, filled with drafts of real-looking events.
private struct Stream {
    private let log: EventLog
    private let number: Int
    private let subject: String
    private let key: NewDataKey
    private var head: StreamHead?

    init(_ log: EventLog, number: Int) throws {
        self.log = log
        self.number = number
        subject = Capabilities.live.makeUUIDv7().description
        key = try log.makeDataKey(for: subject)
    }

    /// The stream's first event.
    mutating func opening(_ drafts: [EventDraft]) throws -> AppendBatch {
        AppendBatch(events: [try prepare(drafts[number % drafts.count])], newDataKeys: [key])
    }

    /// A later event.
    mutating func later(_ drafts: [EventDraft], number: Int) throws -> AppendBatch {
        AppendBatch(events: [try prepare(drafts[(self.number &* 31 &+ number) % drafts.count])])
    }

    private mutating func prepare(_ draft: EventDraft) throws -> PreparedEvent {
        var draft = draft
        draft.subject = subject
        let prepared = try log.prepare(draft, after: head, dataKey: key.key)
        head = prepared.head
        return prepared
    }
}
