// SPDX-License-Identifier: Apache-2.0

import Capabilities
import Foundation
import LMDB
import LedgerPrimitives
import Platform
import SessionEvents
import Testing

@testable import EventLog

/// A ledger with a few sessions, some of which will be erased.
struct ErasureRig {
    static let secret = "01017012345 planted"
    let ledger: TemporaryLedger
    var sessions: [UUIDv7] = []

    init(seed: UInt64 = 1, sessions count: Int = 4) throws {
        ledger = try TemporaryLedger(seed: seed)
        let log = try ledger.created()
        for number in 0..<count {
            var author = try StreamAuthor(log)
            _ = try log.appendAndWait(
                try author.next(log, sealed: ["v": .string("\(Self.secret) \(number)")]))
            let large = String(repeating: "\(Self.secret) \(number) ", count: 3000)
            _ = try log.appendAndWait(try author.next(log, sealed: ["v": .string(large)]))
            sessions.append(try required(UUIDv7(author.subject)))
        }
    }

    static func request(_ sessions: [UUIDv7]) -> ErasureRequest {
        ErasureRequest(
            sessions: sessions, legalBasis: .notNecessary, words: ["reason": .string("case 17")],
            by: Operator(user: "anna", uid: 7))
    }

    static func custody(
        _ ledger: TemporaryLedger, waitMilliseconds: UInt32 = 5000,
        reached: @escaping (ErasurePoint) throws -> Void = { _ in }
    ) throws -> LedgerCustody {
        try LedgerCustody(
            ledger.path, keyRoot: ledger.keyRoot, capabilities: ledger.capabilities,
            waitMilliseconds: waitMilliseconds, reached: reached)
    }

    @discardableResult
    func erase(_ indexes: Int...) throws -> ErasureOutcome {
        try Self.custody(ledger).erase(Self.request(indexes.map { sessions[$0] }))
    }

    /// What the ledger says of each session: the sealed values, or why they are not there.
    func values() throws -> [String] {
        let log = try ledger.open()
        return try sessions.map { session in
            do {
                let key = try log.existingDataKey(for: session.description)
                let event = try required(try log.stream(session.description).first)
                return try log.openSealed(event, dataKey: key)?["v"]?.stringValue ?? ""
            } catch LedgerError.erased {
                return "erased"
            } catch LedgerError.keyMissing {
                return "missing"
            }
        }
    }

    func value(_ number: Int) -> String { "\(Self.secret) \(number)" }

    func copy(_ name: String, to target: String) throws {
        try? FileManager.default.removeItem(atPath: target)
        try FileManager.default.copyItem(atPath: name, toPath: target)
    }

    func keyDirectory() throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: ledger.keyRoot)
        return ledger.keyRoot + "/" + (try required(names.first))
    }

    /// Every file below the ledger and its keys.
    func files() throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for root in [ledger.path, ledger.keyRoot] {
            let entries = try required(FileManager.default.enumerator(atPath: root))
            for case let name as String in entries {
                let path = root + "/" + name
                if !Directory.isDirectory(path) { found[path] = try fileBytes(path) }
            }
        }
        return found
    }
}

extension Data {
    func holds(_ bytes: [UInt8]) -> Bool { range(of: Data(bytes)) != nil }
}

@Suite("An erasure")
struct ErasureTests {
    @Test("destroys the keys it was asked for, and leaves every other one and every proof")
    func destroys() throws {
        let rig = try ErasureRig()
        let before = try rig.ledger.open(.reading).leaves()
        let outcome = try rig.erase(1, 2)
        #expect(outcome.keysDestroyed == 2)
        #expect(outcome.rootKey == .replaced)
        #expect(outcome.begun.count == 1 && outcome.attested.count == 1)
        #expect(try rig.values() == [rig.value(0), "erased", "erased", rig.value(3)])
        let log = try rig.ledger.open(.unsealing)
        #expect(Array(try log.leaves().prefix(before.count)) == before)
        #expect(try log.check(.tree).findings == [])
        let keys = try log.checkKeys(opensBoxes: true)
        #expect(keys.findings == [])
        #expect(keys.erased == 2)
        #expect(keys.streams == 5)
        #expect(try log.erasure(of: rig.sessions[1].description)?.legalBasis == .notNecessary)
        #expect(try log.erasure(of: rig.sessions[0].description) == nil)
        let first = try required(outcome.begun.first)
        let key = try required(try log.dataKey(for: log.info.ledgerID.description))
        #expect(try log.openSealed(first, dataKey: key) == ["reason": .string("case 17")])
    }

