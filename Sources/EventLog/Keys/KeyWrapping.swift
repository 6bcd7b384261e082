// SPDX-License-Identifier: Apache-2.0

internal import OpenSSL

/// One key encrypted under another: version, nonce, ciphertext, tag.
struct WrappedKey: Equatable {
    static let version: UInt8 = 1
    static let byteCount = 1 + AES256GCM.nonceBytes + DataKey.byteCount + AES256GCM.tagBytes

    let bytes: [UInt8]

    init(_ key: SecretBytes, under wrapping: SecretBytes, nonce: [UInt8], for owner: [UInt8]) {
        var plaintext = key.exposed
        defer { cleanse(&plaintext) }
        let (ciphertext, tag) = AES256GCM.seal(
            plaintext, key: wrapping, nonce: nonce, associatedData: owner)
        bytes = [Self.version] + nonce + ciphertext + tag
    }

    /// Takes stored bytes; nil when they are no wrapped key.
    init?(bytes: ArraySlice<UInt8>) {
        guard bytes.count == Self.byteCount, bytes.first == Self.version else { return nil }
        self.bytes = Array(bytes)
    }

    /// As ``unwrap(_:for:)``.
    func unwrap(
        _ wrapping: SecretBytes, for owner: Span<UInt8>, with opener: AES256GCMOpener
    ) -> SecretBytes? {
        guard var key = opener.open(bytes[1...], key: wrapping, associatedData: owner) else {
            return nil
        }
        defer { cleanse(&key) }
        return SecretBytes(key)
    }

    /// The key inside; nil when it was not wrapped under this key for this owner.
    func unwrap(_ wrapping: SecretBytes, for owner: [UInt8]) -> SecretBytes? {
        let nonce = Array(bytes[1..<13])
        let ciphertext = Array(bytes[13..<45])
        let tag = Array(bytes[45...])
        guard
            var key = AES256GCM.open(
                ciphertext, tag: tag, key: wrapping, nonce: nonce, associatedData: owner)
        else { return nil }
        defer { cleanse(&key) }
        return SecretBytes(key)
    }
}

/// The key at the top, from which everything else is unwrapped. It lies outside the ledger
/// directory, so that a copy of the ledger without it tells nothing that was sealed.
struct RootKey: Sendable {
    static let byteCount = 32

    let secret: SecretBytes

    /// The key that wraps bucket keys.
    var wrappingKey: SecretBytes { derived("authledger/bucket-wrap/v1") }
    /// The key that seals the file of the signing key.
    var signingFileKey: SecretBytes { derived("authledger/signing-file/v1") }
    /// The key that wraps lookup keys.
    var lookupWrappingKey: SecretBytes { derived("authledger/lookup-wrap/v1") }
    /// The key under which values of one purpose are looked up, until the root key is replaced for
    /// the first time: from then on the same key is kept, wrapped.
    func lookupKey(_ purpose: LookupPurpose) -> SecretBytes {
        derived("authledger/lookup/v1/\(purpose.rawValue)")
    }

    /// A value that shows whether a root key is the one that a `keys/` environment was made
    /// with, and that tells nothing of the key.
    var checkValue: [UInt8] { hmacSHA256(key: secret, Array("authledger/root-check/v1".utf8)) }

    private func derived(_ purpose: String) -> SecretBytes {
        hkdfSHA256(secret, info: Array(purpose.utf8))
    }
}
