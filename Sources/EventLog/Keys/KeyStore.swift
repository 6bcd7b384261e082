// SPDX-License-Identifier: Apache-2.0

internal import LMDB
internal import LedgerPrimitives
internal import OpenSSL
internal import Synchronization

/// The `keys/` environment: data keys wrapped by bucket keys, one bucket a month of recording,
/// wrapped by the root key.
final class KeyStore: Sendable {
    static let formatVersion: UInt8 = 1

    private let environment: LMDBEnvironment
    private let tables: KeyTables
    private let rootKey: RootKey
    private let ledgerID: UUIDv7
    private let bucketKeys = Mutex<[Int: SecretBytes]>([:])
    private let reached: @Sendable (CommitPoint) throws -> Void

    /// Opens the store of a ledger and checks that the root key is the right one.
    init(
        _ environment: LMDBEnvironment, rootKey: RootKey, ledgerID: UUIDv7,
        reached: @escaping @Sendable (CommitPoint) throws -> Void = { _ in }
    ) throws {
        self.environment = environment
        self.reached = reached
        self.rootKey = rootKey
        self.ledgerID = ledgerID
        let tables = try KeyTables(environment, create: false)
        self.tables = tables
        let check = try environment.read { try $0.value(KeyTables.rootCheck, in: tables.meta) }
        guard let check, isEqualInConstantTime(check, rootKey.checkValue) else {
            throw LedgerError.rootKeyWrong(environment.directory)
        }
    }

    /// Makes the databases of a new store. Without a root key it takes no keys.
    static func create(_ environment: LMDBEnvironment, rootKey: RootKey?) throws {
        let tables = try KeyTables(environment, create: true)
        try environment.write { transaction in
            try transaction.put(KeyTables.format, [formatVersion], in: tables.meta)
            if let rootKey {
                try transaction.put(KeyTables.rootCheck, rootKey.checkValue, in: tables.meta)
            }
        }
    }

    /// The data key of a stream; nil when there is none.
    func dataKey(for subject: String) throws -> DataKey? {
        let key = LMDBKey.bytes(StreamKey.key(subject))
        guard let bytes = try environment.read({ try $0.value(key, in: tables.dataKeys) }) else {
            return nil
        }
        guard let record = DataKeyRecord(bytes),
            let bucket = try bucketKey(month: record.month),
            let secret = record.wrapped.unwrap(bucket, for: Array(subject.utf8))
        else {
            throw LedgerError.damaged("the data key of a stream cannot be unwrapped", position: nil)
        }
        return DataKey(subject: subject, secret: secret)
    }

    /// Makes a data key. It is not stored yet: hand it to the append of the stream's first event.
    func makeDataKey(
        for subject: String, month: Int, randomBytes: (Int) -> [UInt8]
    ) throws -> NewDataKey {
        let bucket =
            try bucketKey(month: month) ?? makeBucketKey(month: month, randomBytes: randomBytes)
        let secret = SecretBytes(randomBytes(DataKey.byteCount))
        let wrapped = WrappedKey(
            secret, under: bucket, nonce: randomBytes(AES256GCM.nonceBytes),
            for: Array(subject.utf8))
        return NewDataKey(
            key: DataKey(subject: subject, secret: secret),
            record: DataKeyRecord(month: month, wrapped: wrapped).encoded)
    }

    /// Stores new keys and lookup entries durably, in one transaction.
    ///
    /// - Returns: the keys whose stream had another one already; they are not stored.
    func store(_ keys: [NewDataKey], _ lookups: [LookupEntry]) throws -> [DataKeyConflict] {
        try environment.write { transaction in
            for entry in lookups {
                try transaction.put(
                    .bytes(entry.key), Array(entry.subject.utf8), in: tables.lookups)
            }
            var conflicts: [DataKeyConflict] = []
            for key in keys {
                let streamKey = LMDBKey.bytes(StreamKey.key(key.key.subject))
                if let stored = try transaction.value(streamKey, in: tables.dataKeys) {
                    guard stored != key.record else { continue }
                    conflicts.append(DataKeyConflict(subject: key.key.subject))
                } else {
                    try transaction.put(streamKey, key.record, in: tables.dataKeys, .new)
                }
            }
            return conflicts
        }
    }

    // MARK: - Lookups

    /// An entry by which a stream can be found from a secret value of its own.
    func lookupEntry(_ purpose: LookupPurpose, _ value: String, subject: String) -> LookupEntry {
        LookupEntry(key: lookupKey(purpose, value), subject: subject)
    }