    @Test("leaves neither the old wrapped keys nor an old generation in any file")
    func oldKeysAreGone() throws {
        let rig = try ErasureRig()
        let records: [[UInt8]]
        let oldRoot: [UInt8]
        do {
            let keys = try required(try rig.ledger.open().keys)
            records = try keys.environment.read { transaction in
                try
                    (rig.sessions.map { session in
                        try required(
                            try transaction.value(
                                .bytes(StreamKey.key(session.description)), in: keys.tables.dataKeys
                            ))
                    })
            }
            oldRoot = keys.rootKey.text
        }
        let before = try rig.files()
        #expect(before.contains { Data($0.value).holds(records[1]) })
        try rig.erase(1)
        for (path, bytes) in try rig.files() {
            for record in records {
                #expect(!Data(bytes).holds(record), "\(path)")
            }
            #expect(!Data(bytes).holds(oldRoot.dropLast()), "\(path)")
            #expect(!Data(bytes).holds(Array(ErasureRig.secret.utf8)), "\(path)")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: rig.ledger.path)
        #expect(!names.contains { $0.hasPrefix("keys.") })
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: rig.keyDirectory()).sorted()
                == ["root.key", "signing.key"])
    }

    @Test(
        "killed at any point is finished when the ledger opens next",
        arguments: ErasurePoint.allCases)
    func crash(point: ErasurePoint) async throws {
        let rig = try ErasureRig()
        let directory = rig.ledger.directory
        let session = rig.sessions[1].description
        let raw = point.rawValue
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [directory = directory as String, session = session as String, raw = raw as String] in
            let custody = try LedgerCustody(
                directory + "/ledger", keyRoot: directory + "/config/keys",
                capabilities: .simulated(seed: 9), waitMilliseconds: 5000,
                reached: { if $0.rawValue == raw { ProcessControl.killSelf() } })
            _ = try custody.erase(ErasureRig.request([try required(UUIDv7(session))]))
        }
        // A check that only looks finds nothing wrong, whatever is half done.
        if FileManager.default.fileExists(atPath: rig.ledger.path + "/keys") {
            let log = try rig.ledger.open(.unsealing)
            #expect(try log.checkKeys(opensBoxes: true).findings == [])
        }
        #expect(try rig.values() == [rig.value(0), "erased", rig.value(2), rig.value(3)])
        let log = try rig.ledger.open()
        #expect(try log.history().unfinished.isEmpty)
        let attested = try log.stream(log.info.ledgerID.description).count {
            $0.envelope.type == LedgerEventType.erased.rawValue
        }
        #expect(attested == 1)
        #expect(try log.checkKeys(opensBoxes: true).findings == [])
        #expect(try log.check(.tree).findings == [])
        let names = try FileManager.default.contentsOfDirectory(atPath: rig.ledger.path)
        #expect(!names.contains { $0.hasPrefix("keys.") })
        let next = try FileManager.default.contentsOfDirectory(atPath: rig.keyDirectory())
        #expect(next.sorted() == ["root.key", "signing.key"])
        // The signing key followed the root key.
        _ = try log.checkpoint()
    }

    @Test("is finished by whoever opens, even if that one is killed on the way")
    func crashTwice() async throws {
        let rig = try ErasureRig()
        let session = rig.sessions[1]
        for point in [ErasurePoint.oldKeysAside, .begun, .freshKeysInPlace, .rootKeyReplaced] {
            var isStopped = false
            struct Stop: Error {}
            let request = ErasureRig.request([session])
            do {
                let custody = try ErasureRig.custody(rig.ledger) { reached in
                    if reached == point { throw Stop() }
                }
                _ = try custody.erase(request)
            } catch is Stop {
                isStopped = true
            }
            #expect(isStopped || point != .oldKeysAside)
        }
        #expect(try rig.values()[1] == "erased")
        #expect(try rig.ledger.open(.unsealing).checkKeys(opensBoxes: true).findings == [])
    }

    @Test("is refused while anybody has the ledger open, and changes nothing then")
    func exclusive() throws {
        let rig = try ErasureRig()
        let lock = try File(rig.ledger.path + "/LOCK", .locking(permissions: 0o600))
        try lock.lock(.shared)
        let before = try rig.files()
        #expect(throws: LedgerError.inUse(rig.ledger.path)) { try rig.erase(1) }
        #expect(try rig.files() == before)
        withExtendedLifetime(lock) {}
    }

    @Test("is refused for a session on hold, and changes nothing then")
    func held() throws {
        let rig = try ErasureRig()
        let session = rig.sessions[2]
        try rig.ledger.open().appendToOwnStream(
            .holdPlaced(LegalHold(session: session, by: Operator(user: "anna", uid: 7))),
            sealed: ["reason": .string("claim")])
        let size = try rig.ledger.open(.reading).head().size
        #expect {
            try rig.erase(1, 2)
        } throws: { error in
            guard case .held(let name, let hold)? = error as? LedgerError else { return false }
            return name == session.description && hold.by.user == "anna"
        }
        #expect(try rig.ledger.open(.reading).head().size == size)
        #expect(try rig.values() == (0..<4).map { rig.value($0) })
        try rig.ledger.open().appendToOwnStream(
            .holdReleased(LegalHold(session: session, by: Operator(user: "anna", uid: 7))))
        try rig.erase(2)
        #expect(try rig.values()[2] == "erased")
    }

    @Test("of a session that is not there is refused")
    func unknown() throws {
        let rig = try ErasureRig()
        let other = rig.ledger.capabilities.makeUUIDv7()
        #expect(throws: LedgerError.sessionUnknown(other.description)) {
            try ErasureRig.custody(rig.ledger).erase(ErasureRig.request([other]))
        }
    }

    @Test("of more sessions than one event can name takes several events")
    func manyParts() throws {
        let rig = try ErasureRig(sessions: 2)
        var all: [UUIDv7] = []
        do {
            let log = try rig.ledger.open()
            var batch = AppendBatch(events: [])
            for _ in 0..<(ErasureStarted.streamsMax + 5) {
                var author = try StreamAuthor(log)
                all.append(try required(UUIDv7(author.subject)))
                let next = try author.next(log, sealed: ["v": .integer(1)])
                batch.events += next.events
                batch.newDataKeys += next.newDataKeys
            }
            _ = try log.appendAndWait(batch)
        }
        let outcome = try ErasureRig.custody(rig.ledger).erase(ErasureRig.request(all))
        #expect(outcome.begun.count == 2 && outcome.attested.count == 2)
        #expect(outcome.keysDestroyed == all.count)
        #expect(try rig.values() == [rig.value(0), rig.value(1)])
        let log = try rig.ledger.open(.unsealing)
        #expect(try log.checkKeys(opensBoxes: false).erased == UInt64(all.count))
    }
}

