// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import SessionEvents

/// Which sessions are asked for; what is nil leaves every session in.
public struct SessionQuery: Sendable {
    /// The state, by the word of the command line.
    public var state: String?
    /// The profile's name.
    public var provider: String?
    /// The flow.
    public var flow: Flow?
    /// Why they failed.
    public var reason: FailureReason?
    /// They began at this instant or later.
    public var since: Instant?
    /// They began before this instant.
    public var until: Instant?
    /// Their first events have this position or a later one.
    public var from: UInt64 = 0
    /// As they were when the log had so many events; nil for now.
    public var asOf: UInt64?

    /// A query for all sessions.
    public init() {}

    /// Whether every session fits.
    public var isOpen: Bool {
        state == nil && provider == nil && flow == nil && reason == nil && since == nil
            && until == nil && from == 0 && asOf == nil
    }

    /// Whether a session, as it was at the time in question, is asked for.
    public func fits(_ session: SessionSummary) -> Bool {
        session.firstPosition >= from
            && (state.map { $0.isIdentical(to: session.state) } ?? true)
            && (provider.map { $0.isIdentical(to: session.provider) } ?? true)
            && (flow.map { $0 == session.flow } ?? true)
            && (reason.map { $0 == session.reason } ?? true)
            && (since.map { session.startedAt >= $0 } ?? true)
            && (until.map { session.startedAt < $0 } ?? true)
    }

    /// Whether any session can fit that began within a span.
    public func meets(_ starts: ClosedRange<Instant>) -> Bool {
        (since.map { starts.upperBound >= $0 } ?? true)
            && (until.map { starts.lowerBound < $0 } ?? true)
    }
}
