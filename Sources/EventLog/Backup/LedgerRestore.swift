// SPDX-License-Identifier: Apache-2.0

public import Capabilities
internal import LMDB
internal import LedgerPrimitives
internal import Platform

/// What a restore did.
public struct RestoreResult: Equatable, Sendable {
    /// What was restored.
    public let manifest: BackupManifest
    /// Where the ledger is now that was there before; nil when none was.
    public let replaced: String?
    /// Whether data keys were restored, or were there and stayed.
    public let hasKeys: Bool
}

/// Brings a backup back as a ledger.
public struct LedgerRestore {
    /// A backup, by its directory.
    private let backup: String
    private let paths: LedgerPaths
    private let keyRoot: String
    private let capabilities: Capabilities
    private let probe: StorageProbe
    /// Whether data keys are taken from the backup, if it has any.
    private let takesKeys: Bool

    /// A restore of a backup to a directory.
    ///
    /// - Parameters:
    ///   - keyRoot: the directory under which each ledger's root key lies.
    ///   - takesKeys: whether data keys are taken from the backup, if it has any.
    public init(
        _ backup: String, to directory: String, keyRoot: String, capabilities: Capabilities,
        takesKeys: Bool = true
    ) throws {
        try self.init(
            backup, to: directory, keyRoot: keyRoot, capabilities: capabilities,
            takesKeys: takesKeys, probe: .system)
    }

    package init(
        _ backup: String, to directory: String, keyRoot: String, capabilities: Capabilities,
        takesKeys: Bool = true, probe: StorageProbe
    ) throws {
        self.backup = try Path.absolute(backup)
        paths = try LedgerPaths(absolute: directory)
        self.keyRoot = keyRoot
        self.capabilities = capabilities
        self.probe = probe
        self.takesKeys = takesKeys
    }

    /// Restores.
    ///
    /// The backup is copied beside the ledger's place, every byte is held against the manifest, and
    /// the copy is checked like any ledger, before it takes that place in one step.
    ///
    /// - Parameters:
    ///   - replacing: whether a ledger that is there may be replaced. It is kept under another
    ///     name.
    ///   - suffix: what the name of the unfinished copy ends in; see ``makeSuffix(_:)``.
    ///   - inputs: checkpoints from elsewhere that the backup must fit, and the key to believe.
    /// - Throws: ``LedgerError``, or an error of the system or of LMDB; then whatever was there is
    ///   as it was.
    public func run(
        replacing: Bool, suffix: String, inputs: CheckInputs = CheckInputs(),
        progress: (_ step: String, _ done: UInt64, _ total: UInt64) -> Void
    ) throws -> RestoreResult {
        let manifest = try BackupManifest.read(backup)
        let isThere = try isTargetOccupied()
        guard !isThere || replacing else { throw LedgerError.alreadyExists(paths.root) }
        let parent = Path.parent(of: paths.root)
        try Directory.createWithParents(parent)
        try probe.refuseNetwork(parent)
        let space = try probe.space(parent).available
        guard space >= UInt64(manifest.bytes) + StorageLimits.standardReserveBytes else {
            throw LedgerError.diskNearlyFull(
                availableBytes: space, reserveBytes: StorageLimits.standardReserveBytes)
        }
        // Nobody may use the ledger that is replaced, from before it is looked at.
        let oldLock = isThere ? try paths.lock(.exclusive) : nil
        defer { withExtendedLifetime(oldLock) {} }
        let copy = LedgerPaths(paths.root + suffix)
        do {
            let hasKeys = try fill(copy, manifest, keepingKeysOf: isThere ? paths : nil, progress)
            try check(copy, manifest, inputs, progress)
            try dropErased(copy, manifest)
            let replaced = try publish(copy, replacing: isThere, suffix)
            return RestoreResult(manifest: manifest, replaced: replaced, hasKeys: hasKeys)
        } catch {
            try? Directory.removeTree(copy.root)
            throw error
        }
    }

    /// A new suffix for the name of an unfinished copy.
    public static func makeSuffix(_ capabilities: Capabilities) -> String {
        LedgerPaths.Temporary.restore.suffix(capabilities.randomBytes(8))
    }

    /// Removes what a restore left behind that did not come to its end.
    public func removeUnfinished(_ suffix: String) {
        try? Directory.removeTree(paths.root + suffix)
    }

    /// Whether a ledger is there; anything else that is there is in the way.
    private func isTargetOccupied() throws -> Bool {
        guard Directory.exists(paths.root) else { return false }
        guard Directory.isDirectory(paths.root) else {
            throw LedgerError.alreadyExists(paths.root)
        }
        if try Directory.entries(of: paths.root).isEmpty { return false }
        guard Directory.isDirectory(paths.log) else {
            throw LedgerError.alreadyExists(paths.root)
        }
        return true
    }

    // MARK: - The copy

