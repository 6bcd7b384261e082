// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect
internal import OpenSSL
internal import Platform

/// The client's secret, keys and certificate, read from where the profile says they are. They are
/// read for each step and not kept.
struct ClientMaterial: Sendable {
    let credential: ClientCredential
    /// Signs request objects; nil when requests are not signed.
    let requestKey: ClientSigningKey?
    /// Opens what the provider encrypts to us.
    let decryptionKeys: [DecryptionKey]
    /// SHA-256 of the client's certificate; nil without one.
    let certificateThumbprint: [UInt8]?
    /// The files that the TLS connection shows; nil without a certificate.
    let certificateFiles: ClientCertificateFiles?

    /// Reads everything that a profile names.
    ///
    /// - Throws: ``ProfileError``, or an error of the system.
    init(_ profile: ProviderProfile) throws {
        let places = profile.credentials
        requestKey = try places.requestKey.map(Self.signingKey)
        decryptionKeys = try places.decryptionKeys.map {
            DecryptionKey(keyID: $0.keyID, key: try Self.privateKey($0.file))
        }
        if let file = places.certificateFile, let key = places.key {
            certificateThumbprint = try Self.certificate(file).thumbprintSHA256
            certificateFiles = ClientCertificateFiles(
                certificateFile: file, privateKeyFile: key.file)
        } else {
            certificateThumbprint = nil
            certificateFiles = nil
        }
        switch profile.registration.authentication {
        case .none, .tlsClientAuth, .selfSignedTLSClientAuth:
            credential = .none
        case .privateKeyJWT:
            guard let key = places.key else {
                throw ProfileError("`clientAuthentication` must have `privateKeyFile`")
            }
            credential = .key(try Self.signingKey(key))
        case .clientSecretBasic, .clientSecretPost, .clientSecretJWT:
            guard let secret = places.secret else {
                throw ProfileError(
                    "`clientAuthentication` must have either `secretFile` or `secretEnvironment`")
            }
            credential = .secret(try Self.secret(secret))
        }
    }

    /// The client as it speaks to the provider's backchannel endpoints.
    func client(_ profile: ProviderProfile, issuer: String) -> BackchannelClient {
        var limits = profile.limits
        limits.clientCertificate = certificateFiles
        return BackchannelClient(
            registration: profile.registration, credential: credential,
            rules: profile.authenticationRules, issuer: issuer, limits: limits,
            extraFields: profile.request.traceField.map { [$0] } ?? [])
    }

    private static func secret(_ place: SecretPlace) throws -> ClientSecret {
        switch place {
        case .environment(let name):
            guard let value = ProcessControl.environment(name) else {
                throw ProfileError("the variable with the client's secret is not set")
            }
            return ClientSecret(value)
        case .file(let path):
            var bytes = try File(path, .reading).readAll(limit: 65_536)
            defer { cleanse(&bytes) }
            let line = bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]
            guard let text = String(validating: line, as: UTF8.self) else {
                throw ProfileError("the file with the client's secret is not UTF-8")
            }
            return ClientSecret(text)
        }
    }

    static func privateKey(_ path: String) throws -> PrivateKey {
        var bytes = try File(path, .reading).readAll(limit: PrivateKey.pemBytesMax)
        defer { cleanse(&bytes) }
        do {
            return try PrivateKey(pem: bytes)
        } catch {
            throw ProfileError("\(path) is not a private key in PEM without a passphrase")
        }
    }

    static func certificate(_ path: String) throws -> Certificate {
        let bytes = try File(path, .reading).readAll(limit: 65_536)
        do {
            return try Certificate(pem: bytes)
        } catch {
            throw ProfileError("\(path) is not a certificate in PEM")
        }
    }

    private static func signingKey(_ place: KeyPlace) throws -> ClientSigningKey {
        let key = try privateKey(place.file)
        let algorithm = place.algorithm ?? usualAlgorithm(of: key)
        guard algorithm.fits(key.publicKey.parameters) else {
            throw ProfileError("\(place.file) is not a key for \(algorithm.rawValue)")
        }
        return ClientSigningKey(keyID: place.keyID, algorithm: algorithm, key: key)
    }

    /// What a key signs with unless a profile says otherwise.
    static func usualAlgorithm(of key: PrivateKey) -> SignatureAlgorithm {
        switch key.publicKey.parameters {
        case .rsa: .rs256
        case .elliptic(.p256, _, _): .es256
        case .elliptic(.p384, _, _): .es384
        case .elliptic(.p521, _, _): .es512
        case .ed25519: .edDSA
        }
    }
}
