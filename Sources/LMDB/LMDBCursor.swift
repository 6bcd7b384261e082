// SPDX-License-Identifier: Apache-2.0

internal import CLMDB

/// A place in a database, valid inside the closure that gets it; using it later traps.
@safe public final class LMDBCursor {
    private var open: OpaquePointer?

    init(pointer: OpaquePointer) {
        unsafe open = unsafe pointer
    }

    func end() {
        unsafe open = nil
    }

    private var pointer: OpaquePointer {
        guard let open = unsafe open else { preconditionFailure("the cursor is closed") }
        return unsafe open
    }

    /// Where to go.
    public enum Movement: Sendable {
        case first
        case last
        case next
        case firstDuplicate
        case lastDuplicate
        case nextDuplicate
        case nextKey
        case previousKey

        fileprivate var operation: MDB_cursor_op {
            switch self {
            case .first: MDB_FIRST
            case .last: MDB_LAST
            case .next: MDB_NEXT
            case .firstDuplicate: MDB_FIRST_DUP
            case .lastDuplicate: MDB_LAST_DUP
            case .nextDuplicate: MDB_NEXT_DUP
            case .nextKey: MDB_NEXT_NODUP
            case .previousKey: MDB_PREV_NODUP
            }
        }
    }

    /// Moves and hands the entry there to `body`; nil when there is none.
    @inlinable public func move<Result>(
        _ movement: Movement, _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) throws -> Result
    ) throws -> Result? {
        var result: Result?
        try visit(movement) { result = try body($0, $1) }
        return result
    }

    /// Moves to a key, or with `orAfter` to the first one that is not less, and hands the first
    /// of its entries to `body`; nil when there is none.
    @inlinable public func seek<Result>(
        _ key: LMDBKey, orAfter: Bool = false,
        _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) throws -> Result
    ) throws -> Result? {
        var result: Result?
        try visit(key, orAfter: orAfter) { result = try body($0, $1) }
        return result
    }

    /// Moves to one value of a key that may have several, and hands it to `body`; nil when the key
    /// does not have it.
    @inlinable public func seek<Result>(
        _ key: LMDBKey, value: LMDBKey,
        _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) throws -> Result
    ) throws -> Result? {
        var result: Result?
        try visit(key, value: value) { result = try body($0, $1) }
        return result
    }

    // MARK: - Without types of results, which those who are generic would look up each time

    /// What sees the entry at which the cursor has arrived.
    @usableFromInline
    typealias Visitor = (_ key: Span<UInt8>, _ value: Span<UInt8>) throws -> Void

    @usableFromInline
    func visit(_ movement: Movement, _ body: Visitor) throws {
        var key = unsafe MDB_val()
        try unsafe get(&key, movement.operation, body)
    }

    @usableFromInline
    func visit(_ key: LMDBKey, orAfter: Bool, _ body: Visitor) throws {
        try unsafe key.withValue {
            try unsafe get(&$0, orAfter ? MDB_SET_RANGE : MDB_SET_KEY, body)
        }
    }

    @usableFromInline
    func visit(_ key: LMDBKey, value: LMDBKey, _ body: Visitor) throws {
        try unsafe key.withValue { key in
            try unsafe value.withValue { value in
                let result = unsafe mdb_cursor_get(pointer, &key, &value, MDB_GET_BOTH)
                if result == MDB_NOTFOUND { return }
                try check(result, "mdb_cursor_get")
                try unsafe body(
                    Span(_unsafeElements: key.buffer), Span(_unsafeElements: value.buffer))
            }
        }
    }

    /// How many values the key has on which the cursor stands.
    public func countOfDuplicates() throws(LMDBError) -> Int {
        var count = 0
        try unsafe check(mdb_cursor_count(pointer, &count), "mdb_cursor_count")
        return count
    }

    private func get(
        _ key: inout MDB_val, _ operation: MDB_cursor_op, _ body: Visitor
    ) throws {
        var value = unsafe MDB_val()
        let result = unsafe mdb_cursor_get(pointer, &key, &value, operation)
        // EINVAL is LMDB's answer to a movement from nowhere.
        if result == MDB_NOTFOUND || result == 22 { return }
        try check(result, "mdb_cursor_get")
        try unsafe body(
            Span(_unsafeElements: key.buffer), Span(_unsafeElements: value.buffer))
    }
}
