// SPDX-License-Identifier: Apache-2.0

public import Capabilities
internal import JOSE
internal import LMDB
internal import LedgerPrimitives
internal import OpenSSL
internal import Platform
internal import SignedNote

extension EventLog {
    /// Makes a new ledger: its directory, its root key and its signing key.
    ///
    /// Everything is made under another name, forced to disk and then renamed: a ledger is there
    /// whole or not at all.
    ///
    /// - Parameters:
    ///   - directory: where the ledger will be; nothing or an empty directory may be there.
    ///   - origin: the ledger's name; by default one made from its id.
    ///   - keyRoot: the directory under which the keys are put, outside `directory`.
    ///   - custody: where the root key comes from, as the content of a `custody.json`; by default
    ///     it is made here and kept beside the signing key.
    ///   - samples: events to prime the compression with; synthetic ones only, as what is made
    ///     of them stays in the ledger for good.
    /// - Throws: ``LedgerError/alreadyExists(_:)``, ``LedgerError/invalidOrigin``, or an error of
    ///   the system or of LMDB.
    public static func create(
        _ directory: String, origin: String?, keyRoot: String, custody: [UInt8]? = nil,
        samples: [SampleEvent], capabilities: Capabilities
    ) throws -> LedgerInfo {
        try create(
            directory, origin: origin, keyRoot: keyRoot, custody: custody, samples: samples,
            capabilities: capabilities, probe: .system)
    }

    /// Makes a new ledger on a disk that a test may make up.
    package static func create(
        _ directory: String, origin: String?, keyRoot: String, custody: [UInt8]? = nil,
        samples: [SampleEvent], capabilities: Capabilities, probe: StorageProbe
    ) throws -> LedgerInfo {
        let paths = try LedgerPaths(absolute: directory)
        let ledgerID = capabilities.makeUUIDv7()
        let origin = origin ?? LedgerOrigin.standard(ledgerID)
        guard LedgerOrigin.isValid(origin) else { throw LedgerError.invalidOrigin }
        try refuseOccupied(paths.root)
        let rootKey = try rootKey(custody, capabilities)
        let seed = SecretBytes(capabilities.randomBytes(Ed25519PrivateKey.seedBytes))
        let publicKey = try Ed25519PrivateKey(seed: seed).publicKey
        guard let verifierKey = VerifierKey(name: origin, publicKey: publicKey) else {
            throw LedgerError.invalidOrigin
        }
        let info = LedgerInfo(
            ledgerID: ledgerID, origin: origin, verifierKey: verifierKey,
            created: capabilities.now())
        let suffix = LedgerPaths.Temporary.creation.suffix(capabilities.randomBytes(8))
        try Directory.createWithParents(Path.parent(of: paths.root))
        try probe.refuseNetwork(Path.parent(of: paths.root))
        let temporary = LedgerPaths(paths.root + suffix)
        do {
            try fill(
                temporary, info: info, rootKey: rootKey,
                dictionary: FrameDictionary.bytes(from: samples, origin: origin))
            try makeOwnStreamKey(temporary, info, rootKey, capabilities)
            let nonce = capabilities.randomBytes(AES256GCM.nonceBytes)
            var seedBytes = seed.exposed
            defer { cleanse(&seedBytes) }
            try KeyDirectory(keyRoot, ledgerID: ledgerID).create(
                rootKey: rootKey,
                sealedSigningKey: DirectEncryption.seal(
                    seedBytes, key: rootKey.signingFileKey, nonce: nonce),
                custody: custody, suffix: suffix)
            try publish(temporary, as: paths)
        } catch {
            try? Directory.removeTree(temporary.root)
            throw error
        }
        return info
    }

