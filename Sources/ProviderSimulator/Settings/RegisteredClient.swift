// SPDX-License-Identifier: Apache-2.0

public import JOSE
public import LedgerPrimitives
public import OpenSSL

/// A client as the simulated provider knows it.
public struct RegisteredClient: Sendable {
    /// `client_id`.
    public let id: String
    /// The secret; nil for a client without one.
    public let secret: SecretBytes?
    /// The one way in which it may authenticate itself.
    public let authentication: ClientAuthentication
    /// Where its users may be sent back to. A loopback address without a port stands for that
    /// address with any port (RFC 8252 §7.3).
    public let redirectURIs: [String]
    /// What is done wrong in all logins at this client; nil leaves it to the provider's settings.
    public var misbehaviour: Misbehaviour?
    /// Its keys, with which assertions and request objects are verified.
    public var keys = JSONWebKeySet([])
    /// The SHA-256 hash of its certificate in DER. No authority is asked: whatever name it was
    /// given stands for this one certificate.
    public var certificateThumbprint: Digest?
    /// Its key to which ID tokens and signed responses are encrypted; nil for neither.
    public var encryptionKey: ClientEncryptionKey?
    /// What its ID tokens are signed with; nil for the provider's newest key.
    public var idTokenAlgorithm: SignatureAlgorithm?
    /// What its signed responses are signed with; nil for the provider's newest key.
    public var responseAlgorithm: SignatureAlgorithm?
    /// What its UserInfo is signed with; nil for UserInfo that is not signed.
    public var userInfoAlgorithm: SignatureAlgorithm?
    /// Whether its authorization requests must be signed (RFC 9101).
    public var requiresRequestObject = false
    /// Where users come back to from the account selector; nil for a client without one.
    public var selectorReturnURI: String?

    /// A client with a secret.
    public init(
        id: String, secret: String, authentication: ClientAuthentication = .clientSecretBasic,
        redirectURIs: [String], misbehaviour: Misbehaviour? = nil
    ) {
        precondition(authentication.usesSecret, "a client with a secret has to use it")
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

    /// A client that signs assertions with one of its keys.
    public init(id: String, keys: JSONWebKeySet, redirectURIs: [String]) {
        self.id = id
        secret = nil
        authentication = .privateKeyJWT
        self.redirectURIs = redirectURIs
        self.keys = keys
    }

    /// A client that is known by its certificate.
    ///
    /// - Parameter certificateThumbprint: the SHA-256 hash of the certificate in DER.
    public init(
        id: String, certificateThumbprint: Digest,
        authentication: ClientAuthentication = .tlsClientAuth, redirectURIs: [String]
    ) {
        precondition(authentication.usesCertificate, "a client with a certificate has to use it")
        self.id = id
        secret = nil
        self.authentication = authentication
        self.redirectURIs = redirectURIs
        self.certificateThumbprint = certificateThumbprint
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

/// A client's key to which it wants tokens encrypted, and how.
public struct ClientEncryptionKey: Sendable {
    /// `kid`; nil for none.
    public let keyID: String?
    /// The public half, an RSA key.
    public let key: PublicKey
    /// How the content key is encrypted.
    public let algorithm: KeyManagementAlgorithm
    /// How the content is encrypted.
    public let encryption: ContentEncryption

    /// A key; without more, for RSA-OAEP and A256CBC-HS512 as IDPartner has them.
    public init(
        keyID: String?, key: PublicKey, algorithm: KeyManagementAlgorithm = .rsaOAEP,
        encryption: ContentEncryption = .aes256CBC
    ) {
        self.keyID = keyID
        self.key = key
        self.algorithm = algorithm
        self.encryption = encryption
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
