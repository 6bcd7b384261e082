// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// What lies in so many consecutive positions of the log, in time.
///
/// Sessions are listed in the order of their first events, which is not quite that of time: what
/// others report may come late. So what began in a span of time is looked for in the blocks whose
/// own span meets it, and nowhere else.
public struct LogBlock: Equatable, Sendable {
    /// How many positions a block has.
    public static let positions: UInt64 = 2048

    /// When the earliest session began whose first event is in the block, and the latest; nil
    /// where no session begins.
    public private(set) var starts: ClosedRange<Instant>?
    /// The latest instant at which an event was recorded, of all events up to the block's end.
    public private(set) var recordedMax: Instant

    /// The block of a position.
    public static func number(of position: UInt64) -> UInt64 { position / positions }

    /// The positions of a block.
    public static func range(of number: UInt64) -> Range<UInt64> {
        number * positions..<(number + 1) * positions
    }

    init(recordedMax: Instant) {
        self.recordedMax = recordedMax
    }

    mutating func fold(recordedAt: Instant) {
        recordedMax = max(recordedMax, recordedAt)
    }

    mutating func fold(start: Instant) {
        starts = starts.map { min($0.lowerBound, start)...max($0.upperBound, start) }
            ?? start...start
    }

    /// The stored form.
    public var encoded: [UInt8] {
        var row = RowWriter()
        row.put(recordedMax)
        row.put(starts) {
            $0.put($1.lowerBound)
            $0.put($1.upperBound)
        }
        return row.bytes
    }

    /// Reads the stored form.
    public init(encoded: [UInt8]) throws(RowError) {
        var row = RowReader(encoded)
        recordedMax = try row.instant()
        starts = try row.optional { row throws(RowError) in
            let first = try row.instant()
            let last = try row.instant()
            guard first <= last else { throw RowError() }
            return first...last
        }
        try row.finish()
    }
}
