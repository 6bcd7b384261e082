// SPDX-License-Identifier: Apache-2.0

/// The two spellings of an ECDSA signature: R and S side by side (RFC 7518 §3.4), and the DER
/// sequence of two integers that libcrypto takes and gives (RFC 3279 §2.2.3).
enum ECDSASignature {
    private static let sequence: UInt8 = 0x30
    private static let integer: UInt8 = 0x02

    /// DER from R and S; nil unless there are exactly two halves of the given size.
    static func der(fromRaw raw: [UInt8], halfBytes: Int) -> [UInt8]? {
        guard raw.count == 2 * halfBytes else { return nil }
        var content: [UInt8] = []
        content.reserveCapacity(raw.count + 6)
        appendInteger(raw[..<halfBytes], to: &content)
        appendInteger(raw[halfBytes...], to: &content)
        var output = [sequence]
        output.reserveCapacity(content.count + 3)
        // Two halves of P-521 are the longest content, 138 bytes: one length byte is enough.
        if content.count > 0x7F { output.append(0x81) }
        output.append(UInt8(content.count))
        output.append(contentsOf: content)
        return output
    }

    /// R and S from DER as libcrypto wrote it; nil when it is something else.
    static func raw(fromDER der: [UInt8], halfBytes: Int) -> [UInt8]? {
        var rest = der[...]
        guard rest.popFirst() == sequence else { return nil }
        if rest.first == 0x81 { rest.removeFirst() }
        guard let length = rest.popFirst(), Int(length) == rest.count,
            let r = readInteger(&rest, halfBytes: halfBytes),
            let s = readInteger(&rest, halfBytes: halfBytes), rest.isEmpty
        else { return nil }
        return r + s
    }

    /// Writes an unsigned number: as few bytes as it needs, and a zero byte in front where the
    /// first bit would otherwise say that it is negative.
    private static func appendInteger(_ bytes: ArraySlice<UInt8>, to output: inout [UInt8]) {
        let digits = bytes.drop { $0 == 0 }
        let needsZero = digits.first.map { $0 >= 0x80 } ?? true
        output.append(integer)
        output.append(UInt8(digits.count + (needsZero ? 1 : 0)))
        if needsZero { output.append(0) }
        output.append(contentsOf: digits)
    }

    private static func readInteger(_ rest: inout ArraySlice<UInt8>, halfBytes: Int) -> [UInt8]? {
        guard rest.popFirst() == integer, let length = rest.popFirst(), Int(length) <= rest.count
        else { return nil }
        let digits = rest.prefix(Int(length)).drop { $0 == 0 }
        rest.removeFirst(Int(length))
        guard digits.count <= halfBytes else { return nil }
        return [UInt8](repeating: 0, count: halfBytes - digits.count) + digits
    }
}
