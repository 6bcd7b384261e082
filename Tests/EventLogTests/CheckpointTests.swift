// SPDX-License-Identifier: Apache-2.0

import Capabilities
import Foundation
import LMDB
import LedgerPrimitives
import MerkleTree
import OpenSSL
import Platform
import SignedNote
import Synchronization
import Testing

@testable import EventLog

extension TemporaryLedger {
    func published(_ path: String? = nil) throws -> SignedCheckpoint {
        try SignedCheckpoint(fileBytes(path ?? self.path + "/checkpoint"))
    }

    /// Copies the ledger directory, or puts a copy in its place.
    func copy(_ part: String, to name: String) throws {
        let target = directory + "/" + name
        try? FileManager.default.removeItem(atPath: target)
        try FileManager.default.copyItem(atPath: directory + "/" + part, toPath: target)
    }

    func write(_ bytes: [UInt8], to path: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
}

@Suite("A checkpoint of the log")
struct LogCheckpointTests {
    @Test("says name, size and root, signed by the ledger's key, and lies in three places")
    func isMade() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        try fill(log, 5)
        let checkpoint = try log.checkpoint()
        #expect(checkpoint.checkpoint.origin == log.info.origin)
        #expect(checkpoint.checkpoint.size == 5)
        #expect(try checkpoint.checkpoint.root == log.head().root)
        #expect(try checkpoint.note.verified(by: [log.info.verifierKey]).count == 1)
        #expect(try ledger.published() == checkpoint)
        #expect(try ledger.published(ledger.path + "/keys/checkpoint") == checkpoint)
        #expect(try log.storedCheckpoint(of: 5) == checkpoint)
        #expect(try log.newestCheckpoint() == checkpoint)
        // Ed25519 signs the same each time, and nothing is written twice.
        #expect(try log.checkpoint() == checkpoint)
    }

    @Test("is made by itself when the log is closed, but not where nothing was added")
    func atClose() throws {
        let ledger = try TemporaryLedger()
        try ledger.create()
        do { _ = try ledger.open() }
        #expect(!FileManager.default.fileExists(atPath: ledger.path + "/checkpoint"))
        do { try fill(try ledger.open(), 7) }
        #expect(try ledger.published().checkpoint.size == 7)
    }

    @Test("of an earlier size is made on demand, and does not replace a newer one")
    func ofEarlierSize() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        try fill(log, 9)
        let newest = try log.checkpoint()
        let earlier = try log.checkpoint(size: 4)
        #expect(earlier.checkpoint.size == 4)
        #expect(try earlier.checkpoint.root == log.root(ofFirst: 4))
        #expect(try ledger.published() == newest)
        #expect(try log.newestCheckpoint() == newest)
    }

    @Test("is published where the publish list says, and nothing else is overwritten there")
    func publishList() throws {
        let ledger = try TemporaryLedger()
        let failures = Mutex<[any Error]>([])
        let info = try ledger.create()
        let list = ledger.keyRoot + "/\(info.ledgerID)/publish"
        let (good, bad) = (ledger.directory + "/outside", ledger.directory + "/notes.txt")
        try ledger.write(Array("my notes\n".utf8), to: bad)
        try ledger.write(Array("# elsewhere\n\n\(bad)\n\(good)\n".utf8), to: list)
        func open() throws -> EventLog {
            try EventLog(
                ledger.path, keyRoot: ledger.keyRoot, access: .appending,
                capabilities: ledger.capabilities,
                checkpointFailed: { error in failures.withLock { $0.append(error) } })
        }
        do { try fill(try open(), 3) }
        #expect(try ledger.published(good).checkpoint.size == 3)
        #expect(try ledger.published().checkpoint.size == 3)
        #expect(try fileBytes(bad) == Array("my notes\n".utf8))
        #expect(failures.withLock { $0.count } == 1)
        #expect(failures.withLock { $0.first as? LedgerError } == .publishOccupied(bad))
        #expect(throws: LedgerError.publishOccupied(bad)) { try open().checkpoint() }
        try ledger.write(Array("relative/path\n".utf8), to: list)
        #expect(throws: LedgerError.publishListMalformed(list)) { try open() }
    }

    @Test("is not signed when it contradicts an earlier one")
    func refusesContradiction() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        try fill(log, 5)
        _ = try log.checkpoint()
        // Another history: the same size, another last leaf.
        try log.environment.write { transaction in
            var head = try log.tables.head(in: transaction)
            var frontier = TreeFrontier()
            for index in 0..<6 { frontier.append(MerkleTree.leafHash([UInt8(index)])) }
            head.frontier = frontier
            try transaction.put(LogTables.MetaName.head, head.encoded, in: log.tables.meta)
            let frame = try required(try transaction.value(.number(0), in: log.tables.events))
            try transaction.put(.number(4), frame, in: log.tables.events)
            try transaction.put(.number(5), frame, in: log.tables.events)
        }
        #expect {
            try log.checkpoint()
        } throws: { error in
            if case .rolledBack? = error as? LedgerError { true } else { false }
        }
    }
}

