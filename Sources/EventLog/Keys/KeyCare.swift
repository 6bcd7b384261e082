// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import LMDB
public import LedgerPrimitives
internal import OpenSSL
internal import Platform
public import SessionEvents

/// Points in the course of an erasure at which a test may stop the process.
package enum ErasurePoint: String, CaseIterable, Sendable {
    /// The log says that the erasure has begun.
    case begun
    /// The fresh `keys/` is written beside the old one.
    case freshKeysWritten
    /// The old `keys/` has another name, the fresh one not yet its own.
    case oldKeysAside
    /// The fresh `keys/` is in its place.
    case freshKeysInPlace
    /// The old root key is written over.
    case rootKeyReplaced
    /// The old `keys/` is written over and gone.
    case oldKeysDestroyed
    /// The log attests the erasure.
    case attested
}

/// Brings `keys/` and the key directory in order: finishes what a crash cut off, and sees to it
/// that no data key is there which the log says is erased. An erasure is nothing else: its first
/// event is appended, and this does the rest.
struct KeyCare {
    /// How long others may take to close the ledger when it opens with work to do.
    static let waitMilliseconds: UInt32 = 5000

    let paths: LedgerPaths
    let keyRoot: String
    let directory: KeyDirectory
    let lock: File
    let capabilities: Capabilities
    let care: StorageCare
    let reached: (ErasurePoint) throws -> Void

    init(
        paths: LedgerPaths, keyRoot: String, lock: File, capabilities: Capabilities,
        care: StorageCare = StorageCare(),
        reached: @escaping (ErasurePoint) throws -> Void = { _ in }
    ) throws {
        self.paths = paths
        self.keyRoot = keyRoot
        self.lock = lock
        self.capabilities = capabilities
        self.care = care
        self.reached = reached
        directory = try EventLog(
            paths, keyRoot: keyRoot, lock: lock, rootKeys: [], access: .reading,
            capabilities: capabilities, care: care
        ).keyDirectory
    }

    private func openLog(_ access: EventLog.Access, _ rootKeys: [RootKey] = []) throws -> EventLog {
        try EventLog(
            paths, keyRoot: keyRoot, lock: lock, rootKeys: rootKeys, access: access,
            capabilities: capabilities, care: care)
    }

    private func openKeys(_ rootKeys: [RootKey], _ ledgerID: UUIDv7) throws -> KeyStore {
        try KeyStore(
            paths.openEnvironment(
                paths.keys, access: .appending, databasesMax: KeyTables.count),
            rootKeys: rootKeys, ledgerID: ledgerID)
    }

    private var hasLeftovers: Bool {
        Directory.exists(paths.newKeys) || Directory.exists(paths.oldKeys)
            || directory.hasLeftovers
    }

    // MARK: - At the opening

    /// Puts the keys in order, if they are not, with the shared lock held before and after.
    ///
    /// - Returns: the root key that the ledger opens with.
    /// - Throws: ``LedgerError/inUse(_:)`` when there is work to do and others have the ledger
    ///   open.
    func settle() throws -> [RootKey] {
        if !hasLeftovers {
            let rootKeys = try directory.readRootKeys()
            if try !hasErased(rootKeys) { return rootKeys }
        }
        try paths.lockExclusively(lock, waitMilliseconds: Self.waitMilliseconds)
        let rootKey = try finish()
        try lock.lock(.shared)
        return [rootKey]
    }

    /// Whether the log names sessions to erase, or erased, whose keys are still there. A look at
    /// the end of the ledger's own stream tells whether there is anything new in it.
    private func hasErased(_ rootKeys: [RootKey]) throws -> Bool {
        let log = try openLog(.reading)
        let keys = try openKeys(rootKeys, log.info.ledgerID)
        let revision = try log.streamHead(log.info.ledgerID.description)?.revision ?? 0
        if try keys.mark(.ledger) == UInt64(revision) { return false }
        let history = try log.history()
        guard history.unfinished.isEmpty, try Self.stored(history.erased.keys, keys).isEmpty else {
            return true
        }
        try keys.setMark(.ledger, UInt64(revision))
        return false
    }

