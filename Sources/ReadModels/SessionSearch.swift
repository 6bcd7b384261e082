// SPDX-License-Identifier: Apache-2.0

public import EventLog
internal import LMDB
public import LedgerPrimitives
public import Projections

extension ProjectionStore {
    private static let firstPage = 64
    private static let laterPages = 1024

    /// Hands out the sessions that are asked for, in the order of their first events.
    ///
    /// No transaction is open while `body` runs.
    ///
    /// - Parameter body: answers whether to go on.
    public func forEachSession(
        _ query: SessionQuery, _ body: (SessionSummary) throws -> Bool
    ) throws {
        var search = try environment.read {
            try SessionSearch(query, log: log, tables: tables, $0)
        }
        var page = Self.firstPage
        while !search.isAtEnd {
            let found = try environment.read { try search.next(page, $0) }
            for session in found {
                guard try body(session) else { return }
            }
            page = Self.laterPages
        }
    }

    /// One session, if it is asked for; nil when it is not, or is not there.
    public func session(_ name: String, _ query: SessionQuery) throws -> SessionSummary? {
        guard let first = try log.firstPosition(ofStream: name) else { return nil }
        return try environment.read { transaction in
            guard let row = try transaction.value(.number(first), in: tables.sessions) else {
                return nil
            }
            return try SessionSearch.fitting(try SessionSummary(encoded: row), query, log)
        }
    }

    /// Hands out the rows of a projection that gathers sessions, in the order of their keys.
    public func forEachRow<Row: GroupRow>(_ type: Row.Type, _ body: (Row) throws -> Void) throws {
        let rows = try environment.read { transaction in
            var rows: [Row] = []
            try transaction.forEachRow(of: tables.groups(Row.self)) { _, row in
                rows.append(try Row(encoded: row))
            }
            return rows
        }
        for row in rows { try body(row) }
    }

    /// How many events the log had at an instant: those before the first that was recorded later.
    /// So nothing counts that says of itself that it came later, wherever the clock may have been
    /// put back in between.
    public func size(at instant: Instant) throws -> UInt64 {
        let watermark = try state().watermark
        let block = try environment.read { transaction in
            var (low, high) = (UInt64(0), (watermark + LogBlock.positions - 1) / LogBlock.positions)
            while low < high {
                let middle = (low + high) / 2
                guard let row = try transaction.value(.number(middle), in: tables.blocks) else {
                    throw ProjectionDamage()
                }
                if try LogBlock(encoded: row).recordedMax > instant {
                    high = middle
                } else {
                    low = middle + 1
                }
            }
            return low
        }
        return try log.size(at: instant, from: LogBlock.range(of: block).lowerBound)
    }
}

extension EventLog {
    /// How many events the log had at an instant, read event by event; see
    /// ``ProjectionStore/size(at:)``.
    ///
    /// - Parameter start: no event before this position was recorded later than the instant.
    public func size(at instant: Instant, from start: UInt64 = 0) throws -> UInt64 {
        let size = try head().size
        var found = size
        try forEachEvent(in: min(start, size)..<size) { event in
            guard event.envelope.recordedTime ?? event.envelope.time > instant else { return true }
            found = event.position
            return false
        }
        return found
    }
}

/// A search that goes on from one transaction to the next.
private struct SessionSearch {
    private let query: SessionQuery
    private let log: EventLog
    private let tables: ProjectionTables
    /// Where sessions may begin that are asked for, in order.
    private let ranges: [Range<UInt64>]
    private var range = 0
    /// The facets that may fit; nil when no filter has to do with them.
    private let facets: [UInt32]?
    private var position: UInt64
    private(set) var isAtEnd: Bool

    init(
        _ query: SessionQuery, log: EventLog, tables: ProjectionTables,
        _ transaction: LMDBTransaction
    ) throws {
        self.query = query
        self.log = log
        self.tables = tables
        position = query.from
        ranges = try Self.ranges(query, tables, transaction)
        let isFiltered =
            query.provider != nil || query.flow != nil
            || query.asOf == nil && (query.state != nil || query.reason != nil)
        facets = isFiltered ? try Self.facets(query, tables, transaction) : nil
        isAtEnd = ranges.isEmpty || facets?.isEmpty == true
    }

