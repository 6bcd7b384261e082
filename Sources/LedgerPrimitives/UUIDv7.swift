// SPDX-License-Identifier: Apache-2.0

/// A UUID of version 7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then random bits.
public struct UUIDv7: Hashable, Comparable, Sendable {
    private let high: UInt64
    private let low: UInt64

    /// Makes an id from a time and ten random bytes, of which 74 bits are used.
    public init(at instant: Instant, random: [UInt8]) {
        precondition(random.count == 10, "a UUIDv7 takes ten random bytes")
        var randomHigh: UInt64 = 0
        for byte in random[0..<2] {
            randomHigh = randomHigh << 8 | UInt64(byte)
        }
        var randomLow: UInt64 = 0
        for byte in random[2..<10] {
            randomLow = randomLow << 8 | UInt64(byte)
        }
        let milliseconds = UInt64(max(0, instant.millisecondsSince1970))
        high = milliseconds << 16 | 0x7000 | randomHigh & 0x0FFF
        low = 0x8000_0000_0000_0000 | randomLow & 0x3FFF_FFFF_FFFF_FFFF
    }

    /// Takes 16 bytes; nil unless their version is 7 and their variant that of RFC 9562.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        let high = bytes[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let low = bytes[8...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        self.init(high: high, low: low)
    }

    /// Reads the one spelling that we write: lower case, with hyphens, 36 characters.
    public init?(_ text: String) {
        self.init(text: Array(text.utf8)[...])
    }

    /// Reads the 36 ASCII bytes of the text form.
    public init?(text: ArraySlice<UInt8>) {
        guard let words = UUIDText.words(text) else { return nil }
        self.init(high: words.high, low: words.low)
    }

    private init?(high: UInt64, low: UInt64) {
        guard high >> 12 & 0xF == 7, low >> 62 == 2 else { return nil }
        self.high = high
        self.low = low
    }

    /// The 16 bytes, most significant first, so that they sort by time.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        for word in [high, low] {
            for shift in stride(from: UInt64(56), through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        return bytes
    }

    /// The instant in the first 48 bits.
    public var instant: Instant {
        Instant(millisecondsSince1970: Int64(high >> 16))
    }

    /// The order of the bytes, and so of time.
    public static func < (left: UUIDv7, right: UUIDv7) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

extension UUIDv7: CustomStringConvertible {
    /// The text form, lower case.
    public var description: String { UUIDText.encode(bytes.span) }
}

/// The text form of any UUID (RFC 9562 §4), lower case only.
public enum UUIDText {
    /// How many characters the form has.
    public static let length = 36

    /// The 16 bytes of a lower-case UUID with its four hyphens, whatever its version.
    public static func decode(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count == length else { return nil }
        let text = text.span
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        var index = 0
        for place in 0..<16 {
            if hasHyphen(before: place) {
                guard text[index] == UInt8(ascii: "-") else { return nil }
                index += 1
            }
            guard let high = Hexadecimal.value(of: text[index]),
                let low = Hexadecimal.value(of: text[index + 1])
            else { return nil }
            bytes.append(high << 4 | low)
            index += 2
        }
        return bytes
    }

    /// The same bytes as two big-endian numbers.
    static func words(_ text: ArraySlice<UInt8>) -> (high: UInt64, low: UInt64)? {
        guard text.count == length else { return nil }
        let text = text.span
        var (high, low) = (UInt64(0), UInt64(0))
        for index in text.indices {
            if index == 8 || index == 13 || index == 18 || index == 23 {
                guard text[index] == UInt8(ascii: "-") else { return nil }
            } else {
                guard let value = Hexadecimal.value(of: text[index]) else { return nil }
                if index < 18 {
                    high = high << 4 | UInt64(value)
                } else {
                    low = low << 4 | UInt64(value)
                }
            }
        }
        return (high, low)
    }

    /// The text form of 16 bytes.
    public static func encode(_ bytes: Span<UInt8>) -> String {
        var output: [UInt8] = []
        append(bytes, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    /// Writes the text form of 16 bytes.
    public static func append(_ bytes: Span<UInt8>, to output: inout [UInt8]) {
        output.append(addingCapacity: length) { output in
            for index in bytes.indices {
                if hasHyphen(before: index) {
                    output.append(UInt8(ascii: "-"))
                }
                output.append(Hexadecimal.digit(bytes[index] >> 4))
                output.append(Hexadecimal.digit(bytes[index] & 0xF))
            }
        }
    }

    private static func hasHyphen(before place: Int) -> Bool {
        place == 4 || place == 6 || place == 8 || place == 10
    }
}

/// Lower-case hexadecimal: the only spelling we read or write.
public enum Hexadecimal {
    /// The bytes of an even number of lower-case digits.
    public static func decode(_ digits: ArraySlice<UInt8>) -> [UInt8]? {
        // Most texts that are asked about are no digits; they cost no memory.
        guard digits.count % 2 == 0, digits.allSatisfy({ value(of: $0) != nil }) else {
            return nil
        }
        var output: [UInt8] = []
        output.reserveCapacity(digits.count / 2)
        var index = digits.startIndex
        while index < digits.endIndex {
            guard let high = value(of: digits[index]), let low = value(of: digits[index + 1]) else {
                return nil
            }
            output.append(high << 4 | low)
            index += 2
        }
        return output
    }

    /// The value of one lower-case digit.
    public static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    /// Writes a byte as two digits.
    public static func append(_ byte: UInt8, to output: inout [UInt8]) {
        output.append(digit(byte >> 4))
        output.append(digit(byte & 0xF))
    }

    /// Writes bytes as two digits each.
    public static func append(_ bytes: Span<UInt8>, to output: inout [UInt8]) {
        output.append(addingCapacity: bytes.count * 2) { output in
            for index in bytes.indices {
                output.append(digit(bytes[index] >> 4))
                output.append(digit(bytes[index] & 0xF))
            }
        }
    }

    fileprivate static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// Writes bytes as a text.
    public static func encode(_ bytes: [UInt8]) -> String {
        var output: [UInt8] = []
        for byte in bytes {
            append(byte, to: &output)
        }
        return String(decoding: output, as: UTF8.self)
    }
}
