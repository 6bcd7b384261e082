// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import LedgerPrimitives

@Suite("Bytes taken eight at a time")
struct ByteWordsTests {
    @Test("are the same as those with no other byte", arguments: Seeds.all)
    func comparison(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for count in 0..<40 {
            let text = (0..<count).map { _ in UInt8.random(in: 0...0xFF, using: &generator) }
            let copy = text
            let isSame = ByteWords.areSame(text.span, copy.span)
            let fingerprint = ByteWords.fingerprint(of: text.span)
            #expect(isSame)
            let again = ByteWords.fingerprint(of: copy.span)
            #expect(again == fingerprint)
            for index in text.indices {
                var changed = text
                changed[index] ^= 1 << UInt8.random(in: 0...7, using: &generator)
                let isStillSame = ByteWords.areSame(text.span, changed.span)
                #expect(!isStillSame)
                let of = ByteWords.fingerprint(of: changed.span)
                #expect(of != fingerprint, "\(Seeds.hint(seed))")
            }
            let longer = text + [0]
            let isAsLong = ByteWords.areSame(text.span, longer.span)
            #expect(!isAsLong)
        }
    }
}
