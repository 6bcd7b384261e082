// SPDX-License-Identifier: Apache-2.0

/// How a client proves to the provider who it is (OpenID Connect Core §9, RFC 8705 §2).
public enum ClientAuthentication: String, Sendable, Hashable, CaseIterable {
    /// Not at all: a public client, which must use PKCE.
    case none
    case clientSecretBasic = "client_secret_basic"
    case clientSecretPost = "client_secret_post"
    /// By an assertion with a code made with the secret.
    case clientSecretJWT = "client_secret_jwt"
    /// By an assertion signed with a key of its own.
    case privateKeyJWT = "private_key_jwt"
    /// By a certificate of an authority.
    case tlsClientAuth = "tls_client_auth"
    /// By a certificate that only the client itself vouches for.
    case selfSignedTLSClientAuth = "self_signed_tls_client_auth"

    /// Whether it needs a secret.
    public var usesSecret: Bool {
        switch self {
        case .clientSecretBasic, .clientSecretPost, .clientSecretJWT: true
        case .none, .privateKeyJWT, .tlsClientAuth, .selfSignedTLSClientAuth: false
        }
    }

    /// Whether the certificate of the connection is the proof.
    public var usesCertificate: Bool {
        self == .tlsClientAuth || self == .selfSignedTLSClientAuth
    }
}
