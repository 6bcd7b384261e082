// SPDX-License-Identifier: Apache-2.0

import LMDB
import Platform

/// The least that a log on LMDB can be: values under ascending numbers in one database.
final class RawLog: Sendable {
    private struct Request: Sendable {
        let value: [UInt8]
        let completion: @Sendable (Result<Void, any Error>) -> Void
    }

    private let environment: LMDBEnvironment
    private let values: LMDBDatabase

    init(_ directory: String) throws {
        try Directory.createWithParents(directory)
        environment = try LMDBEnvironment(
            directory: directory, access: .readWrite, mapBytes: 1 << 40, databasesMax: 2)
        values = try environment.database("values", create: true)
    }

    private func count() throws -> UInt64 {
        try environment.read { UInt64(try $0.count(of: values)) }
    }

    /// Appends values in transactions of so many.
    func append(_ bytes: [[UInt8]], perCommit: Int) throws {
        var position = try count()
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + perCommit)
            try environment.write { transaction in
                for value in bytes[start..<end] {
                    try transaction.put(.number(position), value, in: values, .appended)
                    position += 1
                }
            }
            start = end
        }
    }

    /// Appends values of concurrent callers: each hands one over and waits for its commit, and
    /// one thread writes all that have come in into one transaction.
    func appendInGroups(_ callers: [[[UInt8]]]) async throws {
        let queue = HandoverQueue<Request>()
        let first = try count()
        let writer = try WorkerThread { [self] in
            var position = first
            while true {
                let requests = queue.take(upTo: 1024)
                if requests.isEmpty { return }
                let result = Result {
                    try environment.write { transaction in
                        for request in requests {
                            try transaction.put(
                                .number(position), request.value, in: values, .appended)
                            position += 1
                        }
                    }
                }
                for request in requests {
                    request.completion(result)
                }
            }
        }
        defer {
            queue.close()
            writer.join()
        }
        try await withThrowingTaskGroup { group in
            for bytes in callers {
                group.addTask {
                    for value in bytes {
                        try await withCheckedThrowingContinuation { continuation in
                            _ = queue.push(
                                Request(value: value) { continuation.resume(with: $0) })
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
