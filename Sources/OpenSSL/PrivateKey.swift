// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL

/// A private key that signs or decrypts: a client's own, read from a file, or one that is made here
/// and never leaves the process. It may be used from any thread.
@safe public final class PrivateKey: @unchecked Sendable {
    /// What kind of key to make.
    public enum Kind: Sendable, Hashable {
        /// RSA with a modulus of so many bits and the exponent 65537.
        case rsa(bits: Int)
        case elliptic(EllipticCurve)
        case ed25519
    }

    /// The other half of the pair.
    public let publicKey: PublicKey

    let pointer: OpaquePointer

    /// Makes a new pair from libcrypto's random numbers. RSA of 2048 bits takes some 50 ms.
    public init(generating kind: Kind) throws(OpenSSLError) {
        let pointer = try unsafe Self.generate(kind)
        unsafe self.pointer = pointer
        do {
            publicKey = try PublicKey(unsafe Self.publicParameters(of: pointer, kind))
        } catch {
            unsafe EVP_PKEY_free(pointer)
            throw error
        }
    }

    /// Takes over a key that libcrypto has read.
    init(owning pointer: OpaquePointer, _ kind: Kind) throws(OpenSSLError) {
        unsafe self.pointer = pointer
        do {
            publicKey = try PublicKey(unsafe Self.publicParameters(of: pointer, kind))
        } catch {
            unsafe EVP_PKEY_free(pointer)
            throw error
        }
    }

    deinit {
        unsafe EVP_PKEY_free(pointer)
    }

    /// Signs a message; for ECDSA the answer is R and S side by side.
    ///
    /// Throws when the scheme is not one for keys of this kind.
    public func sign(
        _ message: ArraySlice<UInt8>, scheme: SignatureScheme
    ) throws(OpenSSLError) -> [UInt8] {
        guard publicKey.parameters.fit(scheme) else { throw OpenSSLError("signature scheme") }
        guard let context = unsafe EVP_MD_CTX_new() else { fatalError("EVP_MD_CTX_new failed") }
        defer { unsafe EVP_MD_CTX_free(context) }
        var keyContext: OpaquePointer?
        guard
            unsafe EVP_DigestSignInit(
                context, &keyContext, scheme.hashFunction?.algorithm, nil, pointer) == 1,
            let keyContext = unsafe keyContext, unsafe scheme.configure(keyContext)
        else { throw OpenSSLError("EVP_DigestSignInit") }
        var signature = [UInt8](repeating: 0, count: Int(unsafe EVP_PKEY_get_size(pointer)))
        var length = signature.count
        let isDone = unsafe message.withUnsafeBytes { message in
            unsafe EVP_DigestSign(
                context, &signature, &length,
                message.baseAddress?.assumingMemoryBound(to: UInt8.self), message.count) == 1
        }
        guard isDone else { throw OpenSSLError("EVP_DigestSign") }
        signature.removeLast(signature.count - length)
        guard case .elliptic(let curve, _, _) = publicKey.parameters else { return signature }
        guard
            let raw = ECDSASignature.raw(fromDER: signature, halfBytes: curve.coordinateBytes)
        else { throw OpenSSLError("ECDSA signature") }
        return raw
    }
}

extension PrivateKey {
    private static func generate(_ kind: Kind) throws(OpenSSLError) -> OpaquePointer {
        let name =
            switch kind {
            case .rsa: "RSA"
            case .elliptic: "EC"
            case .ed25519: "ED25519"
            }
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, name, nil) else {
            throw OpenSSLError("EVP_PKEY_CTX_new_from_name")
        }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_keygen_init(context) == 1 else {
            throw OpenSSLError("EVP_PKEY_keygen_init")
        }
        let isConfigured =
            switch kind {
            case .rsa(let bits):
                unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(bits)) == 1
            case .elliptic(let curve):
                unsafe EVP_PKEY_CTX_set_group_name(context, curve.groupName.description) == 1
            case .ed25519:
                true
            }
        guard isConfigured else { throw OpenSSLError("EVP_PKEY_CTX_set_params") }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_generate(context, &key) == 1, let key = unsafe key else {
            throw OpenSSLError("EVP_PKEY_generate")
        }
        return unsafe key
    }

    static func publicParameters(
        of key: OpaquePointer, _ kind: Kind
    ) throws(OpenSSLError) -> PublicKeyParameters {
        switch kind {
        case .rsa:
            .rsa(
                modulus: try unsafe number("n", of: key), exponent: try unsafe number("e", of: key))
        case .elliptic(let curve):
            .elliptic(
                curve,
                x: try unsafe number("qx", of: key, byteCount: curve.coordinateBytes),
                y: try unsafe number("qy", of: key, byteCount: curve.coordinateBytes))
        case .ed25519:
            .ed25519(try unsafe rawPublicKey(of: key))
        }
    }

    /// A number of a key, in so many bytes or in as few as it needs.
    private static func number(
        _ name: String, of key: OpaquePointer, byteCount: Int? = nil
    ) throws(OpenSSLError) -> [UInt8] {
        var number: OpaquePointer?
        guard unsafe EVP_PKEY_get_bn_param(key, name, &number) == 1 else {
            throw OpenSSLError("EVP_PKEY_get_bn_param")
        }
        defer { unsafe BN_free(number) }
        let count = byteCount ?? Int(unsafe BN_num_bits(number) + 7) / 8
        var bytes = [UInt8](repeating: 0, count: count)
        guard unsafe BN_bn2binpad(number, &bytes, Int32(count)) == Int32(count) else {
            throw OpenSSLError("BN_bn2binpad")
        }
        return bytes
    }

    private static func rawPublicKey(of key: OpaquePointer) throws(OpenSSLError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 32)
        var length = bytes.count
        guard unsafe EVP_PKEY_get_raw_public_key(key, &bytes, &length) == 1, length == 32 else {
            throw OpenSSLError("EVP_PKEY_get_raw_public_key")
        }
        return bytes
    }
}
