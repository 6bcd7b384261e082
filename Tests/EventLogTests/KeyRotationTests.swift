// SPDX-License-Identifier: Apache-2.0

import Capabilities
import Foundation
import LMDB
import LedgerPrimitives
import Platform
import SessionEvents
import Testing

@testable import EventLog

@Suite("Replacing keys")
struct KeyRotationTests {
    private let by = Operator(user: "anna", uid: 7)

    private func rig() throws -> ErasureRig {
        let rig = try ErasureRig()
        let log = try rig.ledger.open()
        let subject = rig.sessions[0].description
        try required(log.keys).store([], readTo: 3)
        let entry = try log.lookupEntry(.state, "af0ifjsldkj", subject: subject)
        _ = try required(log.keys).store([], [entry])
        let person = try log.lookupEntry(.subject, "sub", subject: subject)
        _ = try required(log.keys).store([], [person])
        return rig
    }

    private func expectIntact(_ rig: ErasureRig) throws {
        #expect(try rig.values() == (0..<4).map { rig.value($0) })
        let log = try rig.ledger.open()
        let subject = rig.sessions[0].description
        #expect(try log.subject(of: .state, "af0ifjsldkj") == subject)
        #expect(try log.subjects(of: .subject, "sub") == [subject])
        #expect(try log.indexedTo() == 3)
        #expect(try log.checkKeys(opensBoxes: true).findings == [])
        _ = try log.checkpoint()
    }

    @Test(
        "keeps everything readable and every lookup working", arguments: KeysRotated.Kind.allCases)
    func rotates(kind: KeysRotated.Kind) throws {
        let rig = try rig()
        let path = try rig.keyDirectory() + "/root.key"
        let oldRoot = try fileBytes(path)
        let oldKeys = try fileBytes(rig.ledger.path + "/keys/data.mdb")
        for _ in 0..<3 {
            try ErasureRig.custody(rig.ledger).rotate(kind, by: by)
            try expectIntact(rig)
        }
        #expect((try fileBytes(path) == oldRoot) == (kind == .bucket))
        #expect(try fileBytes(rig.ledger.path + "/keys/data.mdb") != oldKeys)
        // A new session begins under the new keys.
        let log = try rig.ledger.open()
        var author = try StreamAuthor(log)
        _ = try log.appendAndWait(try author.next(log, sealed: ["v": .integer(1)]))
        let rotations = try log.stream(log.info.ledgerID.description)
            .filter { $0.envelope.type == LedgerEventType.keysRotated.rawValue }
        #expect(rotations.count == 3)
    }

