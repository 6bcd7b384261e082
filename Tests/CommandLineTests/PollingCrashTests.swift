// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProviderSimulator
import Testing

@Suite("Polling by a process that is killed", .serialized, .inTurn)
struct PollingCrashTests {
    private static let watch = ["poll", "--all", "--watch", "--json"]
    private static let count = 5

    @Test("is taken up by the next one, which polls nobody early and shows what was lost")
    func killed() async throws {
        // The first poll of each session gets no answer before the process that sent it is gone.
        let script = BackchannelScript(pendingPolls: 2, interludes: [1: .silence])
        try await BackchannelSite.run(script) { site in
            for _ in 0..<Self.count { try await site.start("ciba") }
            let provider = site.server.provider
            let first = try site.workspace.start(Self.watch)
            while provider.polls.count < Self.count {
                guard first.isRunning else { throw TestFailure("\(try await first.end())") }
                try await Task.sleep(for: .milliseconds(5))
            }
            first.interrupt(SIGKILL)
            #expect(try await first.end().lines.isEmpty)

            let second = try site.workspace.start(Self.watch)
            let milliseconds = Int.random(in: 0..<4000)
            try await Task.sleep(for: .milliseconds(milliseconds))
            second.interrupt(SIGKILL)
            _ = try await second.end()
            let third = try await site.workspace.start(Self.watch).end()

            let sessions = try await site.sessions()
            #expect(sessions.count == Self.count)
            for session in sessions {
                // Tokens that were lost with their process do not come again.
                let isLost = session.reason == "result-lost"
                #expect(session.state == (isLost ? "failed" : "verified"), "\(milliseconds) ms")
                let polls = try await site.polls(session.session)
                #expect(polls.areGapsTrue, "\(milliseconds) ms: \(polls)")
                #expect((polls.gaps.first ?? 0) >= 2, "\(milliseconds) ms: \(polls)")
                #expect((polls.attempts.first ?? 0) >= 2)
            }
            let hasLost = sessions.contains { $0.reason == "result-lost" }
            #expect(third.status == (hasLost ? 1 : 0), "\(milliseconds) ms: \(third)")
            #expect(provider.polls.early == 0, "\(milliseconds) ms")
            _ = try await site.workspace.succeed("verify", "--level", "all")
        }
    }
}
