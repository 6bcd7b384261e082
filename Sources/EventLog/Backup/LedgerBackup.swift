// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import LMDB
internal import LedgerPrimitives
internal import Platform

extension EventLog {
    /// How often the progress of a copy is looked at.
    private static let lookMilliseconds: UInt32 = 200

    /// Makes a backup while the ledger is in use.
    ///
    /// The events are copied first, as they are at one commit, and the data keys after them: a key
    /// is durable before the first event sealed under it, so no event in the copy lacks its key.
    /// Everything is made under another name, forced to disk and then renamed: a backup is there
    /// whole or not at all.
    ///
    /// - Parameters:
    ///   - directory: where the backup will be; nothing may be there.
    ///   - withKeys: whether the data keys come with it. They are wrapped: without the root key,
    ///     which is never in a backup, they open nothing.
    ///   - progress: called now and then with bytes copied and bytes there are, free ones included.
    /// - Throws: ``LedgerError/alreadyExists(_:)``, or an error of the system or of LMDB; then
    ///   nothing is left behind.
    public func backup(
        to directory: String, withKeys: Bool, progress: (_ done: Int, _ total: Int) -> Void
    ) throws -> BackupManifest {
        let target = try Path.absolute(directory)
        guard !Directory.exists(target) else { throw LedgerError.alreadyExists(target) }
        let parent = Path.parent(of: target)
        try Directory.createWithParents(parent)
        let needed = UInt64(environment.usedBytes) + StorageLimits.standardReserveBytes
        let available = try DiskSpace(at: parent).available
        guard available >= needed else {
            throw LedgerError.diskNearlyFull(
                availableBytes: available, reserveBytes: StorageLimits.standardReserveBytes)
        }
        let temporary = target + LedgerPaths.Temporary.backup.suffix(capabilities.randomBytes(8))
        try Directory.create(temporary)
        do {
            let manifest = try fill(temporary, withKeys: withKeys, progress)
            // A rename alone would take the place of an empty directory made in the meantime.
            guard !Directory.exists(target) else { throw LedgerError.alreadyExists(target) }
            try Directory.rename(temporary, to: target)
            try Directory.sync(parent)
            return manifest
        } catch {
            try? Directory.removeTree(temporary)
            throw error
        }
    }

    private func fill(
        _ directory: String, withKeys: Bool, _ progress: (Int, Int) -> Void
    ) throws -> BackupManifest {
        var files: [BackupManifest.Entry] = []
        let checkpoint = BackupManifest.checkpoint
        if Directory.exists(paths.root + "/" + checkpoint) {
            // Before the events: then it is one of the tree that they make up.
            files.append(
                try FileCopy.copy(
                    checkpoint, from: paths.root, to: directory + "/" + checkpoint))
        }
        try copy(environment, to: directory + "/log", progress)
        if withKeys {
            let keys = try keyEnvironment()
            try copy(keys, to: directory + "/keys") { _, _ in }
            files.append(try FileCopy.entry(BackupManifest.keys, in: directory))
        }
        files.append(try FileCopy.entry(BackupManifest.log, in: directory))
        let (format, head) = try describe(directory + "/log")
        let manifest = BackupManifest(
            info: info, created: capabilities.now(), formatVersion: format.version,
            size: head.size, root: head.root, files: files.sorted { $0.path < $1.path })
        let file = try File(
            directory + "/" + BackupManifest.fileName, .creating(permissions: 0o600))
        try file.write(CanonicalJSON.encode(manifest.object) + [UInt8(ascii: "\n")])
        try file.sync()
        try Directory.sync(directory)
        return manifest
    }

    /// What a copy of the events says of itself.
    private func describe(_ directory: String) throws -> (FormatRecord, LogHead) {
        let copy = try paths.openEnvironment(
            directory, access: .reading, databasesMax: LogTables.count)
        defer { withExtendedLifetime(copy) {} }
        let tables = try LogTables(copy, create: false, createsAttempts: false)
        let described = try copy.read { transaction in
            let format = try transaction.value(LogTables.MetaName.format, in: tables.meta)
            guard let record = format.flatMap(FormatRecord.init) else {
                throw LedgerFormat.malformed
            }
            return (record, try tables.head(in: transaction))
        }
        return described
    }

    /// Copies an environment and forces the copy to disk. A thread of its own copies; this one
    /// tells how far it is, and lets go of the pages that were read.
    private func copy(
        _ environment: LMDBEnvironment, to directory: String, _ progress: (Int, Int) -> Void
    ) throws {
        try Directory.create(directory)
        let result = Promise<Result<Void, any Error>>()
        let thread = try WorkerThread {
            result.fulfil(Result { try environment.copy(to: directory) })
        }
        let file = directory + "/data.mdb"
        let total = environment.usedBytes
        while !result.isFulfilled {
            progress(min(Directory.fileSize(of: file) ?? 0, total), total)
            environment.releasePages()
            ProcessControl.sleep(milliseconds: Self.lookMilliseconds)
        }
        thread.join()
        try result.wait().get()
        progress(total, total)
        try Directory.restrict(file, permissions: 0o600)
        try Directory.sync(file)
        try Directory.sync(directory)
    }
}
