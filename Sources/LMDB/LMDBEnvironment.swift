// SPDX-License-Identifier: Apache-2.0

internal import CLMDB
internal import Glibc
internal import Synchronization

/// An LMDB environment: a directory with a data file that is mapped into memory, and a lock file.
///
/// Transactions are closures, so that one begins and ends in the same synchronous function: a
/// write transaction held across a suspension can be ended on another thread, which locks the
/// environment for good; a read transaction kept open stops LMDB from using freed pages again.
///
/// Opening the same environment twice in one process breaks its file locks, so it is refused.
@safe public final class LMDBEnvironment: @unchecked Sendable {
    /// What the environment may be used for.
    public enum Access: Sendable {
        case readOnly
        case readWrite
    }

    /// What a commit that returned is worth.
    public enum Durability: Sendable {
        /// It is on disk.
        case full
        /// A power cut may undo the last commit; the environment stays whole.
        case lastCommitMayBeLost
        /// A power cut may spoil the environment, until ``LMDBEnvironment/sync()`` returned.
        case none

        fileprivate var flags: UInt32 {
            switch self {
            case .full: 0
            case .lastCommitMayBeLost: UInt32(MDB_NOMETASYNC)
            case .none: UInt32(MDB_NOSYNC)
            }
        }
    }

    let pointer: OpaquePointer
    private let identity: DirectoryIdentity
    /// Held open, so that no other directory gets the same number while this one is known by it.
    private let directoryDescriptor: Int32
    /// The directory that was opened.
    public let directory: String
    /// Where the data file is mapped; nil when the kernel does not tell.
    let dataMap: DataMap?

