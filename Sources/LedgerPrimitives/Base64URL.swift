// SPDX-License-Identifier: Apache-2.0

/// Strict base64url without padding (RFC 4648 §5, RFC 7515 §2).
///
/// A byte string has exactly one spelling here: padding, foreign characters and spare bits that
/// are not zero are refused, so that two different texts never stand for the same token.
public enum Base64URL {
    /// Encodes without padding.
    public static func encode(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        append(bytes.span, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// Adds the encoded form, without padding, to a buffer.
    public static func append(_ bytes: Span<UInt8>, to output: inout [UInt8]) {
        Base64Encoder.url.encode(bytes, into: &output)
    }

    /// Decodes a text, or answers nil when it is not strict base64url.
    public static func decode(_ text: String) -> [UInt8]? {
        decode(Array(text.utf8)[...])
    }

    /// Decodes ASCII bytes, or answers nil when they are not strict base64url.
    public static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        Base64Decoder.url.decode(text)
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
        Base64Encoder.standard.encode(bytes.span, into: &output)
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
        return Base64Decoder.standard.decode(bytes)
    }
}

/// Writes one variant of base64: the 64 characters are three runs, from A, a and 0 on, and two by
/// themselves.
private struct Base64Encoder {
    static let url = Base64Encoder(UInt8(ascii: "-"), UInt8(ascii: "_"))
    static let standard = Base64Encoder(UInt8(ascii: "+"), UInt8(ascii: "/"))

    /// How many bytes two groups of four characters stand for.
    private static let bytesPerWord = 6

    /// How far the first of the two is before the place that would follow the digits.
    private let firstStep: UInt64
    /// How far the second is behind the place that would follow the first.
    private let secondStep: UInt64

    init(_ first: UInt8, _ second: UInt8) {
        firstStep = UInt64(UInt8(ascii: "9") + 1 - first)
        secondStep = UInt64(second - first - 1)
    }

    func encode(_ bytes: Span<UInt8>, into output: inout [UInt8]) {
        let length = Self.length(bytes.count)
        output.append(addingCapacity: length) { output in
            output.append(repeating: 0, count: length)
            var text = output.mutableSpan
            var (read, written) = (0, 0)
            while bytes.count - read >= ByteWords.count {
                let word = characters(for: ByteWords.word(of: bytes, at: read).byteSwapped >> 16)
                // Said once, it need not be asked for each byte.
                precondition(written >= 0 && written <= text.count - ByteWords.count)
                for index in 0..<ByteWords.count {
                    text[written + index] = UInt8(truncatingIfNeeded: word >> UInt64(index * 8))
                }
                read += Self.bytesPerWord
                written += ByteWords.count
            }
            while read < bytes.count {
                let count = min(bytes.count - read, Self.bytesPerWord)
                var bits: UInt64 = 0
                for index in 0..<Self.bytesPerWord {
                    bits = bits << 8 | (index < count ? UInt64(bytes[read + index]) : 0)
                }
                let word = characters(for: bits)
                for index in 0..<Self.length(count) {
                    text[written + index] = UInt8(truncatingIfNeeded: word >> UInt64(index * 8))
                }
                read += count
                written += ByteWords.count
            }
        }
    }

    /// How many characters so many bytes have, without padding.
    private static func length(_ count: Int) -> Int { (count * 4 + 2) / 3 }

    /// The eight characters for 48 bits, the first of them lowest: all at once, as a table would be
    /// asked for one after the other. From where a run begins, the characters stand so much further
    /// up or down than they would if the run before went on.
    @inline(__always)
    private func characters(for bits: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let halves = bits >> 24 | (bits & 0xFF_FFFF) << 32
        let values =
            halves >> 18 & 0x0000_003F_0000_003F | halves >> 4 & 0x0000_3F00_0000_3F00
            | halves << 10 & 0x003F_0000_003F_0000 | halves << 24 & 0x3F00_0000_3F00_0000
        /// One in each byte whose value is at least so much.
        func reaching(_ least: UInt64) -> UInt64 { (values + ones * (0x80 - least)) >> 7 & ones }
        return values + ones * 65 + reaching(26) * 6 - reaching(52) * 75
            - reaching(62) * firstStep + reaching(63) * secondStep
    }
}

/// Reads one variant of base64.
private struct Base64Decoder {
    static let url = Base64Decoder(UInt8(ascii: "-"), UInt8(ascii: "_"))
    static let standard = Base64Decoder(UInt8(ascii: "+"), UInt8(ascii: "/"))
    /// What stands for a character that is none of the 64; no value has this bit.
    private static let foreign: UInt8 = 0x80

    // Not an array: that counts who uses it, and threads that do so at once would be in each
    // other's way.
    private let values: InlineArray<256, UInt8>

    init(_ first: UInt8, _ second: UInt8) {
        let common = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        var values = InlineArray<256, UInt8>(repeating: Self.foreign)
        for (value, character) in (Array(common.utf8) + [first, second]).enumerated() {
            values[Int(character)] = UInt8(value)
        }
        self.values = values
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
                bytes[index * 3] = first << 2 | second >> 4
                bytes[index * 3 + 1] = second << 4 | third >> 2
                bytes[index * 3 + 2] = third << 6 | fourth
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
