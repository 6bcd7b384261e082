// SPDX-License-Identifier: Apache-2.0

internal import LMDB
internal import LedgerPrimitives
internal import OpenSSL

/// A copy of a `keys/` environment, made from nothing: what is left out stands in no page of it.
struct KeyStoreRewrite {
    /// Which bucket keys are made anew, and with them the wrapping of every data key under them.
    enum FreshBuckets {
        case none
        /// Those under which a key lies that is left out.
        case ofDropped
        case all
    }

    static let entriesPerCommit = 50_000

    let source: KeyStore
    /// The root key of the copy.
    let rootKey: RootKey
    /// Streams whose data key and lookup entries are left out.
    let dropped: Set<String>
    let freshBuckets: FreshBuckets
    /// The name of the stream behind a stream key; nil when there is none.
    let streamName: ([UInt8]) throws -> String?
    let randomBytes: (Int) -> [UInt8]

    /// Writes the copy into an empty environment.
    func write(to environment: LMDBEnvironment) throws {
        let tables = try KeyTables(environment, create: true)
        try copyMeta(to: environment, tables)
        let buckets = try copyBuckets(to: environment, tables)
        let droppedKeys = Set(dropped.map { StreamKey.key($0) })
        try copy(source.tables.dataKeys, to: tables.dataKeys, of: environment) { key, record in
            droppedKeys.contains(key) ? nil : try rewrapped(record, streamKey: key, buckets)
        }
        let names = Set(dropped.map { Array($0.utf8) })
        try copy(source.tables.lookups, to: tables.lookups, of: environment) { _, name in
            names.contains(name) ? nil : name
        }
        try environment.sync()
    }

    private func copyMeta(to environment: LMDBEnvironment, _ tables: KeyTables) throws {
        try copy(source.tables.meta, to: tables.meta, of: environment) { $1 }
        try environment.write { transaction in
            try transaction.put(KeyTables.rootCheck, rootKey.checkValue, in: tables.meta)
            for purpose in LookupPurpose.allCases {
                let wrapped = WrappedKey(
                    try source.lookupKey(purpose), under: rootKey.lookupWrappingKey,
                    nonce: randomBytes(AES256GCM.nonceBytes), for: source.lookupOwner(purpose))
                try transaction.put(
                    KeyTables.lookupKey(purpose), wrapped.bytes, in: tables.meta)
            }
        }
    }

    /// Wraps every bucket key under the root key of the copy.
    ///
    /// - Returns: the bucket keys that are new.
    private func copyBuckets(
        to environment: LMDBEnvironment, _ tables: KeyTables
    ) throws -> [Int: SecretBytes] {
        var fresh: [Int: SecretBytes] = [:]
        let months = try freshMonths()
        try copy(source.tables.bucketKeys, to: tables.bucketKeys, of: environment) { key, _ in
            guard key.count == 2 else {
                throw LedgerError.damaged("a bucket key has no month", position: nil)
            }
            let month = Int(key[0]) << 8 | Int(key[1])
            let isFresh = freshBuckets == .all || months.contains(month)
            let bucket = isFresh ? makeKey() : try source.bucketKey(month: month)
            guard let bucket else { return nil }
            if isFresh { fresh[month] = bucket }
            return WrappedKey(
                bucket, under: rootKey.wrappingKey, nonce: randomBytes(AES256GCM.nonceBytes),
                for: source.bucketOwner(month)
            ).bytes
        }
        return fresh
    }

    private func makeKey() -> SecretBytes {
        var bytes = randomBytes(DataKey.byteCount)
        defer { cleanse(&bytes) }
        return SecretBytes(bytes)
    }

    private func freshMonths() throws -> Set<Int> {
        guard freshBuckets == .ofDropped else { return [] }
        return try source.environment.read { transaction in
            var months: Set<Int> = []
            for subject in dropped {
                let key = source.recordKey(subject)
                let record = try transaction.value(key, in: source.tables.dataKeys)
                if let month = record.flatMap({ DataKeyRecord($0) })?.month { months.insert(month) }
            }
            return months
        }
    }

    /// The record under the new key of its bucket, if it has one; nil for a key that belongs to no
    /// stream any more.
    private func rewrapped(
        _ record: [UInt8], streamKey: [UInt8], _ fresh: [Int: SecretBytes]
    ) throws -> [UInt8]? {
        guard let month = DataKeyRecord(record)?.month else {
            throw LedgerError.damaged("the record of a data key is malformed", position: nil)
        }
        guard let bucket = fresh[month] else { return record }
        let subject =
            streamKey == KeyTables.ownStreamKey
            ? source.ledgerID.description : try streamName(streamKey)
        guard let subject else { return nil }
        let wrapped = WrappedKey(
            try source.unwrap(record, of: subject).secret, under: bucket,
            nonce: randomBytes(AES256GCM.nonceBytes), for: Array(subject.utf8))
        return DataKeyRecord(month: month, wrapped: wrapped).encoded
    }

    /// Copies a database in the order of its keys, in commits of limited size; `value` answers nil
    /// for an entry to leave out.
    private func copy(
        _ database: LMDBDatabase, to target: LMDBDatabase, of environment: LMDBEnvironment,
        _ value: (_ key: [UInt8], _ value: [UInt8]) throws -> [UInt8]?
    ) throws {
        var last: [UInt8]?
        while true {
            let entries = try entries(of: database, after: last)
            guard let end = entries.last else { return }
            try environment.write { transaction in
                for (key, old) in entries {
                    guard let new = try value(key, old) else { continue }
                    try transaction.put(.bytes(key), new, in: target, .appended)
                }
            }
            last = end.0
        }
    }

    private func entries(
        of database: LMDBDatabase, after last: [UInt8]?
    ) throws -> [([UInt8], [UInt8])] {
        try source.environment.read { transaction in
            try transaction.withCursor(database) { cursor in
                var found: [([UInt8], [UInt8])] = []
                var entry = try cursor.seek(.bytes(last ?? [0]), orAfter: true) {
                    ($0.copied(), $1.copied())
                }
                if let last, entry?.0 == last {
                    entry = try cursor.move(.next) { ($0.copied(), $1.copied()) }
                }
                while let present = entry, found.count < Self.entriesPerCommit {
                    found.append(present)
                    entry = try cursor.move(.next) { ($0.copied(), $1.copied()) }
                }
                return found
            }
        }
    }
}
