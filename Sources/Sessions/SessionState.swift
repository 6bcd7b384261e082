// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
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
    /// The issuer that the user is sent to.
    public internal(set) var issuer: String?
    /// The authentication context classes that were asked for.
    public internal(set) var acrValues: String?
    /// Whether the user was sent to an account selector, so that its answer is waited for.
    public internal(set) var awaitsSelection = false
    /// What the provider was asked to answer with, and how; as the events name it.
    public internal(set) var responseType: String?
    /// How the answer was asked to come.
    public internal(set) var responseMode: String?
    /// Whether the last callback came from an account selector, so that another redirect follows.
    public internal(set) var isChoosingAccount = false
    /// The archived provider profile.
    public internal(set) var profileDigest: Digest?
    /// The archived discovery document that the user was sent away with.
    public internal(set) var discoveryDigest: Digest?
    /// How many seconds a backchannel request shall be good for.
    public internal(set) var requestedExpirySeconds: Int?
    /// How polling for the answer stands, in flows without a browser.
    public internal(set) var polling = PollingState()
    /// The archived key set that came with the token.
    public internal(set) var keySetDigest: Digest?
    /// The archived policy that came with the token.
    public internal(set) var policyDigest: Digest?
    /// The key that the session's ID token names, as it stands in the clear.
    public internal(set) var tokenKeyID: String?
    /// When the tokens came: the instant of all checks.
    public internal(set) var tokenIssuedAt: Instant?
    /// What was sealed; only there when the events came with their sealed data.
    public internal(set) var secrets = SessionSecrets()

    /// The state before the first event.
    public init() {}
}
