// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import OpenSSL

/// Why a text is not an encrypted token that we take, or why it cannot be opened.
public enum JWEError: Error, Equatable, Sendable {
    /// More bytes than the limit.
    case tooLarge
    /// Not five parts of strict base64url.
    case notCompact
    /// The header is no object of strict JSON, or lacks `alg` or `enc`.
    case headerMalformed
    /// The header asks for compression or for an extension that we do not know.
    case headerRefused
    /// `alg` or `enc` is none of ours or not one of those allowed.
    case algorithmNotAllowed
    /// None of our keys is the one it is encrypted to.
    case noKey
    /// It is not encrypted to this key, or was changed; which of the two cannot be told.
    case undecryptable
}

/// A key of ours to which a provider encrypts.
public struct DecryptionKey: Sendable {
    /// `kid`, as in the key set that the provider has of us.
    public let keyID: String?
    /// The key.
    public let key: PrivateKey

    /// Names a key.
    public init(keyID: String?, key: PrivateKey) {
        self.keyID = keyID
        self.key = key
    }
}

/// A JWE in compact form (RFC 7516 §7.1), taken apart.
///
/// What is inside proves nothing about who wrote it: anyone can encrypt to a public key. It must be
/// a signed token, and that one counts.
public struct CompactJWE: Sendable {
    /// `alg` as it stands in the header.
    public let algorithmName: String
    /// `enc` as it stands in the header.
    public let encryptionName: String
    /// `kid`; nil when there is none.
    public let keyID: String?

    private let members: JSONObject
    private let encodedHeader: [UInt8]
    private let encryptedKey: [UInt8]
    private let vector: [UInt8]
    private let ciphertext: [UInt8]
    private let tag: [UInt8]

    /// Whether a text has the five parts of an encrypted token.
    public static func hasForm(of text: [UInt8]) -> Bool {
        text.count { $0 == UInt8(ascii: ".") } == 4
    }

    /// Takes a token apart. Nothing is decrypted.
    public init(
        parsing text: [UInt8], bytesMax: Int = CompactJWS.bytesMax
    ) throws(JWEError) {
        guard text.count <= bytesMax else { throw .tooLarge }
        let parts = text.split(
            separator: UInt8(ascii: "."), maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 5 else { throw .notCompact }
        var decoded: [[UInt8]] = []
        for part in parts {
            guard let bytes = Base64URL.decode(part) else { throw .notCompact }
            decoded.append(bytes)
        }
        guard let members = try? JSONReader.read(decoded[0], numbers: .anyAsText).objectValue,
            let algorithm = members["alg"]?.stringValue,
            let encryption = members["enc"]?.stringValue
        else { throw .headerMalformed }
        if let keyID = members["kid"] {
            guard let text = keyID.stringValue, text.utf8.count <= JSONWebKey.keyIDBytesMax else {
                throw .headerMalformed
            }
        }
        self.members = members
        algorithmName = algorithm
        encryptionName = encryption
        keyID = members["kid"]?.stringValue
        encodedHeader = Array(parts[0])
        (encryptedKey, vector, ciphertext, tag) = (decoded[1], decoded[2], decoded[3], decoded[4])
    }

    /// Decrypts with the one key of ours that the token can be encrypted to.
    ///
    /// - Parameters:
    ///   - substituteKey: 64 fresh random bytes. They take the place of a content key that cannot
    ///     be decrypted, so that this failure looks like any other (RFC 7516 §11.5).
    /// - Returns: the plaintext: bytes that anyone may have written.
    public func decrypted(
        with keys: [DecryptionKey], algorithms: [KeyManagementAlgorithm],
        encryptions: [ContentEncryption], substituteKey: [UInt8]
    ) throws(JWEError) -> [UInt8] {
        for refused in ["crit", "zip", "jwk", "jku", "x5u"] where members[refused] != nil {
            throw .headerRefused
        }
        guard let algorithm = KeyManagementAlgorithm(name: algorithmName),
            algorithms.contains(algorithm),
            let encryption = ContentEncryption(name: encryptionName),
            encryptions.contains(encryption)
        else { throw .algorithmNotAllowed }
        let key = try key(among: keys)
        var contentKey = SecretBytes(Array(substituteKey.prefix(encryption.keyBytes)))
        if let found = try? key.decryptOAEP(encryptedKey, hash: algorithm.hash),
            found.count == encryption.keyBytes
        {
            contentKey = found
        }
        guard vector.count == encryption.vectorBytes,
            let plaintext = encryption.open(
                ciphertext, tag: tag, key: contentKey, vector: vector, header: encodedHeader)
        else { throw .undecryptable }
        return plaintext
    }

    /// With a `kid` it is the key of that name or none; without one there must be a single key.
    private func key(among keys: [DecryptionKey]) throws(JWEError) -> PrivateKey {
        guard let keyID else {
            guard keys.count == 1 else { throw .noKey }
            return keys[0].key
        }
        let named = keys.filter { $0.keyID?.isIdentical(to: keyID) ?? false }
        guard named.count == 1 else { throw .noKey }
        return named[0].key
    }
}

extension CompactJWE {
    /// Encrypts to a public key.
    ///
    /// - Parameters:
    ///   - header: members beside `alg` and `enc`.
    ///   - contentKey: as many fresh random bytes as the content encryption needs.
    ///   - vector: as many fresh random bytes as it needs for its vector.
    public static func encrypt(
        _ plaintext: [UInt8], to key: PublicKey, header: JSONObject = [:],
        algorithm: KeyManagementAlgorithm, encryption: ContentEncryption,
        contentKey: SecretBytes, vector: [UInt8]
    ) throws(OpenSSLError) -> [UInt8] {
        var header = header
        header["alg"] = .string(algorithm.rawValue)
        header["enc"] = .string(encryption.rawValue)
        var text: [UInt8] = []
        Base64URL.append(CanonicalJSON.encode(header).span, to: &text)
        let (ciphertext, tag) = encryption.seal(
            plaintext, key: contentKey, vector: vector, header: text)
        let encryptedKey = try key.encryptOAEP(contentKey, hash: algorithm.hash)
        for part in [encryptedKey, vector, ciphertext, tag] {
            text.append(UInt8(ascii: "."))
            Base64URL.append(part.span, to: &text)
        }
        return text
    }
}
