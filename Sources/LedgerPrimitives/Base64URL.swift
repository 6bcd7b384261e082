// SPDX-License-Identifier: Apache-2.0

/// Strict base64url without padding (RFC 4648 §5, RFC 7515 §2).
///
/// A byte string has exactly one spelling here: padding, foreign characters and spare bits that
/// are not zero are refused, so that two different texts never stand for the same token.
public enum Base64URL {
    /// Encodes without padding.
    public static func encode(_ bytes: [UInt8]) -> String { encode(bytes.span) }

    /// Encodes without padding.
    public static func encode(_ bytes: Span<UInt8>) -> String {
        var output: [UInt8] = []
        append(bytes, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// Adds the encoded form, without padding, to a buffer.
    public static func append(_ bytes: Span<UInt8>, to output: inout [UInt8]) {
        Base64Alphabet.url.encode(bytes, into: &output)
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

    // Not arrays: those count who uses them, and threads that do so at once would be in each
    // other's way.
    private let characters: InlineArray<64, UInt8>
    private let values: InlineArray<256, UInt8>

    init(_ first: Int, _ firstCharacter: UInt8, _ second: Int, _ secondCharacter: UInt8) {
        let common = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        let all = Array(common.utf8) + [firstCharacter, secondCharacter]
        var values = InlineArray<256, UInt8>(repeating: Self.foreign)
        for (value, character) in all.enumerated() {
            values[Int(character)] = UInt8(value)
        }
        characters = InlineArray { all[$0] }
        self.values = values
    }

    func encode(_ bytes: Span<UInt8>, into output: inout [UInt8]) {
        // Not the whole alphabet, which would be copied with its other table.
        let characters = characters
        let groups = bytes.count / 3
        output.append(addingCapacity: (bytes.count * 4 + 2) / 3) { output in
            let characters = characters.span
            output.append(repeating: 0, count: groups * 4)
            var text = output.mutableSpan
            var group = 0
            // Two at a time, as long as there are the bytes of a word to take them from.
            while bytes.count - group * 3 >= ByteWords.count {
                let bits = ByteWords.word(of: bytes, at: group * 3).byteSwapped
                let place = group * 4
                // Said once, it need not be asked for each character.
                precondition(place >= 0 && place <= text.count - 8)
                text[place] = characters[Int(bits >> 58)]
                text[place + 1] = characters[Int(bits >> 52 & 0x3F)]
                text[place + 2] = characters[Int(bits >> 46 & 0x3F)]
                text[place + 3] = characters[Int(bits >> 40 & 0x3F)]
                text[place + 4] = characters[Int(bits >> 34 & 0x3F)]
                text[place + 5] = characters[Int(bits >> 28 & 0x3F)]
                text[place + 6] = characters[Int(bits >> 22 & 0x3F)]
                text[place + 7] = characters[Int(bits >> 16 & 0x3F)]
                group += 2
            }
            for index in group..<groups {
                let three = bytes.extracting(index * 3..<index * 3 + 3)
                let bits = UInt32(three[0]) << 16 | UInt32(three[1]) << 8 | UInt32(three[2])
                let place = index * 4
                text[place] = characters[Int(bits >> 18 & 0x3F)]
                text[place + 1] = characters[Int(bits >> 12 & 0x3F)]
                text[place + 2] = characters[Int(bits >> 6 & 0x3F)]
                text[place + 3] = characters[Int(bits & 0x3F)]
            }
            let rest = bytes.count - groups * 3
            guard rest > 0 else { return }
            let last = rest == 2 ? UInt32(bytes[bytes.count - 1]) << 8 : 0
            let bits = UInt32(bytes[groups * 3]) << 16 | last
            output.append(characters[Int(bits >> 18 & 0x3F)])
            output.append(characters[Int(bits >> 12 & 0x3F)])
            if rest == 2 { output.append(characters[Int(bits >> 6 & 0x3F)]) }
        }
    }

    func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let text = text.span
        let values = values.span
        let tail = text.count % 4
        guard tail != 1 else { return nil }
        let groups = text.count / 4
        // A foreign character has a bit set that no value has; spare bits must not be set either.
        var seen: UInt8 = 0
        var spareBits: UInt32 = 0
        let decoded = [UInt8](capacity: text.count * 3 / 4) { output in
            output.append(repeating: 0, count: groups * 3)
            var bytes = output.mutableSpan
            for index in 0..<groups {
                let four = text.extracting(index * 4..<index * 4 + 4)
                let (first, second) = (values[Int(four[0])], values[Int(four[1])])
                let (third, fourth) = (values[Int(four[2])], values[Int(four[3])])
                seen |= first | second | third | fourth
                let place = index * 3
                precondition(place >= 0 && place <= bytes.count - 3)
                bytes[place] = first << 2 | second >> 4
                bytes[place + 1] = second << 4 | third >> 2
                bytes[place + 2] = third << 6 | fourth
            }
            var pending: UInt32 = 0
            for index in groups * 4..<text.count {
                let value = values[Int(text[index])]
                seen |= value
                pending = pending << 6 | UInt32(value & 0x3F)
            }
            if tail == 3 { output.append(UInt8(truncatingIfNeeded: pending >> 10)) }
            if tail >= 2 {
                output.append(UInt8(truncatingIfNeeded: pending >> (tail == 3 ? 2 : 4)))
            }
            spareBits = pending & (tail == 3 ? 0b11 : tail == 2 ? 0b1111 : 0)
        }
        return seen & Self.foreign == 0 && spareBits == 0 ? decoded : nil
    }
}
