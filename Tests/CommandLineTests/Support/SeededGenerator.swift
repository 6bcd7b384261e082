// SPDX-License-Identifier: Apache-2.0

import Foundation

/// SplitMix64: the same seed gives the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func number(_ range: Range<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.count))
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 32) }
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[number(0..<elements.count)]
    }

    /// Random bytes as base64url without padding.
    mutating func base64URL(_ count: Int) -> String {
        Self.base64URL(bytes(count))
    }

    mutating func hexadecimal(_ count: Int) -> String {
        bytes(count).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    mutating func digits(_ count: Int) -> String {
        (0..<count).map { _ in String(number(0..<10)) }.joined()
    }

    /// A UUID of version 7 for an instant in milliseconds since 1970.
    mutating func uuid7(_ milliseconds: Int) -> String {
        let time = String(milliseconds, radix: 16)
        let padded = String(repeating: "0", count: 12 - time.count) + time
        let random = hexadecimal(10)
        let variant = pick(["8", "9", "a", "b"])
        return padded.prefix(8) + "-" + padded.dropFirst(8) + "-7" + random.prefix(3) + "-"
            + variant
            + random.dropFirst(3).prefix(3) + "-" + random.dropFirst(6).prefix(12)
    }

    static func base64URL(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
