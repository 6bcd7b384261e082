// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

/// What a provider hears of processes that poll and are killed, seen by the relay in front of it.
@Suite("A real provider that is polled", .serialized, .sharedProvider)
struct CIBAInterruptionTests {
    /// The pause that the provider asks for.
    private static let pauseMilliseconds: Int64 = 5000

    let provider: RealProvider
    let relay: Relay

    init() throws {
        provider = try RealProvider.current()
        guard let relay = provider.relay else { throw Trouble("the provider has no relay") }
        self.relay = relay
    }

    /// Every poll so far came a full pause after the answer before it.
    private func expectNothingEarly() {
        var pauses = 0
        for polls in relay.polls.values {
            #expect(polls.first?.isRequest == true)
            for (poll, before) in zip(polls.dropFirst(), polls) {
                guard let answered = before.answeredMilliseconds else { continue }
                #expect(poll.arrivedMilliseconds - answered >= Self.pauseMilliseconds)
                pauses += 1
            }
        }
        #expect(pauses > 1)
    }

    @Test("is polled by whoever takes over from a process that was killed, and never early")
    func killed() async throws {
        let ledger = try await provider.ledger()
        let logins = try BackchannelLogin.clients.map {
            try BackchannelLogin(provider, ledger, $0)
        }
        let before = relay.tokenRequests.count
        let sessions = [try await logins[0].start(), try await logins[1].start()]
        let watch = ["poll", "--all", "--watch"]

        // The answers to the first polls are on their way when this one dies.
        try relay.hold("/token", "after")
        let first = try ledger.start(watch)
        try await first.untilHeld(by: relay)
        try await first.killAndWait()
        try await relay.release()

        let second = try ledger.start(watch)
        let milliseconds = Int.random(in: 0..<6000)
        try await Task.sleep(for: .milliseconds(milliseconds))
        try await second.killAndWait()
        for login in logins { try await login.approve() }

        let third = try await ledger.run(watch).expect(0)
        #expect(third.lines.map(\.state) == ["verified", "verified"], "\(milliseconds) ms")
        #expect(Set(third.lines.map { $0["session"]?.stringValue }) == Set(sessions))
        var lost = 0
        var recorded = 0
        for session in sessions {
            let polls = try await ledger.polls(session)
            #expect(polls.areGapsTrue, "\(milliseconds) ms: \(polls)")
            lost += polls.lost
            recorded += polls.attempts.count
        }
        let sent = relay.tokenRequests.count - before
        #expect(lost > 0)
        #expect((recorded...recorded + lost).contains(sent), "\(milliseconds) ms")
        expectNothingEarly()
        try await ledger.reverify(tokens: 2, verified: 2, failed: 0)
    }

    @Test("gives its tokens once: when they are lost with the process, the login is too")
    func lostTokens() async throws {
        let ledger = try await provider.ledger()
        let login = try BackchannelLogin(provider, ledger, "ciba")
        try relay.hold("/ciba")
        let start = try ledger.start(["start"] + login.arguments)
        try await start.untilHeld(by: relay, "/ciba")
        try expectNoArgument(with: [provider.loginHint] + secretsOfClient())
        try await relay.release()
        let session = try #require(try await start.wait().object["session"]?.stringValue)
        try await login.approve()

        try relay.hold("/token", "after")
        let killed = try ledger.start(["poll", session, "--watch"])
        try await killed.untilHeld(by: relay)
        let requestID = relay.tokenRequests.last?.parameters("body")["auth_req_id"]
        try expectNoArgument(with: [try #require(requestID)] + secretsOfClient())
        try await killed.killAndWait()
        try await relay.release()

        try await ledger.run(["poll", session]).expectFailed("result-lost")
        let last = try #require(try await ledger.allData("polled").last)
        // To whom it gave the tokens already it says so.
        #expect(last["error"] == .string("access_denied"))
        #expect(last["gap"] == .bool(true))
        #expect(try await ledger.polls(session).attempts == [2])
        expectNothingEarly()
    }

    private func secretsOfClient() throws -> [String] {
        let secret = try #require(try provider.client("ciba").secret)
        let sent = relay.backchannelRequests.last?["authorization"].split(separator: " ").last
        return [secret, String(try #require(sent))]
    }

    /// None of these is among the arguments of any process, while one of the program runs.
    private func expectNoArgument(with secrets: [String]) throws {
        let running = ProcessArguments.ofAll()
        #expect(running.contains { $0.contains(Ledger.program) })
        for secret in secrets {
            #expect(secret.count >= 20)
            #expect(!running.contains { $0.contains(secret) })
        }
    }
}
