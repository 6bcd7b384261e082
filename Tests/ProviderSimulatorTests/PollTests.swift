// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import LedgerPrimitives
import ProviderSimulator
import Testing

@Suite("A poll at the simulated provider")
struct PollTests {
    private func login(_ script: BackchannelScript) throws -> Login {
        var login = try Login()
        login.provider.settings.backchannel.scripts = [script]
        return login
    }

    @Test("that comes too early is slowed down, for good")
    func haste() throws {
        var login = try Login()
        let id = try login.requestID()
        #expect(login.poll(id, after: 4).error == "slow_down")
        // The interval is ten seconds now.
        #expect(login.poll(id, after: 9).error == "slow_down")
        #expect(login.poll(id, after: 14).error == "slow_down")
        #expect(login.poll(id, after: 20).error == "authorization_pending")
        #expect(login.poll(id, after: 20).error == "authorization_pending")
        #expect(login.poll(id, after: 23).status == 200)
        #expect(login.provider.polls.early == 3)
        #expect(login.provider.polls.count == 6)
        #expect(login.provider.polls.latenessMilliseconds == [0, 0, 3000])
        #expect(login.provider.polls.laterLatenessMilliseconds == [0, 0, 3000])
        #expect(login.provider.pollCount(of: id) == 6)
    }

