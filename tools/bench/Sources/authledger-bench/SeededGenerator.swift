// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives

/// SplitMix64: the same seed gives the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 56) }
    }

    mutating func number(_ range: Range<Int>) -> Int {
        Int.random(in: range, using: &self)
    }

    mutating func base64URL(_ count: Int) -> String {
        Base64URL.encode(bytes(count))
    }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[number(0..<elements.count)]
    }

    /// A UUID of version 7 of a given time.
    mutating func uuid(at milliseconds: Int64) -> String {
        UUIDv7(at: Instant(millisecondsSince1970: milliseconds), random: bytes(10)).description
    }

    /// A UUID as providers make them.
    mutating func randomUUID() -> String {
        var text: [UInt8] = []
        UUIDText.append(bytes(16).span, to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}
