// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
internal import OpenSSL
internal import Platform

/// What a backup holds. See `Schemas/backup.md`.
public struct BackupManifest: Equatable, Sendable {
    /// A file of the backup.
    public struct Entry: Equatable, Sendable {
        /// Its path inside the backup.
        public let path: String
        /// Its length in bytes.
        public let bytes: Int
        /// SHA-256 of its content.
        public let digest: Digest
    }

    /// The ledger's id.
    public let ledgerID: UUIDv7
    /// The ledger's name.
    public let origin: String
    /// When the backup was made.
    public let created: Instant
    /// The format version of the ledger.
    public let formatVersion: Int64
    /// How many events it holds.
    public let size: UInt64
    /// The root of the Merkle tree over them.
    public let root: Digest
    /// The files, in the order of their paths.
    public let files: [Entry]

    /// Whether the wrapped data keys are in it.
    public var hasKeys: Bool { files.contains { $0.path == Self.keys } }
    /// Whether a checkpoint is in it.
    public var hasCheckpoint: Bool { files.contains { $0.path == Self.checkpoint } }
    /// Sum of the lengths of all files.
    public var bytes: Int { files.reduce(0) { $0 + $1.bytes } }

    static let fileName = "backup.json"
    static let format = "authledger-backup/1"
    static let log = "log/data.mdb"
    static let keys = "keys/data.mdb"
    static let checkpoint = "checkpoint"
    /// No other file belongs to a backup.
    private static let known = [checkpoint, keys, log]
    private static let bytesMax = 65_536

    init(
        info: LedgerInfo, created: Instant, formatVersion: Int64, size: UInt64, root: Digest,
        files: [Entry]
    ) {
        ledgerID = info.ledgerID
        origin = info.origin
        self.created = created
        self.formatVersion = formatVersion
        self.size = size
        self.root = root
        self.files = files
    }

    /// The stored form: a JSON object.
    var object: JSONObject {
        [
            "created": .string(created.rfc3339),
            "files": .array(
                files.map {
                    .object([
                        "bytes": .integer(Int64($0.bytes)), "path": .string($0.path),
                        "sha256": .string($0.digest.base64URL),
                    ])
                }),
            "format": .string(Self.format),
            "formatVersion": .integer(formatVersion),
            "ledgerID": .string(ledgerID.description),
            "origin": .string(origin),
            "root": .string(root.base64),
            "size": .integer(Int64(size)),
        ]
    }

    /// Reads the manifest of a backup.
    static func read(_ directory: String) throws -> BackupManifest {
        let path = directory + "/" + fileName
        guard Directory.exists(path) else {
            throw LedgerError.backupInvalid("there is no \(fileName) in \(directory)")
        }
        let bytes = try File(path, .reading).readAll(limit: bytesMax)
        guard let value = try? JSONReader.read(bytes, numbers: .integersOnly),
            let manifest = value.objectValue.flatMap(Self.init)
        else { throw LedgerError.backupInvalid("\(path) is not the manifest of a backup") }
        return manifest
    }

    private init?(_ object: JSONObject) {
        guard object["format"]?.stringValue == Self.format,
            let ledgerID = object["ledgerID"]?.stringValue.flatMap(UUIDv7.init),
            let origin = object["origin"]?.stringValue, LedgerOrigin.isValid(origin),
            let created = object["created"]?.stringValue.flatMap(Instant.init(rfc3339:)),
            let formatVersion = object["formatVersion"]?.integerValue,
            let size = object["size"]?.integerValue.flatMap(UInt64.init(exactly:)),
            let rootText = object["root"]?.stringValue, let bytes = Base64.decode(rootText),
            let root = Digest(bytes[...]), let list = object["files"]?.arrayValue
        else { return nil }
        let files = list.compactMap { $0.objectValue.flatMap(Self.entry) }
        guard files.count == list.count, Set(files.map(\.path)).count == files.count,
            files.contains(where: { $0.path == Self.log })
        else { return nil }
        self.ledgerID = ledgerID
        self.origin = origin
        self.created = created
        self.formatVersion = formatVersion
        self.size = size
        self.root = root
        self.files = files
    }

    /// Only the names that a backup can have are taken: another could lead anywhere.
    private static func entry(_ object: JSONObject) -> Entry? {
        guard let path = object["path"]?.stringValue, known.contains(path),
            let bytes = object["bytes"]?.integerValue, bytes >= 0,
            let digest = object["sha256"]?.stringValue.flatMap(Digest.init(base64URL:))
        else { return nil }
        return Entry(path: path, bytes: Int(bytes), digest: digest)
    }
}

/// Copies of files, hashed on the way.
enum FileCopy {
    private static let partBytes = 1 << 20

    /// Length and hash of a file.
    static func entry(_ path: String, in directory: String) throws -> BackupManifest.Entry {
        try read(directory + "/" + path, named: path) { _ in }
    }

    /// Copies a file, forces the copy to disk, and answers length and hash of what was copied.
    static func copy(
        _ path: String, from directory: String, to target: String,
        progress: (Int) -> Void = { _ in }
    ) throws -> BackupManifest.Entry {
        let file = try File(target, .creating(permissions: 0o600))
        let entry = try read(directory + "/" + path, named: path) { part in
            try file.write(part)
            progress(part.count)
        }
        try file.sync()
        return entry
    }

    private static func read(
        _ path: String, named name: String, _ body: ([UInt8]) throws -> Void
    ) throws -> BackupManifest.Entry {
        let file = try File(path, .reading)
        var hash = SHA256()
        var count = 0
        while true {
            let part = try file.read(upTo: partBytes)
            if part.isEmpty { break }
            hash.update(part)
            count += part.count
            try body(part)
        }
        return BackupManifest.Entry(path: name, bytes: count, digest: Digest(hash.finalize()))
    }
}
