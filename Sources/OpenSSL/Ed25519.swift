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
}
