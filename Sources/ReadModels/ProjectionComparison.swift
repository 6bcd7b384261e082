// SPDX-License-Identifier: Apache-2.0

public import EventLog
internal import LMDB
public import LedgerPrimitives
internal import Platform
public import Projections

/// How one projection compares with one that was folded anew from the log.
public struct ProjectionComparison: Sendable {
    /// The projection.
    public let name: ProjectionName
    /// The digest that stands in it.
    public let digest: Digest
    /// How many rows it has.
    public let rows: UInt64
    /// What is wrong with it, in words; empty where it is what the events make of it.
    public internal(set) var problems: [String] = []

    /// Whether it is what the events make of it.
    public var matches: Bool { problems.isEmpty }
}

/// How the projections of a ledger compare with the log.
public struct ProjectionReport: Sendable {
    /// How far they are.
    public let watermark: UInt64
    /// Why they go no further.
    public let stop: ProjectionStop?
    /// Each of them.
    public let projections: [ProjectionComparison]

    /// Whether every one of them is what the events make of it.
    public var matches: Bool { projections.allSatisfy(\.matches) }
}

extension ProjectionStore {
    /// Folds the log anew, beside the projections in use, and compares: rows with rows, the digests
    /// with the rows, and the lists by which sessions are found with the sessions.
    ///
    /// - Throws: ``ProjectionError``, or an error of the ledger, of the system or of LMDB.
    public func compare(
        limits: StorageLimits = StorageLimits(),
        progress: (_ done: UInt64, _ total: UInt64) -> Void = { _, _ in }
    ) throws -> ProjectionReport {
        let lock = try Self.translatingErrors { try ProjectionLock.rebuilding.hold(log) }
        defer { withExtendedLifetime(lock) {} }
        return try environment.read { transaction in
            // One state of the projections, whatever others take in meanwhile.
            let state = try tables.state(in: transaction)
            let (directory, fresh) = try Self.translatingErrors {
                try Self.makeBeside(
                    log, size: state.watermark, limits: limits, progress: progress)
            }
            defer { try? Directory.removeTree(directory) }
            let other = try ProjectionStore(log, directory: directory, access: .readOnly)
            return ProjectionReport(
                watermark: state.watermark, stop: state.stop,
                projections: try ProjectionName.allCases.map { name in
                    var comparison = ProjectionComparison(
                        name: name, digest: state.digest(of: name),
                        rows: state.rowCount(of: name))
                    comparison.problems = try problems(
                        of: name, state, fresh, transaction, other)
                    return comparison
                })
        }
    }

    private func problems(
        of name: ProjectionName, _ state: ProjectionState, _ fresh: ProjectionState,
        _ transaction: LMDBTransaction, _ other: ProjectionStore
    ) throws -> [String] {
        var problems: [String] = []
        var sum = RowsDigest()
        var rows: UInt64 = 0
        for (index, (number, table)) in tables.rowTables(of: name).enumerated() {
            try transaction.forEachRow(of: table) { key, row in
                sum.add(RowsDigest.hash(table: number, key: key, row: row))
                rows += index == 0 ? 1 : 0
            }
        }
        if sum.digest != state.digest(of: name) || rows != state.rowCount(of: name) {
            problems.append("the rows are not those that the digest was made of")
        }
        if sum.digest != fresh.digest(of: name) {
            let (count, first) = try differences(from: other, name, transaction)
            let place = first.map { ", the first with the key \(Hexadecimal.encode($0))" } ?? ""
            problems.append("\(count) rows are not what the events make of them\(place)")
        }
        if name == .sessions, problems.isEmpty { problems += try listProblems(transaction) }
        return problems
    }

    /// How many rows only one side has, or both have different; and the key of the first.
    private func differences(
        from other: ProjectionStore, _ name: ProjectionName, _ transaction: LMDBTransaction
    ) throws -> (count: Int, first: [UInt8]?) {
        var count = 0
        var first: [UInt8]?
        try other.environment.read { fresh in
            let pairs = zip(tables.rowTables(of: name), other.tables.rowTables(of: name))
            for ((_, table), (_, otherTable)) in pairs {
                let note = { (key: [UInt8]) in
                    count += 1
                    first = first ?? key
                }
                try transaction.forEachRow(of: table) { key, row in
                    if try fresh.value(.bytes(key), in: otherTable) != row { note(key) }
                }
                try fresh.forEachRow(of: otherTable) { key, _ in
                    if try transaction.value(.bytes(key), in: table) == nil { note(key) }
                }
            }
        }
        return (count, first)
    }

    /// Holds the lists of sessions by facet against the sessions.
    private func listProblems(_ transaction: LMDBTransaction) throws -> [String] {
        var expected: [SessionFacet: UInt64] = [:]
        var missing = 0
        var facets: [SessionFacet: FacetEntry] = [:]
        try transaction.withCursor(tables.facets) { cursor in
            while let (facet, entry) = try cursor.move(
                .next, { (try SessionFacet(key: $0), try FacetEntry($1)) })
            {
                facets[facet] = entry
            }
        }
        try transaction.forEachRow(of: tables.sessions) { key, row in
            let session = try SessionSummary(encoded: row)
            let facet = SessionFacet(session)
            expected[facet, default: 0] += 1
            let list = facets[facet].map {
                LMDBKey.bytes(ProjectionTables.facetedKey($0.number, session.firstPosition))
            }
            let isListed = try list.flatMap { try transaction.value($0, in: tables.faceted) }
            missing += isListed == nil ? 1 : 0
        }
        let counted = facets.mapValues(\.sessions).filter { $0.value > 0 }
        let listed = try transaction.count(of: tables.faceted)
        let sessions = expected.values.reduce(0, +)
        guard missing == 0, counted == expected, UInt64(listed) == sessions else {
            return ["the lists by which sessions are found do not have each of them once"]
        }
        return []
    }
}

extension LMDBTransaction {
    /// Hands out every entry of a table in the order of keys.
    func forEachRow(
        of table: LMDBDatabase, _ body: (_ key: [UInt8], _ row: [UInt8]) throws -> Void
    ) throws {
        try withCursor(table) { cursor in
            while let (key, row) = try cursor.move(.next, { ($0.copied(), $1.copied()) }) {
                try body(key, row)
            }
        }
    }
}
