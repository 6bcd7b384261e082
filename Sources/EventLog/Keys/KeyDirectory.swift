// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenSSL
internal import Platform
internal import SignedNote

/// Where a ledger's root key and signing key lie: outside the ledger directory.
struct KeyDirectory {
    let path: String

    private var rootKeyPath: String { path + "/root.key" }
    private var signingKeyPath: String { path + "/signing.key" }
    /// Written before `keys/` changes to a new root key, and gone when the change is complete.
    private var nextRootKeyPath: String { path + "/root.key.next" }
    /// The key that is about to take the place of the signing key.
    private var nextSigningKeyPath: String { path + "/signing.key.next" }
    /// Ends the name of a signing key that is sealed under the next root key.
    private static let rewrapped = ".rewrapped"
    /// The list of places outside the ledger to which the newest checkpoint is written.
    var publishListPath: String { path + "/publish" }

    init(_ keyRoot: String, ledgerID: UUIDv7) throws {
        path = try Path.absolute(keyRoot) + "/\(ledgerID)"
    }

    /// Where the root key comes from.
    func source() throws -> RootKeySource {
        try RootKeySource(configuredIn: path)
    }

    /// The root key; nil when it is not there.
    func readRootKeyIfThere() throws -> RootKey? {
        do {
            return try readRootKey()
        } catch LedgerError.rootKeyMissing {
            return nil
        }
    }

    /// Reads the root key.
    func readRootKey() throws -> RootKey {
        let source = try source()
        var text = try source.read(ownPath: rootKeyPath)
        defer { cleanse(&text) }
        guard let key = RootKey.read(text) else {
            throw LedgerError.rootKeyWrong(source == .own ? rootKeyPath : source.words)
        }
        return key
    }

    /// The root key and, where a change to another one was cut off, that one too: one of them is
    /// the key of `keys/`.
    func readRootKeys() throws -> [RootKey] {
        guard Directory.exists(nextRootKeyPath) else { return [try readRootKey()] }
        let next = try readNextRootKey().map { [$0] } ?? []
        return ((try? readRootKey()).map { [$0] } ?? []) + next
    }

    private func readNextRootKey() throws -> RootKey? {
        guard Directory.exists(nextRootKeyPath) else { return nil }
        var text = try File(nextRootKeyPath, .reading).readAll(limit: RootKeySource.bytesMax)
        defer { cleanse(&text) }
        return RootKey.read(text)
    }

    // MARK: - Changing the root key

    private var signingKeyPaths: [String] { [signingKeyPath, nextSigningKeyPath] }

    /// Whether a change of keys was cut off.
    var hasLeftovers: Bool {
        Directory.exists(nextRootKeyPath)
            || signingKeyPaths.contains { Directory.exists($0 + Self.rewrapped) }
    }

    /// Writes the new root key, if it is ours to keep, and the signing keys sealed under it, beside
    /// the ones that count until `keys/` has changed.
    func writeNext(
        _ next: RootKey, after old: RootKey, randomBytes: (Int) -> [UInt8]
    ) throws {
        for path in signingKeyPaths where Directory.exists(path) {
            guard var seed = try signingSeed(path, old) else {
                throw LedgerError.rootKeyWrong(path)
            }
            defer { cleanse(&seed) }
            let box = DirectEncryption.seal(
                seed, key: next.signingFileKey, nonce: randomBytes(AES256GCM.nonceBytes))
            try Self.write(Array((box + "\n").utf8), to: path + Self.rewrapped)
        }
        if try source() == .own {
            var text = next.text
            defer { cleanse(&text) }
            try Self.write(text, to: nextRootKeyPath)
        }
        try Directory.sync(path)
    }

    private func signingSeed(_ path: String, _ root: RootKey) throws -> [UInt8]? {
        let text = try File(path, .reading).readAll(limit: RootKeySource.bytesMax)
        let box = String(decoding: text.last == 0x0A ? text.dropLast() : text[...], as: UTF8.self)
        return DirectEncryption.open(box, key: root.signingFileKey)
    }

