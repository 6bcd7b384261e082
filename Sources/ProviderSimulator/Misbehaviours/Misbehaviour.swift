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

    /// A line of the table of all misbehaviours.
    public struct Row: Sendable {
        /// What it is, in a few words.
        public let summary: String
        /// Where a relying party has to notice it.
        public let detection: Detection
        /// What it does.
        let faults: [Fault]

        init(_ summary: String, _ detection: Detection, _ faults: Fault...) {
            self.summary = summary
            self.detection = detection
            self.faults = faults
        }
    }

    /// Its line of the table.
    public var row: Row {
        guard let row = Self.rows[self] else { preconditionFailure("no row for \(rawValue)") }
        return row
    }

    /// What it is, in a few words.
    public var summary: String { row.summary }
    /// Where a relying party has to notice it.
    public var detection: Detection { row.detection }

    private static let rows = idTokenRows.merging(flowRows) { first, _ in first }
}
