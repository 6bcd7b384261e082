// SPDX-License-Identifier: Apache-2.0

public import JOSE
internal import LedgerPrimitives
public import OpenSSL

/// A key with which the simulated provider signs, and under which name it publishes it.
public struct ProviderKey: Sendable {
    /// `kid`.
    public let keyID: String
    /// What it signs with.
    public let algorithm: SignatureAlgorithm
    /// The key itself.
    public let privateKey: PrivateKey
    /// Whether its name was chosen, rather than made from the key.
    let isNamed: Bool

    /// A key that is there already. Its `kid` is its thumbprint (RFC 7638) unless given.
    public init(
        _ privateKey: PrivateKey, algorithm: SignatureAlgorithm, keyID: String? = nil
    ) {
        precondition(
            algorithm.fits(privateKey.publicKey.parameters), "the key is not one for the algorithm")
        self.privateKey = privateKey
        self.algorithm = algorithm
        isNamed = keyID != nil
        self.keyID = keyID ?? Self.thumbprint(of: privateKey.publicKey)
    }

    /// A new key. RSA takes a moment: tests that need many providers share one.
    public init(
        generatingFor algorithm: SignatureAlgorithm = .rs256, keyID: String? = nil
    ) throws(OpenSSLError) {
        let kind: PrivateKey.Kind =
            switch algorithm {
            case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: .rsa(bits: 2048)
            case .es256: .elliptic(.p256)
            case .es384: .elliptic(.p384)
            case .es512: .elliptic(.p521)
            case .edDSA: .ed25519
            }
        self.init(try PrivateKey(generating: kind), algorithm: algorithm, keyID: keyID)
    }

    /// The public half as it stands in the key set.
    var published: JSONObject {
        JSONWebKey.members(of: privateKey.publicKey, keyID: keyID, algorithm: algorithm)
    }

    private static func thumbprint(of key: PublicKey) -> String {
        let members = JSONWebKey.members(of: key, keyID: nil, algorithm: nil)
        return JSONWebKey(.object(members)).thumbprint?.base64URL ?? "key"
    }
}