    /// Brings a change of the root key to its end, or takes it back: `current` is the key that
    /// `keys/` has. The old key is written over where it lies, which a crash may cut short: until
    /// that is on disk, the new one stays in its second place as well.
    func settle(_ current: RootKey) throws {
        guard hasLeftovers else { return }
        for path in signingKeyPaths where Directory.exists(path + Self.rewrapped) {
            if var seed = try signingSeed(path + Self.rewrapped, current) {
                cleanse(&seed)
                try Directory.rename(path + Self.rewrapped, to: path)
            } else {
                try Directory.removeFile(path + Self.rewrapped)
            }
        }
        try Directory.sync(path)
        if let next = try readNextRootKey(), next.isSame(as: current) {
            var text = next.text
            defer { cleanse(&text) }
            let file = try File(rootKeyPath, .overwriting)
            try file.write(text)
            try file.sync()
        }
        if Directory.exists(nextRootKeyPath) { try Directory.shredFile(nextRootKeyPath) }
        try Directory.sync(path)
    }

    // MARK: - Signing key

    /// The key that signs checkpoints; nil when its file is not there.
    func readSigner(_ rootKey: RootKey, name: String) throws -> NoteSigner? {
        try readSigner(signingKeyPath, rootKey, name: name)
    }

    /// The key that is about to take its place; nil unless a rotation is under way.
    func readNextSigner(_ rootKey: RootKey, name: String) throws -> NoteSigner? {
        try readSigner(nextSigningKeyPath, rootKey, name: name)
    }

    /// Puts a key beside the signing key, durably.
    func writeNextSigningKey(sealed: String) throws {
        try DurableFile.write(Array((sealed + "\n").utf8), to: nextSigningKeyPath)
    }

    /// Puts the next key in the place of the signing key, durably.
    func promoteNextSigningKey() throws {
        try Directory.rename(nextSigningKeyPath, to: signingKeyPath)
        try Directory.sync(path)
    }

    /// Drops a key that no event has announced.
    func removeNextSigningKey() throws {
        try Directory.removeFile(nextSigningKeyPath)
        try Directory.sync(path)
    }

    private func readSigner(
        _ file: String, _ rootKey: RootKey, name: String
    ) throws -> NoteSigner? {
        guard Directory.exists(file) else { return nil }
        let text = try File(file, .reading).readAll(limit: 1024)
        let line = text.last == UInt8(ascii: "\n") ? text.dropLast() : text[...]
        guard
            var seed = DirectEncryption.open(
                String(decoding: line, as: UTF8.self), key: rootKey.signingFileKey)
        else { throw LedgerError.rootKeyWrong(file) }
        defer { cleanse(&seed) }
        guard seed.count == Ed25519PrivateKey.seedBytes,
            let signer = try NoteSigner(name: name, seed: SecretBytes(seed))
        else { throw LedgerError.rootKeyWrong(file) }
        return signer
    }

    // MARK: - Publish list

    /// The places outside the ledger: one absolute path of a file a line; empty lines and lines
    /// that begin with `#` do not count.
    func readPublishPaths() throws -> [String] {
        guard Directory.exists(publishListPath) else { return [] }
        let bytes = try File(publishListPath, .reading).readAll(limit: 65_536)
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
            .map { String(decoding: $0, as: UTF8.self) }
            .filter { !$0.isEmpty && !$0.hasPrefix("#") }
        guard lines.allSatisfy({ $0.hasPrefix("/") }) else {
            throw LedgerError.publishListMalformed(publishListPath)
        }
        return lines
    }

    // MARK: - Making

    /// Writes both keys durably; the directory appears whole or not at all.
    ///
    /// - Parameter custody: the content of `custody.json` where the root key is not ours to keep.
    func create(
        rootKey: RootKey, sealedSigningKey: String, custody: [UInt8]?, suffix: String
    ) throws {
        let parent = Path.parent(of: path)
        try Directory.createWithParents(parent)
        let temporary = path + suffix
        try Directory.create(temporary)
        do {
            if let custody {
                try Self.write(custody, to: temporary + "/" + RootKeySource.configurationName)
            } else {
                var text = rootKey.text
                defer { cleanse(&text) }
                try Self.write(text, to: temporary + "/root.key")
            }
            try Self.write(Array((sealedSigningKey + "\n").utf8), to: temporary + "/signing.key")
            try Directory.sync(temporary)
            try Directory.rename(temporary, to: path)
            try Directory.sync(parent)
        } catch {
            try? Directory.removeTree(temporary)
            throw error
        }
    }

    private static func write(_ content: [UInt8], to path: String) throws {
        // What an attempt that was cut off left behind counts for nothing.
        if Directory.exists(path) { try Directory.shredFile(path) }
        let file = try File(path, .creating(permissions: 0o600))
        try file.write(content)
        try file.sync()
    }
}
