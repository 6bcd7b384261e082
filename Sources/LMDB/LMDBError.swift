// SPDX-License-Identifier: Apache-2.0

internal import CLMDB

/// What an LMDB call answered instead of success. The raw code is LMDB's own or an `errno`.
public struct LMDBError: Error, Equatable, CustomStringConvertible {
    /// LMDB's result code.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The number.
        public let rawValue: Int32

        /// Any result code.
        public init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        /// The key is there already (`MDB_KEYEXIST`).
        public static let keyExists = Code(rawValue: MDB_KEYEXIST)
        /// There is no such key (`MDB_NOTFOUND`).
        public static let notFound = Code(rawValue: MDB_NOTFOUND)
        /// A page is not what it should be (`MDB_CORRUPTED`).
        public static let corrupted = Code(rawValue: MDB_CORRUPTED)
        /// A page that another one names is not there (`MDB_PAGE_NOTFOUND`).
        public static let pageNotFound = Code(rawValue: MDB_PAGE_NOTFOUND)
        /// The file says it was made by another kind of LMDB (`MDB_VERSION_MISMATCH`).
        public static let versionMismatch = Code(rawValue: MDB_VERSION_MISMATCH)
        /// A database is of another kind than it was made (`MDB_INCOMPATIBLE`).
        public static let incompatible = Code(rawValue: MDB_INCOMPATIBLE)
        /// LMDB gave the environment up (`MDB_PANIC`).
        public static let panic = Code(rawValue: MDB_PANIC)
        /// The file is not an LMDB environment (`MDB_INVALID`).
        public static let invalid = Code(rawValue: MDB_INVALID)
        /// The map is full (`MDB_MAP_FULL`).
        public static let mapFull = Code(rawValue: MDB_MAP_FULL)
        /// Every reader slot is taken (`MDB_READERS_FULL`).
        public static let readersFull = Code(rawValue: MDB_READERS_FULL)
        /// What LMDB answers when it meets pages that it did not write so, at the opening or later.
        public static let damage: Set<Code> = Set(
            [
                MDB_CORRUPTED, MDB_INVALID, MDB_PAGE_NOTFOUND, MDB_NOTFOUND, MDB_PANIC,
                MDB_VERSION_MISMATCH, MDB_INCOMPATIBLE, MDB_CURSOR_FULL, MDB_PAGE_FULL,
                MDB_BAD_TXN, MDB_BAD_VALSIZE, MDB_BAD_DBI,
            ].map { Code(rawValue: $0) })
        /// This user may not write there, or nobody may (`EACCES`, `EPERM`, `EROFS`).
        public static let notPermitted: Set<Code> = Set(
            [1, 13, 30].map { Code(rawValue: $0) })
        /// The disk is full (`ENOSPC`, `EDQUOT`).
        public static let diskFull: Set<Code> = [Code(rawValue: 28), Code(rawValue: 122)]
        /// This process has the environment open already; LMDB would corrupt it.
        public static let alreadyOpen = Code(rawValue: -1)
    }

    /// The raw code.
    public let code: Code
    /// The LMDB function that answered it.
    public let operation: String

    init(_ code: Int32, _ operation: StaticString) {
        self.code = Code(rawValue: code)
        self.operation = operation.description
    }

    /// The problem in words.
    public var description: String {
        if code == .alreadyOpen {
            return "\(operation): this process has the environment open already"
        }
        return "\(operation): \(unsafe String(cString: mdb_strerror(code.rawValue)))"
    }
}

/// Turns every result but success into an error.
func check(_ result: Int32, _ operation: StaticString) throws(LMDBError) {
    guard result == MDB_SUCCESS else { throw LMDBError(result, operation) }
}
