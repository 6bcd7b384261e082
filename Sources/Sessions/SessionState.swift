// SPDX-License-Identifier: Apache-2.0

public import SessionEvents

/// Where a session stands. The raw values are those of the command line and the reports.
public enum SessionPhase: String, CaseIterable, Sendable {
    case initiated
    case redirected
    case callbackReceived = "callback-received"
    case polling
    case tokenIssued = "token-issued"
    case verified
    case failed

    /// Whether nothing can follow.
    public var isTerminal: Bool { self == .verified || self == .failed }
}

/// What the events of a session add up to, as far as decisions need it.
public struct SessionState: Equatable, Sendable {
    /// Where the session stands; nil before its first event.
    public internal(set) var phase: SessionPhase?
    /// How the login goes; known from the first event on.
    public internal(set) var flow: Flow?
    /// Whether the last callback came from an account selector, so that another redirect follows.
    public internal(set) var isChoosingAccount = false
    /// The key that the session's ID token names, as it stands in the clear.
    public internal(set) var tokenKeyID: String?

    /// The state before the first event.
    public init() {}
}
