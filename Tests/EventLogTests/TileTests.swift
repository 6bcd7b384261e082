// SPDX-License-Identifier: Apache-2.0

import Foundation
import LMDB
import LedgerPrimitives
import MerkleTree
import SignedNote
import Testing

@testable import EventLog

/// The files below a directory, sorted.
private func files(_ directory: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: directory).filter { name in
        let attributes = try FileManager.default.attributesOfItem(atPath: directory + "/" + name)
        return attributes[.type] as? FileAttributeType == .typeRegular
    }.sorted()
}

@Suite("An export of tiles")
struct TileExportTests {

    @Test("names tiles as the C2SP text does")
    func paths() {
        let layout = TileLayout(root: "r")
        #expect(layout.tile(level: 2, index: 1_234_067, width: 256) == "r/tile/2/x001/x234/067")
        #expect(layout.entries(index: 7, width: 9) == "r/tile/entries/007.p/9")
        #expect(layout.tile(level: 0, index: 0, width: 1) == "r/tile/0/000.p/1")
        #expect(layout.tile(level: 0, index: 1000, width: 256) == "r/tile/0/x001/000")
    }

    @Test("has the tiles that the C2SP text names for a tree of 70,000")
    func tilesOfTree() {
        let zero = TileLayout.newTiles(level: 0, from: 0, to: 70_000)
        #expect(zero.count == 274)
        #expect(zero.last?.width == 112)
        let one = TileLayout.newTiles(level: 1, from: 0, to: 70_000)
        #expect(one.map(\.width) == [256, 17])
        #expect(TileLayout.newTiles(level: 2, from: 0, to: 70_000).map(\.width) == [1])
        #expect(TileLayout.newTiles(level: 3, from: 0, to: 70_000).isEmpty)
        #expect(TileLayout.levels(70_000) == 3)
        #expect(TileLayout.levels(256) == 2)
        #expect(TileLayout.levels(255) == 1)
        #expect(TileLayout.levels(0) == 0)
        #expect(TileLayout.newTiles(level: 0, from: 300, to: 300).isEmpty)
        #expect(TileLayout.newTiles(level: 0, from: 300, to: 600).map(\.index) == [1, 2])
    }

    @Test("grown step by step is the same as one made at once, without what is superseded")
    func incremental() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        let (steps, whole) = (ledger.directory + "/steps", ledger.directory + "/whole")
        for count in [0, 1, 200, 55, 1, 300, 0, 220] {
            try fill(log, count)
            _ = try log.exportTiles(to: steps, log.checkpoint())
        }
        let report = try log.exportTiles(to: whole, log.checkpoint())
        #expect(report.events == 777)
        let expected = try files(whole)
        let found = try files(steps)
        #expect(Set(found).isSuperset(of: expected))
        for name in expected {
            #expect(try fileBytes(steps + "/" + name) == fileBytes(whole + "/" + name), "\(name)")
        }
        // Of older partial tiles only those stay whose full tile is not there yet.
        let older = Set(found).subtracting(expected)
        #expect(older.allSatisfy { $0.contains("002.p/") || $0.contains("tile/1/000.p/") })
        #expect(!found.contains { $0.hasSuffix(".tmp") })
        #expect(expected.contains("tile/entries/003.p/9"))
        #expect(expected.contains("tile/1/000.p/3"))
    }

    @Test("broken off anywhere is what its checkpoint covers, and goes on when repeated")
    func brokenOff() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        try fill(log, 300)
        let mirror = ledger.directory + "/mirror"
        _ = try log.exportTiles(to: mirror, log.checkpoint())
        let before = try fileBytes(mirror + "/checkpoint")
        try ledger.copy("mirror", to: "old")
        try fill(log, 300)
        _ = try log.exportTiles(to: mirror, log.checkpoint())
        // As if it had ended before the checkpoint: everything new is there, the old note still is.
        try ledger.write(before, to: mirror + "/checkpoint")
        for name in try files(ledger.directory + "/old") {
            let path = mirror + "/" + name
            if !FileManager.default.fileExists(atPath: path) {
                try FileManager.default.createDirectory(
                    atPath: (path as NSString).deletingLastPathComponent,
                    withIntermediateDirectories: true)
                try FileManager.default.copyItem(
                    atPath: ledger.directory + "/old/" + name, toPath: path)
            }
        }
        try ledger.write([1, 2, 3], to: mirror + "/tile/entries/002.p/88.tmp")
        let part = try ledger.imported(from: mirror, as: "part")
        #expect(part.check.events == 300)
        _ = try log.exportTiles(to: mirror, log.checkpoint())
        #expect(try ledger.imported(from: mirror, as: "whole").check.events == 600)
    }

    @Test("is not put where something else is, nor over one of another history")
    func refusesForeign() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        try fill(log, 5)
        let checkpoint = try log.checkpoint()
        #expect(throws: TileError.occupied(ledger.path)) {
            try log.exportTiles(to: ledger.path, checkpoint)
        }
        let other = try TemporaryLedger(seed: 3)
        let otherLog = try other.created()
        try fill(otherLog, 9)
        let mirror = ledger.directory + "/mirror"
        _ = try otherLog.exportTiles(to: mirror, otherLog.checkpoint())
        #expect(throws: TileError.foreign(mirror)) { try log.exportTiles(to: mirror, checkpoint) }
        // A log that was set back must not be written over what it was.
        let own = ledger.directory + "/own"
        try fill(log, 5)
        _ = try log.exportTiles(to: own, log.checkpoint())
        #expect(throws: TileError.foreign(own)) {
            try log.exportTiles(to: own, log.checkpoint(size: 5))
        }
    }
}