@Suite("Opening a log for appending")
struct RollbackTests {
    private func isRolledBack(_ ledger: TemporaryLedger) -> Bool {
        do {
            _ = try ledger.open()
            return false
        } catch {
            guard case .rolledBack? = error as? LedgerError else { return false }
            return true
        }
    }

    @Test("is refused when the log is older than the checkpoint in the ledger directory")
    func olderLog() throws {
        let ledger = try TemporaryLedger()
        try ledger.create()
        do { try fill(try ledger.open(), 4) }
        try ledger.copy("ledger/log", to: "older")
        do { try fill(try ledger.open(), 4) }
        try FileManager.default.removeItem(atPath: ledger.path + "/log")
        try ledger.copy("older", to: "ledger/log")
        #expect(isRolledBack(ledger))
        // With that copy gone, the one beside the data keys still tells.
        try FileManager.default.removeItem(atPath: ledger.path + "/checkpoint")
        #expect(isRolledBack(ledger))
        // Reading goes on.
        #expect(try ledger.open(.reading).head().size == 4)
        // A check names it, with or without a further checkpoint.
        let log = try ledger.open(.reading)
        #expect(try log.check(.tree).findings.map(\.code) == ["rolled-back"])
    }

    @Test("is refused when the log went another way since the checkpoint")
    func otherHistory() throws {
        let ledger = try TemporaryLedger()
        try ledger.create()
        do { try fill(try ledger.open(), 4) }
        try ledger.copy("ledger", to: "older")
        do { try fill(try ledger.open(), 3) }
        try ledger.copy("ledger/checkpoint", to: "kept")
        try FileManager.default.removeItem(atPath: ledger.path)
        try ledger.copy("older", to: "ledger")
        do { try fill(try ledger.open(), 5) }
        try ledger.copy("kept", to: "ledger/checkpoint")
        #expect(isRolledBack(ledger))
        let log = try ledger.open(.reading)
        #expect(try log.check(.tree).findings.map(\.code).contains("checkpoint-mismatch"))
    }

    @Test("is refused when the whole directory is older than a checkpoint outside")
    func olderThanOutside() throws {
        let ledger = try TemporaryLedger()
        let info = try ledger.create()
        let list = ledger.keyRoot + "/\(info.ledgerID)/publish"
        try ledger.write(Array("\(ledger.directory)/outside\n".utf8), to: list)
        do { try fill(try ledger.open(), 4) }
        try ledger.copy("ledger", to: "older")
        do { try fill(try ledger.open(), 4) }
        try FileManager.default.removeItem(atPath: ledger.path)
        try ledger.copy("older", to: "ledger")
        #expect(isRolledBack(ledger))
        let log = try ledger.open(.reading)
        #expect(try log.check(.tree).isClean)
        #expect(try log.check(.anchors).findings.map(\.code) == ["rolled-back"])
        let outside = CheckInputs.HandedIn(
            name: "outside", bytes: try fileBytes(ledger.directory + "/outside"))
        let report = try log.check(.tree, CheckInputs(checkpoints: [outside]))
        #expect(report.findings.map(\.code) == ["rolled-back"])
    }

    @Test("is refused when a copy of the checkpoint is not one that the ledger signed")
    func foreignCheckpoint() throws {
        let ledger = try TemporaryLedger()
        try ledger.create()
        do { try fill(try ledger.open(), 4) }
        let good = try fileBytes(ledger.path + "/checkpoint")
        let other = try TemporaryLedger(seed: 2)
        do { try fill(try other.created(), 1) }
        for bytes in [
            [], Array("nonsense".utf8), Array(good.dropLast()),
            try fileBytes(other.path + "/checkpoint"),
            Array(String(decoding: good, as: UTF8.self).replacing("\n4\n", with: "\n3\n").utf8),
        ] {
            try ledger.write(bytes, to: ledger.path + "/checkpoint")
            #expect(throws: LedgerError.checkpointInvalid(ledger.path + "/checkpoint")) {
                try ledger.open()
            }
            #expect(try !ledger.open(.reading).check(.tree).isClean)
        }
        try ledger.write(good, to: ledger.path + "/checkpoint")
        #expect(throws: Never.self) { try ledger.open() }
    }
}

