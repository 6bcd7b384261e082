// SPDX-License-Identifier: Apache-2.0

import EventLog
import HTTPMessages
import LedgerPrimitives
import LoginSupport
import ProviderSimulator
import RelyingParty
import SessionEvents
import Sessions
import Synchronization
import Testing

@Suite("A callback that comes in", .serialized)
struct CallbackTests {
    private static func refused(_ code: String, session: String? = nil) throws -> CallbackResult {
        .refused(try #require(FailureReason(code)), session: session)
    }

    @Test(
        "is refused outside of any session when it belongs to none",
        arguments: [
            ("https://rp.example/callback?code=c", "state-missing"), ("", "state-missing"),
            ("error=access_denied", "state-missing"),
            ("code=c&state=unknown", "state-mismatch"), ("code=c&state=", "state-mismatch"),
            ("code=c&state=a&state=b", "callback-malformed"), ("%", "callback-malformed"),
            ("code=%FF&state=x", "callback-malformed"),
        ])
    func belongsToNone(input: String, reason: String) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let started = try await rig.party(log).start(rig.profile, flow: .pkce)
        let outcome = try await rig.party(log).receiveCallback(input, session: nil)
        #expect(outcome == (try Self.refused(reason)))
        #expect(try log.refusals() == [reason])
        let refusal = try #require(try log.stream(CallbackRefused.subject).first)
        #expect(refusal.data.members.map(\.name).sorted() == ["count", "reason"])
        // The session that waits is left alone, and nobody was asked.
        #expect(try log.words(started.session) == ["initiated", "redirected"])
        #expect(rig.wire.endpoints == [.discovery])
        let callback = try await rig.browse(started)
        let good = try await rig.party(log).receiveCallback(callback, session: nil)
        #expect(good.taken?.phase == .verified)
    }

