// SPDX-License-Identifier: Apache-2.0

/// Bytes taken eight at a time: what is done to a word is done to all of them at once.
package enum ByteWords {
    /// How many bytes a word has.
    static let count = 8

    /// The eight bytes from a place on, the first one lowest; the compiler makes one load of it.
    @inline(__always)
    static func word(of text: Span<UInt8>, at place: Int) -> UInt64 {
        let bytes = text.extracting(place..<place + count)
        return UInt64(bytes[0]) | UInt64(bytes[1]) << 8 | UInt64(bytes[2]) << 16
            | UInt64(bytes[3]) << 24 | UInt64(bytes[4]) << 32 | UInt64(bytes[5]) << 40
            | UInt64(bytes[6]) << 48 | UInt64(bytes[7]) << 56
    }

    /// Whether two texts are the same.
    package static func areSame(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        var index = 0
        while left.count - index >= count {
            guard word(of: left, at: index) == word(of: right, at: index) else { return false }
            index += count
        }
        while index < left.count {
            guard left[index] == right[index] else { return false }
            index += 1
        }
        return true
    }

    /// A number that two texts rarely have in common, unless somebody wants them to: good for
    /// finding a place in a table whose entries are compared, and for nothing else.
    package static func fingerprint(of text: Span<UInt8>) -> UInt64 {
        // Odd, with bits as random as those of the golden ratio.
        let factor: UInt64 = 0x9E37_79B9_7F4A_7C15
        var value = UInt64(text.count) &* factor
        var index = 0
        while text.count - index >= count {
            value = (value ^ word(of: text, at: index)) &* factor
            value ^= value >> 32
            index += count
        }
        var rest: UInt64 = 0
        while index < text.count {
            rest = rest << 8 | UInt64(text[index])
            index += 1
        }
        value = (value ^ rest) &* factor
        return value ^ value >> 32
    }
}
