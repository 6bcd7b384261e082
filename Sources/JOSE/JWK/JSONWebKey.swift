// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import OpenSSL

/// One key of a set (RFC 7517 §4), read for one purpose: to verify signatures.
public struct JSONWebKey: Sendable {
    /// The longest `kid` in bytes, in keys and in headers alike.
    public static let keyIDBytesMax = 512

    /// Whether the key can verify, and if not why.
    public enum Usability: Sendable {
        /// Parsed and checked.
        case usable(PublicKey)
        /// Kept in the set only to say so.
        case unusable(UnusableKeyReason)
    }

    /// `kid`, to be compared byte by byte; nil when there is none or it is malformed.
    public let keyID: String?
    /// `alg`; nil when there is none or it is none of ours.
    public let algorithm: SignatureAlgorithm?
    /// Whether the key can verify, and if not why.
    public internal(set) var usability: Usability

    /// Reads a key. It never fails: what cannot be used says so in ``usability``.
    public init(_ value: JSONValue, limits: JSONWebKeyLimits = JSONWebKeyLimits()) {
        let members = value.objectValue ?? JSONObject()
        keyID = Self.keyID(in: members)
        algorithm = members["alg"]?.stringValue.flatMap(SignatureAlgorithm.init(name:))
        do {
            usability = .usable(try JSONWebKeyReader(members: members, limits: limits).read())
        } catch {
            usability = .unusable(error)
        }
    }

    /// `kid` among the members of a key; nil when there is none or it is malformed.
    static func keyID(in members: JSONObject) -> String? {
        members["kid"]?.stringValue.flatMap { $0.utf8.count <= keyIDBytesMax ? $0 : nil }
    }

    /// The key to verify with; nil when it is unusable.
    public var publicKey: PublicKey? {
        guard case .usable(let key) = usability else { return nil }
        return key
    }

    /// Why the key is unusable; nil when it is usable.
    public var unusableReason: UnusableKeyReason? {
        guard case .unusable(let reason) = usability else { return nil }
        return reason
    }

    /// The SHA-256 thumbprint (RFC 7638 §3), which names a key whatever its `kid`; nil when the
    /// key is unusable.
    public var thumbprint: Digest? {
        guard let publicKey else { return nil }
        return Digest(SHA256.hash(CanonicalJSON.encode(Self.requiredMembers(of: publicKey))))
    }

    /// Whether the key has this name, byte by byte.
    func isNamed(_ keyID: String) -> Bool {
        self.keyID?.isIdentical(to: keyID) ?? false
    }

    /// Whether the key is usable and is one for an algorithm.
    public func fits(_ wanted: SignatureAlgorithm) -> Bool {
        guard let publicKey, algorithm == nil || algorithm == wanted else { return false }
        return wanted.fits(publicKey.parameters)
    }
}

// MARK: - Writing

extension JSONWebKey {
    /// The members of a public key as a provider publishes it.
    public static func members(
        of key: PublicKey, keyID: String?, algorithm: SignatureAlgorithm?
    ) -> JSONObject {
        var members = requiredMembers(of: key)
        members["use"] = .string("sig")
        members["kid"] = keyID.map(JSONValue.string)
        members["alg"] = algorithm.map { .string($0.rawValue) }
        return members
    }

    /// The members that make the key what it is (RFC 7638 §3.2).
    private static func requiredMembers(of key: PublicKey) -> JSONObject {
        switch key.parameters {
        case .rsa(let modulus, let exponent):
            [
                "kty": .string("RSA"), "n": .string(Base64URL.encode(modulus)),
                "e": .string(Base64URL.encode(exponent)),
            ]
        case .elliptic(let curve, let x, let y):
            [
                "kty": .string("EC"), "crv": .string(curve.name),
                "x": .string(Base64URL.encode(x)), "y": .string(Base64URL.encode(y)),
            ]
        case .ed25519(let bytes):
            [
                "kty": .string("OKP"), "crv": .string("Ed25519"),
                "x": .string(Base64URL.encode(bytes)),
            ]
        }
    }
}

extension EllipticCurve {
    /// The name in `crv` (RFC 7518 §6.2.1.1).
    var name: String {
        switch self {
        case .p256: "P-256"
        case .p384: "P-384"
        case .p521: "P-521"
        }
    }

    init?(name: String) {
        guard let curve = Self.allCases.first(where: { $0.name.isIdentical(to: name) }) else {
            return nil
        }
        self = curve
    }
}
