// SPDX-License-Identifier: Apache-2.0

internal import Foundation
public import JOSE
internal import LedgerPrimitives
public import OpenSSL
public import ProviderSimulator
public import RelyingParty
internal import Synchronization

/// Which provider a rig plays, and what the relying party knows of it.
public struct LoginSetup: Sendable {
    /// The provider's settings.
    public var settings: ProviderSettings
    /// The profile, line by line.
    public var profileLines: [String]
    /// Files beside the profile: keys and certificates of the client.
    public var files: [(name: String, text: String)] = []
    /// With what the provider signs ID tokens.
    public var algorithm: SignatureAlgorithm

    private init(
        _ settings: ProviderSettings, _ algorithm: SignatureAlgorithm, _ profileLines: [String]
    ) {
        self.settings = settings
        self.algorithm = algorithm
        self.profileLines = profileLines
    }

    /// Making RSA keys takes a moment, so one of each kind serves all tests.
    private static let keys = Mutex<[SignatureAlgorithm: ProviderKey]>([:])

    func signingKey() throws -> ProviderKey {
        try Self.keys.withLock { keys in
            if let key = keys[algorithm] { return key }
            let key = try ProviderKey(generatingFor: algorithm, keyID: "key-1")
            keys[algorithm] = key
            return key
        }
    }

    private static var client: RegisteredClient {
        RegisteredClient(
            id: "urn:rp", secret: LoginRig.secret, redirectURIs: [LoginRig.redirectURI])
    }

    private static let secretLines = [
        #"clientID: "urn:rp""#, "redirectURI: \(LoginRig.redirectURI)",
        "clientAuthentication:", "  method: client_secret_basic", "  secretFile: client.secret",
    ]

    /// A provider of no particular kind, whose tokens live for five minutes.
    public static var generic: LoginSetup {
        var settings = ProviderSettings(clients: [client])
        settings.tokenLifetimeSeconds = 300
        return LoginSetup(
            settings, .es256, ["name: simulated", "issuer: \(LoginRig.issuer)"] + secretLines)
    }

    /// Idura Verify on a test domain.
    public static var idura: LoginSetup {
        LoginSetup(
            ProviderSettings(clients: [client], broker: .idura), .rs256,
            ["extends: idura", "issuer: \(LoginRig.issuer)"] + secretLines)
    }

    /// IDPartner's sandbox, where the client has a secret.
    public static var idpartner: LoginSetup {
        var client = client
        client.selectorReturnURI = LoginRig.redirectURI
        return LoginSetup(
            ProviderSettings(clients: [client], broker: .idpartner), .ps256,
            [
                "extends: idpartner", "accountSelector:",
                "  url: \(LoginRig.issuer)/v1/select-accounts",
                "  issuers: [\(LoginRig.issuer)]",
            ] + secretLines)
    }

    /// BankID OIDC in its test environment.
    public static var bankID: LoginSetup {
        LoginSetup(
            ProviderSettings(clients: [client], broker: .bankidNorway), .rs256,
            [
                "extends: bankid-no", "issuer: \(LoginRig.issuer)", "permissions:",
                "  issuer: \(LoginRig.issuer)/biometrics",
            ] + secretLines)
    }

    /// The same provider to which the client shows who it is in another way.
    ///
    /// - Parameter lines: the members of `clientAuthentication`.
    public func authenticating(
        _ client: RegisteredClient, _ lines: [String], files: [(name: String, text: String)]
    ) -> LoginSetup {
        var setup = self
        var client = client
        client.selectorReturnURI = settings.clients[0].selectorReturnURI
        setup.settings.clients = [client]
        setup.files = files
        let kept = profileLines.prefix { $0 != "clientAuthentication:" }
        setup.profileLines =
            kept + ["clientAuthentication:"] + lines.map { "  " + $0 }
        return setup
    }

    /// The same provider to which the client shows its certificate.
    public func withCertificate() throws -> LoginSetup {
        let key = try ClientFiles.signingKey.get()
        let certificate = try ClientFiles.certificate(key)
        return authenticating(
            RegisteredClient(
                id: "urn:rp",
                certificateThumbprint: try required(Digest(certificate.thumbprintSHA256[...])),
                redirectURIs: [LoginRig.redirectURI]),
            [
                "method: tls_client_auth", "privateKeyFile: client.key",
                "certificateFile: client.crt",
            ],
            files: [
                ("client.key", try ClientFiles.pem(key)),
                ("client.crt", String(decoding: try certificate.pem(), as: UTF8.self)),
            ])
    }

    /// The same provider, which encrypts to the client's key `enc-1`.
    public func withEncryption() throws -> LoginSetup {
        let key = try ClientFiles.encryptionKey.get()
        var setup = self
        setup.settings.clients[0].encryptionKey = ClientEncryptionKey(
            keyID: "enc-1", key: key.publicKey)
        setup.files.append(("enc.key", try ClientFiles.pem(key)))
        setup.profileLines += ["decryption:", "  - { privateKeyFile: enc.key, keyID: enc-1 }"]
        return setup
    }
}

extension LoginWishes {
    /// The wish for a payment that the user is to permit.
    public static var payment: LoginWishes {
        var wishes = LoginWishes()
        wishes.permission = [
            "type": .string("payment.v1"), "loa": .integer(3),
            "intents": .array([.string("payment")]),
            "permission": .string(Base64URL.encode(Array(#"{"amount":"10.00"}"#.utf8))),
        ]
        return wishes
    }
}

/// Keys and certificates of a client, made once.
public enum ClientFiles {
    /// A key of the client's.
    public static let signingKey = Result { try PrivateKey(generating: .rsa(bits: 2048)) }
    /// A key to which the provider encrypts.
    public static let encryptionKey = Result { try PrivateKey(generating: .rsa(bits: 2048)) }

    /// A key as PEM.
    public static func pem(_ key: PrivateKey) throws -> String {
        String(decoding: try key.pem(), as: UTF8.self)
    }

    /// A certificate of a key for as long as the simulated clock runs.
    public static func certificate(_ key: PrivateKey) throws -> Certificate {
        try Certificate.selfSigned(
            key: key, subjectCommonName: "rp", notBefore: 1_700_000_000,
            notAfter: 1_900_000_000, serial: [1], dnsNames: [])
    }

    static func thumbprint(ofCertificateIn path: String) -> Digest? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8),
            let certificate = try? Certificate(pem: Array(text.utf8))
        else { return nil }
        return Digest(certificate.thumbprintSHA256[...])
    }
}
