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
    /// Whether the last callback came from an account selector, so that another redirect follows.
    public internal(set) var isChoosingAccount = false
    /// The archived provider profile.
    public internal(set) var profileDigest: Digest?
    /// The archived discovery document that the user was sent away with.
    public internal(set) var discoveryDigest: Digest?
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

/// The sealed values of a session that later steps need.
public struct SessionSecrets: Equatable, Sendable {
    /// The state that was sent.
    public internal(set) var state: String?
    /// The nonce that was sent.
    public internal(set) var nonce: String?
    /// The PKCE verifier.
    public internal(set) var codeVerifier: String?
    /// The code that came back.
    public internal(set) var code: String?
    /// The ID token in compact form.
    public internal(set) var idToken: String?
    /// The left half of the access token's hash, made with the ID token's algorithm.
    public internal(set) var accessTokenHash: String?

    /// The claims of the verified ID token.
    public internal(set) var claims: JSONObject?

    mutating func take(_ sealed: JSONObject) {
        state = sealed["state"]?.stringValue ?? state
        nonce = sealed["nonce"]?.stringValue ?? nonce
        codeVerifier = sealed["codeVerifier"]?.stringValue ?? codeVerifier
        code = sealed["code"]?.stringValue ?? code
        idToken = sealed["idToken"]?.stringValue ?? idToken
        claims = sealed["claims"]?.objectValue ?? claims
        accessTokenHash = sealed["accessTokenHash"]?.stringValue ?? accessTokenHash
    }
}
