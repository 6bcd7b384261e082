// SPDX-License-Identifier: Apache-2.0

import Capabilities
import Foundation
import LMDB
import LedgerPrimitives
import Synchronization
import Testing

@testable import EventLog
@testable import Platform

/// A disk whose room and kind a test sets.
final class SimulatedDisk: Sendable {
    private let available = Mutex<UInt64>(1 << 40)
    private let asked = Mutex(0)
    private let fileSystem: FileSystem

    init(_ fileSystem: FileSystem = FileSystem(name: "ext4", kind: .local)) {
        self.fileSystem = fileSystem
    }

    func set(available bytes: UInt64) {
        available.withLock { $0 = bytes }
    }

    /// How often the room was asked for.
    var questions: Int { asked.withLock { $0 } }

    var probe: StorageProbe {
        StorageProbe(
            space: { _ in
                self.asked.withLock { $0 += 1 }
                return DiskSpace(available: self.available.withLock { $0 }, total: 1 << 41)
            }, fileSystem: { _ in self.fileSystem })
    }
}

extension TemporaryLedger {
    func open(
        on disk: SimulatedDisk, limits: StorageLimits = StorageLimits(),
        capabilities: Capabilities? = nil
    ) throws -> EventLog {
        try EventLog(
            path, keyRoot: keyRoot, access: .appending,
            capabilities: capabilities ?? self.capabilities, limits: limits, probe: disk.probe,
            reached: { _ in })
    }
}

@Suite("The disk of a ledger")
struct StorageCareTests {
    @Test("is never filled: below the reserve nothing is appended, and everything can be read")
    func reserve() throws {
        let ledger = try TemporaryLedger()
        try ledger.create()
        let disk = SimulatedDisk()
        let log = try ledger.open(on: disk)
        var author = try StreamAuthor(log)
        _ = try log.appendAndWait(try author.next(log))
        let before = try log.head()
        disk.set(available: StorageLimits.standardReserveBytes + 1024)
        var next = author
        let batch = try next.next(log)
        #expect(
            throws: LedgerError.diskNearlyFull(
                availableBytes: StorageLimits.standardReserveBytes + 1024,
                reserveBytes: StorageLimits.standardReserveBytes)
        ) { try log.appendAndWait(batch) }
        #expect(try log.head() == before)
        #expect(try log.leaves().count == 1)
        #expect(try log.check(.tree).isClean)
        // With room again the same batch goes in.
        disk.set(available: 1 << 40)
        #expect(try log.appendAndWait(batch).written == 1)
    }

    @Test("must have room for what a commit brings, not only for the reserve")
    func largeBatch() throws {
        let ledger = try TemporaryLedger()
        try ledger.create()
        let disk = SimulatedDisk()
        let log = try ledger.open(on: disk)
        disk.set(available: StorageLimits.standardReserveBytes + (4 << 20))
        var author = try StreamAuthor(log)
        var noise = SeededGenerator(seed: 7)
        let large = try author.next(log, documents: [noise.bytes(2 << 20)])
        #expect(throws: LedgerError.self) { try log.appendAndWait(large) }
        var other = try StreamAuthor(log)
        #expect(try log.appendAndWait(try other.next(log)).written == 1)
    }

    @Test("is asked once for each commit, however many events share it")
    func oncePerCommit() throws {
        let ledger = try TemporaryLedger()
        try ledger.create()
        let disk = SimulatedDisk()
        let log = try ledger.open(on: disk)
        var author = try StreamAuthor(log)
        var all = try author.next(log)
        for _ in 0..<99 { all.events += try author.next(log).events }
        let before = disk.questions
        _ = try log.appendAndWait(all)
        #expect(disk.questions == before + 1)
    }

    @Test("holds no more of the log than its limit")
    func sizeLimit() throws {
        let ledger = try TemporaryLedger()
        try ledger.create()
        let limit: UInt64 = 2 << 20
        let log = try ledger.open(
            on: SimulatedDisk(), limits: StorageLimits(reserveBytes: 0, logBytesMax: limit))
        var noise = SeededGenerator(seed: 3)
        var author = try StreamAuthor(log)
        #expect(throws: LedgerError.sizeReached(bytesMax: limit)) {
            for _ in 0..<100 {
                _ = try log.appendAndWait(
                    try author.next(log, documents: [noise.bytes(50_000)]))
            }
        }
        #expect(UInt64(log.environment.usedBytes) <= limit)
        #expect(try log.check(.tree).isClean)
    }

    @Test("is one of this machine: across a network no ledger is made and none opened")
    func networkFileSystems() throws {
        let ledger = try TemporaryLedger()
        let remote = SimulatedDisk(FileSystem(name: "nfs", kind: .network))
        #expect(
            throws: LedgerError.networkFileSystem(ledger.directory, name: "nfs")
        ) {
            try EventLog.create(
                ledger.path, origin: nil, keyRoot: ledger.keyRoot, samples: [],
                capabilities: ledger.capabilities, probe: remote.probe)
        }
        #expect(!FileManager.default.fileExists(atPath: ledger.path))
        try ledger.create()
        #expect(throws: LedgerError.networkFileSystem(ledger.path + "/log", name: "nfs")) {
            try ledger.open(on: remote)
        }
    }

    @Test("is known by the number or the name that the kernel has for its filesystem")
    func fileSystemKinds() throws {
        for (number, name) in [
            (UInt32(0x6969), "nfs"), (0xFF53_4D42, "cifs"), (0x517B, "smb"), (0x0102_1997, "9p"),
            (0x00C3_6400, "ceph"),
        ] {
            #expect(FileSystem(number: number) == FileSystem(name: name, kind: .network))
        }
        #expect(FileSystem(number: 0xEF53) == FileSystem(name: "ext4", kind: .local))
        #expect(FileSystem(number: 0x0102_1994) == FileSystem(name: "tmpfs", kind: .memory))
        #expect(FileSystem(number: 1) == FileSystem(name: "type 0x1", kind: .local))
        #expect(FileSystem(userSpaceType: "fuse.sshfs").kind == .network)
        #expect(FileSystem(userSpaceType: "fuseblk").kind == .local)
        #expect(try FileSystem(at: "/dev/shm").kind == .memory)
        #expect(throws: SystemError.self) { try FileSystem(at: "/nowhere/at/all") }
    }

    @Test("is opened once by each process")
    func secondOpen() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        #expect(throws: LedgerError.alreadyOpen(ledger.path)) { try ledger.open(.reading) }
        #expect(try log.head().size == 0)
    }
}

