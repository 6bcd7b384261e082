// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
public import OpenSSL

/// The signature algorithms that we verify (RFC 7518 §3.1, RFC 8037 §3.1).
///
/// `none` and the HMAC family are not among them, so no list of allowed algorithms can name them:
/// whoever can verify an HMAC can also make it, and it proves nothing about the provider.
public enum SignatureAlgorithm: String, Sendable, Hashable, CaseIterable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    /// Ed25519 only.
    case edDSA = "EdDSA"

    /// The algorithm of a registered name; nil for any other text, compared byte by byte.
    public init?(name: String) {
        guard let algorithm = Self.allCases.first(where: { $0.rawValue.isIdentical(to: name) })
        else { return nil }
        self = algorithm
    }

    /// How the signature is computed.
    public var scheme: SignatureScheme {
        switch self {
        case .rs256, .rs384, .rs512: .rsaPKCS1(hashFunction)
        case .ps256, .ps384, .ps512: .rsaPSS(hashFunction)
        case .es256, .es384, .es512: .ecdsa(hashFunction)
        case .edDSA: .ed25519
        }
    }

    /// The hash function in its name, which `at_hash` and its like are made with too (OpenID
    /// Connect Core §3.1.3.6); for EdDSA the SHA-512 inside Ed25519.
    public var hashFunction: HashFunction {
        switch self {
        case .rs256, .ps256, .es256: .sha256
        case .rs384, .ps384, .es384: .sha384
        case .rs512, .ps512, .es512, .edDSA: .sha512
        }
    }

    /// Whether a key of this kind, and for ECDSA on this curve, is one for this algorithm.
    public func fits(_ parameters: PublicKeyParameters) -> Bool {
        switch (self, parameters) {
        case (.es256, .elliptic(let curve, _, _)): curve == .p256
        case (.es384, .elliptic(let curve, _, _)): curve == .p384
        case (.es512, .elliptic(let curve, _, _)): curve == .p521
        default: parameters.fit(scheme)
        }
    }
}

/// The left half of a hash in base64url: the form of `at_hash`, `c_hash` and `s_hash` (OpenID
/// Connect Core §3.1.3.6, §3.3.2.11; FAPI 1.0 Advanced §5.1).
public enum LeftHalfHash {
    /// The value for a text under the hash function of an ID token's algorithm.
    public static func encode(_ text: String, algorithm: SignatureAlgorithm) -> String {
        let hash = algorithm.hashFunction.hash(Array(text.utf8)[...])
        return Base64URL.encode(Array(hash.prefix(hash.count / 2)))
    }
}

extension String {
    /// Whether two texts have the same bytes, in a time that depends only on their lengths: for
    /// nonces, states and codes.
    public func isIdenticalInConstantTime(to other: String) -> Bool {
        isEqualInConstantTime(utf8.span, other.utf8.span)
    }
}
