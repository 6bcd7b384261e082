// SPDX-License-Identifier: Apache-2.0

import Capabilities
import Foundation
import LedgerPrimitives
import SessionEvents
import SignedNote
import Synchronization
import Testing

@testable import EventLog

/// Something that several threads look at, and one sets.
private final class Flag: Sendable {
    private let value = Atomic<Bool>(false)

    var isSet: Bool { value.load(ordering: .relaxed) }

    func set() {
        value.store(true, ordering: .relaxed)
    }
}

@Suite("A backup")
struct BackupTests {
    private let ledger: TemporaryLedger
    private var target: String { ledger.directory + "/backup" }
    private var restored: String { ledger.directory + "/restored" }

    init() throws {
        ledger = try TemporaryLedger(seed: 60)
    }

    /// A ledger of 40 events with sealed data in four streams.
    private func filled() throws -> EventLog {
        let log = try ledger.created()
        var authors = try (0..<4).map { _ in try StreamAuthor(log) }
        for index in 0..<40 {
            _ = try log.appendAndWait(
                try authors[index % 4].next(
                    log, sealed: ["n": .integer(Int64(index))],
                    documents: [Array("document \(index % 3)".utf8)]))
        }
        return log
    }

    private func restore(
        replacing: Bool = false, to directory: String? = nil,
        inputs: CheckInputs = CheckInputs()
    ) throws -> RestoreResult {
        try LedgerRestore(
            target, to: directory ?? restored, keyRoot: ledger.keyRoot,
            capabilities: ledger.capabilities
        ).run(
            replacing: replacing, suffix: LedgerRestore.makeSuffix(ledger.capabilities),
            inputs: inputs, progress: { _, _, _ in })
    }

    private func open(_ path: String) throws -> EventLog {
        try EventLog(
            path, keyRoot: ledger.keyRoot, access: .appending, capabilities: ledger.capabilities)
    }

    /// Opens every sealed part.
    private func sealedNumbers(_ log: EventLog) throws -> [Int64] {
        var numbers: [Int64] = []
        try log.forEachEvent(in: 0..<UInt64.max) { event in
            let key = try required(try log.dataKey(for: event.envelope.subject))
            let sealed = try required(try log.openSealed(event, dataKey: key))
            numbers.append(try required(sealed["n"]?.integerValue))
            return true
        }
        return numbers
    }

    @Test("with keys comes back as the ledger that it was, and goes on from there")
    func roundTrip() throws {
        let log = try filled()
        var steps = 0
        let manifest = try log.backup(to: target, withKeys: true) { _, _ in steps += 1 }
        #expect(steps > 0)
        #expect(manifest.size == 40)
        #expect(manifest.root == (try log.head().root))
        #expect(manifest.files.map(\.path) == ["keys/data.mdb", "log/data.mdb"])
        let result = try restore()
        #expect(result.manifest == manifest)
        #expect(result.replaced == nil)
        let copy = try open(restored)
        #expect(try copy.leaves() == log.leaves())
        #expect(try copy.head() == log.head())
        #expect(try sealedNumbers(copy) == Array(0..<40))
        var author = try StreamAuthor(copy)
        #expect(try copy.appendAndWait(try author.next(copy)).positions == [40])
        #expect(try copy.check(.tree).isClean)
    }

    @Test("without keys has none, and comes back as a ledger whose sealed data nobody opens")
    func withoutKeys() throws {
        let log = try filled()
        let manifest = try log.backup(to: target, withKeys: false) { _, _ in }
        #expect(!manifest.hasKeys)
        #expect(!FileManager.default.fileExists(atPath: target + "/keys"))
        #expect(try !restore().hasKeys)
        let copy = try open(restored)
        #expect(try copy.head() == log.head())
        let first = try required(try copy.streams(after: nil, limit: 1).first)
        #expect(try copy.dataKey(for: first) == nil)
    }

    @Test("without keys keeps those of the ledger that it replaces")
    func keepsKeys() throws {
        let log = try filled()
        _ = try log.backup(to: target, withKeys: false) { _, _ in }
        let head = try log.head()
        _ = consume log
        // The log is lost, as when its disk was.
        let damaged = ledger.path + "/log/data.mdb"
        try Data(repeating: 0, count: 8192).write(to: URL(fileURLWithPath: damaged))
        let result = try restore(replacing: true, to: ledger.path)
        #expect(result.hasKeys)
        let kept = try required(result.replaced)
        #expect(try fileBytes(kept + "/log/data.mdb") == [UInt8](repeating: 0, count: 8192))
        let copy = try open(ledger.path)
        #expect(try copy.head() == head)
        #expect(try sealedNumbers(copy) == Array(0..<40))
    }

