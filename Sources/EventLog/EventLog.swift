// SPDX-License-Identifier: Apache-2.0

public import Capabilities
internal import LMDB
internal import LedgerPrimitives
internal import Platform
internal import Synchronization

/// A ledger's event log: streams of events in one order, hashed into one Merkle tree.
///
/// An append that returned is on disk. Events never change. Several processes may have the log
/// open and append to it; one process may have it open once.
public final class EventLog: Sendable {
    /// What the log is opened for.
    public enum Access: Sendable {
        /// Reading events; data keys are not opened.
        case reading
        /// Reading events and what is sealed in them; nothing is written, also not to bring an
        /// erasure to its end.
        case unsealing
        /// Appending, or reading what is sealed.
        case appending
    }

    /// What never changes about this ledger.
    public let info: LedgerInfo
    /// The directory.
    public let paths: LedgerPaths

    let capabilities: Capabilities
    let environment: LMDBEnvironment
    let tables: LogTables
    let codec: FrameCodec
    let recentBlobs = RecentBlobs()
    let knownHistory = Mutex<LedgerHistory?>(nil)
    let clockWatch: ClockWatch
    private let holds: StreamHolds
    let keyDirectory: KeyDirectory
    /// Signs checkpoints; only where the log is open for appending.
    let checkpointer: Checkpointer?
    let keys: KeyStore?
    let writer: LogWriter?
    private let lock: File

    /// Opens a ledger.
    ///
    /// Opened for appending, the log is compared with the newest checkpoint that is found, and a
    /// new checkpoint is made at most once a second while it grows, and when it is closed.
    ///
    /// - Parameters:
    ///   - keyRoot: the directory under which each ledger's root key lies.
    ///   - limits: how much of the disk the ledger may take.
    ///   - checkpointFailed: told when a checkpoint could not be made or published. The events are
    ///     on disk all the same.
    /// - Throws: ``LedgerError``, or an error of the system or of LMDB.
    public convenience init(
        _ directory: String, keyRoot: String, access: Access, capabilities: Capabilities,
        limits: StorageLimits = StorageLimits(),
        checkpointFailed: @escaping @Sendable (any Error) -> Void = { _ in }
    ) throws {
        try self.init(
            directory, keyRoot: keyRoot, access: access, capabilities: capabilities,
            limits: limits, checkpointFailed: checkpointFailed, reached: { _ in })
    }

    /// Opens a ledger with a hook for tests of crash safety.
    package convenience init(
        _ directory: String, keyRoot: String, access: Access, capabilities: Capabilities,
        limits: StorageLimits = StorageLimits(), probe: StorageProbe = .system,
        checkpointFailed: @escaping @Sendable (any Error) -> Void = { _ in },
        reached: @escaping @Sendable (CommitPoint) throws -> Void
    ) throws {
        try self.init(
            directory, keyRoot: keyRoot, access: access, capabilities: capabilities,
            care: StorageCare(limits: limits, probe: probe), checkpointFailed: checkpointFailed,
            reached: reached)
    }

    convenience init(
        _ directory: String, keyRoot: String, access: Access, capabilities: Capabilities,
        care: StorageCare, checkpointFailed: @escaping @Sendable (any Error) -> Void = { _ in },
        reached: @escaping @Sendable (CommitPoint) throws -> Void = { _ in }
    ) throws {
        let paths = try LedgerPaths(absolute: directory)
        let lock = try paths.lockShared()
        var rootKeys: [RootKey] = []
        switch access {
        case .reading: break
        case .unsealing:
            rootKeys = try KeyCare(
                paths: paths, keyRoot: keyRoot, lock: lock, capabilities: capabilities, care: care
            ).directory.readRootKeys()
        case .appending:
            rootKeys = try KeyCare(
                paths: paths, keyRoot: keyRoot, lock: lock, capabilities: capabilities, care: care
            ).settle()
        }
        try self.init(
            paths, keyRoot: keyRoot, lock: lock, rootKeys: rootKeys, access: access,
            capabilities: capabilities, care: care, checkpointFailed: checkpointFailed,
            reached: reached)
    }

    /// Opens a ledger that is locked already, and whose keys are in order.
    init(
        _ paths: LedgerPaths, keyRoot: String, lock: File, rootKeys: [RootKey], access: Access,
        capabilities: Capabilities, care: StorageCare = StorageCare(),
        checkpointFailed: @escaping @Sendable (any Error) -> Void = { _ in },
        reached: @escaping @Sendable (CommitPoint) throws -> Void = { _ in }
    ) throws {
        self.lock = lock
        try care.probe.refuseNetwork(paths.log)
        let environment = try paths.openEnvironment(
            paths.log, access: access, databasesMax: LogTables.count)
        let tables: LogTables
        (tables, info) = try Self.readFormat(environment, access, care.knowledge)
        let dictionaries = try tables.readDictionaries(environment)
        guard let codec = FrameCodec(dictionaries: dictionaries) else {
            throw LedgerError.damaged("the compression dictionary is missing", position: nil)
        }
        keyDirectory = try KeyDirectory(keyRoot, ledgerID: info.ledgerID)
        if access == .reading {
            keys = nil
            checkpointer = nil
            writer = nil
        } else {
            let keys = try KeyStore(
                paths.openEnvironment(
                    paths.keys, access: access, databasesMax: KeyTables.count),
                rootKeys: rootKeys, ledgerID: info.ledgerID, reached: reached)
            self.keys = keys
            if access == .appending {
                let checkpointer = Checkpointer(
                    environment: environment, tables: tables, info: info, paths: paths,
                    keyDirectory: keyDirectory, rootKey: keys.rootKey)
                self.checkpointer = checkpointer
                writer = try LogWriter(
                    environment: environment, tables: tables, keys: keys,
                    space: SpaceGuard(path: paths.log, care: care), reached: reached,
                    checkpoints: AutomaticCheckpoints(checkpointer, failed: checkpointFailed))
            } else {
                checkpointer = nil
                writer = nil
            }
        }
        clockWatch = ClockWatch(capabilities.clock)
        self.paths = paths
        holds = StreamHolds(path: paths.lock)
        self.capabilities = capabilities
        self.environment = environment
        self.tables = tables
        self.codec = codec
        if checkpointer != nil {
            try finishRotation()
            try refuseRollback()
        }
    }

