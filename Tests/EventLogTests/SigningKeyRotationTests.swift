// SPDX-License-Identifier: Apache-2.0

import Capabilities
import Foundation
import JOSE
import LMDB
import LedgerPrimitives
import OpenSSL
import SignedNote
import TestSupport
import Testing

@testable import EventLog

@Suite("A new signing key")
struct SigningKeyRotationTests {
    @Test("is vouched for by the old one, and signs from then on")
    func rotates() throws {
        let ledger = try TemporaryLedger()
        let info = try ledger.create()
        do {
            let log = try ledger.open()
            try fill(log, 4)
            let (rotated, checkpoint) = try log.rotateSigningKey()
            #expect(rotated.previousVerifierKey == info.verifierKey)
            #expect(rotated.verifierKey != info.verifierKey)
            let keys = [info.verifierKey, rotated.verifierKey]
            #expect(try checkpoint.note.verified(by: keys) == keys)
            #expect(checkpoint.checkpoint.size == 5)
            #expect(try log.verifierKeys() == keys)
            let event = try required(try log.stream(info.ledgerID.description).first)
            #expect(event.envelope.source == info.origin)
            #expect(SigningKeyRotated(event.data) == rotated)
            #expect(event.data[DataMember.keyCommitment] != nil)
            try fill(log, 2)
            let next = try log.checkpoint()
            #expect(try next.note.verified(by: keys) == [rotated.verifierKey])
            // Whoever trusts the old key is led to the new one.
            let report = try log.check(.tree, CheckInputs(key: info.verifierKey))
            #expect(report.isClean)
            #expect(report.proven.map(\.size) == [5, 7])
            #expect(report.proven.map(\.key) == keys)
            // Whoever trusts the new one only, has the newest.
            let newer = try log.check(.tree, CheckInputs(key: rotated.verifierKey))
            #expect(newer.isClean)
            #expect(newer.proven.last?.size == 7)
        }
        let log = try ledger.open()
        let (again, _) = try log.rotateSigningKey()
        #expect(try log.verifierKeys().last == again.verifierKey)
        #expect(try log.check(.tree).isClean)
        #expect(try log.check(.tree).proven.count == 3)
    }

