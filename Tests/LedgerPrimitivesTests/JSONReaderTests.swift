// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import LedgerPrimitives

@Suite("A strict JSON reader")
struct JSONReaderTests {
    private static let modes: [JSONReader.Numbers] = [.integersOnly, .anyAsText]

    // MARK: - What is taken

    /// Texts and what they are, whichever numbers are asked for.
    private static let accepted: [(text: String, value: JSONValue)] = [
        ("null", .null), ("true", .bool(true)), ("false", .bool(false)),
        (" \t\r\n1 \t\r\n", .integer(1)), ("0", .integer(0)), ("-1", .integer(-1)),
        ("10", .integer(10)), ("9007199254740991", .integer(9_007_199_254_740_991)),
        ("-9007199254740991", .integer(-9_007_199_254_740_991)), ("\"\"", .string("")),
        ("\"a/b\"", .string("a/b")), (#""a\/b""#, .string("a/b")),
        (#""\"\\\b\f\n\r\t""#, .string("\"\\\u{8}\u{C}\n\r\t")),
        (#""\u0000\u001F\u001f""#, .string("\0\u{1F}\u{1F}")),
        (#""\u00e5\u00E5""#, .string("\u{E5}\u{E5}")), (#""\ud83d\ude00""#, .string("\u{1F600}")),
        (#""\uDBFF\uDFFF""#, .string("\u{10FFFF}")), (#""\uFEFF""#, .string("\u{FEFF}")),
        ("\"\u{7F}\u{80}\u{2028}\u{FFFD}\"", .string("\u{7F}\u{80}\u{2028}\u{FFFD}")),
        ("[]", .array([])), ("[ ]", .array([])), ("[[],[]]", .array([.array([]), .array([])])),
        ("[1 , 2]", .array([.integer(1), .integer(2)])), ("{}", .object([:])),
        ("{ }", .object([:])), (#"{"":1}"#, .object(["": .integer(1)])),
        (#"{"a" : {"a":1}, "A":null}"#, .object(["a": .object(["a": .integer(1)]), "A": .null])),
        // Two spellings of one letter are two names.
        (
            "{\"\u{E5}\":1,\"a\u{30A}\":2}",
            .object(["\u{E5}": .integer(1), "a\u{30A}": .integer(2)])
        ),
    ]

    @Test("takes what RFC 8259 allows, in both modes")
    func accepts() {
        for (text, value) in Self.accepted {
            for numbers in Self.modes {
                let read = try? JSONReader.read(Array(text.utf8), numbers: numbers)
                #expect(read == value, "\(text)")
            }
        }
    }

    @Test("takes nesting up to the limit that is given")
    func depth() {
        let deepest = Self.nested(64, "[", "]")
        let cases: [(text: String, depthMax: Int, isTaken: Bool)] = [
            (deepest, 64, true), ("[\(deepest)]", 64, false), ("[[]]", 1, false), ("1", 0, true),
            ("[]", 0, false), ("[1,[],{}]", 2, true), (#"{"a":{"b":[]}}"#, 2, false),
        ]
        for (text, depthMax, isTaken) in cases {
            let value = try? JSONReader.read(
                Array(text.utf8), numbers: .integersOnly, depthMax: depthMax)
            #expect((value != nil) == isTaken, "\(text)")
        }
    }

    // MARK: - What is refused

    private static let refused: [(problem: JSONError.Problem, texts: [String])] = [
        (
            .endOfText,
            [
                "", "  ", "[", "[1", "[1,", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,",
                "\"", "\"a", "\"\\", "\"\\u12", "\"\\n", "nul",
            ]
        ),
        (.byteOrderMark, ["\u{FEFF}{}", "\u{FEFF}"]),
        (
            .duplicateMember,
            [
                #"{"a":1,"a":1}"#, #"{"a":1,"b":2,"a":3}"#, #"{"a":1,"\u0061":2}"#,
                #"{"\n":1,"\u000a":2}"#, #"[{"x":{"a":1,"a":2}}]"#, #"{"😀":1,"\ud83d\ude00":2}"#,
                #"{"/":1,"\/":2}"#, manyMembers(40, repeating: 39), manyMembers(40, repeating: 0),
                manyMembers(17, repeating: 16), manyMembers(16, repeating: 15),
                manyMembers(15, repeating: 14),
            ]
        ),
        (
            .unexpectedByte,
            [
                "[1,]", "{\"a\":1,}", "[,1]", "{,\"a\":1}", "[1 2]", "[1,,2]", "{\"a\" 1}",
                "{\"a\":}", "{\"a\":1 \"b\":2}", "{a:1}", "{'a':1}", "'a'", "// x\n1", "/* x */1",
                "True", "nulL", "tru ", "NaN", "Infinity", "+1", ".5", "]", "}", ":", "{1:2}",
                "[}", "{]", "\0", "[\0]", "\u{B}1", "\u{A0}1", "undefined",
            ]
        ),
        (
            .trailingText,
            [
                "1 2", "{}{}", "[]]", "{}}", "nullx", "1,", "0x10", "\"a\"b", "1 // x", "{}\0",
                "{}\u{FEFF}",
            ]
        ),
        (
            .loneSurrogate,
            [
                #""\ud800""#, #""\udbff""#, #""\udc00""#, #""\udfff""#, #""\ud800\u0041""#,
                #""\ud800x""#, #""\ud800\n""#, #""\ud800\ud800""#, #""\udc00\ud800""#,
                #"{"\ud800":1}"#,
            ]
        ),
        (
            .invalidString,
            [
                #""\x""#, #""\'""#, #""\U0041""#, #""\u12g4""#, #""\u 123""#, #""\a""#, #""\0""#,
                "\"\n\"", "\"\t\"", "\"\u{1F}\"", "\"\0\"", "\"a\\\n\"", "\"\\n\0\"",
                "{\"a\u{1}\":1}", "\"\\\u{E5}\"",
            ]
        ),
        (
            .invalidNumber,
            [
                "-", "-a", "00", "01", "-01", "007", "1.", "1.e5", "-.5", "1e", "1e+", "1E-",
                "1ex", "[1.]", "- 1", "1e+-1",
            ]
        ),
        (
            .tooDeep,
            [
                nested(65, "[", "]"), nested(65, "{\"a\":", "}", around: "1"),
                nested(33, "[{\"a\":", "}]", around: "1"), String(repeating: "[", count: 100_000),
            ]
        ),
    ]

    private static func nested(
        _ depth: Int, _ open: String, _ close: String, around core: String = ""
    ) -> String {
        String(repeating: open, count: depth) + core + String(repeating: close, count: depth)
    }

    /// An object with so many members, and after them one with the name of another.
    private static func manyMembers(_ count: Int, repeating index: Int) -> String {
        let members = (0..<count).map { "\"m\($0)\":\($0)" } + ["\"m\(index)\":0"]
        return "{\(members.joined(separator: ","))}"
    }

    private func expectRefusal(_ text: [UInt8], _ problem: JSONError.Problem) {
        let shown = String(decoding: text.prefix(60), as: UTF8.self)
        for numbers in Self.modes {
            let error = #expect(throws: JSONError.self, "\(shown)") {
                try JSONReader.read(text, numbers: numbers)
            }
            #expect(error?.problem == problem, "\(shown)")
        }
    }

    @Test("refuses everything else and says why")
    func refuses() {
        for (problem, texts) in Self.refused {
            for text in texts {
                expectRefusal(Array(text.utf8), problem)
            }
        }
    }

    @Test("refuses bytes that are not UTF-8, in values and in names")
    func refusesInvalidUTF8() {
        let sequences: [[UInt8]] = [
            [0xFF], [0x80], [0xC0, 0xAF], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80],
            [0xED, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF0, 0x80, 0x80, 0x80], [0xFE, 0xFE],
        ]
        for sequence in sequences {
            expectRefusal(Array("\"".utf8) + sequence + Array("\"".utf8), .invalidUTF8)
            expectRefusal(Array(#""\n"#.utf8) + sequence + Array("\"".utf8), .invalidUTF8)
            expectRefusal(Array("{\"".utf8) + sequence + Array("\":1}".utf8), .invalidUTF8)
        }
        expectRefusal([0xFF], .unexpectedByte)
        expectRefusal([0x31, 0xFF], .trailingText)
    }

    // MARK: - Numbers

    private static let otherNumbers = [
        "-0", "0.0", "-0.0", "1.0", "0.1", "1e2", "1E2", "1e+2", "1e-2", "1.5E-7", "1e400",
        "-1E400", "9007199254740992", "-9007199254740992", "9007199254740993",
        "12345678901234567", "18446744073709551616", "100000000000000000000000000000000",
    ]

    @Test("keeps other people's numbers as their text", arguments: otherNumbers)
    func numbersAsText(text: String) throws {
        #expect(try JSONReader.read(Array(text.utf8), numbers: .anyAsText) == .number(text))
        let nested = try JSONReader.read(Array("{\"a\":[\(text)]}".utf8), numbers: .anyAsText)
        #expect(nested == .object(["a": .array([.number(text)])]))
        #expect(!nested.hasOnlyIntegers)
    }

    @Test("refuses them in our own JSON", arguments: otherNumbers)
    func integersOnly(text: String) {
        #expect(throws: JSONError(problem: .notInteger, offset: 0)) {
            try JSONReader.read(Array(text.utf8), numbers: .integersOnly)
        }
    }

    // MARK: - Errors

    @Test("tells where the problem is")
    func offsets() {
        let cases: [(text: String, offset: Int)] = [
            (#"{"a":1,"a":2}"#, 7), ("[1,]", 3), (#"["\ud800"]"#, 4), ("[1] x", 4), ("[01]", 1),
            ("[1.5]", 1), ("[[[", 3),
        ]
        for (text, offset) in cases {
            let error = #expect(throws: JSONError.self) {
                try JSONReader.read(Array(text.utf8), numbers: .integersOnly)
            }
            #expect(error?.offset == offset, "\(text)")
        }
    }

    @Test("shows nothing of the input in its errors")
    func errorsAreSilent() {
        let secret = "01019912345"
        let texts = [
            "{\"\(secret)\":1,\"\(secret)\":2}", secret, "\"\(secret)\u{1}\"", "[1.\(secret)]",
            "[1]\(secret)", "x\(secret)",
        ]
        for text in texts {
            let error = #expect(throws: JSONError.self) {
                try JSONReader.read(Array(text.utf8), numbers: .integersOnly)
            }
            #expect(error.map { !"\($0)".contains(secret) } == true, "\(text)")
        }
    }
}
