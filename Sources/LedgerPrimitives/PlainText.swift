// SPDX-License-Identifier: Apache-2.0

/// Searches in texts, many bytes at a time: the loops over a block have no way out in the middle,
/// so that the compiler can do a block at once.
package enum PlainText {
    private static let blockBytes = 32

    /// Where the first byte from `start` on stands that ends a JSON string or does not stand for
    /// itself in one: a control byte, a quotation mark or a backslash; the end if there is none.
    static func end(in text: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while text.count - index >= blockBytes {
            let block = text.extracting(index..<index + blockBytes)
            var found: UInt8 = 0
            for offset in 0..<blockBytes {
                let byte = block[offset]
                found |= byte < 0x20 ? 1 : 0
                found |= byte == UInt8(ascii: "\"") ? 1 : 0
                found |= byte == UInt8(ascii: "\\") ? 1 : 0
            }
            if found != 0 { break }
            index += blockBytes
        }
        while index < text.count, text[index] >= 0x20, text[index] != UInt8(ascii: "\""),
            text[index] != UInt8(ascii: "\\")
        {
            index += 1
        }
        return index
    }

    /// Where the first control byte from `start` on stands; the end if there is none.
    package static func controlByte(in text: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while text.count - index >= blockBytes {
            let block = text.extracting(index..<index + blockBytes)
            var found: UInt8 = 0
            for offset in 0..<blockBytes {
                found |= block[offset] < 0x20 ? 1 : 0
            }
            if found != 0 { break }
            index += blockBytes
        }
        while index < text.count, text[index] >= 0x20 { index += 1 }
        return index
    }

    /// Where the first such byte from `start` on stands; the end if there is none.
    package static func first(_ byte: UInt8, in text: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while text.count - index >= blockBytes {
            let block = text.extracting(index..<index + blockBytes)
            var found: UInt8 = 0
            for offset in 0..<blockBytes {
                found |= block[offset] == byte ? 1 : 0
            }
            if found != 0 { break }
            index += blockBytes
        }
        while index < text.count, text[index] != byte { index += 1 }
        return index
    }
}