    private static func stored(
        _ streams: some Sequence<String>, _ keys: KeyStore
    ) throws -> Set<String> {
        Set(try streams.filter { try keys.hasDataKey($0) })
    }

    // MARK: - With the ledger to ourselves

    /// Finishes everything that was begun. The lock must be held exclusively.
    ///
    /// - Returns: the root key of `keys/`.
    @discardableResult
    func finish() throws -> RootKey {
        try finishSwap()
        var rootKey = try settleRootKey()
        let (history, dropped) = try inspect(rootKey)
        if !dropped.isEmpty {
            let isOurs = try directory.source() == .own
            rootKey = try replaceKeys(
                rootKey, by: isOurs ? makeRootKey() : rootKey, dropping: dropped, .ofDropped)
        }
        if !history.unfinished.isEmpty { try attest(history, rootKey) }
        let log = try openLog(.reading)
        let revision = try log.streamHead(log.info.ledgerID.description)?.revision ?? 0
        try openKeys([rootKey], log.info.ledgerID).setMark(.ledger, UInt64(revision))
        return rootKey
    }

    /// Destroys the data keys of sessions that the log says are erased, in a copy of a ledger that
    /// nobody else has; the root key stays, as the ledger that it was copied from may use it.
    func dropErased(_ rootKey: RootKey) throws {
        let (_, dropped) = try inspect(rootKey)
        if dropped.isEmpty { return }
        try replaceKeys(rootKey, by: rootKey, dropping: dropped, .ofDropped)
    }

    func makeRootKey() -> RootKey {
        var bytes = capabilities.randomBytes(RootKey.byteCount)
        defer { cleanse(&bytes) }
        return RootKey(secret: SecretBytes(bytes))
    }

    /// `keys.old` stands beside `keys` only once the fresh generation is complete.
    private func finishSwap() throws {
        if !Directory.exists(paths.keys), Directory.exists(paths.oldKeys) {
            try rename(paths.newKeys, to: paths.keys)
        }
        if Directory.exists(paths.newKeys) { try Directory.shredTree(paths.newKeys) }
        try Directory.sync(paths.root)
    }

    /// Finds out which root key `keys/` has, makes it the one that counts, and destroys the old
    /// generation of both.
    private func settleRootKey() throws -> RootKey {
        let ledgerID = try openLog(.reading).info.ledgerID
        let rootKey = try openKeys(try directory.readRootKeys(), ledgerID).rootKey
        try directory.settle(rootKey)
        try reached(.rootKeyReplaced)
        if Directory.exists(paths.oldKeys) {
            try Directory.shredTree(paths.oldKeys)
            try Directory.sync(paths.root)
        }
        try reached(.oldKeysDestroyed)
        return rootKey
    }

    private func inspect(_ rootKey: RootKey) throws -> (LedgerHistory, dropped: Set<String>) {
        let log = try openLog(.reading)
        let history = try log.history()
        let keys = try openKeys([rootKey], log.info.ledgerID)
        return (history, try Self.stored(history.pending.union(history.erased.keys), keys))
    }

    /// Writes a fresh generation of `keys/`, puts it in the place of the old one, and destroys
    /// that one.
    ///
    /// - Returns: the root key of the fresh generation.
    @discardableResult
    func replaceKeys(
        _ rootKey: RootKey, by fresh: RootKey, dropping dropped: Set<String>,
        _ buckets: KeyStoreRewrite.FreshBuckets
    ) throws -> RootKey {
        try writeFresh(rootKey, fresh, dropped, buckets)
        if !fresh.isSame(as: rootKey) {
            try directory.writeNext(
                fresh, after: rootKey, randomBytes: capabilities.randomBytes)
        }
        try reached(.freshKeysWritten)
        try rename(paths.keys, to: paths.oldKeys)
        try reached(.oldKeysAside)
        try rename(paths.newKeys, to: paths.keys)
        try reached(.freshKeysInPlace)
        try directory.settle(fresh)
        try reached(.rootKeyReplaced)
        try Directory.shredTree(paths.oldKeys)
        try Directory.sync(paths.root)
        try reached(.oldKeysDestroyed)
        return fresh
    }

