// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import LedgerPrimitives
import LoginSupport
import OpenSSL
import Platform
import ProviderSimulator
import RelyingParty
import SessionEvents
import Sessions
import Testing

@Suite("Very many logins without a browser", .serialized, .timeLimit(.minutes(2)))
struct ManyPollsTests {
    private static let logins = 180

    private static let now: @Sendable () -> Instant = {
        Instant(millisecondsSince1970: ProcessControl.wallClockMilliseconds)
    }

    /// A provider that wants a second between polls, and whose users answer in all ways.
    private static func provider() throws -> SharedProvider {
        var settings = LoginSetup.generic.settings
        settings.backchannel.intervalSeconds = 1
        settings.backchannel.scripts = [
            BackchannelScript(pendingPolls: 3),
            BackchannelScript(pendingPolls: 5, ending: .declines),
            BackchannelScript(
                pendingPolls: 2, interludes: [2: .outage(retryAfterSeconds: 2)]),
            BackchannelScript(
                pendingPolls: 4, ending: .fails(code: "expired_token", description: nil)),
            BackchannelScript(pendingPolls: 1, interludes: [1: .tooMany(retryAfterSeconds: 2)]),
            BackchannelScript(pendingPolls: 1, interludes: [2: .slowDown]),
        ]
        return SharedProvider(
            SimulatedProvider(
                issuer: LoginRig.issuer, key: try LoginRig.newKey("key-1"), settings: settings),
            now: now, randomBytes: { OpenSSL.randomBytes($0) })
    }

    @Test("are polled for in real time: none early, each poll recorded, and all come to an end")
    func realTime() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let provider = try Self.provider()
        let party = RelyingParty(
            log: log,
            capabilities: Capabilities(
                now: Self.now, randomBytes: { OpenSSL.randomBytes($0) },
                send: { try await provider.send($0) },
                timer: SteadyTimer(
                    steadyMilliseconds: { ProcessControl.bootClockMilliseconds },
                    wait: { try await Task.sleep(for: .milliseconds($0)) })))
        var sessions: [String] = []
        for _ in 0..<Self.logins {
            sessions.append(try await party.start(rig.profile, flow: .ciba, .ciba).session)
        }
        try await party.pollAll()
        var recorded = 0
        var verified = 0
        for session in sessions {
            recorded += try log.recordedPolls(session)
            let last = try #require(try log.words(session).last)
            #expect(["verified", "failed"].contains(last))
            verified += last == "verified" ? 1 : 0
            #expect(try log.polls(session).allSatisfy { $0.hasGap == nil })
        }
        #expect(verified == Self.logins * 4 / 6)
        #expect(recorded == provider.polls.count)
        #expect(provider.polls.early == 0)
        #expect(try log.check(.tree).findings == [])
    }
}
