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
        let bytes = nonce + ciphertext + tag
        var box: [UInt8] = []
        append(bytes: bytes.span, to: &box)
        return String(decoding: box, as: UTF8.self)
    }

    /// Adds the text form of a box: header, nothing, nonce, ciphertext, tag.
    ///
    /// - Parameter bytes: the last three one behind the other.
    public static func append(bytes: Span<UInt8>, to text: inout [UInt8]) {
        let nonceEnd = AES256GCM.nonceBytes
        let tagStart = bytes.count - AES256GCM.tagBytes
        text.append(contentsOf: encodedHeader.utf8)
        text.append(contentsOf: "..".utf8)
        Base64URL.append(bytes.extracting(..<nonceEnd), to: &text)
        text.append(UInt8(ascii: "."))
        Base64URL.append(bytes.extracting(nonceEnd..<tagStart), to: &text)
        text.append(UInt8(ascii: "."))
        Base64URL.append(bytes.extracting(tagStart...), to: &text)
    }

    /// Takes a box in text form apart; nil when it is malformed, or has another header.
    public static func parts(
        of text: ArraySlice<UInt8>
    ) -> (nonce: [UInt8], ciphertext: [UInt8], tag: [UInt8])? {
        let nonceStart = text.startIndex + boxBeginning.count
        let ciphertextStart = nonceStart + nonceCharacters + 1
        let tagStart = text.endIndex - tagCharacters
        guard ciphertextStart < tagStart, text[ciphertextStart - 1] == UInt8(ascii: "."),
            text[tagStart - 1] == UInt8(ascii: "."), text.starts(with: boxBeginning),
            let nonce = Base64URL.decode(text[nonceStart..<ciphertextStart - 1]),
            let ciphertext = Base64URL.decode(text[ciphertextStart..<tagStart - 1]),
            let tag = Base64URL.decode(text[tagStart...])
        else { return nil }
        return (nonce, ciphertext, tag)
    }

    /// The plaintext; nil when the box is malformed, has another header, or was not made with
    /// this key.
    public static func open(_ box: String, key: SecretBytes) -> [UInt8]? {
        guard let (nonce, ciphertext, tag) = parts(of: Array(box.utf8)[...]) else { return nil }
        return AES256GCM.open(
            ciphertext, tag: tag, key: key, nonce: nonce,
            associatedData: associatedData)
    }

    /// Opens a box that is not in its text form any more: nonce, ciphertext and tag one behind the
    /// other.
    public static func open(
        bytes: ArraySlice<UInt8>, key: Span<UInt8>, with opener: AES256GCMOpener
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
