// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import SessionEvents

/// The sessions of one client with one provider that failed for one reason.
public struct FailureGroup: GroupRow {
    /// Why they failed.
    public let reason: FailureReason
    /// The profile's name.
    public let provider: String
    /// The client's id.
    public let clientID: String
    /// How many there are.
    public private(set) var count = 0
    /// How many of them have no keys any more.
    public private(set) var erased = 0
    /// When the first of them failed, and the last.
    public private(set) var firstAt: Instant
    /// When the last of them failed.
    public private(set) var lastAt: Instant
    /// Position of the failure that was recorded last.
    public private(set) var lastPosition: UInt64 = 0
    /// The one recorded last; nil when its keys are destroyed.
    public private(set) var example: String?

    public static var projection: ProjectionName { .failures }

    public static func key(of change: SessionChange) -> [UInt8]? {
        guard change.kind != .began, let reason = change.session.reason else { return nil }
        var key = RowWriter()
        key.put(reason.code)
        key.put(change.session.provider)
        key.put(change.session.clientID)
        return key.bytes
    }

    public init(for change: SessionChange) {
        guard let reason = change.session.reason else {
            preconditionFailure("a session that did not fail has no such row")
        }
        self.reason = reason
        provider = change.session.provider
        clientID = change.session.clientID
        firstAt = change.time
        lastAt = change.time
    }

    public mutating func fold(_ change: SessionChange) {
        let session = change.session
        if change.kind == .ended {
            count += 1
            firstAt = min(firstAt, change.time)
            lastAt = max(lastAt, change.time)
            lastPosition = change.position
            example = session.erasedAt == nil ? session.session : nil
            erased += session.erasedAt == nil ? 0 : 1
        } else {
            erased += 1
            if example == session.session { example = nil }
        }
    }

    public var encoded: [UInt8] {
        var row = RowWriter()
        row.put(reason.code)
        row.put(provider)
        row.put(clientID)
        row.put(UInt64(count))
        row.put(UInt64(erased))
        row.put(firstAt)
        row.put(lastAt)
        row.put(lastPosition)
        row.put(example)
        return row.bytes
    }

    public init(encoded: [UInt8]) throws(RowError) {
        var row = RowReader(encoded)
        guard let reason = FailureReason(try row.text()) else { throw RowError() }
        self.reason = reason
        provider = try row.text()
        clientID = try row.text()
        count = try row.count()
        erased = try row.count()
        firstAt = try row.instant()
        lastAt = try row.instant()
        lastPosition = try row.number()
        example = try row.optionalText()
        try row.finish()
    }
}