    @Test("that comes too early is only counted where the provider does not mind")
    func tolerance() throws {
        var login = try Login()
        login.provider.settings.backchannel.slowsHaste = false
        let id = try login.requestID()
        for _ in 0..<2 { #expect(login.poll(id, after: 1).error == "authorization_pending") }
        #expect(login.poll(id, after: 1).status == 200)
        #expect(login.provider.polls.early == 3)
        #expect(login.provider.polls.latenessMilliseconds == [])
    }

    @Test("is due after five seconds where the answer does not say when")
    func noInterval() throws {
        var login = try Login()
        login.provider.settings.backchannel.intervalSeconds = nil
        login.provider.settings.backchannel.writesLifetimeAsText = true
        let response = login.startBackchannel()
        #expect(response.members["interval"] == nil)
        #expect(response.members["expires_in"] == .string("120"))
        let id = try #require(response.members["auth_req_id"]?.stringValue)
        login.wait(milliseconds: 4999)
        #expect(login.poll(id, after: 0).error == "slow_down")
        login.wait(milliseconds: 10_250)
        #expect(login.poll(id, after: 0).error == "authorization_pending")
        #expect(login.provider.polls.latenessMilliseconds == [250])
    }

    @Test("is due by the clock of the provider")
    func clock() throws {
        var login = try Login()
        login.provider.settings.clockOffsetSeconds = -3600
        let id = try login.requestID()
        _ = login.poll(id)
        #expect(login.provider.polls.latenessMilliseconds == [0])
        #expect(login.provider.polls.laterLatenessMilliseconds == [])
        #expect(login.provider.polls.early == 0)
    }

    @Test("meets a user who declines, never answers, or fails")
    func endings() throws {
        var declined = try login(BackchannelScript(pendingPolls: 0, ending: .declines))
        let denial = declined.poll(try declined.requestID())
        #expect(denial.status == 400)
        #expect(denial.error == "access_denied")
        #expect(denial.members["error_description"] == .string("user declined"))
        var failed = try login(
            BackchannelScript(
                pendingPolls: 0, ending: .fails(code: "transaction_failed", description: nil)))
        let failure = failed.poll(try failed.requestID())
        #expect(failure.error == "transaction_failed")
        #expect(failure.members["error_description"] == nil)
        var silent = try login(BackchannelScript(pendingPolls: 0, ending: .neverAnswers))
        let id = try silent.requestID()
        for _ in 0..<23 { #expect(silent.poll(id).error == "authorization_pending") }
        for _ in 0..<2 { #expect(silent.poll(id).error == "expired_token") }
        #expect(silent.provider.pollCount(of: id) == 25)
        var stranded = try Login()
        stranded.provider.prepare(SimulatedLogin(returns: false))
        let other = try stranded.requestID(["requested_expiry": "16"])
        for _ in 0..<3 { #expect(stranded.poll(other).error == "authorization_pending") }
        #expect(stranded.poll(other).error == "expired_token")
    }

    @Test("meets interludes, which do not try the patience of the user")
    func interludes() throws {
        var login = try login(
            BackchannelScript(
                pendingPolls: 1,
                interludes: [
                    1: .outage(retryAfterSeconds: 7), 2: .tooMany(retryAfterSeconds: nil),
                    3: .slowDown, 5: .page,
                ]))
        let id = try login.requestID()
        let outage = login.poll(id)
        #expect(outage.status == 503)
        #expect(outage.field("Retry-After") == "7")
        let many = login.poll(id, after: 7)
        #expect(many.status == 429)
        #expect(many.field("Retry-After") == nil)
        #expect(login.poll(id).error == "slow_down")
        #expect(login.poll(id, after: 10).error == "authorization_pending")
        let page = login.poll(id, after: 10)
        #expect(page.status == 200)
        #expect(page.mediaType == "text/html")
        #expect(login.poll(id, after: 10).status == 200)
        #expect(login.provider.polls.early == 0)
        #expect(login.provider.polls.latenessMilliseconds == [0, 0, 0, 0, 0, 0])
    }

    @Test("that nobody answers in time makes the next one due as if it had been answered")
    func silence() throws {
        var login = try login(BackchannelScript(pendingPolls: 0, interludes: [1: .silence]))
        let id = try login.requestID()
        login.wait(milliseconds: 5000)
        let form = ["grant_type": Login.cibaGrant, "auth_req_id": id]
        #expect(login.answer(login.authenticated(.token, form)).delayMilliseconds == 20_000)
        #expect(login.poll(id).status == 200)
        #expect(login.provider.polls.early == 0)
    }

    @Test("follows scripts in turn, and prepared logins before them")
    func scripts() throws {
        var login = try Login()
        login.provider.settings.backchannel.scripts = [
            BackchannelScript(pendingPolls: 0),
            BackchannelScript(pendingPolls: 0, ending: .declines),
        ]
        #expect(login.poll(try login.requestID()).status == 200)
        login.provider.prepare(
            SimulatedLogin(
                subject: "person-se-1", script: BackchannelScript(pendingPolls: 1)))
        #expect(login.startBackchannel(["scope": "profile"]).status == 400)
        let prepared = try login.requestID()
        #expect(login.poll(prepared).error == "authorization_pending")
        let claims = try login.claims(login.poll(prepared).members)
        #expect(claims["sub"] == .string("person-se-1"))
        #expect(login.poll(try login.requestID()).error == "access_denied")
        #expect(login.poll(try login.requestID()).status == 200)
        login.provider.settings.backchannel.scripts = []
        #expect(login.poll(try login.requestID()).error == "authorization_pending")
    }

    @Test("is answered for a request of the client's own only, and by its own grant type")
    func foreign() throws {
        var login = try Login()
        let id = try login.requestID()
        #expect(login.poll("invented").error == "invalid_grant")
        #expect(login.poll(id, after: 0, ["auth_req_id": ""]).error == "invalid_request")
        #expect(login.pollHeadless(id, after: 0).error == "invalid_grant")
        let other = login.poll(id, after: 0, ["grant_type": Login.cibaGrant + ":x"])
        #expect(other.error == "unsupported_grant_type")
        login.clientID = "post"
        #expect(login.poll(id, after: 0).error == "invalid_grant")
        #expect(login.provider.pollCount(of: id) == 0)
        #expect(login.provider.polls == PollStatistics())
        #expect(login.provider.pollCount(of: "invented") == 0)
    }

    @Test("can be asked for ten thousand requests at once")
    func many() throws {
        var login = try Login()
        login.provider.settings.backchannel.scripts = [
            BackchannelScript(pendingPolls: 1, ending: .declines)
        ]
        var ids: [String] = []
        for number in 0..<10_000 {
            let form = ["scope": "openid", "login_hint": "person-no-1"]
            let answer = login.provider.respond(
                to: login.authenticated(.backchannelAuthentication, form), at: login.now
            ) { count in
                [UInt8](repeating: UInt8(number & 0xFF), count: count - 1) + [UInt8(number >> 8)]
            }
            ids.append(try #require(answer.response.members["auth_req_id"]?.stringValue))
        }
        #expect(Set(ids).count == 10_000)
        login.wait(milliseconds: 5000)
        for id in ids { #expect(login.poll(id, after: 0).error == "authorization_pending") }
        login.wait(milliseconds: 5000)
        for id in ids { #expect(login.poll(id, after: 0).error == "access_denied") }
        #expect(login.provider.polls.count == 20_000)
        #expect(login.provider.polls.latenessMilliseconds.allSatisfy { $0 == 0 })
        #expect(ids.allSatisfy { login.provider.pollCount(of: $0) == 2 })
    }

    @Test("is counted for those who share the provider, too")
    func shared() async throws {
        var login = try Login()
        let id = try login.requestID()
        _ = login.poll(id)
        let now = login.now
        let shared = SharedProvider(login.provider, now: { now }, randomBytes: { _ in [] })
        #expect(shared.polls.count == 1)
        #expect(shared.pollCount(of: id) == 1)
    }
}