    @Test("is refused when it was taken before, however it comes", arguments: [true, false])
    func replayed(isBound: Bool) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let login = try await rig.login(log)
        let callback = try #require(login.callback)
        let before = try log.stream(login.session).map(\.leaf)
        for number in 1...3 {
            let outcome = try await rig.party(log).receiveCallback(
                callback, session: isBound ? login.session : nil)
            #expect(outcome == (try Self.refused("callback-replayed", session: login.session)))
            #expect(try log.refusals().count == number)
        }
        #expect(try log.stream(login.session).map(\.leaf) == before)
        #expect(rig.provider.requests(to: .token) == 1)
        let refusal = try #require(try log.stream(CallbackRefused.subject).first)
        #expect(refusal.data["session"] == .string(login.session))
    }

    @Test(
        "for a session ends it when it is not the one that the session waits for",
        arguments: [
            ("code=c&state=wrong", "state-mismatch"), ("code=c", "state-missing"),
            ("code=c&code=d&state=x", "callback-malformed"), ("", "state-missing"),
        ])
    func endsItsSession(input: String, reason: String) async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let started = try await rig.party(log).start(rig.profile, flow: .pkce)
        let good = try await rig.browse(started)
        let outcome = try await rig.party(log).receiveCallback(input, session: started.session)
        #expect(outcome.taken?.phase == .failed)
        #expect(outcome.taken?.reason?.code == reason)
        #expect(
            try log.words(started.session) == ["initiated", "redirected", "callback", "failed"])
        #expect(try log.refusals() == [])
        #expect(rig.wire.endpoints == [.discovery])
        // The right one comes too late.
        let late = try await rig.party(log).receiveCallback(good, session: nil)
        #expect(late == (try Self.refused("callback-replayed", session: started.session)))
        #expect(rig.provider.requests(to: .token) == 0)
    }

    @Test("with another session's state ends the session that it was received for, not the other")
    func anotherSessionsState() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let party = rig.party(log)
        let mine = try await party.start(rig.profile, flow: .pkce)
        let other = try await party.start(rig.profile, flow: .pkce)
        let callback = try await rig.browse(other)
        let swapped = try await party.receiveCallback(callback, session: mine.session)
        #expect(swapped.taken?.reason?.code == "state-mismatch")
        #expect(swapped.taken?.session == mine.session)
        let right = try await party.receiveCallback(callback, session: other.session)
        #expect(right.taken?.phase == .verified)
        #expect(rig.provider.requests(to: .token) == 1)
    }

    @Test("for a session that is not there is refused")
    func unknownSession() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let outcome = try await rig.party(log).receiveCallback(
            "code=c&state=s", session: "018f0000-0000-7000-8000-000000000001")
        #expect(outcome == (try Self.refused("state-mismatch")))
    }

    @Test("for a session that another program runs and reports is refused, and changes nothing")
    func reportedSession() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let session = try await rig.login(log).session
        for count in 1...5 {
            let reported = try Forgery(of: session, in: log, rig).write(count: count) {
                $0.isReported = true
            }
            let before = try log.stream(reported).map(\.leaf)
            let asked = rig.wire.exchanges.count
            let outcome = try await rig.party(log).receiveCallback(
                "code=c&state=s", session: reported)
            #expect(outcome == (try Self.refused("state-mismatch")))
            #expect(try log.stream(reported).map(\.leaf) == before)
            #expect(rig.wire.exchanges.count == asked)
        }
    }

    @Test("is refused while another one for the same session is under way")
    func whileUnderWay() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let party = rig.party(log)
        let started = try await party.start(rig.profile, flow: .pkce)
        let callback = try await rig.browse(started)
        let inner = Mutex<[CallbackResult]>([])
        rig.wire.before { exchange in
            // Once at the fetch of the keys, once while the code is on its way.
            guard exchange.endpoint == .token || exchange.endpoint == .keySet else { return nil }
            let outcome = try await party.receiveCallback(callback, session: nil)
            inner.withLock { $0.append(outcome) }
            return nil
        }
        let outcome = try await party.receiveCallback(callback, session: started.session)
        #expect(outcome.taken?.phase == .verified)
        let refused = try Self.refused("callback-replayed", session: started.session)
        #expect(inner.withLock { $0 } == [refused, refused])
        #expect(rig.provider.requests(to: .token) == 1)
        #expect(try log.words(started.session).count == 5)
    }

    @Test("twice at the same time is exchanged once", arguments: 1...5)
    func concurrent(seed: UInt64) async throws {
        let rig = try LoginRig(seed: seed)
        let log = try rig.open()
        let party = rig.party(log)
        let started = try await party.start(rig.profile, flow: .pkce)
        let callback = try await rig.browse(started)
        let outcomes = try await withThrowingTaskGroup(of: CallbackResult.self) { group in
            for index in 0..<8 {
                group.addTask {
                    try await party.receiveCallback(
                        callback, session: index % 2 == 0 ? started.session : nil)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.compactMap(\.taken).map(\.phase) == [.verified])
        #expect(rig.provider.requests(to: .token) == 1)
        #expect(try log.refusals() == [String](repeating: "callback-replayed", count: 7))
        #expect(try log.words(started.session).count == 5)
        #expect(try log.check(.tree).findings == [])
    }

    @Test("is not taken while the client's secret is gone, and can come again")
    func secretGone() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        var profile = rig.profile
        profile.credentials.secret = .file(rig.directory + "/not-there")
        let started = try await rig.party(log).start(profile, flow: .pkce)
        let callback = try await rig.browse(started)
        await #expect(throws: (any Error).self) {
            try await rig.party(log).receiveCallback(callback, session: started.session)
        }
        #expect(try log.words(started.session) == ["initiated", "redirected"])
        #expect(rig.wire.endpoints == [.discovery])
        try rig.write(LoginRig.secret, to: "not-there")
        let again = try await rig.party(log).receiveCallback(callback, session: started.session)
        #expect(again.taken?.phase == .verified)
    }
}
