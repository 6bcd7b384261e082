// SPDX-License-Identifier: Apache-2.0

import Foundation
import LMDB
import Testing

@Suite("An LMDB environment")
struct LMDBEnvironmentTests {
    private struct Stop: Error {}

    private func withEnvironment(_ body: (LMDBEnvironment) throws -> Void) throws {
        let path = NSTemporaryDirectory() + "lmdb-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(
            LMDBEnvironment(
                directory: path, access: .readWrite, mapBytes: 1 << 24, databasesMax: 4))
    }

    @Test("keeps what was committed and nothing of what was not")
    func commitsWhole() throws {
        try withEnvironment { environment in
            let database = try environment.database("facts", create: true)
            try environment.write { try $0.put(.number(1), [1, 2, 3], in: database) }
            #expect(throws: Stop.self) {
                try environment.write { transaction in
                    try transaction.put(.number(2), [9], in: database)
                    throw Stop()
                }
            }
            try environment.read { transaction throws in
                #expect(try transaction.value(.number(1), in: database) == [1, 2, 3])
                #expect(try transaction.value(.number(2), in: database) == nil)
                #expect(try transaction.count(of: database) == 1)
            }
        }
    }

    @Test("is refused a second time in the same process, by whatever path")
    func refusesSecondOpen() throws {
        try withEnvironment { environment in
            #expect {
                try LMDBEnvironment(
                    directory: environment.directory + "/.", access: .readOnly,
                    mapBytes: 1 << 24, databasesMax: 4)
            } throws: { error in
                (error as? LMDBError)?.code == .alreadyOpen
            }
        }
    }

    @Test("sorts numbers as numbers and appends only at the end")
    func sortsNumbers() throws {
        try withEnvironment { environment in
            let database = try environment.database("numbers", create: true)
            try environment.write { transaction in
                for number in [UInt64(1), 255, 256, 70_000] {
                    try transaction.put(.number(number), [0], in: database, .appended)
                }
                #expect(throws: LMDBError.self) {
                    try transaction.put(.number(3), [0], in: database, .appended)
                }
            }
            let keys = try environment.read { transaction throws in
                try transaction.withCursor(database) { cursor throws in
                    var keys: [UInt64?] = []
                    while let key = try cursor.move(.next, { key, _ in key.bigEndianNumber }) {
                        keys.append(key)
                    }
                    return keys
                }
            }
            #expect(keys == [1, 255, 256, 70_000])
        }
    }

    @Test("walks the values of one key in order and counts them")
    func walksDuplicates() throws {
        try withEnvironment { environment in
            let database = try environment.database(
                "streams", .duplicatesOfOneSize, create: true)
            try environment.write { transaction in
                for number in [UInt64(3), 700, 70_000] {
                    try transaction.put(
                        .bytes([7]), number: number, in: database, .appendedDuplicate)
                }
                try transaction.put(.bytes([8]), number: 4, in: database, .appendedDuplicate)
            }
            try environment.read { transaction throws in
                try transaction.withCursor(database) { cursor throws in
                    #expect(try cursor.seek(.bytes([7])) { $1.bigEndianNumber } == 3)
                    #expect(try cursor.countOfDuplicates() == 3)
                    #expect(try cursor.move(.lastDuplicate) { $1.bigEndianNumber } == 70_000)
                    #expect(try cursor.move(.nextDuplicate) { $1.bigEndianNumber } == nil)
                    #expect(try cursor.move(.nextKey) { $1.bigEndianNumber } == 4)
                    #expect(try cursor.seek(.bytes([9])) { $1.bigEndianNumber } == nil)
                    #expect(
                        try cursor.seek(.bytes([1]), orAfter: true) { key, _ in key.copied() }
                            == [7])
                }
            }
        }
    }

    @Test("goes on from one of several values of a key, and finds no value that is not there")
    func seeksValues() throws {
        try withEnvironment { environment in
            let database = try environment.database(
                "index", .duplicatesOfOneSize, create: true)
            try environment.write { transaction in
                for number in [UInt64(1), 5, 9] {
                    try transaction.put(.bytes([7]), number: number, in: database, .replacing)
                }
            }
            try environment.read { transaction in
                try transaction.withCursor(database) { cursor throws in
                    let found = try cursor.seek(.bytes([7]), value: .number(5)) {
                        $1.bigEndianNumber
                    }
                    #expect(found == 5)
                    #expect(try cursor.move(.next) { $1.bigEndianNumber } == 9)
                    let other = try cursor.seek(.bytes([7]), value: .number(6)) { _, _ in 0 }
                    #expect(other == nil)
                }
            }
        }
    }

    @Test("gives the pages that were read back to the system, and reads them again")
    func releasesPages() throws {
        try withEnvironment { environment in
            let database = try environment.database("facts", create: true)
            let value = [UInt8](repeating: 7, count: 100_000)
            try environment.write { transaction in
                for number in 0..<100 {
                    try transaction.put(.number(UInt64(number)), value, in: database)
                }
            }
            #expect(environment.usedBytes > 10_000_000)
            let sum = { () throws -> Int in
                try environment.read { transaction in
                    try (0..<100).reduce(0) { sum, number in
                        try sum
                            + (transaction.value(.number(UInt64(number)), in: database) ?? [])
                            .count
                    }
                }
            }
            #expect(try sum() == 10_000_000)
            let full = try residentFileBytes()
            environment.releasePages()
            #expect(try residentFileBytes() < full - 8_000_000)
            #expect(try sum() == 10_000_000)
        }
    }

    /// The pages of files that this process has in memory.
    private func residentFileBytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("RssFile:") }
        return (line?.split(separator: " ").dropLast().last.flatMap { Int($0) } ?? 0) * 1024
    }

    @Test("tells who reads, and which commit")
    func listsReaders() throws {
        try withEnvironment { environment in
            let database = try environment.database("facts", create: true)
            #expect(try environment.readers() == [])
            try environment.read { _ throws in
                let seen = environment.lastTransactionID
                try environment.write { try $0.put(.number(1), [1], in: database) }
                let readers = try environment.readers()
                #expect(readers.map(\.transaction) == [seen])
                #expect(readers.map(\.process) == [ProcessInfo.processInfo.processIdentifier])
                #expect(environment.lastTransactionID > seen)
            }
            #expect(try environment.clearStaleReaders() == 0)
        }
    }

    @Test("is copied while it is open, without its free pages")
    func copies() throws {
        try withEnvironment { environment in
            let database = try environment.database("facts", create: true)
            let value = [UInt8](repeating: 7, count: 100_000)
            try environment.write { transaction in
                for number in 0..<50 {
                    try transaction.put(.number(UInt64(number)), value, in: database)
                }
            }
            try environment.write { transaction in
                for number in 1..<50 {
                    try transaction.delete(.number(UInt64(number)), in: database)
                }
            }
            let target = environment.directory + "-copy"
            try FileManager.default.createDirectory(
                atPath: target, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: target) }
            try environment.copy(to: target)
            let copy = try LMDBEnvironment(
                directory: target, access: .readOnly, mapBytes: 1 << 24, databasesMax: 4)
            let facts = try copy.database("facts")
            #expect(try copy.read { try $0.value(.number(0), in: facts) } == value)
            #expect(try copy.read { try $0.count(of: facts) } == 1)
            #expect(copy.usedBytes < 200_000)
            #expect(environment.usedBytes > 5_000_000)
        }
    }

    @Test("stops the program when a transaction is used after its end")
    func trapsOnLateUse() async {
        await #expect(processExitsWith: .failure) {
            let path = NSTemporaryDirectory() + "lmdb-late-" + UUID().uuidString
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: path) }
            let environment = try LMDBEnvironment(
                directory: path, access: .readWrite, mapBytes: 1 << 24, databasesMax: 4)
            let database = try environment.database("facts", create: true)
            var kept: LMDBTransaction?
            try environment.read { kept = $0 }
            _ = try kept?.value(.number(1), in: database)
        }
    }
}