    @Test("is announced by an event that fits its schema and stays as it is")
    func golden() throws {
        let type = SigningKeyRotated.type + ".v1"
        let ledger = try TemporaryLedger()
        try ledger.create(origin: "example.org/logins")
        let log = try ledger.open()
        _ = try log.rotateSigningKey()
        _ = try log.rotateSigningKey()
        let events = try log.stream(log.info.ledgerID.description)
        let verdicts = try Schemas.verdicts(
            on: events.map { Schemas.Case("events/\(type).schema.json", .object($0.data)) })
        for verdict in verdicts { #expect(verdict.isValid, "\(verdict)") }
        for (event, name) in zip(events, ["fullest", "smallest"]) {
            let path = "Tests/EventLogTests/Golden/\(type).\(name).json"
            let encoded = CanonicalJSON.encode(event.data) + [UInt8(ascii: "\n")]
            if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil {
                try ledger.write(encoded, to: "\(Repository.root)/\(path)")
            }
            #expect(try Repository.read(path) == encoded, "UPDATE_GOLDEN=1 rewrites \(path)")
            #expect(SigningKeyRotated(event.data) != nil)
        }
        var data = events[0].data
        data["more"] = .string("x")
        let other = Schemas.Case("events/\(type).schema.json", .object(data))
        #expect(try !Schemas.verdicts(on: [other])[0].isValid)
    }

    private func keyFiles(_ ledger: TemporaryLedger, _ info: LedgerInfo) throws -> [String] {
        try FileManager.default.contentsOfDirectory(
            atPath: ledger.keyRoot + "/\(info.ledgerID)"
        ).sorted()
    }

    @Test("that no event announced is dropped when the log is opened again")
    func brokenOffBefore() throws {
        let ledger = try TemporaryLedger()
        let info = try ledger.create()
        do { try fill(try ledger.open(), 2) }
        let keys = ledger.keyRoot + "/\(info.ledgerID)"
        // As if it had ended before the event: a key that nothing names.
        let rootKey = try KeyDirectory(ledger.keyRoot, ledgerID: info.ledgerID).readRootKey()
        let sealed = DirectEncryption.seal(
            [UInt8](repeating: 6, count: 32), key: rootKey.signingFileKey,
            nonce: [UInt8](repeating: 6, count: 12))
        try ledger.write(Array(sealed.utf8) + [10], to: keys + "/signing.key.next")
        let log = try ledger.open()
        #expect(try keyFiles(ledger, info) == ["root.key", "signing.key"])
        #expect(try log.verifierKeys() == [info.verifierKey])
        let checkpoint = try log.checkpoint()
        #expect(try checkpoint.note.verified(by: [info.verifierKey]).count == 1)
        #expect(try log.check(.tree).isClean)
    }

    @Test("that an event announced takes its place when the log is opened again")
    func brokenOffBehind() throws {
        let ledger = try TemporaryLedger()
        let info = try ledger.create()
        let keys = ledger.keyRoot + "/\(info.ledgerID)"
        let old = try fileBytes(keys + "/signing.key")
        let rotated: SigningKeyRotated
        do {
            let log = try ledger.open()
            try fill(log, 2)
            rotated = try log.rotateSigningKey().0
        }
        // As if it had ended behind the event: no common checkpoint, and the files not yet moved.
        let new = try fileBytes(keys + "/signing.key")
        try ledger.write(new, to: keys + "/signing.key.next")
        try ledger.write(old, to: keys + "/signing.key")
        for path in [ledger.path + "/checkpoint", ledger.path + "/keys/checkpoint"] {
            try FileManager.default.removeItem(atPath: path)
        }
        do {
            let environment = try LMDBEnvironment(
                directory: ledger.path + "/log", access: .readWrite, mapBytes: 1 << 30,
                databasesMax: 8)
            let checkpoints = try environment.database("checkpoints")
            try environment.write { _ = try $0.delete(.number(3), in: checkpoints) }
        }
        do {
            let codes = try ledger.open(.reading).check(.tree).findings.map(\.code)
            #expect(codes == ["rotation-unproven"])
        }
        let log = try ledger.open()
        #expect(try keyFiles(ledger, info) == ["root.key", "signing.key"])
        let found = try required(try log.storedCheckpoint(of: 3))
        let both = [info.verifierKey, rotated.verifierKey]
        #expect(try found.note.verified(by: both) == both)
        #expect(try log.check(.tree).isClean)
    }

    @Test("that only its own event vouches for is found")
    func forged() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        try fill(log, 2)
        let forger = try required(
            try NoteSigner(name: log.info.origin, seed: .init([UInt8](repeating: 3, count: 32))))
        let rotated = SigningKeyRotated(
            verifierKey: forger.verifierKey, previousVerifierKey: log.info.verifierKey)
        let draft = EventDraft(
            id: log.capabilities.makeUUIDv7(), source: log.info.origin,
            type: SigningKeyRotated.type, typeVersion: 1, subject: log.info.ledgerID.description,
            time: log.capabilities.now(),
            clear: [
                "previousVerifierKey": .string(rotated.previousVerifierKey.description),
                "verifierKey": .string(rotated.verifierKey.description),
            ])
        _ = try log.appendAndWait(
            AppendBatch(events: [try log.prepare(draft, after: nil, dataKey: nil)]))
        let head = try log.head()
        let checkpoint = try SignedCheckpoint(
            Checkpoint(origin: log.info.origin, size: head.size, root: head.root),
            signers: [forger])
        try log.environment.write { transaction in
            try transaction.put(.number(3), checkpoint.encoded, in: log.tables.checkpoints)
        }
        let codes = try log.check(.tree).findings.map(\.code)
        #expect(codes == ["checkpoint-unsigned", "rotation-unproven"])
    }
}