@Suite("The format of a ledger")
struct LedgerUpgradeTests {
    private func setFormat(_ ledger: TemporaryLedger, _ record: FormatRecord) throws {
        let log = try ledger.open()
        try log.environment.write {
            try $0.put(LogTables.MetaName.format, record.encoded, in: log.tables.meta)
        }
    }

    private func open(
        _ ledger: TemporaryLedger, _ access: EventLog.Access, _ knowledge: FormatKnowledge
    ) throws -> EventLog {
        try EventLog(
            ledger.path, keyRoot: ledger.keyRoot, access: access,
            capabilities: ledger.capabilities, care: StorageCare(knowledge: knowledge))
    }

    @Test("with a feature that only writers must know is read, and not written")
    func writeFeature() throws {
        let ledger = try TemporaryLedger()
        try ledger.create()
        try setFormat(ledger, FormatRecord(version: 1, writeFeatures: ["tiles"]))
        #expect(try ledger.open(.reading).head().size == 0)
        #expect(throws: LedgerError.formatReadOnly(version: 1, features: ["tiles"])) {
            try ledger.open(.appending)
        }
        var knowing = FormatKnowledge.current
        knowing.features = ["tiles"]
        #expect(try open(ledger, .appending, knowing).head().size == 0)
    }

    @Test("with a feature that readers must know is refused by who does not know it")
    func readFeature() throws {
        let ledger = try TemporaryLedger()
        try ledger.create()
        try setFormat(ledger, FormatRecord(version: 1, readFeatures: ["zstd"]))
        for access in [EventLog.Access.reading, .appending] {
            #expect(throws: LedgerError.unknownFormat(version: 1, features: ["zstd"])) {
                try ledger.open(access)
            }
        }
    }

    @Test("of a later version is refused, and left alone by an upgrade")
    func laterVersion() throws {
        let ledger = try TemporaryLedger()
        try ledger.create()
        try setFormat(ledger, FormatRecord(version: 2))
        #expect(throws: LedgerError.unknownFormat(version: 2, features: [])) {
            try ledger.open(.reading)
        }
        #expect(throws: LedgerError.unknownFormat(version: 2, features: [])) {
            try EventLog.upgrade(ledger.path)
        }
    }

    /// A program of the future: two versions on, with a step for each.
    private static func future(failing: Bool = false) -> FormatKnowledge {
        struct Stop: Error {}
        return FormatKnowledge(
            version: 3, features: [],
            upgrades: [
                FormatUpgrade(from: 2) { transaction in
                    let table = try transaction.database("second")
                    let first = try transaction.database("first")
                    let value = try transaction.value(.number(1), in: first)
                    if failing { throw Stop() }
                    try transaction.put(.number(2), (value ?? []) + [2], in: table)
                },
                FormatUpgrade(from: 1) { transaction in
                    let table = try transaction.database("first")
                    try transaction.put(.number(1), [1], in: table)
                },
            ])
    }

    @Test("of an earlier version is read as it is, and written after an upgrade, step by step")
    func upgrade() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        var author = try StreamAuthor(log)
        let batch = try author.next(log, sealed: ["name": .string("Kari")])
        _ = try log.appendAndWait(batch)
        let head = try log.head()
        _ = consume log
        let future = Self.future()
        #expect(try open(ledger, .reading, future).head() == head)
        #expect(throws: LedgerError.formatOutdated(version: 1)) {
            try open(ledger, .appending, future)
        }
        let result = try EventLog.upgrade(ledger.path, knowledge: future)
        #expect(result == FormatUpgradeResult(from: 1, to: 3))
        #expect(try EventLog.upgrade(ledger.path, knowledge: future).from == 3)
        let later = try open(ledger, .appending, future)
        #expect(try later.head() == head)
        #expect(try later.check(.tree).isClean)
        _ = try later.appendAndWait(try author.next(later))
        let paths = later.paths
        _ = consume later
        let environment = try paths.openEnvironment(
            paths.log, access: .reading, databasesMax: 16)
        let table = try environment.database("second")
        #expect(try environment.read { try $0.value(.number(2), in: table) } == [1, 2])
        _ = consume environment
        // And this program says that it does not know what has become of the ledger.
        #expect(throws: LedgerError.unknownFormat(version: 3, features: [])) {
            try ledger.open(.reading)
        }
    }

    @Test("stays as it was when a step of an upgrade fails")
    func failingUpgrade() throws {
        let ledger = try TemporaryLedger()
        try ledger.create()
        #expect(throws: (any Error).self) {
            try EventLog.upgrade(ledger.path, knowledge: Self.future(failing: true))
        }
        let log = try ledger.open()
        #expect(throws: LMDBError.self) { try log.environment.database("first") }
    }

    @Test("is not upgraded while anyone has the ledger open")
    func upgradeNeedsTheLedger() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        #expect(throws: LedgerError.locked(ledger.path)) { try EventLog.upgrade(ledger.path) }
        #expect(try log.head().size == 0)
    }
}
