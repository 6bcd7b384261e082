// SPDX-License-Identifier: Apache-2.0

import Platform

/// One figure for each round of a measurement.
struct Figures {
    let values: [Double]

    var median: Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
    var least: Double { values.min() ?? 0 }
    var most: Double { values.max() ?? 0 }
}

/// What figures count.
enum Unit: String {
    case eventsPerSecond = "events/s"
    case tokensPerSecond = "tokens/s"
    case loginsPerSecond = "logins/s"
    case pollsPerSecond = "polls/s"
    case microseconds = "µs/event"
    case microsecondsPerToken = "µs/token"
    case microsecondsPerLogin = "µs/login"
    case microsecondsPerPoll = "µs/poll"
    case milliseconds = "ms"
    case seconds = "s"
    case count = "in all"
    case bytes = "bytes/event"
    case mebibytes = "MiB"

    /// A rate is better when it is higher, a cost when it is lower.
    var isRate: Bool {
        switch self {
        case .eventsPerSecond, .tokensPerSecond, .loginsPerSecond, .pollsPerSecond: true
        default: false
        }
    }
}

/// One line of a result: what the ledger does, beside what it is compared with.
struct Row {
    /// What the ledger is compared with.
    struct Peer {
        let name: String
        let figures: Figures
    }

    let name: String
    let unit: Unit
    let figures: Figures
    let peer: Peer?
    /// The ratio that must not be exceeded.
    let bar: Double?

    init(
        _ name: String, _ unit: Unit, _ values: [Double],
        peer: (name: String, values: [Double])? = nil,
        bar: Double? = nil
    ) {
        self.name = name
        self.unit = unit
        figures = Figures(values: values)
        self.peer = peer.map { Peer(name: $0.name, figures: Figures(values: $0.values)) }
        self.bar = bar
    }

    /// How many times the peer's cost the ledger's is, round by round: below 1 is better.
    var ratio: Figures? {
        peer.map { peer in
            Figures(
                values: zip(figures.values, peer.figures.values).map { own, other in
                    unit.isRate ? other / own : own / other
                })
        }
    }

    /// Whether the median ratio is within the bar; nil when there is none.
    var isWithinBar: Bool? {
        guard let bar, let ratio else { return nil }
        return ratio.median <= bar
    }
}

/// The results of one benchmark.
struct Report {
    let name: String
    /// What was run, and where.
    let conditions: [String]
    let rows: [Row]
}

/// Times something.
enum Stopwatch {
    /// Seconds that `body` takes.
    static func seconds(_ body: () throws -> Void) rethrows -> Double {
        let start = ProcessControl.monotonicNanoseconds
        try body()
        return Double(ProcessControl.monotonicNanoseconds - start) / 1e9
    }

    /// Seconds that `body` takes.
    static func seconds(_ body: () async throws -> Void) async rethrows -> Double {
        let start = ProcessControl.monotonicNanoseconds
        try await body()
        return Double(ProcessControl.monotonicNanoseconds - start) / 1e9
    }

    /// Seconds of processor time that `body` takes, on all threads of this process.
    static func processorSeconds(_ body: () throws -> Void) rethrows -> Double {
        let start = ProcessControl.processorNanoseconds
        try body()
        return Double(ProcessControl.processorNanoseconds - start) / 1e9
    }
}
