// SPDX-License-Identifier: Apache-2.0

/// Numbers in groups of seven bits, the lowest first; the top bit says that more follow.
enum Varint {
    static func append(_ value: UInt64, to buffer: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            buffer.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        buffer.append(UInt8(rest))
    }

    /// Nil when the number is cut off, has more than 63 bits, or more bytes than it needs.
    static func read(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var index = 0
        let value = read(bytes.span, at: &index)
        bytes = bytes.dropFirst(index)
        return value
    }

    /// As ``read(_:)``, from an index on, which is moved behind the number.
    static func read(_ bytes: Span<UInt8>, at index: inout Int) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while index < bytes.count, shift < 63 {
            let byte = bytes[index]
            index += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return byte == 0 && shift > 0 ? nil : value }
            shift += 7
        }
        return nil
    }
}
