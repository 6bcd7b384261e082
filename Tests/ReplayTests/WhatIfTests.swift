// SPDX-License-Identifier: Apache-2.0

import EventLog
import LedgerPrimitives
import LoginSupport
import OpenIDConnect
import ProviderSimulator
import Replay
import SessionEvents
import Testing

@Suite("A token checked again with something else than what was recorded", .serialized)
struct WhatIfTests {
    private static func settings(_ text: String) throws -> JSONObject {
        try #require(
            try JSONReader.read(Array(text.utf8), numbers: .integersOnly).objectValue)
    }

    private static func outcome(
        _ log: EventLog, _ session: String, _ change: (inout ReverificationChanges) -> Void
    ) throws -> TokenOutcome {
        var changes = ReverificationChanges()
        change(&changes)
        return try #require(
            try Reverification(log, changing: changes).reverify(session: session))
    }

    @Test(
        "is refused by a policy that demands more, and the record is not contradicted",
        arguments: [
            (#"{"levelOfAssuranceMin":4}"#, "acr"),
            (#"{"algorithms":["RS512"]}"#, "alg"),
            (#"{"requiredClaims":["sub","no_such_claim"]}"#, "claims"),
            (#"{"audience":"somebody-else"}"#, "aud"),
            (#"{"tokenBytesMax":2048}"#, nil),
            (#"{"clockSkewSeconds":{"exp":0}}"#, nil),
            (#"{"requiredClaims":["sub","iss"]}"#, nil),
        ] as [(String, String?)])
    func policy(text: String, check: String?) async throws {
        let settings = try Self.settings(text)
        let rig = try LoginRig()
        let log = try rig.open()
        let session = try await rig.login(log).session
        let outcome = try Self.outcome(log, session) { $0.policySettings = settings }
        #expect(outcome.result == (check == nil ? .verified : .failed))
        #expect(outcome.failedChecks == [check].compactMap { $0 })
        #expect(outcome.verdictThen == true)
        #expect(outcome.isHypothetical && !outcome.isMismatch)
        #expect(outcome.differs == (check != nil))
        var summary = ReverificationSummary()
        summary.count(outcome)
        #expect(summary.mismatches == 0 && summary.differing == (check == nil ? 0 : 1))
    }

    @Test("passes a policy that no longer demands what made it fail")
    func lenientPolicy() async throws {
        let rig = try LoginRig(profileLines: ["levelOfAssuranceMin: 4"])
        let log = try rig.open()
        let session = try await rig.login(log).session
        let recorded = try Self.outcome(log, session) { _ in }
        #expect(recorded.result == .failed && !recorded.isMismatch && !recorded.isHypothetical)
        let outcome = try Self.outcome(log, session) {
            $0.policySettings = ["levelOfAssuranceMin": .integer(0)]
        }
        #expect(outcome.result == .verified && outcome.differs && !outcome.isMismatch)
    }

    @Test("has another age at another instant")
    func instant() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let session = try await rig.login(log).session
        let later = rig.clock.now().advanced(byMilliseconds: 365 * 86_400_000)
        let outcome = try Self.outcome(log, session) { $0.instant = later }
        #expect(outcome.result == .failed)
        #expect(outcome.failedChecks.contains("exp"))
        #expect(outcome.reason?.code == "token-expired")
    }

    @Test("meets the keys that the provider published last")
    func newestKeys() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let first = try await rig.login(log).session
        #expect(try Self.outcome(log, first) { $0.usesNewestKeys = true }.result == .verified)
        rig.provider.rotateKeys(to: try LoginRig.newKey("key-2"), keepingOld: false)
        rig.clock.advance(seconds: 2 * 86_400)
        let second = try await rig.login(log).session
        #expect(try Self.outcome(log, second) { $0.usesNewestKeys = true }.result == .verified)
        let outcome = try Self.outcome(log, first) { $0.usesNewestKeys = true }
        #expect(outcome.result == .failed && outcome.failedChecks == ["key"])
        #expect(try Self.outcome(log, first) { _ in }.result == .verified)
    }

    @Test("meets the keys of the last reported token, where we fetched none ourselves")
    func newestReportedKeys() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let forgery = try Forgery(of: try await rig.login(log).session, in: log, rig)
        let policy = try JSONReader.read(
            try forgery.document("policyDigest"), numbers: .integersOnly)
        var members = try #require(policy.objectValue)
        members["issuer"] = .string("https://elsewhere.example")
        let document = CanonicalJSON.encode(members)
        let older = try forgery.write { $0.replace("policyDigest", with: document) }
        _ = try forgery.write { part in
            part.replace("policyDigest", with: document)
            part.replace("keySetDigest", with: Array(#"{"keys":[]}"#.utf8))
        }
        let outcome = try Self.outcome(log, older) { $0.usesNewestKeys = true }
        #expect(outcome.failedChecks == ["key"])
        #expect(try Self.outcome(log, older) { _ in }.failedChecks == ["iss"])
    }

    @Test("needs settings that are settings")
    func malformedSettings() throws {
        let policy = VerificationPolicy(issuer: "https://issuer.example", audience: "client")
        for text in [
            #"{"levelOfAssuranceMin":10}"#, #"{"unknown":1}"#,
            #"{"clockSkewSeconds":{"exp":-1}}"#, #"{"requiredClaims":"sub"}"#,
        ] {
            let settings = try Self.settings(text)
            #expect(throws: PolicyError.self) { try policy.replacing(settings) }
        }
        var tolerant = policy
        tolerant.clockSkew = ClockSkew(seconds: 17)
        let changed = try tolerant.replacing(try Self.settings(#"{"clockSkewSeconds":{"exp":3}}"#))
        #expect(changed.clockSkew.expirationSeconds == 3)
        #expect(changed.clockSkew.issuedAtSeconds == 17)
        #expect(try tolerant.replacing([:]) == tolerant)
    }

    @Test("is asked for required claims by a policy that names them, and only then")
    func requiredClaimsForm() throws {
        var policy = VerificationPolicy(issuer: "https://issuer.example", audience: "client")
        #expect(policy.object["requiredClaims"] == nil)
        policy.requiredClaims = ["birthdate"]
        let read = try VerificationPolicy.complete(policy.object)
        #expect(read.policy == policy && !read.wasPartial)
    }
}
