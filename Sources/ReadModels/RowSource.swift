// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LMDB
internal import LedgerPrimitives
internal import Projections

/// The rows that a transaction sees.
struct RowSource: ProjectionRows {
    let tables: ProjectionTables
    let transaction: LMDBTransaction
    let log: EventLog
    /// Where the fold goes on: no session that begins here or later has a row yet.
    let watermark: UInt64

    func session(at first: UInt64) throws -> SessionSummary? {
        guard first < watermark else { return nil }
        return try transaction.value(.number(first), in: tables.sessions).map {
            try SessionSummary(encoded: $0)
        }
    }

    func group<Row: GroupRow>(_ type: Row.Type, _ key: [UInt8]) throws -> Row? {
        let address = LMDBKey.bytes(ProjectionTables.address(key))
        return try transaction.value(address, in: tables.groups(Row.self)).map {
            try Row(encoded: $0)
        }
    }

    func block(_ number: UInt64) throws -> LogBlock? {
        try transaction.value(.number(number), in: tables.blocks).map {
            try LogBlock(encoded: $0)
        }
    }

    func firstPosition(of session: UUIDv7) throws -> UInt64? {
        try log.firstPosition(ofStream: session.description)
    }
}

/// Puts the rows that a fold touched, and keeps digests, counts and facets in step with them.
struct RowPut {
    private let tables: ProjectionTables
    private let transaction: LMDBTransaction
    private(set) var state: ProjectionState
    private var facets: [SessionFacet: FacetEntry] = [:]

    init(_ tables: ProjectionTables, _ transaction: LMDBTransaction, _ state: ProjectionState) {
        self.tables = tables
        self.transaction = transaction
        self.state = state
    }

    /// Puts everything that a fold touched.
    ///
    /// - Parameter newFrom: sessions that begin here or later have no row yet.
    mutating func put(_ fold: ProjectionFold<RowSource>, newFrom: UInt64) throws {
        // In the order of their keys, so that new ones are appended.
        for session in fold.sessions.sorted(by: { $0.firstPosition < $1.firstPosition }) {
            try put(session, isNew: session.firstPosition >= newFrom)
        }
        for (number, block) in fold.blocks {
            let key = ProjectionTables.number(number)
            try put(.sessions, at: 1, key, block.encoded)
        }
        try put(fold.health)
        try put(fold.failures)
        try put(fold.keyUsage)
        for (facet, entry) in facets {
            try transaction.put(.bytes(facet.key), entry.encoded, in: tables.facets)
        }
        state.recordedMax = fold.recordedMax
    }

    private mutating func put<Row: GroupRow>(_ rows: [[UInt8]: Row]) throws {
        for (key, row) in rows {
            try put(Row.projection, at: 0, ProjectionTables.address(key), row.encoded)
        }
    }

    private mutating func put(_ session: SessionSummary, isNew: Bool) throws {
        let first = session.firstPosition
        let facet = SessionFacet(session)
        if !isNew, let old = try transaction.value(.number(first), in: tables.sessions) {
            let before = SessionFacet(try SessionSummary(encoded: old))
            if before != facet {
                try count(before, -1) { number in
                    .bytes(ProjectionTables.facetedKey(number, first))
                }
                try count(facet, 1) { number in
                    .bytes(ProjectionTables.facetedKey(number, first))
                }
            }
        } else {
            try count(facet, 1) { number in
                .bytes(ProjectionTables.facetedKey(number, first))
            }
        }
        try put(
            .sessions, at: 0, ProjectionTables.number(first), session.encoded, isNew: isNew)
    }

    /// Puts a session on a facet's list, or takes it off.
    private mutating func count(
        _ facet: SessionFacet, _ change: Int, _ key: (UInt32) -> LMDBKey
    ) throws {
        var entry = try entry(of: facet)
        if change > 0 {
            entry.sessions += 1
            try transaction.put(key(entry.number), [], in: tables.faceted)
        } else {
            guard entry.sessions > 0,
                try transaction.delete(key(entry.number), in: tables.faceted)
            else { throw ProjectionDamage() }
            entry.sessions -= 1
        }
        facets[facet] = entry
    }

    private func entry(of facet: SessionFacet) throws -> FacetEntry {
        if let known = facets[facet] { return known }
        let stored = try transaction.withValue(.bytes(facet.key), in: tables.facets) {
            try FacetEntry($0)
        }
        if let stored { return stored }
        // Numbers are given in turn, also to those that only this transaction has yet.
        let taken = facets.values.map { Int($0.number) + 1 }.max() ?? 0
        let count = max(try transaction.count(of: tables.facets), taken)
        guard let number = UInt32(exactly: count) else { throw ProjectionDamage() }
        return FacetEntry(number: number, sessions: 0)
    }

    private mutating func put(
        _ projection: ProjectionName, at index: Int, _ key: [UInt8], _ row: [UInt8],
        isNew: Bool = false
    ) throws {
        let (number, table) = tables.rowTables(of: projection)[index]
        let old = isNew ? nil : try transaction.value(.bytes(key), in: table)
        if old == row { return }
        if let old {
            state.digests[projection, default: RowsDigest()].subtract(
                RowsDigest.hash(table: number, key: key, row: old))
        } else if index == 0 {
            state.rows[projection, default: 0] += 1
        }
        state.digests[projection, default: RowsDigest()].add(
            RowsDigest.hash(table: number, key: key, row: row))
        try transaction.put(.bytes(key), row, in: table, isNew ? .appended : .replacing)
    }
}