    /// A new root key, or the one that somebody else keeps.
    private static func rootKey(
        _ custody: [UInt8]?, _ capabilities: Capabilities
    ) throws -> RootKey {
        guard let custody else {
            var bytes = capabilities.randomBytes(RootKey.byteCount)
            defer { cleanse(&bytes) }
            return RootKey(secret: SecretBytes(bytes))
        }
        let name = RootKeySource.configurationName
        guard let source = RootKeySource(parsing: custody) else {
            throw LedgerError.custodyInvalid(name, RootKeySource.expectation)
        }
        var text = try source.read(ownPath: "")
        defer { cleanse(&text) }
        guard let key = RootKey.read(text) else { throw LedgerError.rootKeyWrong(source.words) }
        return key
    }

    /// Makes the data key of the ledger's own stream before anything is in it: so it is in every
    /// copy of `keys/`, and holds and erasures can be recorded whichever copy is put back.
    private static func makeOwnStreamKey(
        _ paths: LedgerPaths, _ info: LedgerInfo, _ rootKey: RootKey, _ capabilities: Capabilities
    ) throws {
        let keys = try KeyStore(
            paths.openEnvironment(
                paths.keys, access: .appending, databasesMax: KeyTables.count),
            rootKeys: [rootKey], ledgerID: info.ledgerID)
        let key = try keys.makeDataKey(
            for: info.ledgerID.description, month: info.created.monthIndex,
            randomBytes: capabilities.randomBytes)
        _ = try keys.store([key], [])
    }

    static func refuseOccupied(_ path: String) throws {
        guard Directory.exists(path) else { return }
        guard Directory.isDirectory(path), try Directory.entries(of: path).isEmpty else {
            throw LedgerError.alreadyExists(path)
        }
    }

    /// Makes the parts of a ledger without events.
    ///
    /// - Parameters:
    ///   - rootKey: the key that wraps the others; nil where it is not at hand.
    ///   - keysCopy: a directory with data keys to take over, instead of beginning without any.
    static func fill(
        _ paths: LedgerPaths, info: LedgerInfo, rootKey: RootKey?, keysCopy: String? = nil,
        dictionary: [UInt8]
    ) throws {
        for directory in [paths.root, paths.log, paths.keys] {
            try Directory.create(directory)
        }
        try File(paths.lock, .creating(permissions: 0o600)).sync()
        let log = try paths.openEnvironment(
            paths.log, access: .appending, databasesMax: LogTables.count)
        let tables = try LogTables(log, create: true, createsAttempts: true)
        try log.write { transaction in
            try transaction.put(LogTables.MetaName.format, LedgerFormat.encoded, in: tables.meta)
            try transaction.put(LogTables.MetaName.ledger, info.encoded, in: tables.meta)
            try transaction.put(LogTables.MetaName.head, LogHead().encoded, in: tables.meta)
            try transaction.put(.number(1), dictionary, in: tables.dictionaries, .appended)
        }
        if let keysCopy {
            let content = try File(keysCopy + "/data.mdb", .reading).readAll(limit: Int.max)
            let file = try File(paths.keys + "/data.mdb", .creating(permissions: 0o600))
            try file.write(content)
            try file.sync()
        }
        let keys = try paths.openEnvironment(
            paths.keys, access: .appending, databasesMax: KeyTables.count)
        if keysCopy == nil {
            try KeyStore.create(keys, rootKey: rootKey)
        } else if let rootKey {
            // Refuses the keys of another ledger.
            _ = try KeyStore(keys, rootKeys: [rootKey], ledgerID: info.ledgerID)
        }
        for directory in [paths.log, paths.keys, paths.root] {
            try Directory.sync(directory)
        }
    }

    /// Puts a ledger that is whole in its place.
    static func publish(_ temporary: LedgerPaths, as paths: LedgerPaths) throws {
        do {
            try Directory.rename(temporary.root, to: paths.root)
        } catch  where error.isAlreadyThere {
            throw LedgerError.alreadyExists(paths.root)
        }
        try Directory.sync(Path.parent(of: paths.root))
    }
}
