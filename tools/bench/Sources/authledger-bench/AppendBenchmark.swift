// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import LedgerPrimitives

/// How fast events become durable, one at a time and from many callers at once.
///
/// Events are sealed and compressed before the clock starts. Every caller waits for each
/// acknowledgement before it hands in its next event.
struct AppendBenchmark {
    /// What each caller appends to.
    private enum Streams: String {
        /// One stream, made before, that grows without end.
        case own = "one stream each"
        /// A stream of six events after the other, the first of which is there before.
        case sessions = "sessions of six events"
        /// A new stream with a data key for each event.
        case new = "a session's first event with its data key"
    }

    private struct Setting {
        let streams: Streams
        let callers: Int
        var bar: Double?
    }

    private static let settings = [
        Setting(streams: .own, callers: 1, bar: 2), Setting(streams: .own, callers: 8, bar: 2),
        Setting(streams: .own, callers: 64, bar: 3),
        Setting(streams: .sessions, callers: 8, bar: 2),
        Setting(streams: .sessions, callers: 64, bar: 3),
        Setting(streams: .new, callers: 1), Setting(streams: .new, callers: 8),
        Setting(streams: .new, callers: 64),
    ]

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
        let samples = try SampleDrafts(of: log)
        drafts = samples.later
        openings = samples.openings
    }

    func run() async throws -> Report {
        var rows: [Row] = []
        for setting in Self.settings {
            rows.append(try await row(setting))
        }
        return Report(
            name: "durable append",
            conditions: [
                try scratch.description(), "real syncs", "\(options.rounds) rounds",
                "median (least–most)",
            ], rows: rows)
    }

    private func row(_ setting: Setting) async throws -> Row {
        let callers = setting.callers
        var streams = try (0..<callers).map { try Stream(log, number: $0) }
        if setting.streams == .own { try await open(&streams) }
        var own: [Double] = []
        var peer: [Double] = []
        for _ in 0..<options.rounds {
            let batches =
                switch setting.streams {
                case .own: try longer(&streams)
                case .sessions: try await sessions(callers)
                case .new: try beginnings(callers)
                }
            let (ownRate, peerRate) = try await rates(batches)
            own.append(ownRate)
            peer.append(peerRate)
        }
        let people = callers == 1 ? "1 caller" : "\(callers) callers"
        return Row(
            "\(people), \(setting.streams.rawValue)", .eventsPerSecond, own,
            peer: (callers == 1 ? "raw LMDB, a commit an event" : "raw LMDB, group commit", peer),
            bar: setting.bar)
    }

    // MARK: - What is appended

    /// More events of streams that are there.
    private func longer(_ streams: inout [Stream]) throws -> [[AppendBatch]] {
        let perCaller = options.eventsPerCaller(streams.count)
        return try streams.indices.map { index in
            try (0..<perCaller).map { _ in try streams[index].next(drafts) }
        }
    }

    /// The later events of sessions, and puts the sessions' first events into the log.
    private func sessions(_ callers: Int) async throws -> [[AppendBatch]] {
        let laterEvents = 5
        var batches = [[AppendBatch]](repeating: [], count: callers)
        for round in 0..<max(1, options.eventsPerCaller(callers) / laterEvents) {
            var streams = try (0..<callers).map { try Stream(log, number: round * callers + $0) }
            try await open(&streams)
            for caller in 0..<callers {
                for _ in 0..<laterEvents {
                    batches[caller].append(try streams[caller].next(drafts))
                }
            }
        }
        return batches
    }

    /// First events of sessions.
    private func beginnings(_ callers: Int) throws -> [[AppendBatch]] {
        let perCaller = max(1, options.eventsPerCaller(callers) / 2)
        return try (0..<callers).map { caller in
            try (0..<perCaller).map { number in
                var stream = try Stream(log, number: caller * perCaller + number)
                return try stream.next(openings)
            }
        }
    }

    /// Appends the first event of each stream.
    private func open(_ streams: inout [Stream]) async throws {
        var all = AppendBatch(events: [])
        for index in streams.indices {
            let batch = try streams[index].next(openings)
            all.events += batch.events
            all.newDataKeys += batch.newDataKeys
        }
        _ = try await log.append(all)
    }

    // MARK: - Measuring

    /// Appends to the ledger, then values of the same mean length to raw LMDB.
    private func rates(
        _ callers: [[AppendBatch]]
    ) async throws -> (own: Double, peer: Double) {
        let events = callers.reduce(0) { $0 + $1.count }
        let storedBefore = try log.head().bytesStored
        let ownSeconds = try await Stopwatch.seconds { try await log.append(callers) }
        let stored = try log.head().bytesStored - storedBefore
        let value = [UInt8](repeating: 0xA5, count: Int(stored) / events)
        let values = callers.map { [[UInt8]](repeating: value, count: $0.count) }
        let peerSeconds = try await Stopwatch.seconds {
            if values.count == 1 {
                try raw.append(values[0], perCommit: 1)
            } else {
                try await raw.appendInGroups(values)
            }
        }
        return (Double(events) / ownSeconds, Double(events) / peerSeconds)
    }
}
