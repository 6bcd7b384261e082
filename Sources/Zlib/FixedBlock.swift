// SPDX-License-Identifier: Apache-2.0

/// Reads raw deflate streams (RFC 1951) of a single block with the fixed code, which is what short
/// messages with a dictionary become.
///
/// zlib copies the dictionary for each message, which for these takes longer than everything else;
/// here it is read where it lies. Whatever is not certain is left to zlib, so that what it refuses
/// is refused.
@safe struct FixedBlock {
    /// Literals and lengths by nine bits of input, the first of them lowest: the symbol, and in the
    /// lowest four bits how many bits it has.
    private static let symbols: [UInt16] = {
        var table = [UInt16](repeating: 0, count: 512)
        for symbol in 0..<288 {
            let (code, length) =
                switch symbol {
                case 0..<144: (0x30 + symbol, 8)
                case 144..<256: (0x190 + symbol - 144, 9)
                case 256..<280: (symbol - 256, 7)
                default: (0xC0 + symbol - 280, 8)
                }
            let first = reversed(code, length)
            for rest in 0..<(1 << (9 - length)) {
                table[first | rest << length] = UInt16(symbol << 4 | length)
            }
        }
        return table
    }()
    /// Distances by five bits of input: how many more bits follow, and what they are added to.
    private static let distances: [(extra: Int, base: Int)] = (0..<32).map { bits in
        let code = reversed(bits, 5)
        if code < 4 { return (0, code + 1) }
        let extra = code / 2 - 1
        return (extra, (2 + code % 2) << extra + 1)
    }
    /// Lengths by their symbol, from 257 on, in the same way.
    private static let lengths: [(extra: Int, base: Int)] = (0..<29).map { code in
        if code < 8 { return (0, code + 3) }
        if code == 28 { return (0, 258) }
        let extra = code / 4 - 1
        return (extra, (4 + code % 4) << extra + 3)
    }

    private static func reversed(_ code: Int, _ length: Int) -> Int {
        (0..<length).reduce(0) { $0 << 1 | code >> $1 & 1 }
    }

    private let input: UnsafeBufferPointer<UInt8>
    private var next = 0
    private var buffer: UInt64 = 0
    private var bits = 0

    private init(_ input: UnsafeBufferPointer<UInt8>) {
        unsafe self.input = input
    }

    /// Expands a message of exactly `count` bytes that uses up its input to the bit; nil where zlib
    /// has to say.
    static func inflate(
        _ message: ArraySlice<UInt8>, count: Int, dictionary: ArraySlice<UInt8>
    ) -> [UInt8]? {
        var isWhole = false
        let output = unsafe [UInt8](unsafeUninitializedCapacity: count) { output, filled in
            unsafe message.withUnsafeBufferPointer { input in
                unsafe dictionary.withUnsafeBufferPointer { dictionary in
                    var block = unsafe FixedBlock(input)
                    (isWhole, filled) = unsafe block.expand(
                        UnsafeMutableBufferPointer(rebasing: output[..<count]), dictionary)
                }
            }
        }
        return isWhole ? output : nil
    }

    private mutating func refill() {
        while bits <= 56, unsafe next < input.count {
            buffer |= unsafe UInt64(input[next]) << UInt64(bits)
            next += 1
            bits += 8
        }
    }

    /// Takes bits that are there.
    private mutating func take(_ count: Int) -> Int {
        let value = Int(buffer & (1 << UInt64(count) - 1))
        buffer >>= UInt64(count)
        bits -= count
        return value
    }

    private mutating func expand(
        _ output: UnsafeMutableBufferPointer<UInt8>, _ dictionary: UnsafeBufferPointer<UInt8>
    ) -> (isWhole: Bool, filled: Int) {
        let (symbols, lengths, distances) = (Self.symbols, Self.lengths, Self.distances)
        refill()
        // The last block, and one with the fixed code.
        guard bits >= 3, take(3) == 0b011 else { return (false, 0) }
        var filled = 0
        while true {
            refill()
            let entry = Int(symbols[Int(buffer & 511)])
            let symbol = entry >> 4
            guard bits >= entry & 15 else { return (false, filled) }
            _ = take(entry & 15)
            if symbol < 256 {
                guard filled < output.count else { return (false, filled) }
                unsafe output[filled] = UInt8(symbol)
                filled += 1
                continue
            }
            if symbol == 256 { break }
            guard symbol < 257 + lengths.count else { return (false, filled) }
            let length = lengths[symbol - 257]
            guard bits >= length.extra + 5 else { return (false, filled) }
            let count = length.base + take(length.extra)
            let code = take(5)
            let distance = distances[code]
            guard distance.extra <= 13, bits >= distance.extra else { return (false, filled) }
            let back = distance.base + take(distance.extra)
            guard count <= output.count - filled, back <= filled + dictionary.count else {
                return (false, filled)
            }
            unsafe Self.copy(count, back, output, filled, dictionary)
            filled += count
        }
        // Nothing is left but bits of the last byte, and they are zero.
        let isWhole =
            unsafe filled == output.count && next == input.count && bits < 8 && buffer == 0
        return (isWhole, filled)
    }

    /// Copies a match, the beginning of which may lie in the dictionary. It may reach into itself.
    private static func copy(
        _ count: Int, _ back: Int, _ output: UnsafeMutableBufferPointer<UInt8>, _ filled: Int,
        _ dictionary: UnsafeBufferPointer<UInt8>
    ) {
        let fromDictionary = min(count, max(0, back - filled))
        if fromDictionary > 0, let source = dictionary.baseAddress, let target = output.baseAddress
        {
            let start = dictionary.count - (back - filled)
            unsafe target.advanced(by: filled)
                .update(from: source.advanced(by: start), count: fromDictionary)
        }
        for index in fromDictionary..<count {
            unsafe output[filled + index] = output[filled + index - back]
        }
    }
}