    @Test("made while events come in has every event's data key")
    func hot() async throws {
        let log = try ledger.created()
        let isDone = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<4 {
                group.addTask {
                    var number: Int64 = 0
                    while !isDone.isSet {
                        // Every event begins a stream, so every one needs a key of its own.
                        var author = try StreamAuthor(log)
                        number += 1
                        _ = try await log.append(
                            try author.next(
                                log, sealed: ["n": .integer(number * 10 + Int64(caller))]))
                    }
                }
            }
            for round in 0..<3 {
                let directory = target + "-\(round)"
                while try log.head().size < UInt64(10 * (round + 1)) {
                    try await Task.sleep(for: .milliseconds(10))
                }
                let manifest = try log.backup(to: directory, withKeys: true) { _, _ in }
                #expect(manifest.size > 0)
                let copy = ledger.directory + "/copy-\(round)"
                _ = try LedgerRestore(
                    directory, to: copy, keyRoot: ledger.keyRoot,
                    capabilities: ledger.capabilities
                ).run(
                    replacing: false, suffix: LedgerRestore.makeSuffix(ledger.capabilities),
                    progress: { _, _, _ in })
                #expect(try sealedNumbers(try open(copy)).count == Int(manifest.size))
            }
            isDone.set()
            try await group.waitForAll()
        }
    }

    @Test("takes no place that is taken, and leaves nothing when it cannot be made")
    func refusals() throws {
        let log = try filled()
        try FileManager.default.createDirectory(
            atPath: target, withIntermediateDirectories: false)
        #expect(throws: LedgerError.alreadyExists(target)) {
            try log.backup(to: target, withKeys: true) { _, _ in }
        }
        try FileManager.default.removeItem(atPath: target)
        _ = try log.backup(to: target, withKeys: true) { _, _ in }
        #expect(throws: LedgerError.alreadyExists(ledger.path)) {
            try restore(to: ledger.path)
        }
        // Not even to replace it while somebody uses it.
        #expect(throws: LedgerError.locked(ledger.path)) {
            try restore(replacing: true, to: ledger.path)
        }
        // Nor one that is older than a checkpoint of the same ledger.
        var author = try StreamAuthor(log)
        let older = try log.checkpoint().encoded
        _ = try log.appendAndWait(try author.next(log))
        let newer = try log.checkpoint().encoded
        #expect(throws: LedgerError.self) {
            try restore(inputs: CheckInputs(checkpoints: [.init(name: "newer", bytes: newer)]))
        }
        _ = try restore(inputs: CheckInputs(checkpoints: [.init(name: "older", bytes: older)]))
        try FileManager.default.removeItem(atPath: restored)
        let names = try FileManager.default.contentsOfDirectory(atPath: ledger.directory)
        #expect(names.sorted() == ["backup", "config", "ledger"])
    }

    @Test(
        "that was changed anywhere is refused, and no ledger is made of it",
        arguments: ["log/data.mdb", "keys/data.mdb", "backup.json"])
    func changed(file: String) throws {
        _ = try filled().backup(to: target, withKeys: true) { _, _ in }
        let path = target + "/" + file
        let bytes = try fileBytes(path)
        var random = SeededGenerator(seed: 61)
        for _ in 0..<20 {
            var changed = bytes
            let index = Int(random.next() % UInt64(bytes.count))
            changed[index] ^= UInt8(1 << (random.next() % 8))
            try Data(changed).write(to: URL(fileURLWithPath: path))
            // A manifest may be changed where it does no harm: its time, its origin.
            if file == "backup.json", (try? BackupManifest.read(target)) != nil { continue }
            #expect(throws: LedgerError.self, "byte \(index)") { try restore() }
            #expect(!FileManager.default.fileExists(atPath: restored))
        }
    }

    @Test("whose manifest names a file outside of it is refused")
    func escapes() throws {
        _ = try filled().backup(to: target, withKeys: true) { _, _ in }
        let path = target + "/backup.json"
        let text = String(decoding: try fileBytes(path), as: UTF8.self)
        let evil = text.replacingOccurrences(of: "keys/data.mdb", with: "../config/keys")
        try Data(evil.utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: LedgerError.backupInvalid("\(path) is not the manifest of a backup")) {
            try restore()
        }
    }

    @Test("of another ledger does not get this one's keys")
    func otherLedger() throws {
        let log = try filled()
        _ = try log.backup(to: target, withKeys: false) { _, _ in }
        let other = ledger.directory + "/other"
        _ = try EventLog.create(
            other, origin: nil, keyRoot: ledger.keyRoot, samples: TemporaryLedger.samples,
            capabilities: ledger.capabilities)
        #expect(throws: LedgerError.rootKeyWrong(other + "/keys")) {
            try restore(replacing: true, to: other)
        }
    }

    @Test("comes back without the data keys of sessions that its own events say are erased")
    func erasedSessions() throws {
        let log = try filled()
        let streams = try log.streams(after: nil, limit: 10)
        let erased = try required(UUIDv7(streams[0]))
        // The events say so, and the key is still there: as if the copy of the keys were older.
        _ = try log.appendToOwnStream(
            .erased(
                Erased(
                    erasure: log.capabilities.makeUUIDv7(), part: 1, parts: 1, sessions: [erased],
                    accesses: [], keysDestroyed: 1, rootKey: .kept)))
        _ = try log.backup(to: target, withKeys: true) { _, _ in }
        #expect(try log.dataKey(for: streams[0]) != nil)
        _ = try restore()
        let copy = try open(restored)
        #expect(try copy.dataKey(for: streams[0]) == nil)
        #expect(try copy.dataKey(for: streams[1]) != nil)
        #expect(try copy.check(.tree).isClean)
    }

    @Test("from before the root key changed gives its events, and no keys")
    func olderRootKey() throws {
        let log = try filled()
        _ = try log.backup(to: target, withKeys: true) { _, _ in }
        let keys = ledger.keyRoot + "/\(log.info.ledgerID)/root.key"
        _ = consume log
        try Data((String(repeating: "A", count: 43) + "=\n").utf8)
            .write(to: URL(fileURLWithPath: keys))
        #expect {
            try restore()
        } throws: { error in
            if case .backupInvalid? = error as? LedgerError { true } else { false }
        }
        let result = try LedgerRestore(
            target, to: restored, keyRoot: ledger.keyRoot, capabilities: ledger.capabilities,
            takesKeys: false
        ).run(
            replacing: false, suffix: LedgerRestore.makeSuffix(ledger.capabilities),
            progress: { _, _, _ in })
        #expect(!result.hasKeys)
        #expect(try open(restored).head().size == 40)
    }
}
