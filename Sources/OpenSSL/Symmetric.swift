// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// AES-256 in Galois/counter mode (NIST SP 800-38D) with 96-bit nonces and 128-bit tags.
public enum AES256GCM {
    /// Bytes of a key.
    public static let keyBytes = 32
    /// Bytes of a nonce.
    public static let nonceBytes = 12
    /// Bytes of a tag.
    public static let tagBytes = 16

    /// Encrypts and authenticates. The same key and nonce must never meet a second message.
    public static func seal(
        _ plaintext: [UInt8], key: SecretBytes, nonce: [UInt8], associatedData: [UInt8]
    ) -> (ciphertext: [UInt8], tag: [UInt8]) {
        precondition(key.count == keyBytes && nonce.count == nonceBytes, "AES-256-GCM sizes")
        let context = CipherContext(key: key, nonce: nonce, encrypts: true)
        var ciphertext = [UInt8](repeating: 0, count: plaintext.count)
        var written: Int32 = 0
        unsafe require(
            EVP_EncryptUpdate(
                context.pointer, nil, &written, associatedData, Int32(associatedData.count)) == 1,
            "EVP_EncryptUpdate")
        unsafe require(
            EVP_EncryptUpdate(
                context.pointer, &ciphertext, &written, plaintext, Int32(plaintext.count)) == 1,
            "EVP_EncryptUpdate")
        var rest = [UInt8](repeating: 0, count: tagBytes)
        unsafe require(
            EVP_EncryptFinal_ex(context.pointer, &rest, &written) == 1, "EVP_EncryptFinal_ex")
        var tag = [UInt8](repeating: 0, count: tagBytes)
        unsafe require(
            EVP_CIPHER_CTX_ctrl(
                context.pointer, EVP_CTRL_AEAD_GET_TAG, Int32(tagBytes), &tag) == 1,
            "EVP_CIPHER_CTX_ctrl")
        return (ciphertext, tag)
    }

    /// The plaintext, or nil when key, nonce, associated data, ciphertext and tag do not belong
    /// together; which of them is at fault cannot be told.
    public static func open(
        _ ciphertext: [UInt8], tag: [UInt8], key: SecretBytes, nonce: [UInt8],
        associatedData: [UInt8]
    ) -> [UInt8]? {
        guard key.count == keyBytes, nonce.count == nonceBytes, tag.count == tagBytes else {
            return nil
        }
        let context = CipherContext(key: key, nonce: nonce, encrypts: false)
        var plaintext = [UInt8](repeating: 0, count: ciphertext.count)
        var written: Int32 = 0
        var expectedTag = tag
        var rest = [UInt8](repeating: 0, count: tagBytes)
        let isAuthentic =
            unsafe EVP_DecryptUpdate(
                context.pointer, nil, &written, associatedData, Int32(associatedData.count)) == 1
            && EVP_DecryptUpdate(
                context.pointer, &plaintext, &written, ciphertext, Int32(ciphertext.count)) == 1
            && EVP_CIPHER_CTX_ctrl(
                context.pointer, EVP_CTRL_AEAD_SET_TAG, Int32(tagBytes), &expectedTag) == 1
            && EVP_DecryptFinal_ex(context.pointer, &rest, &written) == 1
        guard isAuthentic else {
            ERR_clear_error()
            cleanse(&plaintext)
            return nil
        }
        return plaintext
    }
}

/// Owns one use of the cipher.
@safe private final class CipherContext {
    let pointer: OpaquePointer

    init(key: SecretBytes, nonce: [UInt8], encrypts: Bool) {
        guard let pointer = unsafe EVP_CIPHER_CTX_new() else {
            fatalError("EVP_CIPHER_CTX_new failed")
        }
        unsafe self.pointer = pointer
        let isReady = unsafe key.withUnsafeBytes { key in
            unsafe EVP_CipherInit_ex2(
                pointer, Algorithms.shared.aes256GCM,
                key.baseAddress?.assumingMemoryBound(to: UInt8.self), nonce, encrypts ? 1 : 0, nil)
                == 1
        }
        require(isReady, "EVP_CipherInit_ex2")
    }

    deinit {
        unsafe EVP_CIPHER_CTX_free(pointer)
    }
}

/// HMAC-SHA256 (RFC 2104).
public func hmacSHA256(key: SecretBytes, _ message: [UInt8]) -> [UInt8] {
    guard let context = unsafe EVP_MAC_CTX_dup(Algorithms.shared.hmacSHA256) else {
        fatalError("EVP_MAC_CTX_dup failed")
    }
    defer { unsafe EVP_MAC_CTX_free(context) }
    var output = [UInt8](repeating: 0, count: 32)
    var length = 0
    let isDone = unsafe key.withUnsafeBytes { key in
        let keyBytes = unsafe key.baseAddress?.assumingMemoryBound(to: UInt8.self)
        return unsafe EVP_MAC_init(context, keyBytes, key.count, nil) == 1
            && EVP_MAC_update(context, message, message.count) == 1
            && EVP_MAC_final(context, &output, &length, output.count) == 1
    }
    require(isDone && length == 32, "EVP_MAC")
    return output
}

/// HKDF-SHA256 (RFC 5869) with an empty salt: a key of 32 bytes for the purpose in `info`.
public func hkdfSHA256(_ key: SecretBytes, info: [UInt8]) -> SecretBytes {
    hkdfExpandSHA256(hkdfExtractSHA256(key), info: info)
}

/// The first half of HKDF-SHA256 (RFC 5869 §2.2) with an empty salt. Where many keys are derived
/// from one, it needs to be done only once.
public func hkdfExtractSHA256(_ key: SecretBytes) -> SecretBytes {
    var bytes = key.exposed
    defer { cleanse(&bytes) }
    var pseudoRandomKey = hmacSHA256(key: emptySalt, bytes)
    defer { cleanse(&pseudoRandomKey) }
    return SecretBytes(pseudoRandomKey)
}

/// The second half of HKDF-SHA256 (RFC 5869 §2.3): a key of 32 bytes, which is one block.
public func hkdfExpandSHA256(_ pseudoRandomKey: SecretBytes, info: [UInt8]) -> SecretBytes {
    var output = hmacSHA256(key: pseudoRandomKey, info + [1])
    defer { cleanse(&output) }
    return SecretBytes(output)
}

/// The salt of HKDF where there is none.
let emptySalt = SecretBytes([UInt8](repeating: 0, count: 32))
