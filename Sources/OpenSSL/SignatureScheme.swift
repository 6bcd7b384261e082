// SPDX-License-Identifier: Apache-2.0

/// How a signature is made and verified: everything but the key and the message.
public enum SignatureScheme: Sendable, Hashable {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2).
    case rsaPKCS1(HashFunction)
    /// RSASSA-PSS (RFC 8017 §8.1); MGF1 with the same function, and a salt as long as its value.
    case rsaPSS(HashFunction)
    /// ECDSA (FIPS 186-4 §6); a signature is R and S side by side, each as long as a coordinate.
    case ecdsa(HashFunction)
    /// Ed25519 (RFC 8032 §5.1), which hashes by itself.
    case ed25519

    /// The hash applied to the message before the key comes in; nil where there is none.
    var hashFunction: HashFunction? {
        switch self {
        case .rsaPKCS1(let function), .rsaPSS(let function), .ecdsa(let function): function
        case .ed25519: nil
        }
    }
}

/// A curve of NIST SP 800-186 in short Weierstrass form.
public enum EllipticCurve: Sendable, Hashable, CaseIterable {
    case p256
    case p384
    case p521

    /// Bytes of a coordinate, and of each half of a signature.
    public var coordinateBytes: Int {
        switch self {
        case .p256: 32
        case .p384: 48
        case .p521: 66
        }
    }

    /// libcrypto's name of the curve.
    var groupName: StaticString {
        switch self {
        case .p256: "P-256"
        case .p384: "P-384"
        case .p521: "P-521"
        }
    }
}

/// The numbers that make up a public key, most significant byte first.
public enum PublicKeyParameters: Sendable, Hashable {
    /// RSA without leading zero bytes.
    case rsa(modulus: [UInt8], exponent: [UInt8])
    /// A point; both coordinates have ``EllipticCurve/coordinateBytes``.
    case elliptic(EllipticCurve, x: [UInt8], y: [UInt8])
    /// The 32 bytes of RFC 8032 §5.1.5.
    case ed25519([UInt8])

    /// Whether a key of this kind can be used with a scheme.
    public func fit(_ scheme: SignatureScheme) -> Bool {
        switch (self, scheme) {
        case (.rsa, .rsaPKCS1), (.rsa, .rsaPSS), (.elliptic, .ecdsa), (.ed25519, .ed25519): true
        default: false
        }
    }
}
