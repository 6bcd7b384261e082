// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// The key by which an ID token is signed, as its events name it.
public struct TokenKey: Equatable, Sendable {
    /// The algorithm.
    public var algorithm: String?
    /// The key's id.
    public var keyID: String?
    /// The key set in which it is looked up.
    public var keySetDigest: Digest?

    /// A key, as far as it is named.
    public init(algorithm: String?, keyID: String?, keySetDigest: Digest?) {
        self.algorithm = algorithm
        self.keyID = keyID
        self.keySetDigest = keySetDigest
    }

    /// Takes over what a later event names; what it leaves out stays.
    mutating func update(algorithm: String?, keyID: String?, keySetDigest: Digest?) {
        self.algorithm = algorithm ?? self.algorithm
        self.keyID = keyID ?? self.keyID
        self.keySetDigest = keySetDigest ?? self.keySetDigest
    }
}

/// What one key of an issuer, found in one key set, was used for: ID tokens of sessions that ended.
public struct KeyUsage: GroupRow {
    /// The issuer; nil where no event names it.
    public let issuer: String?
    /// The key.
    public let key: TokenKey
    /// Sessions that ended well.
    public private(set) var verified = 0
    /// Sessions that failed once they had the token.
    public private(set) var failed = 0
    /// How many of both have no keys of their own any more.
    public private(set) var erased = 0
    /// When the first of them ended, and the last.
    public private(set) var firstAt: Instant
    /// When the last of them ended.
    public private(set) var lastAt: Instant

    public static var projection: ProjectionName { .keyUsage }

    public static func key(of change: SessionChange) -> [UInt8]? {
        guard change.kind != .began, change.session.endedAt != nil,
            let key = change.session.tokenKey
        else { return nil }
        var row = RowWriter()
        put(change.session.issuer, key, to: &row)
        return row.bytes
    }

    public init(for change: SessionChange) {
        issuer = change.session.issuer
        key =
            change.session.tokenKey
            ?? TokenKey(algorithm: nil, keyID: nil, keySetDigest: nil)
        firstAt = change.time
        lastAt = change.time
    }

    public mutating func fold(_ change: SessionChange) {
        if change.kind == .ended {
            verified += change.session.reason == nil ? 1 : 0
            failed += change.session.reason == nil ? 0 : 1
            erased += change.session.erasedAt == nil ? 0 : 1
            firstAt = min(firstAt, change.time)
            lastAt = max(lastAt, change.time)
        } else {
            erased += 1
        }
    }

    private static func put(_ issuer: String?, _ key: TokenKey, to row: inout RowWriter) {
        row.put(issuer)
        row.put(key)
    }

    public var encoded: [UInt8] {
        var row = RowWriter()
        Self.put(issuer, key, to: &row)
        row.put(UInt64(verified))
        row.put(UInt64(failed))
        row.put(UInt64(erased))
        row.put(firstAt)
        row.put(lastAt)
        return row.bytes
    }

    public init(encoded: [UInt8]) throws(RowError) {
        var row = RowReader(encoded)
        issuer = try row.optionalText()
        key = try row.tokenKey()
        verified = try row.count()
        failed = try row.count()
        erased = try row.count()
        firstAt = try row.instant()
        lastAt = try row.instant()
        try row.finish()
    }
}

extension RowWriter {
    mutating func put(_ key: TokenKey) {
        put(key.algorithm)
        put(key.keyID)
        put(key.keySetDigest) { $0.put($1) }
    }
}

extension RowReader {
    mutating func tokenKey() throws(RowError) -> TokenKey {
        let algorithm = try optionalText()
        let keyID = try optionalText()
        let digest = try optional { reader throws(RowError) in try reader.digest() }
        return TokenKey(algorithm: algorithm, keyID: keyID, keySetDigest: digest)
    }
}