extension TemporaryLedger {
    @discardableResult
    func imported(
        from directory: String, as name: String, keys: String? = nil, key: VerifierKey? = nil
    ) throws -> TileImportReport {
        try EventLog.importTiles(
            TileImportSource(directory: directory, keysDirectory: keys, key: key),
            to: self.directory + "/" + name, keyRoot: keyRoot, samples: Self.samples,
            capabilities: capabilities)
    }
}

@Suite("An import of tiles")
struct TileImportTests {
    /// A ledger with documents, sealed data in and beside leaves and two signing keys, and its
    /// export in `mirror`.
    private func exported(_ count: Int = 300) throws -> TemporaryLedger {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        try fill(log, count)
        _ = try log.rotateSigningKey()
        var author = try StreamAuthor(log, subject: Self.subject)
        let long = String(repeating: "å", count: 20_000)
        for (index, value) in ["short", long].enumerated() {
            _ = try log.appendAndWait(
                try author.next(
                    log,
                    clear: [
                        "documentDigest": .string(
                            Digest(ofDocument: Array("document \(index)".utf8)).base64URL)
                    ],
                    sealed: ["v": .string(value)],
                    documents: [Array("document \(index)".utf8)]))
        }
        _ = try log.exportTiles(to: ledger.directory + "/mirror", log.checkpoint())
        return ledger
    }

    private static let subject = "018f0000-0000-7000-8000-000000000077"

    private func open(_ ledger: TemporaryLedger, _ name: String, _ access: EventLog.Access) throws
        -> EventLog
    {
        try EventLog(
            ledger.directory + "/" + name, keyRoot: ledger.keyRoot, access: access,
            capabilities: ledger.capabilities)
    }

    @Test("has the same leaves and root, and with the keys opens what is sealed and goes on")
    func sameLeaves() throws {
        let ledger = try exported()
        let mirror = ledger.directory + "/mirror"
        let report = try ledger.imported(
            from: mirror, as: "copy", keys: ledger.path + "/keys")
        let (old, new) = (try ledger.open(.reading), try open(ledger, "copy", .appending))
        #expect(report.info == old.info)
        #expect(report.check.root == (try old.head().root))
        #expect(try new.leaves() == old.leaves())
        let (oldHead, newHead) = (try old.head(), try new.head())
        #expect(newHead.frontier == oldHead.frontier)
        #expect(newHead.sessions == oldHead.sessions)
        #expect(newHead.blobs == oldHead.blobs)
        let key = try required(try new.dataKey(for: Self.subject))
        let events = try new.stream(Self.subject)
        #expect(try new.openSealed(events[0], dataKey: key) == ["v": .string("short")])
        #expect(try new.openSealed(events[1], dataKey: key) != nil)
        try fill(new, 3)
        #expect(try new.check(.tree).isClean)
        let next = try new.checkpoint()
        #expect(next.checkpoint.size == oldHead.size + 3)
    }

