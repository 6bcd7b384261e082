// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import OpenIDConnect
import TestSupport
import Testing

@Suite("A form")
struct FlowFormEncodingTests {
    private typealias Parameter = FormEncoding.Parameter

    /// A text of random scalars: letters, marks, controls, and what stands for something in a form.
    private static func text(_ dice: inout SeededGenerator) -> String {
        let alphabet = Array("ab19-._~ +%&=;?#/:@\"\\\0\n\r\u{7F}\u{E9}e\u{301}\u{1F9FE}\u{FFFD}")
        return String(
            (0..<Int.random(in: 0...12, using: &dice)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &dice)]
            })
    }

    @Test("comes out as it went in, byte by byte", arguments: Seeds.all)
    func roundTrip(seed: UInt64) throws {
        var dice = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let parameters = (0..<Int.random(in: 1...5, using: &dice)).map { _ in
                Parameter("n" + Self.text(&dice), Self.text(&dice))
            }
            let encoded = FormEncoding.encode(parameters)
            let decoded = try #require(FormEncoding.decode(encoded), "\(Seeds.hint(seed))")
            let isSame =
                decoded.count == parameters.count
                && zip(decoded, parameters).allSatisfy {
                    $0.name.isIdentical(to: $1.name) && $0.value.isIdentical(to: $1.value)
                }
            #expect(isSame, "\(encoded) \(Seeds.hint(seed))")
            #expect(
                encoded.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                        || (0x61...0x7A).contains(byte) || "-._~%&=".utf8.contains(byte)
                })
        }
    }

    @Test("is written with unreserved characters and upper-case escapes")
    func spelling() {
        #expect(FormEncoding.encode("aZ09-._~") == "aZ09-._~")
        #expect(FormEncoding.encode("a b+c/\u{E9}\0") == "a%20b%2Bc%2F%C3%A9%00")
        #expect(
            FormEncoding.encode([Parameter("a", "1"), Parameter("b", ""), Parameter("", "c")])
                == "a=1&b=&=c")
        #expect(FormEncoding.encode([]) == "")
    }

    @Test(
        "is read as browsers write it",
        arguments: [
            ("", []), ("&", []), ("&&a=1&", [("a", "1")]), ("a", [("a", "")]),
            ("a=", [("a", "")]), ("=a", [("", "a")]), ("a=b=c", [("a", "b=c")]),
            ("a+b=c+d", [("a b", "c d")]), ("a=%2b%2B", [("a", "++")]),
            ("a=1&a=2", [("a", "1"), ("a", "2")]), ("a;b=1", [("a;b", "1")]),
            ("a=%00", [("a", "\0")]), ("%61=%c3%A9", [("a", "\u{E9}")]),
        ] as [(String, [(String, String)])])
    func reading(text: String, expected: [(String, String)]) {
        #expect(FormEncoding.decode(text) == expected.map { Parameter($0, $1) })
    }

    @Test(
        "with a broken escape is refused",
        arguments: ["a=%", "a=%4", "%", "a=%G0", "a=%0g", "a=%%41", "a=% 1", "%u0041=1", "a=b%"])
    func brokenEscapes(text: String) {
        #expect(FormEncoding.decode(text) == nil)
    }

    @Test(
        "that is not UTF-8 is refused",
        arguments: [
            "a=%FF", "a=%C0%AF", "a=%ED%A0%80", "a=%F5%80%80%80", "a=%C3", "%C3%28=1", "a=%80",
        ])
    func badUTF8(text: String) {
        #expect(FormEncoding.decode(text) == nil)
    }

    @Test("larger than the limit is refused, and not one byte below it")
    func limit() {
        let most = "a=" + String(repeating: "b", count: FormEncoding.bytesMax - 2)
        #expect(FormEncoding.decode(most)?.count == 1)
        #expect(FormEncoding.decode(most + "b") == nil)
        let many = String(repeating: "a&", count: FormEncoding.bytesMax / 2)
        #expect(FormEncoding.decode(many)?.count == FormEncoding.bytesMax / 2)
    }
}
