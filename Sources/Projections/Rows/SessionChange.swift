// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// The projections there are, by the names that the command line has for them.
public enum ProjectionName: String, CaseIterable, Sendable {
    /// A row for each session.
    case sessions
    /// A row for each provider and hour.
    case providerHealth = "provider-health"
    /// A row for each reason, provider and client.
    case failures
    /// A row for each key of a provider and the key set it was found in.
    case keyUsage = "key-usage"

    /// Raised with every change of what the rows hold or of how they are folded; rows of another
    /// version are made anew from the log.
    public var version: Int {
        switch self {
        case .sessions, .providerHealth, .failures, .keyUsage: 1
        }
    }
}

/// What an event did to a session. The rows that gather many sessions are folded from it.
public struct SessionChange: Sendable {
    /// What happened.
    public enum Kind: Sendable {
        /// The session's first event.
        case began
        /// A verdict, after which nothing follows.
        case ended
        /// Its keys are destroyed.
        case erased
    }

    /// What happened.
    public let kind: Kind
    /// Position of the event.
    public let position: UInt64
    /// When the event happened.
    public let time: Instant
    /// The session as it is after the event.
    public let session: SessionSummary
}

/// A row that gathers what many sessions have in common.
///
/// An erasure takes nothing out of a row: what is gathered is clear, and stays pseudonymous. The
/// row counts the sessions of which nothing sealed can be opened any more, and names none of them
/// as an example.
public protocol GroupRow: Equatable, Sendable {
    /// The projection.
    static var projection: ProjectionName { get }
    /// The key of the row that a change belongs in; nil when it is none of this projection's.
    static func key(of change: SessionChange) -> [UInt8]?
    /// A row without anything in it, for a change of this key.
    init(for change: SessionChange)
    /// Takes a change in that belongs in this row.
    mutating func fold(_ change: SessionChange)
    /// The stored form.
    var encoded: [UInt8] { get }
    /// Reads the stored form.
    init(encoded: [UInt8]) throws(RowError)
}