@Suite("A check of checkpoints")
struct CheckpointCheckTests {
    @Test("says which key signed which range, and that rollback is open without one from outside")
    func proven() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        try fill(log, 3)
        let early = try log.checkpoint()
        try fill(log, 4)
        #expect(try log.check(.tree).proven.map(\.size) == [3])
        let last = try log.checkpoint()
        let report = try log.check(.tree)
        #expect(report.isClean)
        let range = try required(report.proven.first)
        #expect(report.proven.count == 1)
        #expect(range.size == 7)
        #expect(range.root == last.checkpoint.root)
        #expect(range.key == log.info.verifierKey)
        #expect(!range.isKeyGiven)
        #expect(report.notProven.contains("rollback"))
        let inputs = CheckInputs(
            key: log.info.verifierKey,
            checkpoints: [CheckInputs.HandedIn(name: "kept", bytes: early.encoded)])
        let given = try log.check(.tree, inputs)
        #expect(given.isClean)
        #expect(!given.notProven.contains("rollback"))
        #expect(given.proven.map(\.isKeyGiven) == [true])
        // An empty ledger has nothing signed.
        let empty = try TemporaryLedger(seed: 9)
        #expect(try empty.created().check(.anchors).proven.isEmpty)
    }

    @Test("finds that the given key signed nothing")
    func otherKey() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        try fill(log, 3)
        _ = try log.checkpoint()
        let other = try TemporaryLedger(seed: 5)
        let key = try other.create(origin: log.info.origin).verifierKey
        let report = try log.check(.tree, CheckInputs(key: key))
        #expect(report.findings.map(\.code) == ["key-unproven"])
    }

    @Test("finds a stored checkpoint that was changed, and one that was signed by another")
    func storedChanged() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        try fill(log, 3)
        let good = try log.checkpoint()
        let text = good.note.description
        let otherRoot = Checkpoint(
            origin: log.info.origin, size: 3, root: MerkleTree.leafHash([1]))
        let seed = try required(
            try NoteSigner(name: log.info.origin, seed: .init([UInt8](repeating: 1, count: 32))))
        let cases: [([UInt8], String)] = [
            (Array("x".utf8), "checkpoint-malformed"),
            (Array(text.replacing("\n3\n", with: "\n2\n").utf8), "checkpoint-malformed"),
            (Array(text.dropLast(4).utf8) + Array("AA=\n".utf8), "checkpoint-signature"),
            (
                Array(
                    text.replacing(good.checkpoint.root.base64, with: otherRoot.root.base64).utf8),
                "checkpoint-mismatch"
            ),
            (
                try SignedCheckpoint(good.checkpoint, signers: [seed]).encoded,
                "checkpoint-unsigned"
            ),
        ]
        for (bytes, code) in cases {
            try log.environment.write { transaction in
                try transaction.put(.number(3), bytes, in: log.tables.checkpoints)
            }
            #expect(try log.check(.tree).findings.map(\.code) == [code])
        }
        try log.environment.write { transaction in
            try transaction.put(.number(3), good.encoded, in: log.tables.checkpoints)
            try transaction.put(.number(9), good.encoded, in: log.tables.checkpoints)
        }
        let codes = try log.check(.tree).findings.map(\.code)
        #expect(Set(codes) == ["checkpoint-malformed", "rolled-back"])
    }

    @Test("finds an origin or a key put in place of the recorded one")
    func otherRecord() throws {
        let ledger = try TemporaryLedger()
        try ledger.create(origin: "example.org/one")
        do { try fill(try ledger.open(), 3) }
        let other = try TemporaryLedger(seed: 5).create(origin: "example.org/one")
        func codes(_ change: (LedgerInfo) -> LedgerInfo) throws -> Set<String> {
            do {
                let log = try ledger.open(.reading)
                _ = log
            }
            let saved: [UInt8] = try { () throws -> [UInt8] in
                let log = try ledger.open()
                let old = log.info.encoded
                try log.environment.write { transaction in
                    try transaction.put(
                        LogTables.MetaName.ledger, change(log.info).encoded, in: log.tables.meta)
                }
                return old
            }()
            let found = try Set(ledger.open(.reading).check(.tree).findings.map(\.code))
            try restore(ledger, saved)
            return found
        }
        let origin = try codes {
            LedgerInfo(
                ledgerID: $0.ledgerID, origin: "example.org/two", verifierKey: $0.verifierKey,
                created: $0.created)
        }
        #expect(origin.isSuperset(of: ["checkpoint-foreign", "record-mismatch"]))
        let key = try codes {
            LedgerInfo(
                ledgerID: $0.ledgerID, origin: $0.origin, verifierKey: other.verifierKey,
                created: $0.created)
        }
        #expect(key == ["checkpoint-unsigned"])
    }

    private func restore(_ ledger: TemporaryLedger, _ record: [UInt8]) throws {
        let environment = try LMDBEnvironment(
            directory: ledger.path + "/log", access: .readWrite, mapBytes: 1 << 30,
            databasesMax: 8)
        let meta = try environment.database("meta")
        try environment.write { try $0.put(LogTables.MetaName.ledger, record, in: meta) }
    }
}