    private func fill(
        _ copy: LedgerPaths, _ manifest: BackupManifest, keepingKeysOf old: LedgerPaths?,
        _ progress: (String, UInt64, UInt64) -> Void
    ) throws -> Bool {
        for directory in [copy.root, copy.log, copy.keys] {
            try Directory.create(directory)
        }
        try File(copy.lock, .creating(permissions: 0o600)).sync()
        var done: UInt64 = 0
        for entry in manifest.files where takesKeys || entry.path != BackupManifest.keys {
            let found = try FileCopy.copy(
                entry.path, from: backup, to: copy.root + "/" + entry.path
            ) { count in
                done += UInt64(count)
                progress("copy", done, UInt64(manifest.bytes))
            }
            guard found == entry else {
                throw LedgerError.backupInvalid(
                    "\(backup)/\(entry.path) is not what the manifest says")
            }
        }
        let hasKeys = try fillKeys(copy, manifest, old)
        for directory in [copy.log, copy.keys, copy.root] {
            try Directory.sync(directory)
        }
        return hasKeys
    }

    /// Sees to it that the copy has data keys that the root key of today opens: the backup's, or
    /// else those of the ledger that it replaces. Without either there are none, and what is sealed
    /// can be opened by nobody.
    private func fillKeys(
        _ copy: LedgerPaths, _ manifest: BackupManifest, _ old: LedgerPaths?
    ) throws -> Bool {
        let rootKeys: [RootKey]
        do {
            rootKeys = try KeyDirectory(keyRoot, ledgerID: manifest.ledgerID).readRootKeys()
        } catch LedgerError.rootKeyMissing where manifest.hasKeys && takesKeys {
            // They stay what they are, for the day on which the root key is found again.
            return true
        }
        if manifest.hasKeys && takesKeys {
            if try opens(copy, rootKeys, manifest.ledgerID) { return true }
            guard old != nil else {
                throw LedgerError.backupInvalid(
                    "its data keys are wrapped by another root key than today's, as from before an "
                        + "erasure or a rotation")
            }
            try Directory.removeFile(copy.keys + "/data.mdb")
            try Directory.removeFile(copy.keys + "/lock.mdb")
        }
        if let old {
            let environment = try old.openEnvironment(
                old.keys, access: .reading, databasesMax: KeyTables.count)
            _ = try KeyStore(environment, rootKeys: rootKeys, ledgerID: manifest.ledgerID)
            try environment.copy(to: copy.keys)
            try Directory.restrict(copy.keys + "/data.mdb", permissions: 0o600)
            try Directory.sync(copy.keys + "/data.mdb")
            return true
        }
        guard let rootKey = rootKeys.first else { throw LedgerError.rootKeyMissing(keyRoot) }
        let environment = try copy.openEnvironment(
            copy.keys, access: .appending, databasesMax: KeyTables.count)
        try KeyStore.create(environment, rootKey: rootKey)
        return false
    }

    private func opens(
        _ copy: LedgerPaths, _ rootKeys: [RootKey], _ ledgerID: UUIDv7
    ) throws -> Bool {
        let environment = try copy.openEnvironment(
            copy.keys, access: .reading, databasesMax: KeyTables.count)
        do {
            _ = try KeyStore(environment, rootKeys: rootKeys, ledgerID: ledgerID)
            return true
        } catch LedgerError.rootKeyWrong {
            return false
        }
    }

    /// Destroys the data keys of sessions that the events say are erased.
    private func dropErased(_ copy: LedgerPaths, _ manifest: BackupManifest) throws {
        let directory = try KeyDirectory(keyRoot, ledgerID: manifest.ledgerID)
        guard let rootKey = try directory.readRootKeyIfThere() else { return }
        let lock = try copy.lock(.exclusive)
        try KeyCare(paths: copy, keyRoot: keyRoot, lock: lock, capabilities: capabilities)
            .dropErased(rootKey)
    }

    /// Checks the copy as `verify --level tree` does, and that it is what the manifest says.
    private func check(
        _ copy: LedgerPaths, _ manifest: BackupManifest, _ inputs: CheckInputs,
        _ progress: (String, UInt64, UInt64) -> Void
    ) throws {
        let log = try EventLog(
            copy.root, keyRoot: keyRoot, access: .reading, capabilities: capabilities)
        let report = try log.check(.tree, inputs) { progress("check", $0, $1) }
        if let finding = report.findings.first {
            throw LedgerError.damaged(finding.message, position: finding.position)
        }
        guard report.treeSize == manifest.size, report.root == manifest.root,
            log.info.ledgerID == manifest.ledgerID
        else { throw LedgerError.backupInvalid("the events are not those of the manifest") }
    }

    // MARK: - Into its place

    private func publish(
        _ copy: LedgerPaths, replacing: Bool, _ suffix: String
    ) throws -> String? {
        let parent = Path.parent(of: paths.root)
        guard replacing else {
            do {
                try Directory.rename(copy.root, to: paths.root)
            } catch  where error.isAlreadyThere {
                throw LedgerError.alreadyExists(paths.root)
            }
            try Directory.sync(parent)
            return nil
        }
        try Directory.exchange(copy.root, paths.root)
        try Directory.sync(parent)
        // From here on the new ledger is in its place; the old one only gets a better name.
        let digits = suffix.suffix(16)
        let kept = paths.root + ".replaced-" + digits
        try Directory.rename(copy.root, to: kept)
        try Directory.sync(parent)
        return kept
    }
}
