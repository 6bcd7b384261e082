// SPDX-License-Identifier: Apache-2.0

internal import LMDB
internal import LedgerPrimitives
internal import OpenSSL
internal import Platform

/// Where the parts of a ledger are.
public struct LedgerPaths: Sendable {
    /// The ledger directory, absolute.
    public let root: String
    /// The LMDB environment of the events.
    public var log: String { root + "/log" }
    /// The LMDB environment of the wrapped data keys.
    public var keys: String { root + "/keys" }
    /// The file that is locked shared by everyone who has the ledger open.
    public var lock: String { root + "/LOCK" }

    init(_ root: String) {
        self.root = root
    }

    /// A ledger directory, made absolute.
    init(absolute directory: String) throws {
        self.init(try Path.absolute(directory))
    }

    /// Takes part in the shared lock, or takes it for oneself, as a restore or an erasure does.
    func lock(_ kind: File.Lock) throws -> File {
        guard Directory.isDirectory(log) else { throw LedgerError.notFound(root) }
        let file = try File(lock, .locking(permissions: 0o600))
        do {
            try file.lock(kind)
        } catch  where error.isLocked {
            throw LedgerError.locked(root)
        }
        return file
    }

    /// What the names of things begin with, behind the name of what they will be, while they are
    /// made; sixteen hexadecimal digits follow.
    enum Temporary: String, CaseIterable {
        case creation = ".init-"
        case backup = ".backup-"
        case restore = ".restore-"

        func suffix(_ random: [UInt8]) -> String { rawValue + Hexadecimal.encode(random) }
    }

    /// Whether a name is one that something has only while it is made.
    static func isTemporary(_ name: String) -> Bool {
        let digits = name.suffix(16)
        return digits.utf8.count == 16 && Hexadecimal.decode(Array(digits.utf8)[...]) != nil
            && Temporary.allCases.contains { name.dropLast(16).hasSuffix($0.rawValue) }
    }

    func allocatedBytes() throws(SystemError) -> Int {
        try Directory.allocatedBytes(of: log) + Directory.allocatedBytes(of: keys)
    }

    func openEnvironment(
        _ path: String, access: EventLog.Access, databasesMax: Int
    ) throws -> LMDBEnvironment {
        do {
            return try LMDBEnvironment(
                directory: path, access: access == .reading ? .readOnly : .readWrite,
                mapBytes: LedgerLimits.mapBytes, databasesMax: databasesMax)
        } catch  where error.code == .alreadyOpen {
            throw LedgerError.alreadyOpen(root)
        }
    }
}

/// Where a ledger's root key and signing key lie: outside the ledger directory.
struct KeyDirectory {
    let path: String
    private let ledgerID: UUIDv7

    private var rootKeyPath: String { path + "/root.key" }
    private var signingKeyPath: String { path + "/signing.key" }

    init(_ keyRoot: String, ledgerID: UUIDv7) throws {
        path = try Path.absolute(keyRoot) + "/\(ledgerID)"
        self.ledgerID = ledgerID
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
