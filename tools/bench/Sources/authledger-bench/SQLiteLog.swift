// SPDX-License-Identifier: Apache-2.0

import CSQLite
import LedgerPrimitives
import Platform

/// A plain table of events in SQLite: one row an event, WAL, a sync for each commit.
@safe final class SQLiteLog: @unchecked Sendable {
    /// What is stored of an event.
    struct Entry: Sendable {
        let stream: [UInt8]
        let revision: Int
        let event: [UInt8]
    }

    private let database: OpaquePointer
    private let insert: OpaquePointer
    private let path: String

    init(_ directory: String) throws {
        try Directory.createWithParents(directory)
        path = directory + "/events.sqlite"
        var opened: OpaquePointer?
        guard unsafe sqlite3_open(path, &opened) == SQLITE_OK, let opened = unsafe opened else {
            throw BenchError("SQLite cannot make \(path)")
        }
        unsafe database = opened
        for text in [
            "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
            """
            CREATE TABLE events (position INTEGER PRIMARY KEY, stream BLOB NOT NULL,
                revision INTEGER NOT NULL, event TEXT NOT NULL, UNIQUE (stream, revision))
            """,
        ] {
            guard unsafe sqlite3_exec(opened, text, nil, nil, nil) == SQLITE_OK else {
                throw BenchError("SQLite refuses \(text)")
            }
        }
        var prepared: OpaquePointer?
        let text = "INSERT INTO events (stream, revision, event) VALUES (?, ?, ?)"
        guard unsafe sqlite3_prepare_v2(opened, text, -1, &prepared, nil) == SQLITE_OK,
            let prepared = unsafe prepared
        else { throw BenchError("SQLite refuses \(text)") }
        unsafe insert = prepared
    }

    deinit {
        unsafe sqlite3_finalize(insert)
        unsafe sqlite3_close(database)
    }

    /// Inserts events in one transaction. One thread at a time.
    func append(_ entries: some Sequence<Entry>) throws {
        try execute("BEGIN IMMEDIATE")
        for entry in entries {
            try put(entry)
        }
        try execute("COMMIT")
    }

    /// Bytes on disk once everything is in the database file.
    func bytesOnDisk() throws -> Int {
        try execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return try Directory.allocatedBytes(of: Path.parent(of: path))
    }

    private func execute(_ text: String) throws {
        guard unsafe sqlite3_exec(database, text, nil, nil, nil) == SQLITE_OK else {
            throw BenchError("SQLite: \(text) failed")
        }
    }

    private func put(_ entry: Entry) throws {
        let result = unsafe entry.stream.withUnsafeBytes { stream in
            unsafe entry.event.withUnsafeBytes { event -> Int32 in
                unsafe sqlite3_bind_blob(insert, 1, stream.baseAddress, Int32(stream.count), nil)
                unsafe sqlite3_bind_int64(insert, 2, Int64(entry.revision))
                unsafe sqlite3_bind_text(
                    insert, 3, event.baseAddress?.assumingMemoryBound(to: CChar.self),
                    Int32(event.count), nil)
                let result = unsafe sqlite3_step(insert)
                unsafe sqlite3_reset(insert)
                return result
            }
        }
        guard result == SQLITE_DONE else { throw BenchError("SQLite: an insert failed") }
    }

    // MARK: - Callers

    private struct Request: Sendable {
        let entry: Entry
        let completion: @Sendable (Result<Void, any Error>) -> Void
    }

    /// Appends the events of concurrent callers: each hands one over and waits for its commit. One
    /// thread writes; it takes up to `perCommit` events into one transaction.
    func append(_ callers: [[Entry]], perCommit: Int) async throws {
        let queue = HandoverQueue<Request>()
        let writer = try WorkerThread { [self] in
            while true {
                let requests = queue.take(upTo: perCommit)
                if requests.isEmpty { return }
                let result = Result { try append(requests.lazy.map(\.entry)) }
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
            for entries in callers {
                group.addTask {
                    for entry in entries {
                        try await withCheckedThrowingContinuation { continuation in
                            _ = queue.push(
                                Request(entry: entry) { continuation.resume(with: $0) })
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