@Suite("What was erased")
struct ErasedTests {
    @Test("stays erased when an old keys/ is put back with its root key")
    func oldKeysRestored() throws {
        let rig = try ErasureRig()
        let directory = try rig.keyDirectory()
        let backup = rig.ledger.directory + "/backup"
        try rig.copy(rig.ledger.path + "/keys", to: backup)
        try rig.copy(directory + "/root.key", to: backup + ".root")
        try rig.erase(1)
        // Without its root key an old keys/ opens for nobody.
        try rig.copy(rig.ledger.path + "/keys", to: backup + ".new")
        try rig.copy(backup, to: rig.ledger.path + "/keys")
        #expect {
            try rig.ledger.open()
        } throws: { error in
            if case .rootKeyWrong? = error as? LedgerError { true } else { false }
        }
        try rig.copy(backup + ".root", to: directory + "/root.key")
        // Looking alone says so; opening for work destroys it.
        let findings = try rig.ledger.open(.unsealing).checkKeys(opensBoxes: false).findings
        #expect(findings.map(\.code) == ["key-not-erased"])
        #expect(findings.map(\.position) == [2])
    }

    @Test("stays erased when keys/, root key and signing key are put back together")
    func everythingRestored() throws {
        let rig = try ErasureRig()
        let directory = try rig.keyDirectory()
        let backup = rig.ledger.directory + "/backup"
        try rig.copy(rig.ledger.path + "/keys", to: backup)
        try rig.copy(directory, to: backup + ".root")
        try rig.erase(1)
        try rig.copy(backup, to: rig.ledger.path + "/keys")
        try rig.copy(backup + ".root", to: directory)
        #expect(try rig.values() == [rig.value(0), "erased", rig.value(2), rig.value(3)])
        let log = try rig.ledger.open()
        #expect(try log.checkKeys(opensBoxes: true).findings == [])
        #expect(try required(log.keys).hasDataKey(rig.sessions[1].description) == false)
        let root = try fileBytes(directory + "/root.key")
        #expect(root != (try fileBytes(backup + ".root/root.key")))
    }

    @Test("cannot be read from an older log/ either, and is never called erased there")
    func oldLogRestored() throws {
        let rig = try ErasureRig()
        let backup = rig.ledger.directory + "/log"
        try rig.copy(rig.ledger.path + "/log", to: backup)
        try rig.erase(1)
        try rig.copy(backup, to: rig.ledger.path + "/log")
        for name in ["checkpoint", "keys/checkpoint"] {
            try? FileManager.default.removeItem(atPath: rig.ledger.path + "/" + name)
        }
        #expect(try rig.values() == [rig.value(0), "missing", rig.value(2), rig.value(3)])
        let findings = try rig.ledger.open(.unsealing).checkKeys(opensBoxes: true).findings
        #expect(findings.map(\.code) == ["key-missing"])
        #expect(findings.map(\.position) == [2])
    }
}
