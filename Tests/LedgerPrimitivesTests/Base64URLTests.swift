// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import TestSupport
import Testing

@Suite("Base64 text")
struct Base64URLTests {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    @Test("is that of RFC 4648")
    func vectors() {
        let vectors = [
            ("", "", ""), ("f", "Zg", "Zg=="), ("fo", "Zm8", "Zm8="), ("foo", "Zm9v", "Zm9v"),
            ("foob", "Zm9vYg", "Zm9vYg=="), ("fooba", "Zm9vYmE", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy", "Zm9vYmFy"),
        ]
        for (plain, url, standard) in vectors {
            #expect(Base64URL.encode(Array(plain.utf8)) == url)
            #expect(Base64URL.decode(url) == Array(plain.utf8))
            #expect(Base64.encode(Array(plain.utf8)) == standard)
            #expect(Base64.decode(standard) == Array(plain.utf8))
        }
        #expect(Base64URL.encode([0xFB, 0xFF, 0xFE]) == "-__-")
        #expect(Base64.encode([0xFB, 0xFF, 0xFE]) == "+//+")
    }

    @Test("comes back for every length", arguments: Seeds.all)
    func roundTrip(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for count in 0...200 {
            let bytes = generator.bytes(count)
            let url = Base64URL.encode(bytes)
            #expect(Base64URL.decode(url) == bytes, "\(Seeds.hint(seed))")
            #expect(url.utf8.count == (count * 8 + 5) / 6)
            let standard = Base64.encode(bytes)
            #expect(Base64.decode(standard) == bytes, "\(Seeds.hint(seed))")
            #expect(standard.utf8.count == (count + 2) / 3 * 4)
        }
    }

    @Test("is added to what a buffer holds, and read from the middle of one")
    func slices() {
        var output = Array("x=".utf8)
        let bytes: [UInt8] = [0, 1, 2, 3]
        Base64URL.append(bytes.span.extracting(1...2), to: &output)
        #expect(output == Array("x=AQI".utf8))
        #expect(Base64URL.decode(output[2...]) == [1, 2])
    }

    /// Of all the texts that differ in their last character, only those without spare bits count.
    @Test("has one spelling for each byte string: spare bits are refused")
    func spareBits() {
        for count in 1...20 where count % 3 != 0 {
            let text = Array(Base64URL.encode([UInt8](repeating: 0xA5, count: count)).utf8)
            let taken = Self.alphabet.filter { last in
                Base64URL.decode((text.dropLast() + [last])[...]) != nil
            }
            #expect(taken.count == (count % 3 == 1 ? 4 : 16))
            for last in taken {
                let spelling = text.dropLast() + [last]
                let decoded = Base64URL.decode(spelling[...]) ?? []
                #expect(Array(Base64URL.encode(decoded).utf8) == Array(spelling))
            }
        }
    }

    @Test("refuses lengths that no byte string has")
    func lengths() {
        for count in 0...40 {
            let decoded = Base64URL.decode(String(repeating: "A", count: count))
            #expect((decoded == nil) == (count % 4 == 1), "\(count)")
        }
    }

    @Test("refuses padding and every foreign byte")
    func foreignBytes() {
        for text in [
            "Zg==", "Zm8=", "=", "====", "Zm9v=", "Zm9v====", "Zm 9v", "Zm9v\n", " Zm9v", "\0AAA",
        ] {
            #expect(Base64URL.decode(text) == nil, "\(text)")
        }
        for byte in UInt8.min...UInt8.max where !Self.alphabet.contains(byte) {
            for place in 0..<4 {
                var text = Array("AAAA".utf8)
                text[place] = byte
                #expect(Base64URL.decode(text[...]) == nil, "byte \(byte) at \(place)")
            }
        }
    }

    @Test("with padding takes exactly the padding that belongs there")
    func padding() {
        let refused = [
            "Zg", "Zg=", "Zg===", "Zm8", "Zm8==", "Zm9v====", "====", "=", "A===", "Zg==Zg==",
            "Z=g=", "AA=A", "Zh==", "Zm9=", "-__-", "Zg==\n", "Zm9v\n",
        ]
        for text in refused {
            #expect(Base64.decode(text) == nil, "\(text)")
        }
    }
}
