// SPDX-License-Identifier: Apache-2.0

import LMDB
import Platform

/// One of a ledger's LMDB environments, read without the ledger: a copy, as LMDB refuses to open
/// an environment twice in one process.
struct EnvironmentCopy {
    private let environment: LMDBEnvironment

    init(of original: String, at directory: String) throws {
        try Directory.createWithParents(directory)
        let source = try File(original + "/data.mdb", .reading)
        let target = try File(directory + "/data.mdb", .creating(permissions: 0o600))
        while true {
            let part = try source.read(upTo: 1_048_576)
            if part.isEmpty { break }
            try target.write(part)
        }
        environment = try LMDBEnvironment(
            directory: directory, access: .readOnly, mapBytes: 1 << 40, databasesMax: 16)
    }

    /// Walks over all values of a database where they lie, and reads the first byte of each.
    ///
    /// - Returns: the sum of these bytes and of the lengths.
    func scan(_ name: String) throws -> Int {
        let database = try environment.database(name)
        return try environment.read { transaction in
            try transaction.withCursor(database) { cursor in
                var sum = 0
                while let value = try cursor.move(.next, { $1.count + Int($1[0]) }) {
                    sum += value
                }
                return sum
            }
        }
    }

    /// How long each value of a database is, in the order of their keys.
    func lengths(of name: String) throws -> [Int] {
        let database = try environment.database(name)
        return try environment.read { transaction in
            try transaction.withCursor(database) { cursor in
                var lengths: [Int] = []
                while let length = try cursor.move(.next, { $1.count }) { lengths.append(length) }
                return lengths
            }
        }
    }

    /// How many bytes the pages of a database take up.
    func bytes(of name: String) throws -> Int {
        let database = try environment.database(name)
        return try environment.read { try $0.bytes(of: database) }
    }
}
