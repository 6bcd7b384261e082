// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// AES in CBC mode with an HMAC over everything (RFC 7518 §5.2): encrypt, then authenticate.
public enum AESCBCHMAC: Sendable, Hashable {
    /// A128CBC-HS256.
    case aes128SHA256
    /// A256CBC-HS512.
    case aes256SHA512

    /// Bytes of an initialisation vector.
    public static let vectorBytes = 16

    /// Bytes of the whole key: one half authenticates, the other encrypts.
    public var keyBytes: Int { hashFunction.byteCount }
    /// Bytes of a tag.
    public var tagBytes: Int { hashFunction.byteCount / 2 }

    private var hashFunction: HashFunction {
        switch self {
        case .aes128SHA256: .sha256
        case .aes256SHA512: .sha512
        }
    }

    private var cipherName: String {
        switch self {
        case .aes128SHA256: "AES-128-CBC"
        case .aes256SHA512: "AES-256-CBC"
        }
    }

    /// Encrypts and authenticates.
    ///
    /// - Parameter vector: 16 fresh random bytes.
    public func seal(
        _ plaintext: [UInt8], key: SecretBytes, vector: [UInt8], associatedData: [UInt8]
    ) -> (ciphertext: [UInt8], tag: [UInt8]) {
        precondition(key.count == keyBytes && vector.count == Self.vectorBytes, "AES-CBC sizes")
        let (authenticating, encrypting) = halves(of: key)
        let ciphertext = crypt(plaintext, key: encrypting, vector: vector, encrypts: true) ?? []
        return (ciphertext, tag(authenticating, associatedData, vector, ciphertext))
    }

    /// The plaintext, or nil when key, vector, associated data, ciphertext and tag do not belong
    /// together; which of them is at fault cannot be told.
    public func open(
        _ ciphertext: [UInt8], tag: [UInt8], key: SecretBytes, vector: [UInt8],
        associatedData: [UInt8]
    ) -> [UInt8]? {
        guard key.count == keyBytes, vector.count == Self.vectorBytes, tag.count == tagBytes else {
            return nil
        }
        let (authenticating, encrypting) = halves(of: key)
        // The padding is not looked at before the tag has been: it would tell an attacker more.
        guard
            isEqualInConstantTime(
                tag, self.tag(authenticating, associatedData, vector, ciphertext))
        else { return nil }
        return crypt(ciphertext, key: encrypting, vector: vector, encrypts: false)
    }

    private func halves(of key: SecretBytes) -> (SecretBytes, SecretBytes) {
        var bytes = key.exposed
        defer { cleanse(&bytes) }
        return (
            SecretBytes(Array(bytes[..<(keyBytes / 2)])),
            SecretBytes(Array(bytes[(keyBytes / 2)...]))
        )
    }

    private func tag(
        _ key: SecretBytes, _ associatedData: [UInt8], _ vector: [UInt8], _ ciphertext: [UInt8]
    ) -> [UInt8] {
        let bits = UInt64(associatedData.count) * 8
        let length = (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(56 - $0 * 8)) }
        let message = associatedData + vector + ciphertext + length
        var output = [UInt8](repeating: 0, count: hashFunction.byteCount)
        let isDone = unsafe key.withUnsafeBytes { key in
            unsafe HMAC(
                hashFunction.algorithm, key.baseAddress, Int32(key.count), message, message.count,
                &output, nil) != nil
        }
        require(isDone, "HMAC")
        return Array(output[..<tagBytes])
    }

    private func crypt(
        _ input: [UInt8], key: SecretBytes, vector: [UInt8], encrypts: Bool
    ) -> [UInt8]? {
        guard let cipher = unsafe EVP_CIPHER_fetch(nil, cipherName, nil),
            let context = unsafe EVP_CIPHER_CTX_new()
        else { fatalError(OpenSSLError("EVP_CIPHER_fetch").description) }
        defer {
            unsafe EVP_CIPHER_CTX_free(context)
            unsafe EVP_CIPHER_free(cipher)
        }
        let isReady = unsafe key.withUnsafeBytes { key in
            unsafe EVP_CipherInit_ex2(
                context, cipher, key.baseAddress?.assumingMemoryBound(to: UInt8.self), vector,
                encrypts ? 1 : 0, nil) == 1
        }
        require(isReady, "EVP_CipherInit_ex2")
        var output = [UInt8](repeating: 0, count: input.count + Self.vectorBytes)
        var rest = [UInt8](repeating: 0, count: Self.vectorBytes)
        var written: Int32 = 0
        var last: Int32 = 0
        let isDone =
            unsafe EVP_CipherUpdate(context, &output, &written, input, Int32(input.count)) == 1
            && EVP_CipherFinal_ex(context, &rest, &last) == 1
        guard isDone else {
            ERR_clear_error()
            cleanse(&output)
            return nil
        }
        return Array(output[..<Int(written)] + rest[..<Int(last)])
    }
}