    @Test(
        "killed at any point has the old keys or the new ones",
        arguments: [
            ErasurePoint.freshKeysWritten, .oldKeysAside, .freshKeysInPlace, .rootKeyReplaced,
            .oldKeysDestroyed,
        ])
    func crash(point: ErasurePoint) async throws {
        let rig = try rig()
        let directory = rig.ledger.directory
        let raw = point.rawValue
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [directory = directory as String, raw = raw as String] in
            let custody = try LedgerCustody(
                directory + "/ledger", keyRoot: directory + "/config/keys",
                capabilities: .simulated(seed: 9), waitMilliseconds: 5000,
                reached: { if $0.rawValue == raw { ProcessControl.killSelf() } })
            try custody.rotate(.root, by: Operator(user: nil, uid: 0))
        }
        try expectIntact(rig)
        let names = try FileManager.default.contentsOfDirectory(atPath: rig.ledger.path)
        #expect(!names.contains { $0.hasPrefix("keys.") })
        let keys = try FileManager.default.contentsOfDirectory(atPath: rig.keyDirectory())
        #expect(keys.sorted() == ["root.key", "signing.key"])
    }

    @Test("of a root key that is written over only in part goes on from its second copy")
    func tornRootKey() async throws {
        let rig = try rig()
        let directory = rig.ledger.directory
        await #expect(processExitsWith: .signal(SIGKILL)) { [directory = directory as String] in
            let custody = try LedgerCustody(
                directory + "/ledger", keyRoot: directory + "/config/keys",
                capabilities: .simulated(seed: 9), waitMilliseconds: 5000,
                reached: { if $0 == .freshKeysInPlace { ProcessControl.killSelf() } })
            try custody.rotate(.root, by: Operator(user: nil, uid: 0))
        }
        let path = try rig.keyDirectory() + "/root.key"
        let torn = try fileBytes(path).enumerated().map { $0.offset < 20 ? 0x41 : $0.element }
        let file = try File(path, .overwriting)
        try file.write(torn)
        try expectIntact(rig)
    }

    // MARK: - Other keepers of the root key

    private func foreign(_ custody: String) throws -> TemporaryLedger {
        let ledger = try TemporaryLedger()
        _ = try EventLog.create(
            ledger.path, origin: nil, keyRoot: ledger.keyRoot, custody: Array(custody.utf8),
            samples: TemporaryLedger.samples, capabilities: ledger.capabilities)
        return ledger
    }

    private func write(_ text: String, _ path: String, executable: Bool = false) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        try FileManager.default.setAttributes(
            [.posixPermissions: executable ? 0o700 : 0o600], ofItemAtPath: path)
    }

    private static func key(_ number: UInt8) -> String {
        Base64.encode([UInt8](repeating: number, count: 32)) + "\n"
    }

    @Test("works for a root key from a program, which nothing but the keeper replaces")
    func command() throws {
        let directory = try TemporaryLedger().directory + "-keeper"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try write(Self.key(1), directory + "/key")
        try write("#!/bin/sh\ncat \(directory)/key\n", directory + "/keeper", executable: true)
        let ledger = try foreign(#"{"rootKey":{"command":["\#(directory)/keeper"]}}"#)
        var subject = ""
        do {
            let log = try ledger.open()
            var author = try StreamAuthor(log)
            subject = author.subject
            _ = try log.appendAndWait(try author.next(log, sealed: ["v": .integer(1)]))
        }
        do {
            let custody = try LedgerCustody(
                ledger.path, keyRoot: ledger.keyRoot, capabilities: ledger.capabilities,
                waitMilliseconds: 5000)
            #expect(try !custody.keepsRootKey())
            try custody.rotate(.root, newRootKey: Array(Self.key(2).utf8), by: by)
        }
        #expect {
            try ledger.open()
        } throws: { error in
            if case .rootKeyWrong? = error as? LedgerError { true } else { false }
        }
        try write(Self.key(2), directory + "/key")
        let log = try ledger.open()
        let key = try log.existingDataKey(for: subject)
        let event = try required(try log.stream(subject).first)
        #expect(try log.openSealed(event, dataKey: key) == ["v": .integer(1)])
        _ = try log.checkpoint()
    }

    @Test("leaves the erased session unreadable, and says that the root key was kept")
    func foreignErasure() throws {
        unsafe setenv("AUTHLEDGER_TEST_ROOT_KEY", Self.key(3), 1)
        let ledger = try foreign(#"{"rootKey":{"environment":"AUTHLEDGER_TEST_ROOT_KEY"}}"#)
        var session: UUIDv7?
        do {
            let log = try ledger.open()
            var author = try StreamAuthor(log)
            session = UUIDv7(author.subject)
            _ = try log.appendAndWait(try author.next(log, sealed: ["v": .integer(1)]))
        }
        let outcome = try ErasureRig.custody(ledger).erase(
            ErasureRig.request([try required(session)]))
        #expect(outcome.rootKey == .kept)
        let subject = try required(session).description
        #expect(throws: LedgerError.erased(subject: subject)) {
            try ledger.open().existingDataKey(for: subject)
        }
    }

    @Test("is refused with a keeper that fails, hangs, floods or lies")
    func badKeepers() throws {
        let directory = try TemporaryLedger().directory + "-bad"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let scripts = ["exit 3", "sleep 30", "yes", "echo no key", "kill -9 $$"]
        for (number, script) in scripts.enumerated() {
            let path = directory + "/\(number)"
            try write("#!/bin/sh\n\(script)\n", path, executable: true)
            let start = ContinuousClock.now
            #expect {
                _ = try foreign(#"{"rootKey":{"command":["\#(path)"],"timeoutSeconds":1}}"#)
            } throws: { error in
                switch error as? LedgerError {
                case .rootKeyUnavailable, .rootKeyWrong: true
                default: false
                }
            }
            #expect(ContinuousClock.now - start < .seconds(20), "\(script)")
        }
    }

    @Test(
        "takes no configuration that is not of its form",
        arguments: [
            "", "{}", #"{"rootKey":{}}"#, #"{"rootKey":{"file":"relative"}}"#,
            #"{"rootKey":{"command":["relative"]}}"#, #"{"rootKey":{"command":[]}}"#,
            #"{"rootKey":{"command":["/a"],"timeoutSeconds":0}}"#,
            #"{"rootKey":{"command":["/a",1]}}"#, #"{"rootKey":{"environment":"A=B"}}"#,
            #"{"rootKey":{"environment":"A","file":"/a"}}"#,
            #"{"rootKey":{"environment":"A"},"more":1}"#,
        ])
    func badConfiguration(text: String) {
        #expect(RootKeySource(parsing: Array(text.utf8)) == nil)
    }

    @Test("refuses a configuration that others may write")
    func writableConfiguration() throws {
        let ledger = try TemporaryLedger()
        let info = try ledger.create()
        let path = ledger.keyRoot + "/\(info.ledgerID)/custody.json"
        try write(#"{"rootKey":{"environment":"A"}}"#, path)
        try FileManager.default.setAttributes([.posixPermissions: 0o620], ofItemAtPath: path)
        #expect {
            try ledger.open()
        } throws: { error in
            if case .custodyInvalid(path, _)? = error as? LedgerError { true } else { false }
        }
    }
}

