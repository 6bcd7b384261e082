// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import LedgerPrimitives

@Suite("A search in a text")
struct PlainTextTests {
    /// Bytes next to those that are looked for, among others, so that a borrow would show.
    private static let bytes: [UInt8] = [
        0x00, 0x01, 0x1F, 0x20, 0x21, 0x22, 0x23, 0x2D, 0x2E, 0x2F, 0x5B, 0x5C, 0x5D, 0x7F, 0x80,
        0x81, 0x9F, 0xA0, 0xA2, 0xDC, 0xFF,
    ]

    @Test("finds what one finds byte by byte, at every place", arguments: Seeds.all)
    func same(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let text = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
                Bool.random(using: &random)
                    ? Self.bytes.randomElement(using: &random) ?? 0
                    : UInt8.random(in: 0x61...0x7A, using: &random)
            }
            let start = Int.random(in: 0...text.count, using: &random)
            func first(_ isMeant: (UInt8) -> Bool) -> Int {
                text[start...].firstIndex(where: isMeant) ?? text.count
            }
            let span = text.span
            #expect(
                PlainText.end(in: span, from: start)
                    == first { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }, "seed \(seed): \(text)")
            #expect(
                PlainText.controlByte(in: span, from: start) == first { $0 < 0x20 },
                "seed \(seed): \(text)")
            #expect(
                PlainText.first(0x2E, in: span, from: start) == first { $0 == 0x2E },
                "seed \(seed): \(text)")
        }
    }
}
