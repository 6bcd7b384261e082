// SPDX-License-Identifier: Apache-2.0

public import OpenIDConnect

/// One thing that a provider does wrong, and only that: everything else about the login is in
/// order, so that exactly one check of the relying party has to fail.
///
/// A wrong text is the right one with `1` behind it. The raw values are the names in settings and
/// on the command line.
public enum Misbehaviour: String, Sendable, Hashable, CaseIterable {
    case none
    case discoveryIssuerMismatch = "discovery-issuer-mismatch"
    case accessDenied = "access-denied"
    case stateMismatch = "state-mismatch"
    case wrongCallbackIssuer = "wrong-callback-issuer"
    case missingCallbackIssuer = "missing-callback-issuer"
    case slowToken = "slow-token"
    case tokenError = "token-error"
    case tokenServerError = "token-server-error"
    case missingIDToken = "missing-id-token"
    case badSignature = "bad-signature"
    case algNone = "alg-none"
    case algHS256 = "alg-hs256"
    case unknownKeyID = "unknown-kid"
    case headerJWK = "header-jwk"
    case duplicateClaims = "duplicate-claims"
    case wrongIssuer = "wrong-issuer"
    case missingSubject = "missing-subject"
    case wrongAudience = "wrong-audience"
    case expired
    case issuedInFuture = "issued-in-future"
    case wrongNonce = "wrong-nonce"

    /// The misbehaviour of a name.
    public init?(name: String) {
        guard let match = Self.allCases.first(where: { $0.rawValue.utf8.elementsEqual(name.utf8) })
        else { return nil }
        self = match
    }
}

extension Misbehaviour {
    /// Where a relying party has to notice it.
    public enum Detection: Sendable, Hashable {
        /// Nowhere: the login is a good one.
        case nowhere
        /// In the discovery document.
        case discovery
        /// In what comes back through the browser; no token request may follow.
        case callback
        /// In the answer of the token endpoint, or in its absence.
        case tokenResponse
        /// In the ID token, by this check.
        case idToken(TokenCheck)
    }

    /// What it is, and where it has to be noticed: the table of all misbehaviours.
    public var row: (summary: String, detection: Detection) {
        switch self {
        case .none: ("nothing is wrong", .nowhere)
        case .discoveryIssuerMismatch: ("discovery names another issuer", .discovery)
        case .accessDenied: ("the user declines: `access_denied` and no code", .callback)
        case .stateMismatch: ("the callback has another `state`", .callback)
        case .wrongCallbackIssuer: ("the callback has another `iss`", .callback)
        case .missingCallbackIssuer: ("the callback has no `iss`, though promised", .callback)
        case .slowToken: ("the token endpoint takes its time", .tokenResponse)
        case .tokenError: ("the code is refused: `invalid_grant`", .tokenResponse)
        case .tokenServerError: ("the token endpoint answers 503 with a page", .tokenResponse)
        case .missingIDToken: ("the token response has no ID token", .tokenResponse)
        case .badSignature: ("a bit of the signature is flipped", .idToken(.signature))
        case .algNone: ("the ID token is not signed: `alg` is `none`", .idToken(.alg))
        case .algHS256: ("the ID token is signed with the client secret", .idToken(.alg))
        case .unknownKeyID: ("`kid` names no published key", .idToken(.key))
        case .headerJWK: ("the header brings the key along", .idToken(.header))
        case .duplicateClaims: ("`sub` stands twice in the payload", .idToken(.claims))
        case .wrongIssuer: ("`iss` is another issuer", .idToken(.iss))
        case .missingSubject: ("`sub` is missing", .idToken(.sub))
        case .wrongAudience: ("`aud` is another client", .idToken(.aud))
        case .expired: ("`exp` is six minutes ago", .idToken(.exp))
        case .issuedInFuture: ("`iat` is an hour ahead", .idToken(.iat))
        case .wrongNonce: ("`nonce` is another one", .idToken(.nonce))
        }
    }

    /// What it is, in a few words.
    public var summary: String { row.summary }
    /// Where a relying party has to notice it.
    public var detection: Detection { row.detection }
}
