// SPDX-License-Identifier: Apache-2.0

/// The client at a provider: who we are there and how we show it.
public struct ClientRegistration: Equatable, Sendable {
    /// How the client shows who it is on the backchannel (OpenID Connect Core §9, RFC 8705 §2).
    public enum AuthenticationMethod: String, CaseIterable, Sendable {
        /// A public client.
        case none
        /// The secret in the `Authorization` header.
        case clientSecretBasic = "client_secret_basic"
        /// The secret in the body.
        case clientSecretPost = "client_secret_post"
        /// An assertion that the secret authenticates (RFC 7523).
        case clientSecretJWT = "client_secret_jwt"
        /// An assertion that a key of the client signs (RFC 7523).
        case privateKeyJWT = "private_key_jwt"
        /// A certificate of an authority that the provider trusts.
        case tlsClientAuth = "tls_client_auth"
        /// A certificate that the client made itself and the provider knows.
        case selfSignedTLSClientAuth = "self_signed_tls_client_auth"

        /// Whether a secret is needed.
        public var usesSecret: Bool {
            switch self {
            case .clientSecretBasic, .clientSecretPost, .clientSecretJWT: true
            default: false
            }
        }

        /// Whether the TLS connection shows who the client is.
        public var usesCertificate: Bool {
            self == .tlsClientAuth || self == .selfSignedTLSClientAuth
        }
    }

    /// The client's id.
    public var clientID: String
    /// How the client shows who it is.
    public var authentication: AuthenticationMethod
    /// Where the user comes back to; empty for a client whose flows have no browser.
    public var redirectURI: String
    /// The scopes to ask for, separated by spaces.
    public var scope: String

    /// A registration.
    public init(
        clientID: String, authentication: AuthenticationMethod, redirectURI: String, scope: String
    ) {
        self.clientID = clientID
        self.authentication = authentication
        self.redirectURI = redirectURI
        self.scope = scope
    }
}

/// A secret of the client's, which no description shows.
public struct ClientSecret: Sendable, CustomStringConvertible, CustomReflectable {
    let text: String

    /// Takes the secret.
    public init(_ text: String) {
        self.text = text
    }

    /// Never the secret.
    public var description: String { "secret" }
    /// Without children.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
