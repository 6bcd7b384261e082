// SPDX-License-Identifier: Apache-2.0

import Custody
import EventLog
import LedgerPrimitives
import Platform
import Projections
import ReadModels
import SessionEvents

/// What projections cost: making them anew from the log, and finding sessions in them.
struct ProjectionsBenchmark {
    private static let sessionsPerBatch = 128
    private static let lookUps = 2000
    private static let page = 50

    private let options: BenchOptions
    private let scratch: Scratch
    private let log: EventLog

    init(_ options: BenchOptions) throws {
        self.options = options
        scratch = try Scratch(in: options.directory)
        log = try BenchLedger.create("ledger", in: scratch)
    }

    func run() async throws -> [Report] {
        try await fill()
        let rebuild = try rebuild()
        return [rebuild, try lookUps()]
    }

    private func fill() async throws {
        try BenchLedger.record(options.lines(sessionsMax: 1500), into: log)
        let samples = try SampleSessions(of: log)
        let log = log
        var progress = Progress(options.projectionEvents)
        var number = 0
        while try log.head().size < UInt64(options.projectionEvents) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    let first = number
                    number += Self.sessionsPerBatch
                    group.addTask {
                        _ = try await log.append(
                            samples.batch(first, count: Self.sessionsPerBatch, in: log))
                    }
                }
                try await group.waitForAll()
            }
            progress.tell(Int(try log.head().size))
        }
    }

    // MARK: - Making them anew

    private func rebuild() throws -> Report {
        let size = try log.head().size
        var rates: [Double] = []
        var processor: [Double] = []
        var reading: [Double] = []
        var bytes: [Double] = []
        for _ in 0..<options.rounds {
            var seconds = 0.0
            let processorSeconds = try Stopwatch.processorSeconds {
                seconds = try Stopwatch.seconds {
                    guard try ProjectionStore.rebuild(log).watermark == size else {
                        throw BenchError("the projections stopped")
                    }
                }
            }
            processor.append(processorSeconds * 1e6 / Double(size))
            rates.append(Double(size) / seconds)
            let read = try Stopwatch.seconds {
                try log.forEachEvent(in: 0..<size) { _ in true }
            }
            reading.append(Double(size) / read)
            let stored = try Directory.allocatedBytes(of: log.paths.projections)
            bytes.append(Double(stored) / Double(size))
        }
        return Report(
            name: "projections made anew",
            conditions: [
                "\(size) events of \(try log.head().sessions) sessions",
                try scratch.description(), "\(options.rounds) rounds", "median (least–most)",
            ],
            rows: [
                Row(
                    "projections rebuild, all of them", .eventsPerSecond, rates,
                    peer: ("events read and decoded, one thread", reading)),
                Row("processor time of it, on all threads", .microseconds, processor),
                Row("on disk", .bytes, bytes),
                Row(
                    "peak resident memory", .mebibytes,
                    [Double(try MemoryUse.peakBytes()) / 1_048_576]),
            ])
    }

    // MARK: - Finding sessions

    private func lookUps() throws -> Report {
        let opening = try (0..<options.rounds).map { _ in
            try Stopwatch.seconds {
                let store = try ProjectionStore.open(log)
                try firstPage(store, SessionQuery())
            } * 1000
        }
        let store = try ProjectionStore.open(log)
        var rows = [Row("opening, and the first \(Self.page) sessions", .milliseconds, opening)]
        for (name, lookUp) in try kinds(store) {
            var random = SeededGenerator(seed: options.seed)
            let times = try (0..<Self.lookUps).map { _ in
                try Stopwatch.seconds { try lookUp(&random) } * 1e6
            }.sorted()
            rows.append(
                Row("\(name), p50", .microsecondsPerLookUp, [times[times.count / 2]]))
            rows.append(
                Row("\(name), p99", .microsecondsPerLookUp, [times[times.count * 99 / 100]]))
        }
        return Report(
            name: "sessions found, up to \(Self.page) at a time",
            conditions: [
                "\(try store.state().rowCount(of: .sessions)) sessions",
                "\(Self.lookUps) look-ups each",
            ], rows: rows)
    }

    private typealias LookUp = (inout SeededGenerator) throws -> Void

    private func firstPage(_ store: ProjectionStore, _ query: SessionQuery) throws {
        var left = Self.page
        try store.forEachSession(query) { _ in
            left -= 1
            return left > 0
        }
    }

    private func kinds(_ store: ProjectionStore) throws -> [(String, LookUp)] {
        let names = try log.streams(after: nil, limit: 100_000)
        let providers = ["idura", "bankid-no", "idpartner"]
        let (first, last) = try span(store)
        func window(_ random: inout SeededGenerator) -> SessionQuery {
            var query = SessionQuery()
            let start = first + Int64(random.number(0..<Int(max(1, last - first))))
            query.since = Instant(millisecondsSince1970: start)
            query.until = Instant(millisecondsSince1970: start + 60_000)
            return query
        }
        return [
            ("by id", { _ = try store.session($0.pick(names), SessionQuery()) }),
            (
                "by id, not there",
                { _ = try store.session($0.uuid(at: first), SessionQuery()) }
            ),
            (
                "by provider",
                {
                    var query = SessionQuery()
                    query.provider = $0.pick(providers)
                    query.from = UInt64($0.number(0..<Int(try log.head().size)))
                    try firstPage(store, query)
                }
            ),
            (
                "by a provider and a flow that never go together",
                { _ in
                    var query = SessionQuery()
                    (query.provider, query.flow) = ("bankid-no", .ciba)
                    try firstPage(store, query)
                }
            ),
            ("by a minute", { try firstPage(store, window(&$0)) }),
            (
                "by a minute long ago",
                {
                    var query = window(&$0)
                    query.since = query.since?.advanced(byMilliseconds: first - last - 120_000)
                    query.until = query.since?.advanced(byMilliseconds: 60_000)
                    try firstPage(store, query)
                }
            ),
            (
                "by provider, minute and reason",
                {
                    var query = window(&$0)
                    query.provider = $0.pick(providers)
                    query.reason = FailureReason("nonce-mismatch")
                    try firstPage(store, query)
                }
            ),
        ] + (try persons(store))
    }

    /// The span of time in which sessions began.
    private func span(_ store: ProjectionStore) throws -> (Int64, Int64) {
        var first: Int64 = 0
        try store.forEachSession(SessionQuery()) {
            first = $0.startedAt.millisecondsSince1970
            return false
        }
        var query = SessionQuery()
        query.from = try log.head().size - 4096
        var last = first
        try store.forEachSession(query) {
            last = max(last, $0.startedAt.millisecondsSince1970)
            return true
        }
        return (first, last)
    }

    /// By person, through the index of keyed hashes, which opens every box when it is made.
    private func persons(_ store: ProjectionStore) throws -> [(String, LookUp)] {
        var index = SubjectIndex(log)
        try index.catchUp()
        let ready = index
        var known: [SubjectIdentifier] = []
        for name in try log.streams(after: nil, limit: 2000) {
            guard let key = try log.dataKey(for: name), let end = try log.stream(name).last,
                let sealed = try log.openSealed(end, dataKey: key)
            else { continue }
            known += SubjectIdentifier.all(
                inSealed: sealed, issuer: end.data["issuer"]?.stringValue)
        }
        guard !known.isEmpty else { throw BenchError("the workload names no person") }
        return [
            (
                "by person",
                {
                    let person = known[$0.number(0..<known.count)]
                    let found = try ready.matches(person).sessions.prefix(Self.page)
                    for session in found {
                        _ = try store.session(session.description, SessionQuery())
                    }
                }
            ),
            (
                "by person, not there",
                {
                    guard let person = SubjectIdentifier(.any, value: $0.randomUUID()),
                        try ready.matches(person).sessions.isEmpty
                    else { throw BenchError("a person was found who is not there") }
                }
            ),
        ]
    }
}
