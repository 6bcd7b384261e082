// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Synchronization

/// A public key that verifies signatures. Making one costs 2 to 15 µs, so it is made once and
/// kept; it may be used from any thread.
///
/// Only the form of a key is looked at here: whether a key of its size is strong enough is for
/// the caller to say.
@safe public final class PublicKey: @unchecked Sendable {
    /// The numbers that the key was made from.
    public let parameters: PublicKeyParameters

    let pointer: OpaquePointer
    /// One prepared verification per scheme; a key of a provider sees one or two.
    private let prepared = Mutex<[SignatureScheme: PreparedVerification]>([:])

    /// Makes a key from its numbers. Coordinates of the wrong length and points that are not on
    /// their curve are refused.
    public init(_ parameters: PublicKeyParameters) throws(OpenSSLError) {
        unsafe pointer =
            switch parameters {
            case .rsa(let modulus, let exponent):
                try unsafe Self.makeRSA(modulus: modulus, exponent: exponent)
            case .elliptic(let curve, let x, let y):
                try unsafe Self.makeElliptic(curve, x: x, y: y)
            case .ed25519(let bytes):
                try unsafe Self.makeEd25519(bytes)
            }
        self.parameters = parameters
    }

    deinit {
        unsafe EVP_PKEY_free(pointer)
    }

    /// Whether a signature is this key's over a message under a scheme.
    ///
    /// - Parameters:
    ///   - signature: For ECDSA R and S side by side; DER is not taken.
    ///   - message: The message itself, not its hash.
    public func verify(
        _ signature: [UInt8], over message: ArraySlice<UInt8>, scheme: SignatureScheme
    ) -> Bool {
        guard parameters.fit(scheme) else { return false }
        let isValid =
            switch (parameters, scheme.hashFunction) {
            case (.elliptic(let curve, _, _), let function?):
                verify(
                    ECDSASignature.der(fromRaw: signature, halfBytes: curve.coordinateBytes),
                    ofHash: function.hash(message), scheme: scheme)
            case (_, let function?):
                verify(signature, ofHash: function.hash(message), scheme: scheme)
            case (_, nil):
                verifyUnhashed(signature, over: message)
            }
        if !isValid { ERR_clear_error() }
        return isValid
    }

    private func verify(
        _ signature: [UInt8]?, ofHash hash: [UInt8], scheme: SignatureScheme
    ) -> Bool {
        guard let signature else { return false }
        let verification: PreparedVerification? = prepared.withLock { prepared in
            if let known = prepared[scheme] { return known }
            let new = unsafe PreparedVerification(key: pointer, scheme: scheme)
            prepared[scheme] = new
            return new
        }
        return verification?.verify(signature, hash: hash) ?? false
    }

    /// Ed25519 takes the message whole.
    private func verifyUnhashed(_ signature: [UInt8], over message: ArraySlice<UInt8>) -> Bool {
        guard let context = unsafe EVP_MD_CTX_new() else { fatalError("EVP_MD_CTX_new failed") }
        defer { unsafe EVP_MD_CTX_free(context) }
        unsafe require(
            EVP_DigestVerifyInit_ex(context, nil, nil, nil, nil, pointer, nil) == 1,
            "EVP_DigestVerifyInit_ex")
        return unsafe message.withUnsafeBytes { message in
            unsafe EVP_DigestVerify(
                context, signature, signature.count,
                message.baseAddress?.assumingMemoryBound(to: UInt8.self), message.count) == 1
        }
    }
}

// MARK: - Making keys

extension PublicKey {
    private static func makeRSA(
        modulus: [UInt8], exponent: [UInt8]
    ) throws(OpenSSLError) -> OpaquePointer {
        let list = KeyParameterList()
        list.add(number: modulus, as: "n")
        list.add(number: exponent, as: "e")
        return try unsafe list.makePublicKey(type: "RSA")
    }