    /// The spans of positions in which a session that is asked for may begin.
    private static func ranges(
        _ query: SessionQuery, _ tables: ProjectionTables, _ transaction: LMDBTransaction
    ) throws -> [Range<UInt64>] {
        let end = query.asOf ?? .max
        guard query.from < end else { return [] }
        guard query.since != nil || query.until != nil else { return [query.from..<end] }
        var ranges: [Range<UInt64>] = []
        try transaction.withCursor(tables.blocks) { cursor in
            let read: (Span<UInt8>, Span<UInt8>) throws -> (UInt64, LogBlock) = { key, row in
                guard let number = key.bigEndianNumber else { throw ProjectionDamage() }
                return (number, try LogBlock(encoded: row.copied()))
            }
            let start = LMDBKey.number(LogBlock.number(of: query.from))
            var next = try cursor.seek(start, orAfter: true, read)
            while let (number, block) = next {
                if let starts = block.starts, query.meets(starts) {
                    let range = LogBlock.range(of: number)
                    if ranges.last?.upperBound == range.lowerBound {
                        ranges[ranges.count - 1] =
                            ranges[ranges.count - 1].lowerBound..<range.upperBound
                    } else {
                        ranges.append(range)
                    }
                }
                next = try cursor.move(.next, read)
            }
        }
        return ranges.compactMap { range in
            let clamped = range.clamped(to: query.from..<end)
            return clamped.isEmpty ? nil : clamped
        }
    }

    private static func facets(
        _ query: SessionQuery, _ tables: ProjectionTables, _ transaction: LMDBTransaction
    ) throws -> [UInt32] {
        try transaction.withCursor(tables.facets) { cursor in
            var found: [UInt32] = []
            while let (facet, entry) = try cursor.move(
                .next, { (try SessionFacet(key: $0), try FacetEntry($1)) })
            {
                if entry.sessions > 0, facet.mayFit(query) { found.append(entry.number) }
            }
            return found
        }
    }

    /// Up to so many more sessions; fewer only at the end.
    mutating func next(_ limit: Int, _ transaction: LMDBTransaction) throws -> [SessionSummary] {
        guard let facets else {
            return try transaction.withCursor(tables.sessions) { cursor in
                try take(limit, transaction) { from in
                    try cursor.seek(.number(from), orAfter: true) { key, _ in
                        key.bigEndianNumber
                    } ?? nil
                }
            }
        }
        return try transaction.withCursor(tables.faceted) { cursor in
            var lists = FacetLists(facets)
            return try take(limit, transaction) { from in
                try lists.next(from) { facet in
                    let key = ProjectionTables.facetedKey(facet, from)
                    return try cursor.seek(.bytes(key), orAfter: true) { found, _ in
                        found.position(inFacet: facet)
                    } ?? nil
                }
            }
        }
    }

    /// Takes sessions where `seek` finds the next candidate at a position or behind it.
    private mutating func take(
        _ limit: Int, _ transaction: LMDBTransaction, _ seek: (UInt64) throws -> UInt64?
    ) throws -> [SessionSummary] {
        var found: [SessionSummary] = []
        while found.count < limit {
            while range < ranges.count, ranges[range].upperBound <= position { range += 1 }
            guard range < ranges.count,
                let candidate = try seek(max(position, ranges[range].lowerBound))
            else {
                isAtEnd = true
                return found
            }
            guard candidate < ranges[range].upperBound else {
                position = candidate
                continue
            }
            guard let row = try transaction.value(.number(candidate), in: tables.sessions) else {
                throw ProjectionDamage()
            }
            let session = try SessionSummary(encoded: row)
            if let session = try Self.fitting(session, query, log) { found.append(session) }
            position = candidate + 1
        }
        return found
    }

    /// A session as it was at the time in question, if it is asked for.
    static func fitting(
        _ row: SessionSummary, _ query: SessionQuery, _ log: EventLog
    ) throws -> SessionSummary? {
        guard let size = query.asOf else { return query.fits(row) ? row : nil }
        guard row.firstPosition < size else { return nil }
        var session = row.asOf(size)
        if session == nil {
            var table = SessionTable()
            for event in try log.stream(row.session, before: size) { try table.fold(event) }
            session = table[row.session]
            if row.erasedPosition.map({ $0 < size }) ?? false { session?.erasedAt = row.erasedAt }
        }
        return session.flatMap { query.fits($0) ? $0 : nil }
    }
}

/// Several lists of positions, read as one.
private struct FacetLists {
    private let facets: [UInt32]
    /// What comes next in each list; nil at its end, missing before it was looked for.
    private var heads: [UInt64??]

    init(_ facets: [UInt32]) {
        self.facets = facets
        heads = [UInt64??](repeating: .none, count: facets.count)
    }

    /// The first position from `from` on that any of the lists has.
    mutating func next(_ from: UInt64, _ seek: (UInt32) throws -> UInt64?) throws -> UInt64? {
        var least: UInt64?
        for index in facets.indices {
            switch heads[index] {
            case .some(.none): continue
            case .some(.some(let head)) where head >= from: break
            default: heads[index] = .some(try seek(facets[index]))
            }
            if case .some(.some(let head)) = heads[index] { least = min(least ?? head, head) }
        }
        return least
    }
}

extension Span<UInt8> {
    /// The position in an entry of a facet's list; nil when it is another facet's.
    fileprivate func position(inFacet facet: UInt32) -> UInt64? {
        guard count == 12, (0..<4).reduce(UInt32(0), { $0 << 8 | UInt32(self[$1]) }) == facet
        else { return nil }
        return extracting(4..<12).bigEndianNumber
    }
}
