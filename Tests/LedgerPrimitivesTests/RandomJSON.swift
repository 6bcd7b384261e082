// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import TestSupport

/// Random JSON values, and random ways to write one down.
struct RandomJSON {
    private var generator: SeededGenerator

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    /// Any value, at most so deep.
    mutating func value(depth: Int = 4, wholeNumbersOnly: Bool = true) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &generator) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &generator))
        case 2, 3: return wholeNumbersOnly ? integer() : number()
        case 4, 5: return .string(text())
        case 6:
            let count = Int.random(in: 0...5, using: &generator)
            return .array(
                (0..<count).map { _ in value(depth: depth - 1, wholeNumbersOnly: wholeNumbersOnly) }
            )
        default: return .object(object(depth: depth - 1, wholeNumbersOnly: wholeNumbersOnly))
        }
    }

    /// An object; now and then one with many members.
    mutating func object(depth: Int = 4, wholeNumbersOnly: Bool = true) -> JSONObject {
        let isLarge = Int.random(in: 0..<20, using: &generator) == 0
        var object = JSONObject()
        for _ in 0..<Int.random(in: 0...(isLarge ? 40 : 6), using: &generator) {
            object[text()] = value(depth: depth, wholeNumbersOnly: wholeNumbersOnly)
        }
        return object
    }

    /// A text with characters of every kind that JSON treats in its own way.
    mutating func text() -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0...8, using: &generator) {
            text.unicodeScalars.append(scalar())
        }
        return text
    }

    private mutating func scalar() -> Unicode.Scalar {
        let ranges: [ClosedRange<UInt32>] = [
            0x00...0x1F, 0x20...0x7F, 0x22...0x22, 0x5C...0x5C, 0x2F...0x2F, 0x80...0x7FF,
            0x300...0x36F, 0x2028...0x2029, 0x800...0xD7FF, 0xE000...0xFFFF, 0x10000...0x10FFFF,
        ]
        let range = ranges.randomElement(using: &generator) ?? 0x20...0x7F
        return Unicode.Scalar(UInt32.random(in: range, using: &generator)) ?? " "
    }

    private mutating func integer() -> JSONValue {
        let limit = Int64(1) << Int64.random(in: 1...53, using: &generator)
        return .integer(Int64.random(in: (1 - limit)...(limit - 1), using: &generator))
    }

    private mutating func number() -> JSONValue {
        let texts = ["-0", "1.5", "1e400", "-2E-7", "9007199254740992", "0.10"]
        return Bool.random(using: &generator)
            ? integer() : .number(texts.randomElement(using: &generator) ?? "1.5")
    }

    // MARK: - Spelling

    /// A text of the value with members in any order, spaces and escapes anywhere they may stand.
    mutating func spelling(_ value: JSONValue) -> String {
        switch value {
        case .array(let elements):
            let parts = elements.map { space() + spelling($0) + space() }
            return "[" + (parts.isEmpty ? space() : parts.joined(separator: ",")) + "]"
        case .object(let object):
            let parts = object.members.shuffled(using: &generator).map { member in
                space() + spelling(of: member.name) + space() + ":" + space()
                    + spelling(member.value) + space()
            }
            return "{" + (parts.isEmpty ? space() : parts.joined(separator: ",")) + "}"
        case .string(let text): return spelling(of: text)
        default: return String(decoding: CanonicalJSON.encode(value), as: UTF8.self)
        }
    }

    private mutating func space() -> String {
        guard Int.random(in: 0..<4, using: &generator) == 0 else { return "" }
        return [" ", "\n", "\t", "\r", "  "].randomElement(using: &generator) ?? " "
    }

    private mutating func spelling(of text: String) -> String {
        var output = "\""
        for scalar in text.unicodeScalars {
            let mustEscape = scalar.value < 0x20 || scalar == "\"" || scalar == "\\"
            if mustEscape || Int.random(in: 0..<4, using: &generator) == 0 {
                output += escape(scalar)
            } else {
                output.unicodeScalars.append(scalar)
            }
        }
        return output + "\""
    }

    private mutating func escape(_ scalar: Unicode.Scalar) -> String {
        let short: [Unicode.Scalar: String] = [
            "\"": "\\\"", "\\": "\\\\", "/": "\\/", "\u{8}": "\\b", "\u{C}": "\\f", "\n": "\\n",
            "\r": "\\r", "\t": "\\t",
        ]
        if let short = short[scalar], Bool.random(using: &generator) { return short }
        return String(scalar).utf16.map { unit in
            let digits = String(unit, radix: 16, uppercase: Bool.random(using: &generator))
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }.joined()
    }
}
