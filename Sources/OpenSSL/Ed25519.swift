// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// A private key of Ed25519 (RFC 8032).
@safe public final class Ed25519PrivateKey: @unchecked Sendable {
    /// Bytes of a private key, a public key and a signature.
    public static let seedBytes = 32, publicKeyBytes = 32, signatureBytes = 64

    private let pointer: OpaquePointer

    /// Takes the 32-byte seed.
    public init(seed: SecretBytes) throws(OpenSSLError) {
        let made = unsafe seed.withUnsafeBytes {
            unsafe EVP_PKEY_new_raw_private_key(
                EVP_PKEY_ED25519, nil, $0.baseAddress?.assumingMemoryBound(to: UInt8.self),
                $0.count)
        }
        guard let made = unsafe made else { throw OpenSSLError("EVP_PKEY_new_raw_private_key") }
        unsafe pointer = made
    }

    deinit {
        unsafe EVP_PKEY_free(pointer)
    }

    /// The 32 bytes of the public key.
    public var publicKey: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.publicKeyBytes)
        var length = bytes.count
        unsafe require(
            EVP_PKEY_get_raw_public_key(pointer, &bytes, &length) == 1,
            "EVP_PKEY_get_raw_public_key")
        return bytes
    }

    /// The 64 bytes of the signature over a message (RFC 8032 §5.1.6).
    public func sign(_ message: [UInt8]) throws(OpenSSLError) -> [UInt8] {
        guard let context = unsafe EVP_MD_CTX_new() else { fatalError("EVP_MD_CTX_new failed") }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestSignInit(context, nil, nil, nil, pointer) == 1 else {
            throw OpenSSLError("EVP_DigestSignInit")
        }
        var signature = [UInt8](repeating: 0, count: Self.signatureBytes)
        var length = signature.count
        guard
            unsafe EVP_DigestSign(context, &signature, &length, message, message.count) == 1,
            length == Self.signatureBytes
        else { throw OpenSSLError("EVP_DigestSign") }
        return signature
    }
}