    private func writeFresh(
        _ rootKey: RootKey, _ fresh: RootKey, _ dropped: Set<String>,
        _ buckets: KeyStoreRewrite.FreshBuckets
    ) throws {
        try Directory.create(paths.newKeys)
        let log = try openLog(.reading)
        let rewrite = KeyStoreRewrite(
            source: try openKeys([rootKey], log.info.ledgerID), rootKey: fresh, dropped: dropped,
            freshBuckets: buckets, streamName: { try log.streamName(ofKey: $0) },
            randomBytes: capabilities.randomBytes)
        try rewrite.write(
            to: paths.openEnvironment(
                paths.newKeys, access: .appending, databasesMax: KeyTables.count))
        // The second copy of the newest checkpoint lies beside the data keys.
        let name = Path.name(of: paths.checkpointBesideKeys)
        if Directory.exists(paths.checkpointBesideKeys) {
            try DurableFile.write(
                File(paths.checkpointBesideKeys, .reading).readAll(limit: 1 << 20),
                to: paths.newKeys + "/" + name)
        }
        try Directory.sync(paths.newKeys)
        try Directory.sync(paths.root)
    }

    private func rename(_ source: String, to target: String) throws {
        try Directory.rename(source, to: target)
        try Directory.sync(paths.root)
    }

    // MARK: - The end of an erasure

    /// Appends the event that attests each erasure which was begun.
    private func attest(_ history: LedgerHistory, _ rootKey: RootKey) throws {
        let log = try openLog(.appending, [rootKey])
        let subject = log.info.ledgerID.description
        let fate: Erased.RootKeyFate = try directory.source() == .own ? .replaced : .kept
        var head = try log.streamHead(subject)
        var batch = AppendBatch(events: [])
        let begun = history.unfinished.values.flatMap(\.parts).sorted { $0.position < $1.position }
        for (_, part) in begun {
            let event = LedgerEvent.erased(
                Erased(
                    erasure: part.erasure, part: part.part, parts: part.parts,
                    sessions: part.sessions, accesses: part.accesses,
                    keysDestroyed: try part.sessions.count { try log.hadKey($0.description) },
                    rootKey: fate))
            let prepared = try log.prepare(
                log.draft(event, subject: subject), after: head, dataKey: nil)
            head = prepared.head
            batch.events.append(prepared)
        }
        _ = try log.appendAndWait(batch)
        try reached(.attested)
    }
}

extension EventLog {
    /// The name of the stream behind a stream key; nil when there is none.
    func streamName(ofKey key: [UInt8]) throws -> String? {
        if key.count == 16 { return UUIDText.encode(key.span) }
        return try environment.read { transaction in
            guard let extent = try tables.extent(of: key, in: transaction),
                case .first(let subject) = try tables.header(at: extent.first, in: transaction).link
            else { return nil }
            return subject
        }
    }

    /// Whether a stream was begun with a data key.
    func hadKey(_ subject: String) throws -> Bool {
        try event(ofStream: subject, revision: 1)?.data[DataMember.keyCommitment] != nil
    }

    /// A draft of an event that the ledger observed itself.
    public func draft(
        _ event: LedgerEvent, subject: String, sealed: JSONObject? = nil
    ) -> EventDraft {
        EventDraft(
            id: capabilities.makeUUIDv7(), source: info.origin, type: event.type.rawValue,
            typeVersion: event.type.currentVersion, subject: subject, time: capabilities.now(),
            clear: event.clearMembers, sealed: sealed)
    }
}