    /// The stream that a value leads to; nil when none has it.
    func subject(of purpose: LookupPurpose, _ value: String) throws -> String? {
        let key = LMDBKey.bytes(lookupKey(purpose, value))
        let stored = try environment.read { try $0.value(key, in: tables.lookups) }
        return stored.flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// The purpose's byte and an HMAC under a key of the purpose's own, so that the index tells
    /// nothing without the root key.
    private func lookupKey(_ purpose: LookupPurpose, _ value: String) -> [UInt8] {
        let key = rootKey.lookupKey(purpose)
        return [purpose.rawValue] + hmacSHA256(key: key, Array(value.utf8))
    }

    // MARK: - Buckets

    private func bucketKey(month: Int) throws -> SecretBytes? {
        if let cached = bucketKeys.withLock({ $0[month] }) { return cached }
        let stored = try environment.read {
            try $0.value(KeyTables.bucketKey(month), in: tables.bucketKeys)
        }
        return try stored.map { try unwrapBucket($0, month: month) }
    }

    private func makeBucketKey(
        month: Int, randomBytes: (Int) -> [UInt8]
    ) throws -> SecretBytes {
        let fresh = SecretBytes(randomBytes(DataKey.byteCount))
        let wrapped = WrappedKey(
            fresh, under: rootKey.wrappingKey, nonce: randomBytes(AES256GCM.nonceBytes),
            for: bucketOwner(month))
        try reached(.beforeBucketKey)
        // Another process may have made this month's bucket in the meantime; then it counts.
        let stored = try environment.write { transaction in
            let key = KeyTables.bucketKey(month)
            if let stored = try transaction.value(key, in: tables.bucketKeys) { return stored }
            try transaction.put(key, wrapped.bytes, in: tables.bucketKeys, .new)
            return wrapped.bytes
        }
        try reached(.afterBucketKey)
        return try unwrapBucket(stored, month: month)
    }

    private func unwrapBucket(_ stored: [UInt8], month: Int) throws -> SecretBytes {
        guard let wrapped = WrappedKey(bytes: stored[...]),
            let key = wrapped.unwrap(rootKey.wrappingKey, for: bucketOwner(month))
        else { throw LedgerError.damaged("a bucket key cannot be unwrapped", position: nil) }
        bucketKeys.withLock { $0[month] = key }
        return key
    }

    private func bucketOwner(_ month: Int) -> [UInt8] {
        Array("authledger/bucket/v1".utf8) + ledgerID.bytes + KeyTables.monthBytes(month)
    }
}

/// A data key that is wrapped, but not stored yet.
public struct NewDataKey: Sendable {
    /// The key, ready to seal with.
    public let key: DataKey
    let record: [UInt8]
}

/// By what kind of secret value a stream can be found.
public enum LookupPurpose: UInt8, Sendable {
    /// The state parameter of an authorization request.
    case state = 1
}

/// Leads from a secret value to a stream, without telling the value.
public struct LookupEntry: Sendable {
    let key: [UInt8]
    let subject: String
}

/// The databases of `keys/`.
struct KeyTables: Sendable {
    static let count = 8
    static let format = LMDBKey.bytes(Array("format".utf8))
    static let rootCheck = LMDBKey.bytes(Array("root-check".utf8))

    /// Stream key to data key record.
    let dataKeys: LMDBDatabase
    /// Month to wrapped bucket key.
    let bucketKeys: LMDBDatabase
    /// Purpose and HMAC of a secret value to the name of the stream that has it.
    let lookups: LMDBDatabase
    /// Name to fact about the store.
    let meta: LMDBDatabase

    init(_ environment: LMDBEnvironment, create: Bool) throws {
        dataKeys = try environment.database("data-keys", create: create)
        bucketKeys = try environment.database("bucket-keys", create: create)
        lookups = try environment.database("lookups", create: create)
        meta = try environment.database("meta", create: create)
    }

    static func bucketKey(_ month: Int) -> LMDBKey { .bytes(monthBytes(month)) }

    /// Months since January 1970 as two big-endian bytes.
    static func monthBytes(_ month: Int) -> [UInt8] {
        [UInt8(truncatingIfNeeded: month >> 8), UInt8(truncatingIfNeeded: month)]
    }
}

/// A stored data key: month of its bucket, wrapped key.
private struct DataKeyRecord {
    let month: Int
    let wrapped: WrappedKey

    init(month: Int, wrapped: WrappedKey) {
        self.month = month
        self.wrapped = wrapped
    }

    init?(_ bytes: [UInt8]) {
        guard bytes.count > 2, let wrapped = WrappedKey(bytes: bytes.dropFirst(2)) else {
            return nil
        }
        month = Int(bytes[0]) << 8 | Int(bytes[1])
        self.wrapped = wrapped
    }

    var encoded: [UInt8] { KeyTables.monthBytes(month) + wrapped.bytes }
}
