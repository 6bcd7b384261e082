// SPDX-License-Identifier: Apache-2.0

import LMDB
import LedgerPrimitives
import LoginSupport
import RelyingParty
import Replay
import SessionEvents
import TestSupport
import Testing

@testable import EventLog

@Suite("One bit that is not what it was", .serialized)
struct MutationTests {
    /// By itself, and as one of many.
    private static func result(_ log: EventLog, _ session: String) throws -> TokenOutcome.Result? {
        let reverification = try Reverification(log)
        let alone = Result { try reverification.reverify(session: session)?.result }
        let amongMany = Result {
            var found: TokenOutcome.Result?
            try reverification.reverify([session]) { found = $0.result }
            return found
        }
        switch (alone, amongMany) {
        case (.success(let left), .success(let right)): #expect(left == right)
        case (.failure, .failure): break
        default: Issue.record("\(alone) by itself, \(amongMany) among many")
        }
        return try alone.get()
    }

    /// The bytes with one bit flipped that keeps them ASCII.
    private static func flipped(_ bytes: [UInt8], _ dice: inout SeededGenerator) -> [UInt8] {
        var flipped = bytes
        let index = Int.random(in: 0..<bytes.count, using: &dice)
        flipped[index] ^= 1 << UInt8.random(in: 0..<7, using: &dice)
        return flipped
    }

    @Test("in the token makes it fail, wherever it is", arguments: Seeds.all)
    func token(seed: UInt64) async throws {
        var dice = SeededGenerator(seed: seed)
        let rig = try LoginRig(seed: seed)
        let log = try rig.open()
        let forgery = try Forgery(of: try await rig.login(log).session, in: log, rig)
        let token = Array(try forgery.idToken().utf8)
        for _ in 0..<150 {
            let changed = String(decoding: Self.flipped(token, &dice), as: UTF8.self)
            let copy = try forgery.write { part in
                if part.type == .tokenIssued { part.sealed?["idToken"] = .string(changed) }
            }
            let outcome = try #require(try Reverification(log).reverify(session: copy))
            #expect(outcome.result == .failed, "\(changed) \(Seeds.hint(seed))")
            #expect(outcome.isMismatch)
        }
    }

    @Test("in the key makes every token fail", arguments: Seeds.all)
    func key(seed: UInt64) async throws {
        var dice = SeededGenerator(seed: seed)
        let rig = try LoginRig(seed: seed)
        let log = try rig.open()
        let forgery = try Forgery(of: try await rig.login(log).session, in: log, rig)
        let members = try JSONReader.read(
            try forgery.document("keySetDigest"), numbers: .integersOnly)
        let key = try #require(members.objectValue?["keys"]?.arrayValue?.first?.objectValue)
        for _ in 0..<60 {
            let name = try #require(
                ["x", "y", "kty", "crv", "alg", "kid"].randomElement(using: &dice))
            var changed = key
            let value = Array(try #require(key[name]?.stringValue).utf8)
            let text = String(decoding: Self.flipped(value, &dice), as: UTF8.self)
            changed[name] = .string(text)
            let document = CanonicalJSON.encode(["keys": .array([.object(changed)])])
            let copy = try forgery.write { $0.replace("keySetDigest", with: document) }
            #expect(
                try Self.result(log, copy) == .failed, "\(name) \(text) \(Seeds.hint(seed))")
        }
    }

    @Test("in what the policy demands makes the token fail or leaves it open", arguments: Seeds.all)
    func policy(seed: UInt64) async throws {
        var dice = SeededGenerator(seed: seed)
        let rig = try LoginRig(seed: seed)
        let log = try rig.open()
        let forgery = try Forgery(of: try await rig.login(log).session, in: log, rig)
        let policy = try #require(
            try JSONReader.read(try forgery.document("policyDigest"), numbers: .integersOnly)
                .objectValue)
        for _ in 0..<60 {
            var changed = policy
            let name = try #require(
                ["issuer", "audience", "algorithms"].randomElement(using: &dice))
            if name == "algorithms" {
                changed[name] = .array([
                    .string(
                        String(decoding: Self.flipped(Array("ES256".utf8), &dice), as: UTF8.self))
                ])
            } else {
                let value = Array(try #require(policy[name]?.stringValue).utf8)
                changed[name] = .string(
                    String(decoding: Self.flipped(value, &dice), as: UTF8.self))
            }
            let document = CanonicalJSON.encode(changed)
            let copy = try forgery.write { $0.replace("policyDigest", with: document) }
            #expect(try Self.result(log, copy) != .verified, "\(changed) \(Seeds.hint(seed))")
        }
    }

    @Test("in what was sealed with the request makes the token fail")
    func nonce() async throws {
        let rig = try LoginRig()
        let log = try rig.open()
        let forgery = try Forgery(of: try await rig.login(log).session, in: log, rig)
        let names = [
            ("nonce", "nonce-mismatch", SessionEventType.initiated),
            ("accessTokenHash", "at-hash-mismatch", .tokenIssued),
        ]
        for (name, reason, type) in names {
            let copy = try forgery.write { part in
                guard part.type == type, let text = part.sealed?[name]?.stringValue else { return }
                part.sealed?[name] = .string(text.dropLast() + (text.hasSuffix("A") ? "B" : "A"))
            }
            let outcome = try #require(try Reverification(log).reverify(session: copy))
            #expect(outcome.reason?.code == reason)
        }
    }

    // MARK: - Below the hash

    /// Whatever bit of a stored value is flipped: the log says that it is damaged, or what it
    /// holds is the same as before. It never verifies something else.
    @Test("in a stored document or event is found on reading", arguments: Seeds.all)
    func stored(seed: UInt64) async throws {
        var dice = SeededGenerator(seed: seed)
        let rig = try LoginRig(seed: seed)
        let log = try rig.open()
        let session = try await rig.login(log).session
        let forgery = try Forgery(of: session, in: log, rig)
        let events = try log.stream(session)
        var values = [
            (LMDBKey.bytes(Digest(ofDocument: try forgery.document("keySetDigest")).array), true),
            (.bytes(Digest(ofDocument: try forgery.document("policyDigest")).array), true),
        ]
        // What is between the beginning and the token has no part in the verdict.
        let read = try log.streamEnds(session, last: 2).events
        #expect(read.map(\.position) == [events[0].position] + events.suffix(2).map(\.position))
        values += read.map { (LMDBKey.number($0.position), false) }
        for (key, isDocument) in values {
            let database = isDocument ? log.tables.blobs : log.tables.events
            let stored = try #require(
                try log.environment.read { try $0.value(key, in: database) })
            for _ in 0..<25 {
                var damaged = stored
                let index = Int.random(in: 0..<stored.count, using: &dice)
                damaged[index] ^= 1 << UInt8.random(in: 0..<8, using: &dice)
                try log.environment.write { try $0.put(key, damaged, in: database) }
                let found = Result { try Self.result(log, session) }
                if case .success(.verified?) = found {
                    // The bit carried nothing: all that is read is as it was.
                    #expect(try log.stream(session).map(\.leaf) == events.map(\.leaf))
                } else if case .success(let result) = found {
                    Issue.record("\(String(describing: result)) at \(index) \(Seeds.hint(seed))")
                }
            }
            try log.environment.write { try $0.put(key, stored, in: database) }
        }
        #expect(try Self.result(log, session) == .verified)
        #expect(try log.check(.tree).findings == [])
    }
}