@Suite("A check of the keys")
struct KeyCheckTests {
    private func damage(
        _ rig: ErasureRig, _ body: (KeyStore, [UInt8], [UInt8]) throws -> Void
    ) throws -> [Finding] {
        do {
            let keys = try required(try rig.ledger.open().keys)
            try body(
                keys, StreamKey.key(rig.sessions[1].description),
                StreamKey.key(rig.sessions[2].description))
        }
        return try rig.ledger.open(.unsealing).checkKeys(opensBoxes: true).findings
    }

    @Test("finds a key that is gone, swapped or another, and where its stream begins")
    func findsAll() throws {
        let missing = try damage(ErasureRig()) { keys, first, _ in
            _ = try keys.environment.write {
                try $0.delete(.bytes(first), in: keys.tables.dataKeys)
            }
        }
        #expect(missing.map(\.code) == ["key-missing"])
        #expect(missing.map(\.position) == [2])
        let swapped = try damage(ErasureRig()) { keys, first, second in
            try keys.environment.write { transaction in
                let (one, two) = try (
                    required(transaction.value(.bytes(first), in: keys.tables.dataKeys)),
                    required(transaction.value(.bytes(second), in: keys.tables.dataKeys))
                )
                try transaction.put(.bytes(first), two, in: keys.tables.dataKeys)
                try transaction.put(.bytes(second), one, in: keys.tables.dataKeys)
            }
        }
        #expect(swapped.map(\.code) == ["key-mismatch", "key-mismatch"])
        #expect(swapped.map(\.position) == [2, 4])
    }

    @Test("finds a well-wrapped key that the stream does not commit to, which opens nothing")
    func findsOther() throws {
        let rig = try ErasureRig()
        let subject = rig.sessions[1].description
        let found = try damage(rig) { keys, first, _ in
            let other = try keys.makeDataKey(for: subject, month: 600) {
                [UInt8](repeating: 7, count: $0)
            }
            try keys.environment.write {
                try $0.put(.bytes(first), other.record, in: keys.tables.dataKeys)
            }
        }
        #expect(found.map(\.code) == ["key-mismatch"])
        let log = try rig.ledger.open()
        let key = try log.existingDataKey(for: subject)
        for event in try log.stream(subject) {
            #expect(throws: LedgerError.keyMismatch(subject: subject)) {
                try log.openSealed(event, dataKey: key)
            }
        }
    }

    @Test("needs the keys")
    func needsKeys() throws {
        let rig = try ErasureRig()
        #expect(throws: LedgerError.notWritable) {
            try rig.ledger.open(.reading).checkKeys(opensBoxes: false)
        }
    }

    @Test("has a counterpart at the append: no stream begins with a key that nobody keeps")
    func appendRefuses() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        var author = try StreamAuthor(log)
        var batch = try author.next(log, sealed: ["v": .integer(1)])
        let keys = batch.newDataKeys
        batch.newDataKeys = []
        #expect(throws: LedgerError.keyMissing(subject: author.subject)) {
            try log.appendAndWait(batch)
        }
        batch.newDataKeys = [try log.makeDataKey(for: author.subject)]
        #expect(throws: LedgerError.keyMismatch(subject: author.subject)) {
            try log.appendAndWait(batch)
        }
        #expect(try log.head().size == 0)
        let other = ledger.capabilities.makeUUIDv7().description
        var second = try StreamAuthor(log, subject: other)
        _ = try log.appendAndWait(try second.next(log, sealed: ["v": .integer(1)]))
        #expect(keys.count == 1)
        #expect(try log.head().size == 1)
    }
}
