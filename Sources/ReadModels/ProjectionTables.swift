// SPDX-License-Identifier: Apache-2.0

internal import LMDB
internal import LedgerPrimitives
internal import OpenSSL
internal import Projections
internal import SessionEvents

/// The databases of `projections/` and what their keys and values are. Nothing that is sealed is
/// in them, and nothing that cannot be made from the log again.
struct ProjectionTables: Sendable {
    static let count = 8
    /// The largest size of the data file; address space, not memory.
    static let mapBytes = 1 << 40

    /// Position of the first event to the session.
    let sessions: LMDBDatabase
    /// A combination of what sessions are filtered by, to its number, and how many sessions have
    /// it.
    let facets: LMDBDatabase
    /// Number of a facet and position of the first event, for each session; no value.
    let faceted: LMDBDatabase
    /// Number to block of the log.
    let blocks: LMDBDatabase
    /// Key to row.
    let health: LMDBDatabase
    /// Key to row.
    let failures: LMDBDatabase
    /// Key to row.
    let keyUsage: LMDBDatabase
    /// The state.
    let meta: LMDBDatabase

    static let stateName = LMDBKey.bytes(Array("state".utf8))

    init(_ environment: LMDBEnvironment, create: Bool) throws {
        sessions = try environment.database("sessions", create: create)
        facets = try environment.database("facets", create: create)
        faceted = try environment.database("faceted", create: create)
        blocks = try environment.database("blocks", create: create)
        health = try environment.database("provider-health", create: create)
        failures = try environment.database("failures", create: create)
        keyUsage = try environment.database("key-usage", create: create)
        meta = try environment.database("meta", create: create)
    }

    /// The tables whose rows count in the digest of a projection, each with its number there.
    func rowTables(of projection: ProjectionName) -> [(number: UInt8, table: LMDBDatabase)] {
        switch projection {
        case .sessions: [(0, sessions), (1, blocks)]
        case .providerHealth: [(2, health)]
        case .failures: [(3, failures)]
        case .keyUsage: [(4, keyUsage)]
        }
    }

    func groups<Row: GroupRow>(_ type: Row.Type) -> LMDBDatabase {
        rowTables(of: Row.projection)[0].table
    }

    /// LMDB takes keys of 511 bytes. A longer one is cut off and ends in its hash; the row has all
    /// that the key is made of.
    static func address(_ key: [UInt8]) -> [UInt8] {
        key.count <= 511 ? key : Array(key.prefix(479)) + Digest(SHA256.hash(key)).array
    }

    static func number(_ position: UInt64) -> [UInt8] {
        stride(from: UInt64(56), through: 0, by: -8).map {
            UInt8(truncatingIfNeeded: position >> $0)
        }
    }

    static func facetedKey(_ facet: UInt32, _ first: UInt64) -> [UInt8] {
        stride(from: UInt32(24), through: 0, by: -8).map {
            UInt8(truncatingIfNeeded: facet >> $0)
        } + number(first)
    }

    func state(in transaction: LMDBTransaction) throws -> ProjectionState {
        guard let bytes = try transaction.value(Self.stateName, in: meta),
            let state = ProjectionState(encoded: bytes)
        else { throw ProjectionDamage() }
        return state
    }
}

/// The tables are not as this program writes them.
struct ProjectionDamage: Error {}

/// What sessions are filtered by, as one session has it. There are few different ones, so a list
/// of the sessions of each answers every combination of filters, and that there are none is known
/// at once.
struct SessionFacet: Hashable {
    let provider: String
    let flow: String
    let state: String
    let reason: String

    init(_ session: SessionSummary) {
        provider = session.provider
        flow = session.flow.rawValue
        state = session.state
        reason = session.reason?.code ?? ""
    }

    /// The parts are names without control characters.
    private static let separator = UInt8(0)

    var key: [UInt8] {
        Array([provider, flow, state, reason].joined(separator: "\0").utf8)
    }

    init(key: Span<UInt8>) throws {
        let parts = key.copied().split(
            separator: Self.separator, omittingEmptySubsequences: false
        ).compactMap { String(validating: $0, as: UTF8.self) }
        guard parts.count == 4 else { throw ProjectionDamage() }
        (provider, flow, state, reason) = (parts[0], parts[1], parts[2], parts[3])
    }

    /// Whether sessions of this facet may fit. What has changed since is left open in a query about
    /// an earlier time.
    func mayFit(_ query: SessionQuery) -> Bool {
        let isNow = query.asOf == nil
        return (query.provider.map { $0.isIdentical(to: provider) } ?? true)
            && (query.flow.map { $0.rawValue.isIdentical(to: flow) } ?? true)
            && (query.state.map { !isNow || $0.isIdentical(to: state) } ?? true)
            && (query.reason.map { !isNow || $0.code.isIdentical(to: reason) } ?? true)
    }
}

/// The number of a facet, and how many sessions have it.
struct FacetEntry {
    let number: UInt32
    var sessions: UInt64

    var encoded: [UInt8] {
        Array(ProjectionTables.facetedKey(number, sessions))
    }

    init(number: UInt32, sessions: UInt64) {
        self.number = number
        self.sessions = sessions
    }

    init(_ bytes: Span<UInt8>) throws {
        guard bytes.count == 12 else { throw ProjectionDamage() }
        number = (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[$1]) }
        sessions = (4..<12).reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[$1]) }
    }
}
