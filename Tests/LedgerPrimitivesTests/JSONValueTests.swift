// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import Testing

@Suite("A JSON value")
struct JSONValueTests {
    @Test("is compared byte by byte, not by what it looks like")
    func bytes() {
        let (composed, decomposed) = ("\u{E5}", "a\u{30A}")
        #expect(composed == decomposed)
        #expect(JSONValue.string(composed) != .string(decomposed))
        #expect(JSONObject.Member(composed, .null) != JSONObject.Member(decomposed, .null))
        #expect(!composed.isIdentical(to: decomposed))
        #expect(JSONValue.string("K") != .string("\u{212A}"))
    }

    @Test("is equal to an object with the same members in another order")
    func order() {
        let object: JSONObject = ["a": .integer(1), "b": .integer(2)]
        #expect(object == ["b": .integer(2), "a": .integer(1)])
        #expect(object != ["a": .integer(1), "b": .integer(3)])
        #expect(object != ["a": .integer(1)])
        #expect(object != ["a": .integer(1), "c": .integer(2)])
        #expect(JSONValue.array([.null, .bool(true)]) != .array([.bool(true), .null]))
    }

    @Test("is never equal to one of another kind")
    func kinds() {
        let values: [JSONValue] = [
            .null, .bool(false), .integer(0), .number("0"), .string("0"), .array([]), .object([:]),
        ]
        for (index, left) in values.enumerated() {
            for (other, right) in values.enumerated() {
                #expect((left == right) == (index == other))
            }
        }
    }

    @Test("gives its content to those who ask for the right kind")
    func content() {
        #expect(JSONValue.string("a").stringValue == "a")
        #expect(JSONValue.integer(3).integerValue == 3)
        #expect(JSONValue.bool(true).boolValue == true)
        #expect(JSONValue.array([.null]).arrayValue == [.null])
        #expect(JSONValue.object(["a": .null]).objectValue == ["a": .null])
        #expect(JSONValue.number("1.0").integerValue == nil)
        #expect(JSONValue.string("1").integerValue == nil)
        #expect(JSONValue.integer(1).boolValue == nil)
    }

    @Test("sets, replaces and removes members of an object by the bytes of their names")
    func members() {
        var object: JSONObject = ["\u{E5}": .integer(1)]
        object["a\u{30A}"] = .integer(2)
        #expect(object.members.count == 2)
        object["\u{E5}"] = .integer(3)
        #expect(object["\u{E5}"] == .integer(3))
        #expect(object["a\u{30A}"] == .integer(2))
        object["\u{E5}"] = nil
        object["absent"] = nil
        #expect(object.members.map(\.value) == [.integer(2)])
        #expect(!object.isEmpty)
    }
}
