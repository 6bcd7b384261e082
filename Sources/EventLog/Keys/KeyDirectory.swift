// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenSSL
internal import Platform
internal import SignedNote

/// Where a ledger's root key and signing key lie: outside the ledger directory.
struct KeyDirectory {
    let path: String
    private let ledgerID: UUIDv7

    private var rootKeyPath: String { path + "/root.key" }
    private var signingKeyPath: String { path + "/signing.key" }
    /// The key that is about to take the place of the signing key.
    private var nextSigningKeyPath: String { path + "/signing.key.next" }
    /// The list of places outside the ledger to which the newest checkpoint is written.
    var publishListPath: String { path + "/publish" }

    init(_ keyRoot: String, ledgerID: UUIDv7) throws {
        path = try Path.absolute(keyRoot) + "/\(ledgerID)"
        self.ledgerID = ledgerID
    }

    /// The root key; nil when its file is not there.
    func readRootKeyIfThere() throws -> RootKey? {
        Directory.exists(rootKeyPath) ? try readRootKey() : nil
    }

    /// Reads the root key: the base64 of 32 bytes and a newline.
    func readRootKey() throws -> RootKey {
        guard Directory.exists(rootKeyPath) else {
            throw LedgerError.rootKeyMissing(rootKeyPath)
        }
        var text = try File(rootKeyPath, .reading).readAll(limit: 1024)
        defer { cleanse(&text) }
        let line = text.last == UInt8(ascii: "\n") ? text.dropLast() : text[...]
        guard var bytes = Base64.decode(String(decoding: line, as: UTF8.self)),
            bytes.count == RootKey.byteCount
        else { throw LedgerError.rootKeyWrong(rootKeyPath) }
        defer { cleanse(&bytes) }
        return RootKey(secret: SecretBytes(bytes))
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
    func create(rootKey: RootKey, sealedSigningKey: String, suffix: String) throws {
        let parent = Path.parent(of: path)
        try Directory.createWithParents(parent)
        let temporary = path + suffix
        try Directory.create(temporary)
        do {
            var bytes = rootKey.secret.exposed
            defer { cleanse(&bytes) }
            try write(Base64.encode(bytes) + "\n", to: temporary + "/root.key")
            try write(sealedSigningKey + "\n", to: temporary + "/signing.key")
            try Directory.sync(temporary)
            try Directory.rename(temporary, to: path)
            try Directory.sync(parent)
        } catch {
            try? Directory.removeTree(temporary)
            throw error
        }
    }

    private func write(_ text: String, to path: String) throws {
        let file = try File(path, .creating(permissions: 0o600))
        try file.write(Array(text.utf8))
        try file.sync()
    }
}
