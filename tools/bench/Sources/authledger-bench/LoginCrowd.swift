// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import LiveNetwork
import Platform
import ProviderSimulator
import RelyingParty
import SessionEvents
import Sessions
import Synchronization

/// Which of sorted latencies is told.
enum LatencyShare: CaseIterable {
    case half
    case ninetyNine
    case all

    var name: String {
        switch self {
        case .half: "p50"
        case .ninetyNine: "p99"
        case .all: "max"
        }
    }

    /// The least of the values that so many of all do not exceed.
    func of(_ values: [Double]) -> Double {
        let share =
            switch self {
            case .half: 0.5
            case .ninetyNine: 0.99
            case .all: 1.0
            }
        let rank = Int((share * Double(values.count)).rounded(.up))
        return values.sorted()[max(1, rank) - 1]
    }
}

/// What a run of logins came to.
struct LoginFigures {
    /// What is timed of a login.
    enum Phase: String, CaseIterable {
        /// From `start` to the verdict, the browser's way included.
        case whole = "start to verdict"
        /// `RelyingParty.start`.
        case start = "start"
        /// `RelyingParty.receiveCallback`.
        case callback = "callback"
    }

    /// One login, in milliseconds.
    struct Sample {
        let session: String
        let milliseconds: [Phase: Double]
    }

    /// Logins a second.
    var rate = 0.0
    /// Processor time of this process for a login, in seconds.
    var processorSeconds = 0.0
    var samples: [Sample] = []

    var sessions: [String] { samples.map(\.session) }

    func milliseconds(_ phase: Phase, _ share: LatencyShare) -> Double {
        share.of(samples.compactMap { $0.milliseconds[phase] })
    }

    /// Lets many tasks log in, each again and again, until there were so many logins.
    static func measure(
        _ count: Int, atOnce: Int, _ login: @escaping @Sendable () async throws -> Sample
    ) async throws -> LoginFigures {
        let turnstile = Turnstile(limit: count)
        var figures = LoginFigures()
        let processorBefore = ProcessControl.processorNanoseconds
        let seconds = try await Stopwatch.seconds {
            try await withThrowingTaskGroup(of: [Sample].self) { group in
                for _ in 0..<min(atOnce, count) {
                    group.addTask {
                        var samples: [Sample] = []
                        while turnstile.letsIn() { samples.append(try await login()) }
                        return samples
                    }
                }
                for try await samples in group { figures.samples += samples }
            }
        }
        let processor = Double(ProcessControl.processorNanoseconds - processorBefore) / 1e9
        figures.processorSeconds = processor / Double(count)
        figures.rate = Double(count) / seconds
        return figures
    }
}

/// Lets so many in, and no more.
final class Turnstile: Sendable {
    private let left: Mutex<Int>

    init(limit: Int) {
        left = Mutex(limit)
    }

    func letsIn() -> Bool {
        left.withLock { left in
            left -= 1
            return left >= 0
        }
    }
}

/// Users of one relying party, each with a browser.
struct LoginCrowd: Sendable {
    let party: RelyingParty
    let profile: ProviderProfile
    /// The browsers have connections of their own.
    let browser: LiveTransport

    /// Logs in so many times. Every login must come to a good end.
    func run(_ count: Int, atOnce: Int) async throws -> LoginFigures {
        try await LoginFigures.measure(count, atOnce: atOnce, login)
    }

    private func login() async throws -> LoginFigures.Sample {
        let begin = ProcessControl.monotonicNanoseconds
        let started = try await party.start(profile, flow: .pkce)
        let redirected = ProcessControl.monotonicNanoseconds
        guard let url = started.authorizationURL else {
            throw BenchError("a login ended before its redirect: \(started.reasonText)")
        }
        let callback = try await SimulatedBrowser(send: browser.send).visit(url)
        let returned = ProcessControl.monotonicNanoseconds
        let outcome = try await party.receiveCallback(callback, session: started.session)
        let end = ProcessControl.monotonicNanoseconds
        guard case .taken(let result) = outcome, result.phase == .verified else {
            throw BenchError("a login failed: \(outcome)")
        }
        return LoginFigures.Sample(
            session: started.session,
            milliseconds: [
                .whole: Double(end - begin) / 1e6, .start: Double(redirected - begin) / 1e6,
                .callback: Double(end - returned) / 1e6,
            ])
    }
}

extension LoginResult {
    fileprivate var reasonText: String { reason?.code ?? "no reason" }
}
