// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
public import OpenSSL

/// How a client proves to the token endpoint who it is (OpenID Connect Core §9).
public enum ClientAuthentication: String, Sendable, Hashable, CaseIterable {
    /// Not at all: a public client, which must use PKCE.
    case none
    case clientSecretBasic = "client_secret_basic"
    case clientSecretPost = "client_secret_post"
}

/// A client as the simulated provider knows it.
public struct RegisteredClient: Sendable {
    /// `client_id`.
    public let id: String
    /// The secret; nil for a public client.
    public let secret: SecretBytes?
    /// The one way in which it may authenticate itself.
    public let authentication: ClientAuthentication
    /// Where its users may be sent back to. A loopback address without a port stands for that
    /// address with any port (RFC 8252 §7.3).
    public let redirectURIs: [String]
    /// What is done wrong in all logins at this client; nil leaves it to the provider's settings.
    public var misbehaviour: Misbehaviour?

    /// A client with a secret.
    public init(
        id: String, secret: String, authentication: ClientAuthentication = .clientSecretBasic,
        redirectURIs: [String], misbehaviour: Misbehaviour? = nil
    ) {
        precondition(authentication != .none, "a client with a secret has to use it")
        self.id = id
        self.secret = SecretBytes(Array(secret.utf8))
        self.authentication = authentication
        self.redirectURIs = redirectURIs
        self.misbehaviour = misbehaviour
    }

    /// A public client.
    public init(publicID id: String, redirectURIs: [String], misbehaviour: Misbehaviour? = nil) {
        self.id = id
        secret = nil
        authentication = .none
        self.redirectURIs = redirectURIs
        self.misbehaviour = misbehaviour
    }

    /// Whether users may be sent to this address.
    func allows(redirectURI: String) -> Bool {
        redirectURIs.contains { registered in
            registered.isIdentical(to: redirectURI)
                || Loopback.withoutPort(redirectURI)?.isIdentical(to: registered) ?? false
        }
    }

    /// Whether a secret is this client's.
    func accepts(secret given: String) -> Bool {
        guard let secret else { return false }
        return isEqualInConstantTime(secret.exposed, Array(given.utf8))
    }
}

/// Loopback redirect URIs, whose port is only known when the client listens.
private enum Loopback {
    private static let origins = ["http://127.0.0.1", "http://[::1]"]

    /// The URI without its port; nil unless it is a loopback one with a port.
    static func withoutPort(_ uri: String) -> String? {
        for origin in origins where uri.utf8.starts(with: "\(origin):".utf8) {
            let rest = uri.utf8.dropFirst(origin.utf8.count + 1)
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            return digits.isEmpty ? nil : origin + String(Substring(rest.dropFirst(digits.count)))
        }
        return nil
    }
}