    @Test("without keys can be read, checked and exported, and is not written to")
    func withoutKeys() throws {
        let ledger = try exported()
        let mirror = ledger.directory + "/mirror"
        try FileManager.default.removeItem(atPath: ledger.keyRoot)
        try ledger.imported(from: mirror, as: "copy")
        let copy = try open(ledger, "copy", .reading)
        #expect(try copy.check(.anchors).isClean)
        let second = ledger.directory + "/second"
        let checkpoint = try required(try copy.storedCheckpoint(of: copy.head().size))
        _ = try copy.exportTiles(to: second, checkpoint)
        for name in try FileManager.default.subpathsOfDirectory(atPath: mirror)
        where name.hasPrefix("tile/entries") || name == "checkpoint" {
            #expect(
                FileManager.default.contentsEqual(
                    atPath: mirror + "/" + name, andPath: second + "/" + name), "\(name)")
        }
        #expect(throws: LedgerError.self) {
            try EventLog(
                ledger.directory + "/copy2", keyRoot: ledger.keyRoot, access: .appending,
                capabilities: ledger.capabilities)
        }
    }

    @Test("does not take the keys of another ledger")
    func otherKeys() throws {
        let ledger = try exported()
        let other = try TemporaryLedger(seed: 4)
        try other.create()
        #expect {
            try ledger.imported(
                from: ledger.directory + "/mirror", as: "copy", keys: other.path + "/keys")
        } throws: { error in
            if case .rootKeyWrong? = error as? LedgerError { true } else { false }
        }
        #expect(!FileManager.default.fileExists(atPath: ledger.directory + "/copy"))
    }

    @Test("is refused when any byte of the export was changed, and leaves nothing behind")
    func anyByte() throws {
        let ledger = try exported(20)
        let mirror = ledger.directory + "/mirror"
        let needed = try files(mirror)
        #expect(needed.contains { $0.hasPrefix("blobs/") })
        #expect(needed.contains { $0.hasPrefix("checkpoints/") })
        let info = try ledger.open(.reading).info
        var generator = SeededGenerator(seed: 402)
        let before = try FileManager.default.contentsOfDirectory(atPath: ledger.directory).sorted()
        for name in needed {
            let good = try fileBytes(mirror + "/" + name)
            for _ in 0..<4 {
                var bytes = good
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] ^= UInt8(1 << Int.random(in: 0..<8, using: &generator))
                // A date of the record is covered by nothing, and changes nothing that is proven.
                if name == "ledger.json", let changed = LedgerInfo(encoded: bytes),
                    changed.ledgerID == info.ledgerID, changed.origin == info.origin,
                    changed.verifierKey == info.verifierKey
                {
                    continue
                }
                try ledger.write(bytes, to: mirror + "/" + name)
                #expect(throws: (any Error).self, "\(name) byte \(index)") {
                    try ledger.imported(from: mirror, as: "copy")
                }
            }
            try ledger.write(good, to: mirror + "/" + name)
            try FileManager.default.removeItem(atPath: mirror + "/" + name)
            #expect(throws: (any Error).self, "without \(name)") {
                try ledger.imported(from: mirror, as: "copy")
            }
            try ledger.write(good, to: mirror + "/" + name)
        }
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: ledger.directory).sorted()
                == before)
        try ledger.imported(from: mirror, as: "copy")
    }

    @Test("believes the given key only")
    func givenKey() throws {
        let ledger = try exported(5)
        let mirror = ledger.directory + "/mirror"
        let info = try ledger.open(.reading).info
        let other = try TemporaryLedger(seed: 6).create(origin: info.origin)
        #expect(throws: TileError.self) {
            try ledger.imported(from: mirror, as: "copy", key: other.verifierKey)
        }
        try ledger.imported(from: mirror, as: "copy", key: info.verifierKey)
    }
}
