// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenSSL

/// How the key of an encrypted token gets to its recipient (RFC 7518 §4.3).
///
/// RSA1_5 is not among them: whoever can send many tokens can decrypt with it (RFC 8725 §3.2).
public enum KeyManagementAlgorithm: String, Sendable, Hashable, CaseIterable {
    case rsaOAEP = "RSA-OAEP"
    case rsaOAEP256 = "RSA-OAEP-256"

    /// The algorithm of a registered name; nil for any other text, compared byte by byte.
    public init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.rawValue.isIdentical(to: name) }) else {
            return nil
        }
        self = found
    }

    var hash: OAEPHash {
        switch self {
        case .rsaOAEP: .sha1
        case .rsaOAEP256: .sha256
        }
    }
}

/// How the content of a token is encrypted and authenticated (RFC 7518 §5).
public enum ContentEncryption: String, Sendable, Hashable, CaseIterable {
    case aes128CBC = "A128CBC-HS256"
    case aes256CBC = "A256CBC-HS512"
    case aes256GCM = "A256GCM"

    /// The algorithm of a registered name; nil for any other text, compared byte by byte.
    public init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.rawValue.isIdentical(to: name) }) else {
            return nil
        }
        self = found
    }

    /// Bytes of the key.
    public var keyBytes: Int { cbc?.keyBytes ?? AES256GCM.keyBytes }
    /// Bytes of the initialisation vector.
    public var vectorBytes: Int { cbc == nil ? AES256GCM.nonceBytes : AESCBCHMAC.vectorBytes }

    private var cbc: AESCBCHMAC? {
        switch self {
        case .aes128CBC: .aes128SHA256
        case .aes256CBC: .aes256SHA512
        case .aes256GCM: nil
        }
    }

    func seal(
        _ plaintext: [UInt8], key: SecretBytes, vector: [UInt8], header: [UInt8]
    ) -> (ciphertext: [UInt8], tag: [UInt8]) {
        guard let cbc else {
            return AES256GCM.seal(plaintext, key: key, nonce: vector, associatedData: header)
        }
        return cbc.seal(plaintext, key: key, vector: vector, associatedData: header)
    }

    func open(
        _ ciphertext: [UInt8], tag: [UInt8], key: SecretBytes, vector: [UInt8], header: [UInt8]
    ) -> [UInt8]? {
        guard let cbc else {
            return AES256GCM.open(
                ciphertext, tag: tag, key: key, nonce: vector, associatedData: header)
        }
        return cbc.open(
            ciphertext, tag: tag, key: key, vector: vector, associatedData: header)
    }
}
