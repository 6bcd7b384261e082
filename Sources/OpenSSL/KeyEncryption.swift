// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// RSAES-OAEP (RFC 8017 §7.1) with MGF1 over the same hash function and an empty label.
public enum OAEPHash: Sendable, Hashable {
    case sha1
    case sha256

    fileprivate var name: String {
        switch self {
        case .sha1: "SHA1"
        case .sha256: "SHA256"
        }
    }
}

extension PublicKey {
    /// Encrypts a key to the owner of this one; throws when this is no RSA key.
    public func encryptOAEP(
        _ plaintext: SecretBytes, hash: OAEPHash
    ) throws(OpenSSLError) -> [UInt8] {
        var bytes = plaintext.exposed
        defer { cleanse(&bytes) }
        return try unsafe crypt(bytes, key: pointer, hash: hash, encrypts: true)
    }
}

extension PrivateKey {
    /// Decrypts what was encrypted to this key; throws when it was not, or when this is no RSA key.
    public func decryptOAEP(
        _ ciphertext: [UInt8], hash: OAEPHash
    ) throws(OpenSSLError) -> SecretBytes {
        var bytes = try unsafe crypt(ciphertext, key: pointer, hash: hash, encrypts: false)
        defer { cleanse(&bytes) }
        return SecretBytes(bytes)
    }
}

private func crypt(
    _ input: [UInt8], key: OpaquePointer, hash: OAEPHash, encrypts: Bool
) throws(OpenSSLError) -> [UInt8] {
    guard unsafe EVP_PKEY_is_a(key, "RSA") == 1,
        let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key, nil)
    else { throw OpenSSLError("key type") }
    defer { unsafe EVP_PKEY_CTX_free(context) }
    let isReady =
        unsafe (encrypts ? EVP_PKEY_encrypt_init(context) : EVP_PKEY_decrypt_init(context)) == 1
        && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1
        && EVP_PKEY_CTX_set_rsa_oaep_md_name(context, hash.name, nil) == 1
        && EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, hash.name, nil) == 1
    guard isReady else { throw OpenSSLError("EVP_PKEY_CTX_set_rsa_oaep_md_name") }
    var output = [UInt8](repeating: 0, count: Int(unsafe EVP_PKEY_get_size(key)))
    var length = output.count
    let result =
        encrypts
        ? unsafe EVP_PKEY_encrypt(context, &output, &length, input, input.count)
        : unsafe EVP_PKEY_decrypt(context, &output, &length, input, input.count)
    guard result == 1 else {
        cleanse(&output)
        throw OpenSSLError("EVP_PKEY_decrypt")
    }
    defer { cleanse(&output) }
    return Array(output[..<length])
}
