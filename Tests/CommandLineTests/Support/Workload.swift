// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What backends report of many logins: lines for `ingest`, the same for the same seed.
///
/// All seven events and all six flows are in it, sessions that end well, that fail at every stage
/// and that never end; events of different sessions alternate as they do in life. What is secret
/// in it is listed, so that a test can look for it.
struct Workload: Sendable {
    /// An event of a session, before it becomes a line.
    struct Event: Sendable {
        let id: String
        let session: String
        let milliseconds: Int
        var json: JSON
    }

    /// In the order of their times.
    let events: [Event]
    /// Everything that must never be readable in a ledger.
    let secrets: [String]
    /// How many sessions there are.
    let sessions: Int

    /// One line an event, without newlines.
    let lines: [String]

    /// - Parameter firstSession: keeps workloads of one seed apart that go into one ledger.
    init(seed: UInt64, sessions: Int) {
        var generator = SeededGenerator(seed: seed)
        var events: [Event] = []
        var secrets: [String] = []
        for index in 0..<sessions {
            let story = WorkloadSession.Story.allCases[index % WorkloadSession.Story.allCases.count]
            let start = Self.start + index * 700 + generator.number(0..<600)
            var session = WorkloadSession(story, start: start, number: index, &generator)
            session.tell(&generator)
            events += session.events
            secrets += session.secrets
        }
        let order = events.indices.sorted {
            (events[$0].milliseconds, $0) < (events[$1].milliseconds, $1)
        }
        self.events = order.map { events[$0] }
        self.secrets = secrets
        self.sessions = sessions
        lines = self.events.map(\.json.text)
    }

    /// The lines as a file.
    var file: String { Self.file(lines) }

    static func file(_ lines: some Sequence<String>) -> String {
        lines.map { $0 + "\n" }.joined()
    }

    /// 2026-11-20T09:15:00Z.
    private static let start = 1_795_166_100_000

    /// RFC 3339 with milliseconds. Backends write it in various ways, so this does too.
    static func time(_ milliseconds: Int, form: Int) -> String {
        let hours = form % 3
        let local = milliseconds + hours * 3_600_000
        let seconds = Date(timeIntervalSince1970: Double(local / 1000)).formatted(.iso8601)
        let fraction = String(1000 + local % 1000).dropFirst()
        let offset = hours == 0 ? "Z" : "+0\(hours):00"
        return seconds.dropLast() + ".\(fraction)" + offset
    }
}
