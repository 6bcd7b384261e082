// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import OpenSSL

/// Keys that nobody knows: with them somebody signs who is not the provider. One of each kind is
/// made when it is first needed.
enum StrangerKeys {
    /// The name of a key that is published beside the provider's.
    static let keyID = "other-algorithm"
    static let rsa = make(.rsa(bits: 2048))
    static let weakRSA = make(.rsa(bits: 1024))
    private static let p256 = make(.elliptic(.p256))
    private static let p384 = make(.elliptic(.p384))
    private static let p521 = make(.elliptic(.p521))
    private static let ed25519 = make(.ed25519)

    private static func make(_ kind: PrivateKey.Kind) -> Result<PrivateKey, OpenSSLError> {
        do throws(OpenSSLError) {
            return .success(try PrivateKey(generating: kind))
        } catch {
            return .failure(error)
        }
    }

    /// A key for an algorithm under a name of one's own.
    static func key(
        for algorithm: SignatureAlgorithm, keyID: String
    ) throws(OpenSSLError) -> ProviderKey {
        let key =
            switch algorithm {
            case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: rsa
            case .es256: p256
            case .es384: p384
            case .es512: p521
            case .edDSA: ed25519
            }
        return ProviderKey(try key.get(), algorithm: algorithm, keyID: keyID)
    }
}
