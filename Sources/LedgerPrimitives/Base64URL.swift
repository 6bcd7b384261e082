// SPDX-License-Identifier: Apache-2.0

/// Strict base64url without padding (RFC 4648 §5, RFC 7515 §2).
///
/// A byte string has exactly one spelling here: padding, foreign characters and spare bits that
/// are not zero are refused, so that two different texts never stand for the same token.
public enum Base64URL {
    /// Encodes without padding.
    public static func encode(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        append(bytes[...], to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// Adds the encoded form, without padding, to a buffer.
    public static func append(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        Base64Alphabet.url.encode(bytes.span, into: &output)
    }

    /// Decodes a text, or answers nil when it is not strict base64url.
    public static func decode(_ text: String) -> [UInt8]? {
        decode(Array(text.utf8)[...])
    }

    /// Decodes ASCII bytes, or answers nil when they are not strict base64url.
    public static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        Base64Alphabet.url.decode(text)
    }
}

/// Standard base64 with padding (RFC 4648 §4), as C2SP notes, roots and proofs have it.
public enum Base64 {
    /// Encodes with padding.
    public static func encode(_ bytes: [UInt8]) -> String {
        String(decoding: encoded(bytes), as: UTF8.self)
    }

    /// Encodes with padding, as ASCII bytes; for secrets, which a text would keep in memory.
    public static func encoded(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity((bytes.count + 2) / 3 * 4)
        Base64Alphabet.standard.encode(bytes.span, into: &output)
        while output.count % 4 != 0 {
            output.append(UInt8(ascii: "="))
        }
        return output
    }

    /// Decodes a padded text, or answers nil when it is not strict base64.
    public static func decode(_ text: String) -> [UInt8]? {
        decode(Array(text.utf8)[...])
    }

    /// Decodes padded ASCII bytes, or answers nil when they are not strict base64.
    public static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes = text
        guard bytes.count % 4 == 0 else { return nil }
        for _ in 0..<2 where bytes.last == UInt8(ascii: "=") {
            bytes = bytes.dropLast()
        }
        guard (bytes.count + 3) / 4 * 4 == text.count else { return nil }
        return Base64Alphabet.standard.decode(bytes)
    }
}

/// The 64 characters of one base64 variant, and the same table backwards.
private struct Base64Alphabet {
    static let url = Base64Alphabet(62, UInt8(ascii: "-"), 63, UInt8(ascii: "_"))
    static let standard = Base64Alphabet(62, UInt8(ascii: "+"), 63, UInt8(ascii: "/"))
    /// What stands for a character that is none of the 64; no value has this bit.
    private static let foreign: UInt8 = 0x80

    private let characters: [UInt8]
    private let values: [UInt8]

    init(_ first: Int, _ firstCharacter: UInt8, _ second: Int, _ secondCharacter: UInt8) {
        let common = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        let characters = Array(common.utf8) + [firstCharacter, secondCharacter]
        var values = [UInt8](repeating: Self.foreign, count: 256)
        for (value, character) in characters.enumerated() {
            values[Int(character)] = UInt8(value)
        }
        self.characters = characters
        self.values = values
    }

    func encode(_ bytes: Span<UInt8>, into output: inout [UInt8]) {
        output.append(addingCapacity: (bytes.count * 4 + 2) / 3) { output in
            let whole = bytes.count / 3 * 3
            var index = 0
            while index < whole {
                let group =
                    UInt32(bytes[index]) << 16 | UInt32(bytes[index + 1]) << 8
                    | UInt32(bytes[index + 2])
                append(group, characters: 4, to: &output)
                index += 3
            }
            switch bytes.count - whole {
            case 1: append(UInt32(bytes[whole]) << 16, characters: 2, to: &output)
            case 2:
                append(
                    UInt32(bytes[whole]) << 16 | UInt32(bytes[whole + 1]) << 8, characters: 3,
                    to: &output)
            default: break
            }
        }
    }

    /// Writes the first of the four characters that 24 bits make.
    @inline(__always)
    private func append(
        _ group: UInt32, characters count: Int, to output: inout OutputSpan<UInt8>
    ) {
        output.append(characters[Int(group >> 18 & 0x3F)])
        output.append(characters[Int(group >> 12 & 0x3F)])
        if count > 2 { output.append(characters[Int(group >> 6 & 0x3F)]) }
        if count > 3 { output.append(characters[Int(group & 0x3F)]) }
    }

    func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let text = text.span
        let tail = text.count % 4
        guard tail != 1 else { return nil }
        let whole = text.count - tail
        // A foreign character has a bit set that no value has; spare bits must not be set either.
        var seen: UInt8 = 0
        var spareBits: UInt32 = 0
        let output = [UInt8](capacity: text.count * 3 / 4) { output in
            var index = 0
            while index < whole {
                let first = values[Int(text[index])]
                let second = values[Int(text[index + 1])]
                let third = values[Int(text[index + 2])]
                let fourth = values[Int(text[index + 3])]
                seen |= first | second | third | fourth
                output.append(first << 2 | second >> 4)
                output.append(second << 4 | third >> 2)
                output.append(third << 6 | fourth)
                index += 4
            }
            var pending: UInt32 = 0
            for index in whole..<text.count {
                seen |= values[Int(text[index])]
                pending = pending << 6 | UInt32(values[Int(text[index])] & 0x3F)
            }
            if tail == 3 { output.append(UInt8(truncatingIfNeeded: pending >> 10)) }
            if tail >= 2 {
                output.append(UInt8(truncatingIfNeeded: pending >> (tail == 3 ? 2 : 4)))
            }
            spareBits = pending & (tail == 3 ? 0b11 : tail == 2 ? 0b1111 : 0)
        }
        return seen & Self.foreign == 0 && spareBits == 0 ? output : nil
    }
}
