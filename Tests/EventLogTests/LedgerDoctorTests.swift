// SPDX-License-Identifier: Apache-2.0

import Capabilities
import Foundation
import LMDB
import LedgerPrimitives
import Platform
import Testing

@testable import EventLog

@Suite("The doctor")
struct LedgerDoctorTests {
    private let ledger: TemporaryLedger

    init() throws {
        ledger = try TemporaryLedger(seed: 70)
        try ledger.create()
    }

    private func examine(
        _ probe: StorageProbe = .system, clock: ClockQuality? = nil
    ) throws -> [Diagnosis] {
        let simulated = Capabilities.simulated(seed: 71)
        let capabilities = Capabilities(
            now: simulated.now, randomBytes: simulated.randomBytes,
            clock: ClockInstruments(steadyMilliseconds: { 0 }, quality: { clock }))
        return try LedgerDoctor.examine(
            ledger.path, keyRoot: ledger.keyRoot, limits: StorageLimits(),
            capabilities: capabilities, probe: probe)
    }

    private func only(_ name: String, _ found: [Diagnosis]) throws -> Diagnosis {
        let matching = found.filter { $0.name == name }
        #expect(matching.count == 1, "\(name)")
        return try required(matching.first)
    }

    @Test("finds nothing wrong with a new ledger, and changes nothing of it")
    func healthy() throws {
        let before = try fileBytes(ledger.path + "/log/data.mdb")
        let synchronized = ClockQuality(
            source: "tsc", isSynchronized: true, maximumErrorMilliseconds: 4)
        let found = try examine(clock: synchronized)
        #expect(found.filter { $0.outcome != .ok } == [])
        #expect(
            Set(found.map(\.name)) == [
                "filesystem", "disk-space", "ledger-size", "ledger", "format", "root-key",
                "readers", "permissions", "leftovers", "clock", "checkpoint",
            ])
        #expect(try fileBytes(ledger.path + "/log/data.mdb") == before)
    }

    @Test("is not asked about what is not there")
    func missing() throws {
        try FileManager.default.removeItem(atPath: ledger.path)
        #expect(throws: LedgerError.notFound(ledger.path)) { try examine() }
    }

    @Test("names what others may read")
    func permissions() throws {
        let path = ledger.path + "/log/data.mdb"
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        let found = try only("permissions", try examine())
        #expect(found.outcome == .problem)
        #expect(found.message.contains(path))
        #expect(found.hint != nil)
    }

    @Test("misses the root key, and knows another's")
    func rootKey() throws {
        let keys = ledger.keyRoot + "/" + (try ledger.open(.reading).info.ledgerID.description)
        let key = Data(try fileBytes(keys + "/root.key"))
        let url = URL(fileURLWithPath: keys + "/root.key")
        try Data((String(repeating: "A", count: 43) + "=\n").utf8).write(to: url)
        #expect(try only("root-key", try examine()).outcome == .problem)
        try FileManager.default.removeItem(at: url)
        #expect(try only("root-key", try examine()).outcome == .problem)
        try key.write(to: url)
        #expect(try only("root-key", try examine()).outcome == .ok)
    }

    @Test(
        "warns while there is room, and says when there is none",
        arguments: [
            (StorageLimits.standardReserveBytes - 1, Diagnosis.Outcome.problem),
            (StorageLimits.standardReserveBytes * 2, .warning), (1 << 40, .ok),
        ])
    func space(available: UInt64, outcome: Diagnosis.Outcome) throws {
        let disk = SimulatedDisk()
        disk.set(available: available)
        #expect(try only("disk-space", try examine(disk.probe)).outcome == outcome)
    }

    @Test(
        "knows filesystems that lose what they hold, or that are far away",
        arguments: [
            (FileSystem(name: "nfs", kind: .network), Diagnosis.Outcome.problem),
            (FileSystem(name: "tmpfs", kind: .memory), .warning),
        ])
    func fileSystem(_ fileSystem: FileSystem, outcome: Diagnosis.Outcome) throws {
        let found = try only("filesystem", try examine(SimulatedDisk(fileSystem).probe))
        #expect(found.outcome == outcome)
        #expect(found.message.contains(fileSystem.name))
    }

    @Test("finds what a crash left behind, and nothing that only looks so")
    func leftovers() throws {
        let parent = ledger.directory + "/"
        for name in ["ledger.init-nothing", "ledger.backup-0123456789ABCDEF", "other.init-00"] {
            try FileManager.default.createDirectory(
                atPath: parent + name, withIntermediateDirectories: false)
        }
        #expect(try only("leftovers", try examine()).outcome == .ok)
        for kind in ["init", "restore"] {
            try FileManager.default.createDirectory(
                atPath: parent + "ledger.\(kind)-0123456789abcdef",
                withIntermediateDirectories: false)
        }
        let found = try only("leftovers", try examine())
        #expect(found.outcome == .warning)
        #expect(found.message.contains("ledger.init-0123456789abcdef"))
        #expect(found.message.contains("ledger.restore-0123456789abcdef"))
    }

    @Test("warns of a clock that nobody looks after, and of events of the future")
    func clock() throws {
        let alone = ClockQuality(
            source: "hpet", isSynchronized: false, maximumErrorMilliseconds: nil)
        #expect(try only("clock", try examine(clock: alone)).outcome == .warning)
        #expect(try only("clock", try examine()).outcome == .warning)
        let log = try ledger.open()
        let draft = EventDraft(
            id: log.capabilities.makeUUIDv7(), source: "test", type: "authledger.session.polled",
            typeVersion: 1, subject: "one",
            time: try required(Instant(rfc3339: "2099-01-01T00:00:00.000Z")), clear: [:])
        _ = try log.appendAndWait(
            AppendBatch(events: [try log.prepare(draft, after: nil, dataKey: nil)]))
        _ = consume log
        #expect(try only("event-times", try examine()).outcome == .problem)
    }

    @Test("tells what a format asks for that this program does not know")
    func format() throws {
        for (record, outcome) in [
            (FormatRecord(version: 1, writeFeatures: ["x"]), Diagnosis.Outcome.warning),
            (FormatRecord(version: 1, readFeatures: ["x"]), .problem),
        ] {
            let own = try TemporaryLedger(seed: 72)
            try own.create()
            let log = try own.open()
            try log.environment.write {
                try $0.put(LogTables.MetaName.format, record.encoded, in: log.tables.meta)
            }
            _ = consume log
            let found = try LedgerDoctor.examine(
                own.path, keyRoot: own.keyRoot, limits: StorageLimits(),
                capabilities: own.capabilities)
            #expect(try only("format", found).outcome == outcome)
        }
    }

    @Test("reads and writes numbers of bytes")
    func byteCounts() {
        #expect(ByteCount.text(0) == "0 bytes")
        #expect(ByteCount.text(1023) == "1023 bytes")
        #expect(ByteCount.text(1536) == "1.5 KiB")
        #expect(ByteCount.text(256 << 20) == "256.0 MiB")
        #expect(ByteCount.text(UInt64.max).hasSuffix("TiB"))
        #expect(ByteCount.parse("512M") == 512 << 20)
        #expect(ByteCount.parse("17") == 17)
        for text in ["", "M", "-1", "1.5G", "1MM", "99999999999999999999", "99999999999999T"] {
            #expect(ByteCount.parse(text) == nil, "\(text)")
        }
    }
}
