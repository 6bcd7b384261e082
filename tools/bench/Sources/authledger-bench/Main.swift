// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Platform

/// The benchmarks there are.
enum BenchmarkName: String, CaseIterable, ExpressibleByArgument {
    case append
    case scan
    case prepare
    case ingest
    case peers
    case scale
    /// A part of `scale`, in a process of its own.
    case check
    case reverify
    case projections
    case logins
    case polls
    /// A part of `logins` and `polls`, in a process of its own.
    case provider
    /// A part of `polls`, in a process of its own.
    case poller
}

/// Settings that the benchmarks share.
struct BenchOptions: ParsableArguments {
    @Option(help: "Where ledgers are made; it must be on a disk.")
    var directory: String

    @Option(help: "How often each measurement is taken, ledger and peer in turn.")
    var rounds = 5

    @Option(help: "How many logins the generator makes up; about five events each.")
    var sessions = 6000

    @Option(help: "The generator's seed.")
    var seed: UInt64 = 1

    @Option(
        name: .customLong("events"),
        help: ArgumentHelp("Take events from this file of lines for `ingest`.", valueName: "file"))
    var eventsFile: String?

    @Option(help: "About how long one side of a round of `append` takes, in milliseconds.")
    var roundMilliseconds = 1000

    @Option(help: "How many events the ledger of `scale` gets.")
    var scaleEvents = 1_000_000

    @Option(help: "How many events the ledger of `projections` gets.")
    var projectionEvents = 300_000

    @Option(help: ArgumentHelp("The program that measures other event stores.", valueName: "file"))
    var peerProgram: String?

    @Option(help: "How many logins a round of `logins` has.")
    var logins = 1000

    @Option(help: "How many of them are under way at a time.")
    var concurrency = 64

    @Option(name: .customLong("broker"), help: "A broker for `logins`; all of them unless given.")
    var brokers: [LoginBroker] = []

    @Option(help: "How many logins without a browser `polls` has waiting at once.")
    var pending = 10_000

    @Option(help: "How often `polls` kills the process that polls.")
    var kills = 0

    @Option(help: "How many tokens the ledger of `reverify` gets; each is in twenty sessions.")
    var tokens = 50_000

    @Flag(help: "Keep the ledger of `reverify` for further runs.")
    var keep = false

    @Option(help: ArgumentHelp("The program that measures JWT libraries.", valueName: "file"))
    var jwtPeerProgram: String?

    @Option(help: .hidden)
    var result: String?

    @Option(help: .hidden)
    var backchannelSeconds: Int?

    /// The workload: the given file's, or generated sessions.
    func lines(sessionsMax: Int) throws -> LineSource {
        if let eventsFile { return try LineSource(file: eventsFile) }
        return LineSource(try Workload(sessions: min(sessions, sessionsMax), seed: seed))
    }

    /// How many events one caller appends in a round, by the rates to be expected.
    func eventsPerCaller(_ callers: Int) -> Int {
        let expectedRate = callers == 1 ? 3000 : callers < 64 ? 12_000 : 40_000
        return max(1, expectedRate * roundMilliseconds / 1000 / callers)
    }
}

@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "authledger-bench",
        abstract: "Measure a ledger beside what it is built on.",
        discussion: "One benchmark a process, so that each has its own memory; see tools/bench/run."
    )

    @Argument(
        help:
            """
            What to measure: append, scan, prepare, ingest, reverify, projections, logins, polls, \
            peers or scale.
            """
    )
    var name: BenchmarkName

    @OptionGroup var options: BenchOptions

    @Flag(help: "Print a line of JSON for each table.")
    var json = false

    func run() async throws {
        let reports: [Report] =
            switch name {
            case .append: [try await AppendBenchmark(options).run()]
            case .scan: [try ScanBenchmark(options).run()]
            case .prepare: try PrepareBenchmark(options).run()
            case .ingest: [try IngestBenchmark(options).run()]
            case .peers: try await PeersBenchmark(options).run()
            case .scale: try await ScaleBenchmark(options).run()
            case .check: try check()
            case .reverify: try await ReverifyBenchmark(options).run()
            case .projections: try await ProjectionsBenchmark(options).run()
            case .logins: try await LoginsBenchmark(options).run()
            case .polls: [try await PollsBenchmark(options).run()]
            case .provider: try await serve()
            case .poller: try await poll()
            }
        for report in reports {
            print(json ? report.json : report.text)
        }
    }

    private func serve() async throws -> [Report] {
        guard let broker = options.brokers.first else {
            throw BenchError("provider is a part of logins")
        }
        try await ProviderProcess.serve(broker, backchannelSeconds: options.backchannelSeconds)
        return []
    }

    private func poll() async throws -> [Report] {
        try await PollerProcess.serve(options.directory)
        return []
    }

    private func check() throws -> [Report] {
        guard let result = options.result else { throw BenchError("check is a part of scale") }
        try ScaleBenchmark.check(options.directory, result: result)
        return []
    }
}
