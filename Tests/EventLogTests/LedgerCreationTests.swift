// SPDX-License-Identifier: Apache-2.0

import Foundation
import LMDB
import LedgerPrimitives
import SignedNote
import Testing

@testable import EventLog

@Suite("A new ledger")
struct LedgerCreationTests {
    @Test("has no events, the root of nothing, and its keys outside its directory")
    func isEmpty() throws {
        let ledger = try TemporaryLedger()
        let info = try ledger.create(origin: "example.org/logins")
        let log = try ledger.open(.reading)
        #expect(try log.head().size == 0)
        #expect(try log.head().root.base64 == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
        #expect(log.info == info)
        #expect(info.verifierKey.name == "example.org/logins")
        let inside = try FileManager.default.subpathsOfDirectory(atPath: ledger.path)
        #expect(!inside.contains { $0.hasSuffix(".key") })
        let keys = ledger.keyRoot + "/\(info.ledgerID)"
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: keys).sorted()
                == ["root.key", "signing.key"])
    }

    @Test("is made where it was asked for, though a name on the way begins with a mark")
    func isMadeBehindMark() throws {
        // To Swift, a slash and the mark behind it are one character.
        let ledger = try TemporaryLedger()
        let path = ledger.directory + "/\u{301}logins/ledger"
        _ = try EventLog.create(
            path, origin: nil, keyRoot: ledger.keyRoot, samples: TemporaryLedger.samples,
            capabilities: ledger.capabilities)
        let names = try FileManager.default.contentsOfDirectory(atPath: ledger.directory).sorted()
        #expect(names.map { Array($0.utf8) } == ["config", "\u{301}logins"].map { Array($0.utf8) })
        #expect(FileManager.default.fileExists(atPath: path + "/log/data.mdb"))
    }

    @Test("may be read by its owner alone")
    func isPrivate() throws {
        let ledger = try TemporaryLedger()
        let info = try ledger.create()
        let keys = ledger.keyRoot + "/\(info.ledgerID)"
        for path in [ledger.path, ledger.path + "/log", ledger.path + "/keys", keys] {
            #expect(try permissions(path) == 0o700, "\(path)")
        }
        for path in [ledger.path + "/log/data.mdb", keys + "/root.key", keys + "/signing.key"] {
            #expect(try permissions(path) == 0o600, "\(path)")
        }
    }

    private func permissions(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test("takes the place of an empty directory, but of nothing else")
    func refusesOccupied() throws {
        let ledger = try TemporaryLedger()
        try FileManager.default.createDirectory(
            atPath: ledger.path, withIntermediateDirectories: true)
        try ledger.create()
        let before = try Data(contentsOf: URL(fileURLWithPath: ledger.path + "/log/data.mdb"))
        #expect {
            try ledger.create()
        } throws: { error in
            if case .alreadyExists? = error as? LedgerError { true } else { false }
        }
        let after = try Data(contentsOf: URL(fileURLWithPath: ledger.path + "/log/data.mdb"))
        #expect(before == after)
        let entries = try FileManager.default.contentsOfDirectory(atPath: ledger.directory)
        #expect(entries.sorted() == ["config", "ledger"])
    }

    @Test("refuses an origin that cannot sign", arguments: ["", "a b", "a+b", "å", "x\n"])
    func refusesOrigin(origin: String) throws {
        let ledger = try TemporaryLedger()
        #expect(throws: LedgerError.invalidOrigin) { try ledger.create(origin: origin) }
        #expect(!FileManager.default.fileExists(atPath: ledger.path))
    }
}

@Suite("Opening a ledger")
struct LedgerOpeningTests {
    @Test("is refused where there is none")
    func refusesMissing() throws {
        let ledger = try TemporaryLedger()
        #expect {
            try ledger.open()
        } throws: { error in
            if case .notFound? = error as? LedgerError { true } else { false }
        }
    }

    @Test("is refused a second time in one process")
    func refusesSecondOpen() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        #expect(throws: LedgerError.alreadyOpen(log.paths.root)) { try ledger.open(.reading) }
        withExtendedLifetime(log) {}
    }

    @Test("is refused while another process works on the whole of it")
    func refusesLocked() throws {
        let ledger = try TemporaryLedger()
        try ledger.create()
        let lock = try FileHandle(
            forWritingTo: URL(fileURLWithPath: ledger.path + "/LOCK"))
        #expect(flock(lock.fileDescriptor, LOCK_EX | LOCK_NB) == 0)
        #expect {
            try ledger.open()
        } throws: { error in
            if case .locked? = error as? LedgerError { true } else { false }
        }
        // Closing alone would not do: programs that other tests start meanwhile inherit the file.
        #expect(flock(lock.fileDescriptor, LOCK_UN) == 0)
        try lock.close()
        _ = try ledger.open()
    }

    @Test("is refused when the format is of a later version or has features that readers must know")
    func refusesUnknownFormat() throws {
        let formats = [
            (#"{"readFeatures":[],"version":2,"writeFeatures":[]}"#, Int64(2), [String]()),
            (#"{"readFeatures":["x"],"version":1,"writeFeatures":[]}"#, 1, ["x"]),
        ]
        for (format, version, features) in formats {
            let ledger = try TemporaryLedger()
            try ledger.create()
            try setMeta("format", Array(format.utf8), of: ledger)
            for access in [EventLog.Access.reading, .appending] {
                #expect(throws: LedgerError.unknownFormat(version: version, features: features)) {
                    try ledger.open(access)
                }
            }
        }
    }

    private func setMeta(_ name: String, _ value: [UInt8], of ledger: TemporaryLedger) throws {
        let environment = try LMDBEnvironment(
            directory: ledger.path + "/log", access: .readWrite, mapBytes: 1 << 30,
            databasesMax: 8)
        let meta = try environment.database("meta")
        try environment.write { try $0.put(.bytes(Array(name.utf8)), value, in: meta) }
    }

    @Test("for appending needs the ledger's own root key; reading does not")
    func needsRootKey() throws {
        let ledger = try TemporaryLedger()
        let info = try ledger.create()
        let path = ledger.keyRoot + "/\(info.ledgerID)/root.key"
        let url = URL(fileURLWithPath: path)
        let right = try Data(contentsOf: url)
        let wrongKeys = [
            Data(), Data("short\n".utf8),
            Data((Base64.encode([UInt8](repeating: 7, count: 32)) + "\n").utf8),
        ]
        for wrong in wrongKeys {
            try wrong.write(to: url)
            #expect {
                try ledger.open()
            } throws: { error in
                if case .rootKeyWrong? = error as? LedgerError { true } else { false }
            }
        }
        try FileManager.default.removeItem(at: url)
        #expect(throws: LedgerError.rootKeyMissing(path)) { try ledger.open() }
        _ = try ledger.open(.reading)
        try right.write(to: url)
        _ = try ledger.open()
    }
}
