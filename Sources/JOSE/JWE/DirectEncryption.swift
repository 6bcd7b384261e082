// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
public import OpenSSL

/// JWE in compact form with a shared key and AES-256-GCM (RFC 7516 §7.1; RFC 7518 §4.5, §5.3).
///
/// The header is always the same text, so a box has one spelling, and nothing is negotiated.
public enum DirectEncryption {
    /// `{"alg":"dir","enc":"A256GCM"}` in base64url.
    public static let encodedHeader = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0"

    /// Encrypts.
    ///
    /// - Parameters:
    ///   - key: 32 bytes.
    ///   - nonce: 12 fresh random bytes; the same key must never see them twice.
    public static func seal(_ plaintext: [UInt8], key: SecretBytes, nonce: [UInt8]) -> String {
        let (ciphertext, tag) = AES256GCM.seal(
            plaintext, key: key, nonce: nonce, associatedData: associatedData)
        var box = Array(encodedHeader.utf8)
        box.append(contentsOf: "..".utf8)
        Base64URL.append(nonce.span, to: &box)
        box.append(UInt8(ascii: "."))
        Base64URL.append(ciphertext.span, to: &box)
        box.append(UInt8(ascii: "."))
        Base64URL.append(tag.span, to: &box)
        return String(decoding: box, as: UTF8.self)
    }

    /// The plaintext; nil when the box is malformed, has another header, or was not made with
    /// this key.
    public static func open(_ box: String, key: SecretBytes) -> [UInt8]? {
        let text = Array(box.utf8)
        let nonceStart = encodedHeader.utf8.count + 2
        let ciphertextStart = nonceStart + nonceCharacters + 1
        let tagStart = text.count - tagCharacters
        guard ciphertextStart < tagStart, text.starts(with: boxBeginning),
            text[ciphertextStart - 1] == UInt8(ascii: "."),
            text[tagStart - 1] == UInt8(ascii: "."),
            let nonce = Base64URL.decode(text[nonceStart..<ciphertextStart - 1]),
            let ciphertext = Base64URL.decode(text[ciphertextStart..<tagStart - 1]),
            let tag = Base64URL.decode(text[tagStart...])
        else { return nil }
        return AES256GCM.open(
            ciphertext, tag: tag, key: key, nonce: nonce,
            associatedData: associatedData)
    }

    /// Opens a box that is not in its text form any more: nonce, ciphertext and tag one behind the
    /// other.
    public static func open(
        bytes: ArraySlice<UInt8>, key: SecretBytes, with opener: AES256GCMOpener
    ) -> [UInt8]? {
        let header = encodedHeader.utf8
        return opener.open(bytes, key: key, associatedData: header.span)
    }

    /// Header and empty encrypted key, up to where the nonce begins.
    private static let boxBeginning = Array("\(encodedHeader)..".utf8)
    private static let associatedData = Array(encodedHeader.utf8)
    private static let nonceCharacters = (AES256GCM.nonceBytes * 4 + 2) / 3
    private static let tagCharacters = (AES256GCM.tagBytes * 4 + 2) / 3
}
