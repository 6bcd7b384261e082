// SPDX-License-Identifier: Apache-2.0

internal import CLMDB

/// A key: bytes, or a number that sorts as its eight big-endian bytes.
public enum LMDBKey: Sendable {
    case bytes([UInt8])
    case number(UInt64)

    func withValue<Result>(_ body: (inout MDB_val) throws -> Result) rethrows -> Result {
        switch self {
        case .bytes(let bytes):
            return try unsafe bytes.withUnsafeBytes { buffer in
                var value = unsafe MDB_val(buffer)
                return try unsafe body(&value)
            }
        case .number(let number):
            return try unsafe withUnsafeBytes(of: number.bigEndian) { buffer in
                var value = unsafe MDB_val(buffer)
                return try unsafe body(&value)
            }
        }
    }
}

extension MDB_val {
    /// Bytes of ours as LMDB takes them; LMDB does not write through the pointer.
    fileprivate init(_ buffer: UnsafeRawBufferPointer) {
        unsafe self.init(
            mv_size: buffer.count,
            mv_data: UnsafeMutableRawPointer(mutating: buffer.baseAddress))
    }

    /// Bytes of LMDB's in the map; they are gone when the transaction is.
    var buffer: UnsafeBufferPointer<UInt8> {
        unsafe UnsafeBufferPointer(
            start: mv_data?.assumingMemoryBound(to: UInt8.self), count: mv_size)
    }
}

/// A transaction, valid inside the closure that gets it; using it later traps.
@safe public final class LMDBTransaction {
    private var open: OpaquePointer?

    init(pointer: OpaquePointer) {
        unsafe open = unsafe pointer
    }

    func end() {
        unsafe open = nil
    }

    private var pointer: OpaquePointer {
        guard let open = unsafe open else { preconditionFailure("the transaction has ended") }
        return unsafe open
    }

    /// How a value is put.
    public enum Placement: Sendable {
        /// In place of an older one.
        case replacing
        /// Only if the key has none; else the error is `keyExists`.
        case new
        /// As the last key of all; else the error is `keyExists`.
        case appended
        /// As the last of the values of its key; else the error is `keyExists`.
        case appendedDuplicate

        fileprivate var flags: UInt32 {
            switch self {
            case .replacing: 0
            case .new: UInt32(MDB_NOOVERWRITE)
            case .appended: UInt32(MDB_APPEND)
            case .appendedDuplicate: UInt32(MDB_APPENDDUP)
            }
        }
    }

    /// Hands the value of a key to `body`, without copying it; nil if there is none.
    @inlinable public func withValue<Result>(
        _ key: LMDBKey, in database: LMDBDatabase, _ body: (Span<UInt8>) throws -> Result
    ) throws -> Result? {
        var result: Result?
        try visit(key, in: database) { result = try body($0) }
        return result
    }

    /// Knows no type of a result, which those who are generic would have to look up each time.
    @usableFromInline
    func visit(
        _ key: LMDBKey, in database: LMDBDatabase, _ body: (Span<UInt8>) throws -> Void
    ) throws {
        var value = unsafe MDB_val()
        let result = unsafe key.withValue {
            unsafe mdb_get(pointer, database.handle, &$0, &value)
        }
        if result == MDB_NOTFOUND { return }
        try check(result, "mdb_get")
        try unsafe body(Span(_unsafeElements: value.buffer))
    }

    /// A copy of the value of a key; nil if there is none.
    public func value(_ key: LMDBKey, in database: LMDBDatabase) throws -> [UInt8]? {
        try withValue(key, in: database) { $0.copied() }
    }

    /// Puts a value.
    public func put(
        _ key: LMDBKey, _ bytes: [UInt8], in database: LMDBDatabase,
        _ placement: Placement = .replacing
    ) throws(LMDBError) {
        let result = unsafe key.withValue { key in
            unsafe bytes.withUnsafeBytes { buffer in
                var value = unsafe MDB_val(buffer)
                return unsafe mdb_put(pointer, database.handle, &key, &value, placement.flags)
            }
        }
        try check(result, "mdb_put")
    }

    /// Puts a number as eight big-endian bytes.
    public func put(
        _ key: LMDBKey, number: UInt64, in database: LMDBDatabase, _ placement: Placement
    ) throws(LMDBError) {
        let result = unsafe key.withValue { key in
            unsafe LMDBKey.number(number).withValue {
                unsafe mdb_put(pointer, database.handle, &key, &$0, placement.flags)
            }
        }
        try check(result, "mdb_put")
    }

    /// Deletes a key with all its values; false if there was none.
    @discardableResult
    public func delete(_ key: LMDBKey, in database: LMDBDatabase) throws(LMDBError) -> Bool {
        let result = unsafe key.withValue {
            unsafe mdb_del(pointer, database.handle, &$0, nil)
        }
        if result == MDB_NOTFOUND { return false }
        try check(result, "mdb_del")
        return true
    }

    /// Opens a named database as a part of this transaction, and makes it if it is not there. The
    /// transaction must be one that writes.
    public func database(
        _ name: String, _ kind: LMDBDatabase.Kind = .plain
    ) throws(LMDBError) -> LMDBDatabase {
        var handle: MDB_dbi = 0
        try unsafe check(
            mdb_dbi_open(pointer, name, kind.flags | UInt32(MDB_CREATE), &handle), "mdb_dbi_open")
        return LMDBDatabase(handle: handle)
    }

    /// How many values a database has.
    public func count(of database: LMDBDatabase) throws(LMDBError) -> Int {
        try statistics(of: database).ms_entries
    }

    /// How many bytes the pages of a database take up.
    public func bytes(of database: LMDBDatabase) throws(LMDBError) -> Int {
        let statistics = try statistics(of: database)
        let pages =
            statistics.ms_branch_pages + statistics.ms_leaf_pages + statistics.ms_overflow_pages
        return pages * Int(statistics.ms_psize)
    }

    private func statistics(of database: LMDBDatabase) throws(LMDBError) -> MDB_stat {
        var statistics = MDB_stat()
        try unsafe check(mdb_stat(pointer, database.handle, &statistics), "mdb_stat")
        return statistics
    }

    /// Opens a cursor for the time of `body`.
    public func withCursor<Result>(
        _ database: LMDBDatabase, _ body: (LMDBCursor) throws -> Result
    ) throws -> Result {
        var opened: OpaquePointer?
        try unsafe check(mdb_cursor_open(pointer, database.handle, &opened), "mdb_cursor_open")
        guard let opened = unsafe opened else { throw LMDBError(MDB_PANIC, "mdb_cursor_open") }
        defer { unsafe mdb_cursor_close(opened) }
        let cursor = unsafe LMDBCursor(pointer: opened)
        defer { cursor.end() }
        return try body(cursor)
    }
}

extension Span<UInt8> {
    /// The bytes as an array.
    public func copied() -> [UInt8] {
        unsafe withUnsafeBufferPointer { unsafe Array($0) }
    }

    /// Eight bytes as a big-endian number; nil for any other length.
    public var bigEndianNumber: UInt64? {
        guard count == 8 else { return nil }
        var number: UInt64 = 0
        for index in indices {
            number = number << 8 | UInt64(self[index])
        }
        return number
    }
}
