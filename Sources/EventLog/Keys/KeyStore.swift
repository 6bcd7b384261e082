// SPDX-License-Identifier: Apache-2.0

internal import LMDB
internal import LedgerPrimitives
internal import OpenSSL
internal import Synchronization

/// The `keys/` environment: data keys wrapped by bucket keys, one bucket a month of recording,
/// wrapped by the root key.
final class KeyStore: Sendable {
    static let formatVersion: UInt8 = 1

    let environment: LMDBEnvironment
    let tables: KeyTables
    let rootKey: RootKey
    let ledgerID: UUIDv7
    /// The name of the ledger's own stream.
    private let ownStream: String
    private let bucketKeys = Mutex<[Int: SecretBytes]>([:])
    private let lookupKeys = Mutex<[LookupPurpose: SecretBytes]>([:])
    private let reached: @Sendable (CommitPoint) throws -> Void

    /// Opens the store of a ledger.
    ///
    /// - Parameter rootKeys: the keys of which one is the right one: two where a change of the root
    ///   key was cut off.
    /// - Throws: ``LedgerError/rootKeyWrong(_:)`` when none of them is.
    init(
        _ environment: LMDBEnvironment, rootKeys: [RootKey], ledgerID: UUIDv7,
        reached: @escaping @Sendable (CommitPoint) throws -> Void = { _ in }
    ) throws {
        self.environment = environment
        self.reached = reached
        self.ledgerID = ledgerID
        ownStream = ledgerID.description
        let tables = try KeyTables(environment, create: false)
        self.tables = tables
        let check = try environment.read { try $0.value(KeyTables.rootCheck, in: tables.meta) }
        guard let check,
            let rootKey = rootKeys.first(where: { isEqualInConstantTime(check, $0.checkValue) })
        else { throw LedgerError.rootKeyWrong(environment.directory) }
        self.rootKey = rootKey
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

    /// What the record of a stream's data key is filed under. That of the ledger's own stream is
    /// first of all: new sessions are then added at the end, which fills pages to the brim, also
    /// when they began before the ledger did.
    func recordKey(_ subject: String) -> LMDBKey { recordKey(StreamName(subject)) }

    private func recordKey(_ stream: StreamName) -> LMDBKey {
        .bytes(stream.text.isIdentical(to: ownStream) ? KeyTables.ownStreamKey : stream.key)
    }

    /// The data key of a stream; nil when there is none.
    func dataKey(for subject: String) throws -> DataKey? {
        let key = recordKey(subject)
        guard let bytes = try environment.read({ try $0.value(key, in: tables.dataKeys) }) else {
            return nil
        }
        return DataKey(subject: subject, secret: try unwrap(bytes, of: subject).secret)
    }

    /// The stored records of the data keys of some streams, all seen in one state of the store.
    func records(of streams: [StreamName]) throws -> [[UInt8]?] {
        try environment.read { transaction in
            try transaction.withCursor(tables.dataKeys) { cursor in
                try streams.map { try cursor.seek(recordKey($0)) { $1.copied() } }
            }
        }
    }

    /// The key in a stored record.
    func unwrap(_ bytes: [UInt8], of subject: String) throws -> (month: Int, secret: SecretBytes) {
        guard let record = DataKeyRecord(bytes),
            let bucket = try bucketKey(month: record.month),
            let secret = record.wrapped.unwrap(bucket, for: Array(subject.utf8))
        else {
            throw LedgerError.damaged("the data key of a stream cannot be unwrapped", position: nil)
        }
        return (record.month, secret)
    }

    /// Whether a stream has a data key.
    func hasDataKey(_ subject: String) throws -> Bool {
        let key = recordKey(subject)
        return try environment.read { transaction in
            try transaction.withValue(key, in: tables.dataKeys) { _ in true } ?? false
        }
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
                let streamKey = recordKey(key.key.subject)
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
    func lookupEntry(
        _ purpose: LookupPurpose, _ value: String, subject: String
    ) throws -> LookupEntry {
        let mark = try lookupMark(purpose, value)
        guard purpose.hasManyStreams else { return LookupEntry(key: mark, subject: subject) }
        return LookupEntry(key: mark + StreamKey.key(subject), subject: subject)
    }

    /// The stream that a value leads to; nil when none has it.
    func subject(of purpose: LookupPurpose, _ value: String) throws -> String? {
        let key = LMDBKey.bytes(try lookupMark(purpose, value))
        let stored = try environment.read { try $0.value(key, in: tables.lookups) }
        return stored.flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// The streams that a value leads to, in the order of their stream keys.
    func subjects(of purpose: LookupPurpose, _ value: String) throws -> [String] {
        let mark = try lookupMark(purpose, value)
        return try environment.read { transaction in
            try transaction.withCursor(tables.lookups) { cursor in
                var found: [String] = []
                var entry = try cursor.seek(.bytes(mark), orAfter: true) { key, value in
                    (key.copied(), value.copied())
                }
                while let (key, value) = entry, key.starts(with: mark) {
                    found.append(String(decoding: value, as: UTF8.self))
                    entry = try cursor.move(.next) { ($0.copied(), $1.copied()) }
                }
                return found
            }
        }
    }

    /// The purpose's byte and an HMAC under a key of the purpose's own, so that the index tells
    /// nothing without the root key. Where a value may have many streams, half of the HMAC does.
    private func lookupMark(_ purpose: LookupPurpose, _ value: String) throws -> [UInt8] {
        let hmac = hmacSHA256(key: try lookupKey(purpose), Array(value.utf8))
        return [purpose.rawValue] + (purpose.hasManyStreams ? Array(hmac[..<16]) : hmac)
    }

    /// The key of a purpose: the one that is stored, or until there is one, the root key's own.
    func lookupKey(_ purpose: LookupPurpose) throws -> SecretBytes {
        if let known = lookupKeys.withLock({ $0[purpose] }) { return known }
        let stored = try environment.read {
            try $0.value(KeyTables.lookupKey(purpose), in: tables.meta)
        }
        var key = rootKey.lookupKey(purpose)
        if let stored {
            guard let wrapped = WrappedKey(bytes: stored[...]),
                let own = wrapped.unwrap(
                    rootKey.lookupWrappingKey, for: lookupOwner(purpose))
            else { throw LedgerError.damaged("a lookup key cannot be unwrapped", position: nil) }
            key = own
        }
        lookupKeys.withLock { $0[purpose] = key }
        return key
    }

    func lookupOwner(_ purpose: LookupPurpose) -> [UInt8] {
        Array("authledger/lookup/v1".utf8) + ledgerID.bytes + [purpose.rawValue]
    }

    // MARK: - Marks

    /// Up to where something was taken in from the log; 0 when nothing was.
    func mark(_ mark: KeyTables.Mark) throws -> UInt64 {
        try environment.read { transaction in
            try transaction.withValue(mark.key, in: tables.meta) { $0.bigEndianNumber ?? 0 } ?? 0
        }
    }

    /// Notes up to where something was taken in.
    func setMark(_ mark: KeyTables.Mark, _ number: UInt64) throws {
        try environment.write { transaction in
            try transaction.put(mark.key, number: number, in: tables.meta, .replacing)
        }
    }

    /// Stores lookup entries, and how far the log was read for them.
    func store(_ lookups: [LookupEntry], readTo position: UInt64) throws {
        try environment.write { transaction in
            for entry in lookups {
                try transaction.put(
                    .bytes(entry.key), Array(entry.subject.utf8), in: tables.lookups)
            }
            try transaction.put(
                KeyTables.Mark.indexed.key, number: position, in: tables.meta, .replacing)
        }
    }

    // MARK: - Buckets

    func bucketKey(month: Int) throws -> SecretBytes? {
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

    func bucketOwner(_ month: Int) -> [UInt8] {
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
public enum LookupPurpose: UInt8, CaseIterable, Sendable {
    /// The state parameter of an authorization request.
    case state = 1
    /// Whom a session, or a search for sessions, is about.
    case subject = 2
    /// The session that an access to sealed data was about.
    case accessedSession = 3
    /// The ID token that a session got by polling, so that it counts in no other.
    case idToken = 4

    /// Whether one value may lead to many streams; else the last entry counts.
    var hasManyStreams: Bool { self != .state }
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
    /// What the data key of the ledger's own stream is filed under: before any stream key.
    static let ownStreamKey: [UInt8] = [0]

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

    /// How far the log was taken into account.
    enum Mark: String {
        /// The revision of the ledger's own stream up to which erasures are carried out.
        case ledger = "ledger-mark"
        /// The position up to which the index of subjects has read the log.
        case indexed = "index-mark"

        var key: LMDBKey { .bytes(Array(rawValue.utf8)) }
    }

    static func lookupKey(_ purpose: LookupPurpose) -> LMDBKey {
        .bytes(Array("lookup-key".utf8) + [purpose.rawValue])
    }

    static func bucketKey(_ month: Int) -> LMDBKey { .bytes(monthBytes(month)) }

    /// Months since January 1970 as two big-endian bytes.
    static func monthBytes(_ month: Int) -> [UInt8] {
        [UInt8(truncatingIfNeeded: month >> 8), UInt8(truncatingIfNeeded: month)]
    }
}

/// A stored data key: month of its bucket, wrapped key.
struct DataKeyRecord {
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
