// SPDX-License-Identifier: Apache-2.0

/// The client at a provider: who we are there and how we show it.
public struct ClientRegistration: Equatable, Sendable {
    /// How the client shows who it is at the token endpoint (OpenID Connect Core §9).
    public enum AuthenticationMethod: String, CaseIterable, Sendable {
        /// A public client.
        case none
        /// The secret in the `Authorization` header, id and secret form-encoded.
        case clientSecretBasic = "client_secret_basic"
        /// The secret in the body.
        case clientSecretPost = "client_secret_post"
    }

    /// The client's id.
    public var clientID: String
    /// How the client shows who it is.
    public var authentication: AuthenticationMethod
    /// Where the user comes back to.
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
