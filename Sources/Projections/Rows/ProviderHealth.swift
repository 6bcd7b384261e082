// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
internal import SessionEvents

/// How logins with a provider went in one hour.
///
/// A session counts as started in the hour in which it began, and as verified or failed in the hour
/// in which it ended.
public struct ProviderHealth: GroupRow {
    /// The upper ends of all but the last class of durations, in milliseconds.
    public static let durationBoundsMilliseconds: [Int64] = [
        1000, 5000, 15_000, 60_000, 300_000,
    ]
    private static let hourMilliseconds: Int64 = 3_600_000

    /// The profile's name.
    public let provider: String
    /// The beginning of the hour.
    public let hour: Instant
    /// Sessions that began.
    public private(set) var started = 0
    /// Sessions that ended well.
    public private(set) var verified = 0
    /// Sessions that failed, by reason code.
    public private(set) var failed: [String: Int] = [:]
    /// Sessions of this hour whose keys are destroyed.
    public private(set) var erased = 0
    /// Sum of the durations of the sessions that ended, in milliseconds.
    public private(set) var durationSumMilliseconds: Int64 = 0
    /// The longest of these durations, in milliseconds.
    public private(set) var durationMaxMilliseconds: Int64 = 0
    /// How many of them took less than each of ``durationBoundsMilliseconds``, and how many longer.
    public private(set) var durationCounts = [Int](
        repeating: 0, count: durationBoundsMilliseconds.count + 1)

    /// Sessions that failed, for whatever reason.
    public var failedInAll: Int { failed.values.reduce(0, +) }

    public static var projection: ProjectionName { .providerHealth }

    private static func hour(of instant: Instant) -> Instant {
        let milliseconds = instant.millisecondsSince1970
        let floor = milliseconds - (milliseconds % hourMilliseconds)
        return Instant(
            millisecondsSince1970: floor > milliseconds ? floor - hourMilliseconds : floor)
    }

    /// The instant whose hour a change counts in: an erasure counts where the session's end does.
    private static func instant(of change: SessionChange) -> Instant {
        switch change.kind {
        case .began: change.session.startedAt
        case .ended: change.time
        case .erased: change.session.endedAt ?? change.session.startedAt
        }
    }

    public static func key(of change: SessionChange) -> [UInt8]? {
        var key = RowWriter()
        key.put(change.session.provider)
        // Of all hours that can be written, the earlier ones sort first.
        let hour = UInt64(bitPattern: Self.hour(of: instant(of: change)).millisecondsSince1970)
        return key.bytes
            + stride(from: UInt64(56), through: 0, by: -8).map {
                UInt8(truncatingIfNeeded: (hour ^ 1 << 63) >> $0)
            }
    }

    public init(for change: SessionChange) {
        provider = change.session.provider
        hour = Self.hour(of: Self.instant(of: change))
    }

    public mutating func fold(_ change: SessionChange) {
        switch change.kind {
        case .began: started += 1
        case .erased: erased += 1
        case .ended:
            if let reason = change.session.reason {
                failed[reason.code, default: 0] += 1
            } else {
                verified += 1
            }
            // A clock that was put back makes no session shorter than nothing.
            let duration = max(0, change.session.durationMilliseconds)
            durationSumMilliseconds += duration
            durationMaxMilliseconds = max(durationMaxMilliseconds, duration)
            let bounds = Self.durationBoundsMilliseconds
            durationCounts[bounds.firstIndex { duration < $0 } ?? bounds.count] += 1
        }
    }

    public var encoded: [UInt8] {
        var row = RowWriter()
        row.put(provider)
        row.put(hour)
        row.put(UInt64(started))
        row.put(UInt64(verified))
        row.put(UInt64(erased))
        row.put(durationSumMilliseconds)
        row.put(durationMaxMilliseconds)
        for count in durationCounts { row.put(UInt64(count)) }
        row.put(UInt64(failed.count))
        for (code, count) in failed.sorted(by: { $0.key < $1.key }) {
            row.put(code)
            row.put(UInt64(count))
        }
        return row.bytes
    }

    public init(encoded: [UInt8]) throws(RowError) {
        var row = RowReader(encoded)
        provider = try row.text()
        hour = try row.instant()
        started = try row.count()
        verified = try row.count()
        erased = try row.count()
        durationSumMilliseconds = try row.signed()
        durationMaxMilliseconds = try row.signed()
        for index in durationCounts.indices { durationCounts[index] = try row.count() }
        for _ in 0..<(try row.count()) {
            let code = try row.text()
            failed[code] = try row.count()
        }
        try row.finish()
    }
}