    private static func makeElliptic(
        _ curve: EllipticCurve, x: [UInt8], y: [UInt8]
    ) throws(OpenSSLError) -> OpaquePointer {
        guard x.count == curve.coordinateBytes, y.count == curve.coordinateBytes else {
            throw OpenSSLError("coordinate length")
        }
        let list = KeyParameterList()
        list.add(text: curve.groupName, as: "group")
        list.add(octets: [0x04] + x + y, as: "pub")
        let key = try unsafe list.makePublicKey(type: "EC")
        // libcrypto refuses points off the curve when it reads them; asking again costs little
        // and does not lean on that.
        guard unsafe isOnCurve(key) else {
            unsafe EVP_PKEY_free(key)
            throw OpenSSLError("EVP_PKEY_public_check_quick")
        }
        return unsafe key
    }

    private static func isOnCurve(_ key: OpaquePointer) -> Bool {
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else { return false }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        return unsafe EVP_PKEY_public_check_quick(context) == 1
    }

    private static func makeEd25519(_ bytes: [UInt8]) throws(OpenSSLError) -> OpaquePointer {
        let made = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count)
        guard let made = unsafe made else { throw OpenSSLError("EVP_PKEY_new_raw_public_key") }
        return unsafe made
    }
}

/// A key and a scheme, ready to verify.
///
/// Setting a context up for every signature costs a sixth of an RSA verification, and copying one
/// that is ready a twentieth. So contexts are kept for the next signature; nothing in them is
/// secret. Two threads never have the same one.
@safe private final class PreparedVerification: @unchecked Sendable {
    /// A context is used again and again by whoever took it.
    @safe private struct Idle: @unchecked Sendable {
        var contexts: [OpaquePointer]

        init() { unsafe contexts = [] }
    }

    private static let idleMax = 16

    private let template: OpaquePointer
    private let idle = Mutex(Idle())

    /// Nil when libcrypto, as this system is set up, will not use the key in this way.
    init?(key: OpaquePointer, scheme: SignatureScheme) {
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else { return nil }
        unsafe template = context
        guard unsafe EVP_PKEY_verify_init(context) == 1, unsafe scheme.configure(context) else {
            return nil
        }
    }

    deinit {
        unsafe EVP_PKEY_CTX_free(template)
        idle.withLock { idle in
            while let context = unsafe idle.contexts.popLast() {
                unsafe EVP_PKEY_CTX_free(context)
            }
        }
    }

    func verify(_ signature: [UInt8], hash: [UInt8]) -> Bool {
        let context = unsafe take()
        defer { unsafe give(context) }
        return unsafe EVP_PKEY_verify(context, signature, signature.count, hash, hash.count) == 1
    }

    private func take() -> OpaquePointer {
        if let known = unsafe idle.withLock({ unsafe $0.contexts.popLast() }) {
            return unsafe known
        }
        guard let context = unsafe EVP_PKEY_CTX_dup(template) else {
            fatalError(OpenSSLError("EVP_PKEY_CTX_dup").description)
        }
        return unsafe context
    }

    private func give(_ context: OpaquePointer) {
        let isKept = idle.withLock { idle in
            guard unsafe idle.contexts.count < Self.idleMax else { return false }
            unsafe idle.contexts.append(context)
            return true
        }
        if !isKept { unsafe EVP_PKEY_CTX_free(context) }
    }
}

extension SignatureScheme {
    /// Sets padding, salt length and hash function of a context for signing or verifying.
    func configure(_ context: OpaquePointer) -> Bool {
        switch self {
        case .rsaPKCS1(let function):
            unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1
                && EVP_PKEY_CTX_set_signature_md(context, function.algorithm) == 1
        case .rsaPSS(let function):
            unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1
                && EVP_PKEY_CTX_set_signature_md(context, function.algorithm) == 1
                && EVP_PKEY_CTX_set_rsa_mgf1_md(context, function.algorithm) == 1
                && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, Int32(function.byteCount)) == 1
        case .ecdsa(let function):
            unsafe EVP_PKEY_CTX_set_signature_md(context, function.algorithm) == 1
        case .ed25519:
            true
        }
    }
}
