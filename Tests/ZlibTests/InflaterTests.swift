// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import Zlib

@Suite("A short message that is expanded")
struct InflaterTests {
    private static let words = [
        "authledger.session.", "initiated", "token-issued", #""revision":"#, #""time":""#, "\u{1}",
        #"{"data":{"#, "urn:grn:authn:no:bankid", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", "}", "é",
    ]

    private static func text(_ words: Int, _ dice: inout SeededGenerator) -> [UInt8] {
        (0..<words).flatMap { _ in
            Int.random(in: 0..<6, using: &dice) == 0
                ? [UInt8.random(in: 0...255, using: &dice)]
                : Array((self.words.randomElement(using: &dice) ?? "").utf8)
        }
    }

    @Test("is what was compressed, whoever expands it", arguments: Seeds.all)
    func sameText(seed: UInt64) throws {
        var dice = SeededGenerator(seed: seed)
        for round in 0..<300 {
            let windowBits: Int32 = round % 3 == 0 ? 9 : 14
            let dictionary = Self.text(Int.random(in: 0..<400, using: &dice), &dice)
            let deflater = try Deflater(
                dictionary: dictionary,
                parameters: DeflateParameters(
                    windowBits: windowBits, level: Int32(1 + round % 9), memoryLevel: 6))
            let inflater = try Inflater(dictionary: dictionary, windowBits: windowBits)
            let message = Self.text(Int.random(in: 0..<60, using: &dice), &dice)
            let deflated = try deflater.deflate(message)
            #expect(
                try inflater.inflate(deflated[...], count: message.count) == message,
                "\(Seeds.hint(seed))")
            #expect(try inflater.inflateByZlib(deflated[...], count: message.count) == message)
        }
    }

    @Test(
        "is refused when zlib refuses it, and otherwise what zlib makes of it", arguments: Seeds.all
    )
    func damaged(seed: UInt64) throws {
        var dice = SeededGenerator(seed: seed)
        let dictionary = Self.text(300, &dice)
        let deflater = try Deflater(
            dictionary: dictionary,
            parameters: DeflateParameters(windowBits: 14, level: 6, memoryLevel: 6))
        let inflater = try Inflater(dictionary: dictionary, windowBits: 14)
        var taken = 0
        for _ in 0..<4000 {
            let message = Self.text(20, &dice)
            var deflated = try deflater.deflate(message)
            switch Int.random(in: 0..<4, using: &dice) {
            case 0: deflated.removeLast()
            case 1: deflated.append(0)
            default:
                let index = Int.random(in: 0..<deflated.count, using: &dice)
                deflated[index] ^= 1 << UInt8.random(in: 0..<8, using: &dice)
            }
            let count = message.count + Int.random(in: -1...1, using: &dice)
            let fast = FixedBlock.inflate(
                deflated[...], count: count, dictionary: dictionary.suffix(1 << 14))
            let slow = try? inflater.inflateByZlib(deflated[...], count: count)
            if let fast {
                #expect(fast == slow, "\(Seeds.hint(seed))")
                taken += 1
            }
            #expect((try? inflater.inflate(deflated[...], count: count)) == slow)
        }
        // Most that are whole have one block with the fixed code.
        #expect(taken > 0)
    }
}
