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
