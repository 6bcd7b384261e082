// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import TestSupport
import Testing

@Suite("A canonical JSON writer")
struct CanonicalJSONTests {
    private func canonical(_ value: JSONValue) -> String {
        String(decoding: CanonicalJSON.encode(value), as: UTF8.self)
    }

    private func rewritten(_ text: String) throws -> String {
        canonical(try JSONReader.read(Array(text.utf8), numbers: .anyAsText))
    }

    @Test("writes each kind of value in its one form")
    func kinds() {
        let cases: [(value: JSONValue, text: String)] = [
            (.null, "null"), (.bool(true), "true"), (.bool(false), "false"), (.integer(0), "0"),
            (.integer(-7), "-7"), (.integer(9_007_199_254_740_991), "9007199254740991"),
            (.integer(-9_007_199_254_740_991), "-9007199254740991"), (.string(""), "\"\""),
            (.array([]), "[]"), (.object([:]), "{}"),
            (.array([.null, .array([.integer(1)]), .object([:])]), "[null,[1],{}]"),
            (
                .object(["b": .integer(1), "a": .object(["d": .null, "c": .null])]),
                #"{"a":{"c":null,"d":null},"b":1}"#
            ),
        ]
        for (value, text) in cases {
            #expect(canonical(value) == text)
        }
    }

    @Test("sorts members by UTF-16 code units (RFC 8785 §3.2.3)")
    func sorting() throws {
        let input = #"""
            {"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",
            "1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control",
            "\u00f6":"Latin Small Letter O With Diaeresis"}
            """#
        let value = try JSONReader.read(Array(input.utf8), numbers: .integersOnly)
        let output = try JSONReader.read(CanonicalJSON.encode(value), numbers: .integersOnly)
        let order = try #require(output.objectValue?.members.map { $0.value.stringValue })
        #expect(
            order == [
                "Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis",
                "Euro Sign", "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh",
            ])
    }

    @Test("sorts a name before a longer one that begins with it, and capitals before small letters")
    func sortingASCII() throws {
        #expect(
            try rewritten(#"{"ab":1,"b":2,"a":3,"B":4,"":5,"a ":6}"#)
                == #"{"":5,"B":4,"a":3,"a ":6,"ab":1,"b":2}"#)
    }

    @Test("keeps names apart that only look alike")
    func lookAlikes() throws {
        let names = "{\"\u{E5}\":1,\"a\u{30A}\":2}"
        #expect(Array(try rewritten(names).utf8) == Array("{\"a\u{30A}\":2,\"\u{E5}\":1}".utf8))
    }

    @Test("escapes what must be escaped, in the shortest form (RFC 8785 §3.2.2.2)")
    func escapes() throws {
        #expect(
            try rewritten(#""\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/""#)
                == #""€$\u000f\nA'B\"\\\\\"/""#)
        let short: [UInt8: String] = [8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"]
        for byte in UInt8(0)..<0x20 {
            let digits = String(byte, radix: 16)
            let long = "\\u00" + (digits.count == 1 ? "0" : "") + digits
            let text = String(Unicode.Scalar(byte))
            #expect(canonical(.string(text)) == "\"\(short[byte] ?? long)\"")
        }
        let plain = "\u{7F}\u{80}/'<>&\u{2028}\u{2029}\u{FEFF}\u{1F600}"
        #expect(canonical(.string(plain)) == "\"\(plain)\"")
    }

    @Test("leaves other people's numbers as they came")
    func numbers() throws {
        let text = "[-0,1.0,1e400,9007199254740992,0.10]"
        #expect(try rewritten(text) == text)
    }

    @Test("gives what the reader reads back, for random values", arguments: Seeds.all)
    func roundTrip(seed: UInt64) throws {
        for index in 0..<400 {
            var random = RandomJSON(seed: seed &+ UInt64(index) &* 1_000_003)
            let isOurs = index % 2 == 0
            let value = random.value(wholeNumbersOnly: isOurs)
            let bytes = CanonicalJSON.encode(value)
            let read = try JSONReader.read(bytes, numbers: isOurs ? .integersOnly : .anyAsText)
            #expect(read == value, "\(Seeds.hint(seed)), value \(index)")
            #expect(CanonicalJSON.encode(read) == bytes, "\(Seeds.hint(seed)), value \(index)")
        }
    }

    @Test("gives the same bytes for every spelling of a value", arguments: Seeds.all)
    func oneForm(seed: UInt64) throws {
        for index in 0..<400 {
            var random = RandomJSON(seed: seed &+ UInt64(index) &* 7_000_003)
            let value = random.value()
            let spelling = random.spelling(value)
            let read = try JSONReader.read(Array(spelling.utf8), numbers: .integersOnly)
            #expect(
                CanonicalJSON.encode(read) == CanonicalJSON.encode(value),
                "\(Seeds.hint(seed)), value \(index)")
        }
    }
}
