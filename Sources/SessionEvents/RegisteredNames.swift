// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// The values from outside that may stand in the clear.
///
/// Anyone can plant a person's id number in a callback URL, and a leaf cannot be erased. So what
/// came from outside is clear only if it is one of these; otherwise it is sealed, and the clear
/// member says ``other``.
public enum RegisteredNames {
    /// Stands for a value that is not registered.
    public static let other = "other"

    /// Error codes of OAuth 2.0 (RFC 6749, 6750, 8628, 9101, 9126, 9396, 9449), OpenID Connect
    /// Core and CIBA Core.
    public static let errors: Set<String> = [
        "access_denied", "account_selection_required", "authorization_pending",
        "consent_required", "expired_login_hint_token", "expired_token", "insufficient_scope",
        "interaction_required", "invalid_authorization_details", "invalid_binding_message",
        "invalid_client", "invalid_dpop_proof", "invalid_grant", "invalid_request",
        "invalid_request_object", "invalid_request_uri", "invalid_scope", "invalid_target",
        "invalid_token", "invalid_user_code", "login_required", "missing_user_code",
        "registration_not_supported", "request_not_supported", "request_uri_not_supported",
        "server_error", "slow_down", "temporarily_unavailable", "transaction_failed",
        "unauthorized_client", "unknown_user_id", "unmet_authentication_requirements",
        "unsupported_grant_type", "unsupported_response_type", "unsupported_token_type",
        "use_dpop_nonce",
    ]

    /// JWS algorithms (RFC 7518 §3.1, RFC 8037, RFC 8812, RFC 9864).
    public static let algorithms: Set<String> = [
        "none", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
        "ES256", "ES384", "ES512", "ES256K", "EdDSA", "Ed25519", "Ed448",
    ]

    /// Token types (RFC 6750, RFC 9449, RFC 8693).
    public static let tokenTypes: Set<String> = ["Bearer", "bearer", "DPoP", "N_A"]

    /// Response modes of OAuth 2.0, its form post mode and JARM.
    public static let responseModes: Set<String> = [
        "query", "fragment", "form_post", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt",
    ]

    /// Response types of OpenID Connect Core.
    public static let responseTypes: Set<String> = [
        "code", "id_token", "id_token token", "code id_token", "code token", "code id_token token",
    ]

    /// Key management of encrypted tokens (RFC 7518 §4.1).
    public static let keyManagementAlgorithms: Set<String> = [
        "RSA1_5", "RSA-OAEP", "RSA-OAEP-256", "A128KW", "A192KW", "A256KW", "dir", "ECDH-ES",
        "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW", "A128GCMKW", "A192GCMKW",
        "A256GCMKW", "PBES2-HS256+A128KW", "PBES2-HS384+A192KW", "PBES2-HS512+A256KW",
    ]

    /// Content encryption of encrypted tokens (RFC 7518 §5.1).
    public static let contentEncryptions: Set<String> = [
        "A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM", "A256GCM",
    ]

    /// What a user is at while we poll: hint codes of Swedish BankID, and texts of Idura Verify.
    public static let pollHints: Set<String> = [
        "outstandingTransaction", "noClient", "started", "userMrtd", "userCallConfirm",
        "userSign", "processing", "expiredTransaction", "certificateErr", "userCancel",
        "cancelled", "startFailed", "userDeclinedCall", "notSupportedByUserApp",
        "transactionRiskBlocked", "awaiting first user interaction",
        "awaiting user request acknowledgement", "awaiting user identification",
        "User has not yet granted authorization",
    ]

    /// A name from outside if it is one of a list, or else ``other``.
    public static func inClear(_ name: String, _ names: Set<String>) -> String {
        names.containsIdentical(name) ? name : other
    }

    /// The id that a provider gave a request; nil when it has a form that no clear member takes.
    public static func traceIDInClear(_ text: String?) -> String? {
        text.flatMap { MemberKind.traceID.read(.string($0)) }
    }

    /// What of an error code from outside may stand in the clear.
    public static func errorInClear(_ error: String) -> String {
        inClear(error, errors)
    }

    /// What of a key id from outside may stand in the clear: one of an archived key set does,
    /// unless it is of a form that no clear member takes.
    public static func keyIDInClear(_ keyID: String, archived: [String]) -> String {
        let isKnown = archived.contains { $0.isIdentical(to: keyID) }
        return isKnown && isKeyID(keyID) ? keyID : other
    }

    /// Whether the id of an archived key may stand in the clear as it is.
    public static func isKeyID(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// Whether an authentication context class is of a shape that hides no number of a person.
    public static func isHarmlessACR(_ text: String) -> Bool {
        var digitsInRow = 0
        for byte in text.utf8 {
            digitsInRow = CharacterSets.isDigit(byte) ? digitsInRow + 1 : 0
            guard digitsInRow < 5,
                CharacterSets.isNameCharacter(byte) || ":;=/".utf8.contains(byte)
            else { return false }
        }
        return (1...128).contains(text.utf8.count)
    }
}