    deinit {
        writer?.close()
    }

    private static func readFormat(
        _ environment: LMDBEnvironment, _ access: Access, _ knowledge: FormatKnowledge
    ) throws -> (LogTables, LedgerInfo) {
        // The format is read before anything else is touched: a later one may have other tables.
        let meta = try environment.database("meta")
        let (format, ledger) = try environment.read { transaction in
            (
                try transaction.value(LogTables.MetaName.format, in: meta),
                try transaction.value(LogTables.MetaName.ledger, in: meta)
            )
        }
        try LedgerFormat.check(format, for: access, knowledge)
        guard let info = ledger.flatMap(LedgerInfo.init(encoded:)) else {
            throw LedgerError.damaged("the record of the ledger is malformed", position: nil)
        }
        let tables = try LogTables(
            environment, create: false, createsAttempts: access == .appending)
        return (tables, info)
    }

    // MARK: - Appending

    /// Appends events and returns when they are on disk. Blocks this thread meanwhile.
    ///
    /// - Throws: ``AppendConflict`` or ``DataKeyConflict`` when the batch does not fit what is
    ///   there; then nothing of it was written.
    public func appendAndWait(_ batch: AppendBatch) throws -> AppendReceipt {
        guard let writer else { throw LedgerError.notWritable }
        noteClock(before: batch)
        let promise = Promise<Result<AppendReceipt, any Error>>()
        writer.submit(batch) { promise.fulfil($0) }
        return try promise.wait().get()
    }

    /// Appends events and returns when they are on disk; appends from many tasks share commits.
    ///
    /// - Throws: ``AppendConflict`` or ``DataKeyConflict`` when the batch does not fit what is
    ///   there; then nothing of it was written.
    public func append(_ batch: AppendBatch) async throws -> AppendReceipt {
        guard let writer else { throw LedgerError.notWritable }
        noteClock(before: batch)
        return try await withCheckedThrowingContinuation { continuation in
            writer.submit(batch) { continuation.resume(with: $0) }
        }
    }

    // MARK: - Data keys

    /// The environment of the data keys, for copying it.
    func keyEnvironment() throws -> LMDBEnvironment {
        try keys?.environment
            ?? paths.openEnvironment(
                paths.keys, access: .reading, databasesMax: KeyTables.count)
    }

    /// The data key of a stream; nil when there is none.
    public func dataKey(for subject: String) throws -> DataKey? {
        guard let keys else { throw LedgerError.notWritable }
        return try keys.dataKey(for: subject)
    }

    /// The data key of a stream that has sealed data.
    ///
    /// - Throws: ``LedgerError/keyMissing(subject:)``, or ``LedgerError/erased(subject:)`` where
    ///   the log attests why.
    public func existingDataKey(for subject: String) throws -> DataKey {
        guard let key = try dataKey(for: subject) else {
            throw reasonForMissingKey(of: subject)
        }
        return key
    }

    /// Makes a data key for a stream that begins; hand it to the append of its first event.
    public func makeDataKey(for subject: String) throws -> NewDataKey {
        guard let keys else { throw LedgerError.notWritable }
        return try keys.makeDataKey(
            for: subject, month: capabilities.now().monthIndex,
            randomBytes: capabilities.randomBytes)
    }

    // MARK: - Finding and holding sessions

    /// An entry by which a stream can be found from a secret value; append it with the event that
    /// holds the value.
    public func lookupEntry(
        _ purpose: LookupPurpose, _ value: String, subject: String
    ) throws -> LookupEntry {
        guard let keys else { throw LedgerError.notWritable }
        return try keys.lookupEntry(purpose, value, subject: subject)
    }

    /// The stream that a secret value leads to; nil when none has it.
    public func subject(of purpose: LookupPurpose, _ value: String) throws -> String? {
        guard let keys else { throw LedgerError.notWritable }
        return try keys.subject(of: purpose, value)
    }

    /// The streams that a secret value leads to, for purposes of which a value may have many.
    public func subjects(of purpose: LookupPurpose, _ value: String) throws -> [String] {
        guard let keys else { throw LedgerError.notWritable }
        return try keys.subjects(of: purpose, value)
    }

    /// Up to which position the log was read for lookup entries that are made afterwards.
    public func indexedTo() throws -> UInt64 {
        guard let keys else { throw LedgerError.notWritable }
        return try keys.mark(.indexed)
    }

    /// Stores lookup entries that were made from events before a position.
    public func storeIndex(_ entries: [LookupEntry], readTo position: UInt64) throws {
        guard let keys, writer != nil else { throw LedgerError.notWritable }
        try keys.store(entries, readTo: position)
    }

    /// Takes hold of a stream, so that no other process drives it meanwhile. The hold ends with the
    /// returned object and with the process.
    ///
    /// - Returns: nil when another holds it.
    public func hold(_ subject: String) throws -> StreamHold? {
        try holds.hold(subject)
    }
}
