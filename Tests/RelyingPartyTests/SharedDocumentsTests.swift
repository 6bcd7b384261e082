// SPDX-License-Identifier: Apache-2.0

import EventLog
import HTTPMessages
import LedgerPrimitives
import LoginSupport
import ProviderSimulator
import RelyingParty
import SessionEvents
import Sessions
import Testing

@Suite("Logins of one relying party", .serialized, .timeLimit(.minutes(5)))
struct SharedDocumentsTests {
    private func login(
        _ party: RelyingParty, _ rig: LoginRig
    ) async throws -> (session: String, result: LoginResult) {
        let started = try await party.start(rig.profile, flow: .pkce)
        let callback = try await rig.browse(started)
        let outcome = try await party.receiveCallback(callback, session: started.session)
        return (started.session, try required(outcome.taken))
    }

    private func count(_ endpoint: ProviderEndpoint, _ rig: LoginRig) -> Int {
        rig.wire.endpoints.filter { $0 == endpoint }.count
    }

    @Test("ask for each document once, 200 at a time as one after the other")
    func storm() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let party = rig.party(log)
        let phases = try await withThrowingTaskGroup(of: SessionPhase.self) { group in
            for _ in 0..<200 { group.addTask { try await login(party, rig).result.phase } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(phases.count == 200)
        #expect(phases.allSatisfy { $0 == .verified })
        _ = try await login(party, rig)
        #expect(count(.discovery, rig) == 1)
        #expect(count(.keySet, rig) == 1)
        #expect(count(.token, rig) == 201)
        #expect(try log.stream(LoginRig.issuer).count == 2)
        #expect(try log.check(.tree).findings == [])
    }

    @Test("ask for keys once more each for a key that the provider never publishes")
    func unknownKeys() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let party = rig.party(log)
        rig.provider.withProvider { $0.settings.misbehaviour = .unknownKeyID }
        for number in 1...3 {
            #expect(try await login(party, rig).result.reason?.code == "kid-unknown")
            #expect(count(.keySet, rig) == 1 + number)
        }
        #expect(count(.discovery, rig) == 1)
    }

    @Test("go on with new keys at once, also while the old key set is fresh")
    func rotation() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let party = rig.party(log)
        #expect(try await login(party, rig).result.phase == .verified)
        rig.provider.rotateKeys(to: try LoginRig.newKey("key-2"), keepingOld: false)
        for _ in 0..<2 {
            let (session, result) = try await login(party, rig)
            #expect(result.phase == .verified)
            guard case .verified(let verified) = try log.opened(session)[4].event else {
                Issue.record("another event")
                return
            }
            // The set that counted when the check ran is the one that is named.
            let digest = try #require(verified.keySetDigest)
            let set = try #require(try log.blob(digest))
            #expect(String(decoding: set, as: UTF8.self).contains("key-2"))
            #expect(verified.keyID == "key-2")
        }
        #expect(count(.keySet, rig) == 2)
    }

    @Test("do not take a token by a key that was withdrawn, though the log has it")
    func withdrawn() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let party = rig.party(log)
        #expect(try await login(party, rig).result.phase == .verified)
        let empty = Array(#"{"keys":[]}"#.utf8)
        rig.wire.before { exchange in
            exchange.endpoint == .keySet ? HTTPResponse(status: 200, body: empty) : nil
        }
        // The simulated provider lets its key set be kept for 300 s.
        #expect(try await login(party, rig).result.phase == .verified)
        rig.clock.advance(seconds: 300)
        #expect(try await login(party, rig).result.reason?.code == "kid-unknown")
        // And an outage does not bring it back.
        rig.wire.before { exchange in
            exchange.endpoint == .keySet ? HTTPResponse(status: 503) : nil
        }
        rig.clock.advance(seconds: 3600)
        for party in [party, rig.party(log)] {
            let (session, result) = try await login(party, rig)
            #expect(result.reason?.code == "kid-unknown")
            #expect(try log.failure(session)?.stage == .verification)
        }
    }

    @Test("go on with the last good key set while its provider cannot serve it, and say which")
    func outage() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let party = rig.party(log)
        _ = try await login(party, rig)
        let fetch = rig.wire.exchanges.first { $0.endpoint == .keySet }
        let set = try #require(fetch?.response?.body)
        rig.wire.before { exchange in
            exchange.endpoint == .keySet ? HTTPResponse(status: 503) : nil
        }
        rig.clock.advance(seconds: 80_000)
        for party in [party, rig.party(log)] {
            let (session, result) = try await login(party, rig)
            #expect(result.phase == .verified)
            guard case .verified(let verified) = try log.opened(session)[4].event else {
                Issue.record("another event")
                return
            }
            #expect(verified.keySetDigest == Digest(ofDocument: set))
        }
        rig.clock.advance(seconds: 6400)
        for party in [party, rig.party(log)] {
            #expect(try await login(party, rig).result.reason?.code == "metadata-unavailable")
        }
    }
}
