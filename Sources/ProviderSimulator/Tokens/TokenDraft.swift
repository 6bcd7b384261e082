// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenSSL

/// A signed token before it is signed: the place where it is spoiled, if it is to be.
struct TokenDraft {
    /// What the third part of the token is.
    enum Signature {
        case sound
        /// The last bit is another one.
        case flipped
        /// Nothing.
        case none
        /// A code made with the client's secret.
        case secret
        /// Such a code with its last bit flipped.
        case secretFlipped
    }

    /// The header, which need not say how the token is signed.
    var header: JSONObject
    var claims: JSONObject
    var key: ProviderKey
    var signature = Signature.sound
    /// Changes the text of the header, where no object can say what is meant.
    var editHeader: @Sendable ([UInt8]) -> [UInt8] = { $0 }
    /// Changes the text of the payload.
    var editPayload: @Sendable ([UInt8]) -> [UInt8] = { $0 }
    /// Changes the whole text.
    var editText: @Sendable ([UInt8]) -> [UInt8] = { $0 }
    /// To whom the signed token is encrypted; nil when it is not.
    var encryption: TokenEncryption?
    let client: RegisteredClient
    let now: Instant

    /// A draft that is in order.
    ///
    /// - Parameter type: `typ` in the header.
    init(
        _ claims: JSONObject, type: String = "JWT", key: ProviderKey, client: RegisteredClient,
        now: Instant
    ) {
        header = [
            "alg": .string(key.algorithm.rawValue), "kid": .string(key.keyID),
            "typ": .string(type),
        ]
        self.claims = claims
        self.key = key
        self.client = client
        self.now = now
    }

    /// Encrypts the token as well, if the client has a key for it.
    mutating func encryptIfWanted() {
        encryption = client.encryptionKey.map { TokenEncryption(key: $0) }
    }

    /// The token in compact form.
    func encode(_ randomBytes: (Int) -> [UInt8]) throws(OpenSSLError) -> String {
        let signed = editText(try compact())
        guard let encryption else { return String(decoding: signed, as: UTF8.self) }
        let plaintext = encryption.fault == .bareClaims ? CanonicalJSON.encode(claims) : signed
        return String(
            decoding: try encryption.seal(plaintext, randomBytes), as: UTF8.self)
    }

    private func compact() throws(OpenSSLError) -> [UInt8] {
        let header = editHeader(CanonicalJSON.encode(header))
        let payload = editPayload(CanonicalJSON.encode(claims))
        let text = Array("\(Base64URL.encode(header)).\(Base64URL.encode(payload))".utf8)
        var signature: [UInt8]
        switch self.signature {
        case .sound, .flipped:
            signature = try key.privateKey.sign(text[...], scheme: key.algorithm.scheme)
        case .secret, .secretFlipped:
            signature = hmacSHA256(key: client.secret ?? SecretBytes([]), text)
        case .none:
            signature = []
        }
        if self.signature == .flipped || self.signature == .secretFlipped {
            signature[signature.count - 1] ^= 1
        }
        return text + [UInt8(ascii: ".")] + Array(Base64URL.encode(signature).utf8)
    }
}

/// How a signed token is encrypted to a client (RFC 7519 §11.2).
struct TokenEncryption {
    /// What can be wrong with it.
    enum Fault {
        /// The claims are encrypted as they are: nobody signed them.
        case bareClaims
        /// It is encrypted to somebody else's key.
        case otherKey
        /// The last bit of the tag is another one.
        case flippedTag
        /// The header says that the key is encrypted in the way of RSA1_5.
        case rsa15
        /// The header says that the content is compressed.
        case compressed
    }

    let key: ClientEncryptionKey
    var fault: Fault?

    func seal(
        _ plaintext: [UInt8], _ randomBytes: (Int) -> [UInt8]
    ) throws(OpenSSLError) -> [UInt8] {
        var header: JSONObject = ["cty": .string("JWT")]
        header["kid"] = key.keyID.map(JSONValue.string)
        if fault == .compressed { header["zip"] = .string("DEF") }
        let recipient = fault == .otherKey ? try StrangerKeys.rsa.get().publicKey : key.key
        let text = try CompactJWE.encrypt(
            plaintext, to: recipient, header: header, algorithm: key.algorithm,
            encryption: key.encryption,
            contentKey: SecretBytes(randomBytes(key.encryption.keyBytes)),
            vector: randomBytes(key.encryption.vectorBytes))
        switch fault {
        case .flippedTag: return Self.withFlippedBit(text)
        case .rsa15: return Self.withHeader(header, of: text, key)
        default: return text
        }
    }

    private static func withFlippedBit(_ token: [UInt8]) -> [UInt8] {
        guard let dot = token.lastIndex(of: UInt8(ascii: ".")),
            var tag = Base64URL.decode(token[(dot + 1)...]), !tag.isEmpty
        else { return token }
        tag[tag.count - 1] ^= 1
        return token[...dot] + Array(Base64URL.encode(tag).utf8)
    }

    private static func withHeader(
        _ header: JSONObject, of token: [UInt8], _ key: ClientEncryptionKey
    ) -> [UInt8] {
        let header = header.merging([
            "alg": .string("RSA1_5"), "enc": .string(key.encryption.rawValue),
        ])
        return Array(Base64URL.encode(CanonicalJSON.encode(header)).utf8)
            + token.drop { $0 != UInt8(ascii: ".") }
    }
}
