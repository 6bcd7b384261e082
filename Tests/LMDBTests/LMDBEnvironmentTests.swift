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
