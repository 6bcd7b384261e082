// SPDX-License-Identifier: Apache-2.0

import EventLog
import LedgerPrimitives
import LoginSupport
import OpenIDConnect
import ProviderSimulator
import RelyingParty
import Replay
import SessionEvents
import Sessions
import Testing

@Suite("A token that a poll brought, checked again", .serialized)
struct BackchannelReverificationTests {
    private static let judged = Misbehaviour.allCases.filter { misbehaviour in
        let row = misbehaviour.row
        switch misbehaviour.detection {
        case .idToken, .nowhere:
            return row.needs.isSubset(of: [.backchannel, .headless, .earlierLogin])
        default: return false
        }
    }

    private static func rig() throws -> LoginRig {
        try LoginRig(profileLines: ["hintClaims: [socialno, ssn]"])
    }

    @Test("is judged from the log alone as it was when it came", arguments: judged)
    func sameVerdict(misbehaviour: Misbehaviour) async throws {
        let rig = try Self.rig()
        let log = try rig.open()
        let flow: Flow = misbehaviour.row.needs.contains(.headless) ? .headless : .ciba
        if misbehaviour.row.needs.contains(.earlierLogin) {
            _ = try await rig.backchannelLogin(log, flow: flow, misbehaving: misbehaviour)
        }
        let result = try await rig.backchannelLogin(log, flow: flow, misbehaving: misbehaviour)
        rig.clock.advance(seconds: 10 * 365 * 86_400)
        let asked = rig.wire.exchanges.count
        let outcome = try #require(try Reverification(log).reverify(session: result.session))
        let isGood = result.phase == .verified
        #expect(outcome.result == (isGood ? .verified : .failed))
        #expect(outcome.reason == result.reason)
        #expect(outcome.verdictThen == isGood)
        #expect(!outcome.isMismatch)
        #expect(rig.wire.exchanges.count == asked)
    }

    @Test("that came twice is good in the first session and refused in the second, for ever")
    func replayed() async throws {
        let rig = try Self.rig()
        let log = try rig.open()
        let sessions = [
            try await rig.backchannelLogin(log, misbehaving: .earlierTokens).session,
            try await rig.backchannelLogin(log, misbehaving: .earlierTokens).session,
        ]
        let outcomes = try sessions.map { session in
            try #require(try Reverification(log).reverify(session: session))
        }
        #expect(outcomes.map(\.result) == [.verified, .failed])
        #expect(outcomes[1].reason?.code == "token-replayed")
        #expect(outcomes.allSatisfy { !$0.isMismatch })
    }

    // MARK: - Something is not what it was

    /// A verified login, written again with something changed.
    private static func changed(
        _ rig: LoginRig, _ log: EventLog, _ change: (inout Forgery.Part) -> Void
    ) async throws -> TokenOutcome {
        let login = try await rig.backchannelLogin(log)
        #expect(login.phase == .verified)
        let copy = try Forgery(of: login.session, in: log, rig).write(change)
        return try #require(try Reverification(log).reverify(session: copy))
    }

    @Test("for a request that is not the recorded one, or about somebody else, does not verify")
    func bindings() async throws {
        let rig = try Self.rig()
        let log = try rig.open()
        let changes = [
            (SessionEventType.tokenIssued, "requestID", "another", "token-replayed"),
            (.initiated, "loginHint", "sub:ssn:01819010002", "subject-mismatch"),
        ]
        for (type, name, value, reason) in changes {
            let outcome = try await Self.changed(rig, log) { part in
                guard part.type == type, part.sealed?[name] != nil else { return }
                part.sealed?[name] = .string(value)
            }
            #expect(outcome.result == .failed)
            #expect(outcome.reason?.code == reason)
            #expect(outcome.isMismatch)
        }
    }

    @Test("made before the request was accepted does not verify")
    func acceptedAt() async throws {
        let rig = try Self.rig()
        let log = try rig.open()
        let outcome = try await Self.changed(rig, log) { part in
            guard let text = part.clear["acceptedAt"]?.stringValue,
                let time = Instant(rfc3339: text)
            else { return }
            part.clear["acceptedAt"] = .string(time.advanced(byMilliseconds: 120_000).rfc3339)
        }
        #expect(outcome.reason?.code == "iat-too-old")
        #expect(outcome.isMismatch)
    }

    @Test("differs from a verdict that says itself that the token came before")
    func forgedReplay() async throws {
        let rig = try Self.rig()
        let log = try rig.open()
        let outcome = try await Self.changed(rig, log) { part in
            guard part.type == .verified, let checks = part.clear["checks"]?.arrayValue else {
                return
            }
            part.clear["checks"] = .array(
                checks.map { check in
                    guard check.objectValue?["name"] == .string("replay") else { return check }
                    return .object(["name": .string("replay"), "outcome": .string("failed")])
                })
        }
        #expect(outcome.result == .failed)
        #expect(outcome.reason?.code == "token-replayed")
        #expect(outcome.isMismatch)
    }

    @Test("without what binds it is judged by the rest")
    func unbound() async throws {
        let rig = try Self.rig()
        let log = try rig.open()
        let outcome = try await Self.changed(rig, log) { part in
            part.sealed?["requestID"] = nil
            part.sealed?["loginHint"] = nil
            part.clear["acceptedAt"] = nil
        }
        #expect(outcome.result == .verified)
    }
}
