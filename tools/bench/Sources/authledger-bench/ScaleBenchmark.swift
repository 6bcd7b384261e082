// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import LedgerPrimitives
import Platform

/// What a large ledger costs: filling it, checking it, and appending to it beside a small one.
struct ScaleBenchmark {
    /// How many events the ledger has that the large one is compared with.
    private static let smallEvents = 100_000
    private static let eventsPerSession = 6
    private static let sessionsPerBatch = 128

    private let options: BenchOptions
    private let scratch: Scratch

    init(_ options: BenchOptions) throws {
        self.options = options
        scratch = try Scratch(in: options.directory)
    }

    func run() async throws -> [Report] {
        let small = try await filled("small", events: Self.smallEvents)
        let large = try await filled("large", events: options.scaleEvents)
        let check = try checkInChild(large.log.paths.root)
        let head = try large.log.head()
        let onDisk = Double(try large.log.bytesOnDisk()) / Double(head.size)
        let fill = Report(
            name: "a large ledger",
            conditions: [
                "\(head.size) events of \(head.sessions) sessions", try scratch.description(),
                "real syncs",
            ],
            rows: [
                Row(
                    "filling it, \(Self.sessionsPerBatch * Self.eventsPerSession) events a commit",
                    .eventsPerSecond, [large.rate]),
                Row("verify --level tree", .eventsPerSecond, [check.rate]),
                Row("verify: peak resident memory", .mebibytes, [check.peakMebibytes]),
                Row("on disk, keys, tree and index included", .bytes, [onDisk]),
            ])
        return [fill, try await appends(small: small.log, large: large.log)]
    }

    // MARK: - Filling

    private func filled(
        _ name: String, events: Int
    ) async throws -> (log: EventLog, rate: Double) {
        let log = try BenchLedger.create(name, in: scratch)
        // The documents that later events name come with the workload.
        try BenchLedger.record(options.lines(sessionsMax: 800), into: log)
        let drafts = try SampleDrafts(of: log)
        let batches = events / (Self.sessionsPerBatch * Self.eventsPerSession) + 1
        var progress = Progress(events)
        let seconds = try await Stopwatch.seconds {
            try await withThrowingTaskGroup(of: Void.self) { group in
                // Two commits under way and the next ones in the making keep the cores busy.
                for batch in 0..<batches {
                    if batch >= 4 { try await group.next() }
                    group.addTask { try await append(batch, drafts, to: log) }
                    progress.tell((batch + 1) * Self.sessionsPerBatch * Self.eventsPerSession)
                }
                try await group.waitForAll()
            }
        }
        return (log, Double(try log.head().size) / seconds)
    }

    private func append(_ number: Int, _ drafts: SampleDrafts, to log: EventLog) async throws {
        var all = AppendBatch(events: [])
        for index in 0..<Self.sessionsPerBatch {
            var stream = try Stream(log, number: number * Self.sessionsPerBatch + index)
            for revision in 1...Self.eventsPerSession {
                let batch = try stream.next(revision == 1 ? drafts.openings : drafts.later)
                all.events += batch.events
                all.newDataKeys += batch.newDataKeys
            }
        }
        _ = try await log.append(all)
    }

    // MARK: - Checking

    private struct CheckResult {
        let rate: Double
        let peakMebibytes: Double
    }

    /// Checks in a process of its own, so that its memory is its own.
    private func checkInChild(_ ledger: String) throws -> CheckResult {
        let result = scratch.path + "/check"
        let end = try ChildProcess.runThisProgram([
            "check", "--directory", ledger, "--result", result,
        ])
        guard end == .exited(0) else { throw BenchError("the check ended with \(end)") }
        let text = String(
            decoding: try File(result, .reading).readAll(limit: 1024), as: UTF8.self)
        let numbers = text.split(separator: " ").compactMap { Double($0) }
        guard numbers.count == 2 else { throw BenchError("the check told nothing") }
        return CheckResult(rate: numbers[0], peakMebibytes: numbers[1] / 1_048_576)
    }

    /// The child's part.
    static func check(_ ledger: String, result: String) throws {
        let log = try EventLog(
            ledger, keyRoot: Path.parent(of: ledger) + "/keys", access: .reading,
            capabilities: .live)
        var progress = Progress(Int(try log.head().size))
        var events: UInt64 = 0
        let seconds = try Stopwatch.seconds {
            let report = try log.check(.tree) { done, _ in progress.tell(Int(done)) }
            guard report.isClean else { throw BenchError("the ledger is damaged") }
            events = report.events
        }
        let numbers = "\(Double(events) / seconds) \(try MemoryUse.peakBytes())"
        try File(result, .writing(permissions: 0o600)).write(Array(numbers.utf8))
    }

    // MARK: - Appending

    /// Appends to both in turn, so that what else the machine does falls on both.
    private func appends(small: EventLog, large: EventLog) async throws -> Report {
        let drafts = try SampleDrafts(of: small)
        var rows: [Row] = []
        for callers in [1, 64] {
            var own: [Double] = []
            var peer: [Double] = []
            for _ in 0..<options.rounds {
                own.append(try await rate(large, callers, drafts))
                peer.append(try await rate(small, callers, drafts))
            }
            rows.append(
                Row(
                    callers == 1 ? "1 caller" : "\(callers) callers", .eventsPerSecond, own,
                    peer: ("a ledger of \(Self.smallEvents) events", peer), bar: 1.25))
        }
        return Report(
            name: "durable append to a large ledger, sessions of six events",
            conditions: ["\(options.rounds) rounds", "median (least–most)"], rows: rows)
    }

    private func rate(
        _ log: EventLog, _ callers: Int, _ drafts: SampleDrafts
    ) async throws -> Double {
        let perCaller = max(1, options.eventsPerCaller(callers) / 5)
        var load: [[AppendBatch]] = []
        for caller in 0..<callers {
            var batches: [AppendBatch] = []
            for session in 0..<perCaller {
                var stream = try Stream(log, number: caller * perCaller + session)
                _ = try await log.append(try stream.next(drafts.openings))
                for _ in 0..<5 { batches.append(try stream.next(drafts.later)) }
            }
            load.append(batches)
        }
        let ready = load
        let seconds = try await Stopwatch.seconds { try await log.append(ready) }
        return Double(callers * perCaller * 5) / seconds
    }
}

/// Tells on standard error how far a long run has come.
struct Progress {
    private let total: Int
    private let start = ProcessControl.monotonicNanoseconds
    private var last: UInt64 = 0

    init(_ total: Int) {
        self.total = total
    }

    mutating func tell(_ done: Int) {
        let now = ProcessControl.monotonicNanoseconds
        guard now - last > 10_000_000_000 else { return }
        if last > 0 {
            let rate = Double(done) * 1e9 / Double(now - start)
            let text = "\(done) of \(total) events, \(Decimal.text(rate, digits: 0)) events/s\n"
            try? File.standardError.write(Array(text.utf8))
        }
        last = now
    }
}