    /// Opens the environment in an existing directory.
    ///
    /// - Parameters:
    ///   - mapBytes: the largest size the data file may reach; address space, not memory.
    ///   - databasesMax: how many named databases may be opened.
    ///   - durability: what a commit is worth.
    public init(
        directory: String, access: Access, mapBytes: Int, databasesMax: Int,
        durability: Durability = .full
    ) throws(LMDBError) {
        let descriptor = unsafe Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LMDBError(errno, "stat") }
        var isOpen = false
        defer { if !isOpen { close(descriptor) } }
        let identity = try DirectoryIdentity(of: descriptor)
        guard OpenEnvironments.insert(identity) else {
            throw LMDBError(LMDBError.Code.alreadyOpen.rawValue, "mdb_env_open")
        }
        do {
            unsafe pointer = try Self.open(
                directory, access: access, mapBytes: mapBytes, databasesMax: databasesMax,
                durability: durability)
        } catch {
            OpenEnvironments.remove(identity)
            throw error
        }
        self.identity = identity
        self.directory = directory
        dataMap = Self.findMap(of: directory)
        directoryDescriptor = descriptor
        isOpen = true
    }

    deinit {
        unsafe mdb_env_close(pointer)
        OpenEnvironments.remove(identity)
        close(directoryDescriptor)
    }

    private static func open(
        _ directory: String, access: Access, mapBytes: Int, databasesMax: Int,
        durability: Durability
    ) throws(LMDBError) -> OpaquePointer {
        var created: OpaquePointer?
        try unsafe check(mdb_env_create(&created), "mdb_env_create")
        guard let pointer = unsafe created else { throw LMDBError(ENOMEM, "mdb_env_create") }
        do {
            try unsafe check(mdb_env_set_mapsize(pointer, mapBytes), "mdb_env_set_mapsize")
            try unsafe check(
                mdb_env_set_maxdbs(pointer, MDB_dbi(databasesMax)), "mdb_env_set_maxdbs")
            try unsafe check(mdb_env_set_maxreaders(pointer, 1022), "mdb_env_set_maxreaders")
            let flags =
                UInt32(MDB_NOTLS) | durability.flags
                | (access == .readOnly ? UInt32(MDB_RDONLY) : 0)
            try unsafe check(mdb_env_open(pointer, directory, flags, 0o600), "mdb_env_open")
            var cleared: Int32 = 0
            try unsafe check(mdb_reader_check(pointer, &cleared), "mdb_reader_check")
        } catch {
            unsafe mdb_env_close(pointer)
            throw error
        }
        return unsafe pointer
    }

    /// Runs a read transaction. It sees the state of one commit, whatever is written meanwhile.
    public func read<Result>(
        _ body: (LMDBTransaction) throws -> Result
    ) throws -> Result {
        let pointer = try unsafe begin(flags: UInt32(MDB_RDONLY))
        let transaction = unsafe LMDBTransaction(pointer: pointer)
        defer {
            transaction.end()
            unsafe mdb_txn_abort(pointer)
        }
        return try body(transaction)
    }

    /// Runs a write transaction and commits it: what it wrote is on disk when this returns, unless
    /// the environment was opened with another ``Durability``.
    /// When the body throws, nothing of it stays.
    public func write<Result>(
        _ body: (LMDBTransaction) throws -> Result
    ) throws -> Result {
        let pointer = try unsafe begin(flags: 0)
        let transaction = unsafe LMDBTransaction(pointer: pointer)
        defer { transaction.end() }
        let result: Result
        do {
            result = try body(transaction)
        } catch {
            unsafe mdb_txn_abort(pointer)
            throw error
        }
        try unsafe check(mdb_txn_commit(pointer), "mdb_txn_commit")
        return result
    }

    /// Opens a named database, which is made in a writable environment if it is not there.
    public func database(
        _ name: String, _ kind: LMDBDatabase.Kind = .plain, create: Bool = false
    ) throws -> LMDBDatabase {
        let transaction = try unsafe begin(flags: create ? 0 : UInt32(MDB_RDONLY))
        var handle: MDB_dbi = 0
        let flags = kind.flags | (create ? UInt32(MDB_CREATE) : 0)
        let result = unsafe mdb_dbi_open(transaction, name, flags, &handle)
        guard result == MDB_SUCCESS else {
            unsafe mdb_txn_abort(transaction)
            throw LMDBError(result, "mdb_dbi_open")
        }
        try unsafe check(mdb_txn_commit(transaction), "mdb_txn_commit")
        return LMDBDatabase(handle: handle)
    }

    /// Opens a database that may not be there yet.
    ///
    /// - Parameter create: whether to make it then.
    /// - Returns: nil when it is not there and is not made.
    public func databaseIfPresent(_ name: String, create: Bool) throws -> LMDBDatabase? {
        do {
            return try database(name)
        } catch let error as LMDBError where error.code == .notFound {
            return create ? try database(name, create: true) : nil
        }
    }

    /// The number of the last committed transaction; it grows with every commit of any process.
    public var lastTransactionID: Int {
        var info = unsafe MDB_envinfo()
        unsafe mdb_env_info(pointer, &info)
        return unsafe info.me_last_txnid
    }

    /// Bytes of the data file that are or were in use; it grows up to the size of the map.
    public var usedBytes: Int {
        var info = unsafe MDB_envinfo()
        unsafe mdb_env_info(pointer, &info)
        var statistics = MDB_stat()
        unsafe mdb_env_stat(pointer, &statistics)
        return unsafe (info.me_last_pgno + 1) * Int(statistics.ms_psize)
    }

    /// Forces everything to disk, also what was committed without a sync.
    public func sync() throws(LMDBError) {
        try unsafe check(mdb_env_sync(pointer, 1), "mdb_env_sync")
    }

    private func begin(flags: UInt32) throws(LMDBError) -> OpaquePointer {
        var transaction: OpaquePointer?
        try unsafe check(mdb_txn_begin(pointer, nil, flags, &transaction), "mdb_txn_begin")
        guard let transaction = unsafe transaction else {
            throw LMDBError(ENOMEM, "mdb_txn_begin")
        }
        return unsafe transaction
    }
}

/// A database inside an environment.
public struct LMDBDatabase: Sendable {
    /// How keys and values are kept.
    public enum Kind: Sendable {
        /// One value a key.
        case plain
        /// Several values a key, sorted, all of the same size.
        case duplicatesOfOneSize

        var flags: UInt32 {
            switch self {
            case .plain: 0
            case .duplicatesOfOneSize: UInt32(MDB_DUPSORT | MDB_DUPFIXED)
            }
        }
    }

    let handle: MDB_dbi
}

/// Tells directories apart, whatever path leads to them.
private struct DirectoryIdentity: Hashable {
    let device: UInt64
    let inode: UInt64

    init(of descriptor: Int32) throws(LMDBError) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw LMDBError(errno, "stat") }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }
}

/// The environments this process has open.
private enum OpenEnvironments {
    private static let identities = Mutex<Set<DirectoryIdentity>>([])

    static func insert(_ identity: DirectoryIdentity) -> Bool {
        identities.withLock { $0.insert(identity).inserted }
    }

    static func remove(_ identity: DirectoryIdentity) {
        _ = identities.withLock { $0.remove(identity) }
    }
}
