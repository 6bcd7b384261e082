// SPDX-License-Identifier: Apache-2.0

/// Searches in texts, eight bytes at a time.
///
/// A word holds eight bytes, the first one lowest. Arithmetic on all of them at once marks the
/// bytes that are looked for by their top bits. A borrow can mark a byte wrongly, but only above
/// one that is marked rightly, and only the lowest mark counts.
package enum PlainText {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let topBits: UInt64 = 0x8080_8080_8080_8080

    /// Where the first byte from `start` on stands that ends a JSON string or does not stand for
    /// itself in one: a control byte, a quotation mark or a backslash; the end if there is none.
    package static func end(in text: Span<UInt8>, from start: Int) -> Int {
        search(text, from: start) { word in
            controlBytes(in: word) | bytes(UInt8(ascii: "\""), in: word)
                | bytes(UInt8(ascii: "\\"), in: word)
        }
    }

    /// Where the first control byte from `start` on stands; the end if there is none.
    package static func controlByte(in text: Span<UInt8>, from start: Int) -> Int {
        search(text, from: start, controlBytes)
    }

    /// Where the first such byte from `start` on stands; the end if there is none.
    package static func first(_ byte: UInt8, in text: Span<UInt8>, from start: Int) -> Int {
        search(text, from: start) { bytes(byte, in: $0) }
    }

    /// - Parameter marks: marks the bytes of a word that are looked for.
    @inline(__always)
    private static func search(
        _ text: Span<UInt8>, from start: Int, _ marks: (UInt64) -> UInt64
    ) -> Int {
        var index = start
        while text.count - index >= ByteWords.count {
            let found = marks(ByteWords.word(of: text, at: index)) & topBits
            if found != 0 { return index + found.trailingZeroBitCount / ByteWords.count }
            index += ByteWords.count
        }
        while index < text.count, marks(UInt64(text[index])) & 0x80 == 0 { index += 1 }
        return index
    }

    @inline(__always)
    private static func controlBytes(in word: UInt64) -> UInt64 {
        (word &- ones &* 0x20) & ~word
    }

    @inline(__always)
    private static func bytes(_ byte: UInt8, in word: UInt64) -> UInt64 {
        let difference = word ^ (ones &* UInt64(byte))
        return (difference &- ones) & ~difference
    }
}
