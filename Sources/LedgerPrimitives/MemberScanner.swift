// SPDX-License-Identifier: Apache-2.0

/// Names of members, to look them up by their bytes.
public struct MemberNameSet: Sendable {
    private let names: [[UInt8]]
    /// A bit for each length that a name has: most of those that are none are told by it.
    private let lengths: UInt64

    /// These names, of at most 63 bytes each.
    public init(_ names: [String]) {
        self.names = names.map { Array($0.utf8) }
        lengths = self.names.reduce(0) { $0 | 1 << UInt64(min($1.count, 63)) }
    }

    /// Which of the names these bytes are.
    func index(of name: Span<UInt8>) -> Int? {
        guard name.count < 64, lengths & 1 << UInt64(name.count) != 0 else { return nil }
        return names.firstIndex { ByteWords.areSame($0.span, name) }
    }
}

/// Goes through the members of an object of canonical JSON without reading their values.
///
/// It is for texts that are known to be canonical: of a value it looks for the end alone.
struct MemberScanner {
    /// A member.
    struct Member {
        /// Where its name stands, without quotation marks.
        let name: Range<Int>
        /// Where its value stands.
        let value: Range<Int>
    }

    private let text: [UInt8]
    /// A text without escapes that need not be looked through.
    private let known: Range<Int>?
    /// Where the scanner stands; behind the object at the end.
    private(set) var index: Int
    private var isFirst = true

    /// - Parameter start: where the object begins.
    init(_ text: [UInt8], from start: Int, knownText known: Range<Int>?) {
        self.text = text
        self.known = known
        index = start
    }

    /// The next member; nil behind the last one, and where the text is not as it should be:
    /// ``end()`` tells which.
    mutating func next() -> Member? {
        let text = text
        let bytes = text.span
        guard index < bytes.count, bytes[index] == UInt8(ascii: isFirst ? "{" : ","),
            index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "\"")
        else { return nil }
        isFirst = false
        let start = index + 2
        let end = PlainText.end(in: bytes, from: start)
        guard end + 1 < bytes.count, bytes[end] == UInt8(ascii: "\""),
            bytes[end + 1] == UInt8(ascii: ":")
        else { return nil }
        let value = end + 2
        guard let valueEnd = endOfValue(in: bytes, from: value) else { return nil }
        index = valueEnd
        return Member(name: start..<end, value: value..<valueEnd)
    }

    /// Goes behind the object; false where it does not end here.
    mutating func end() -> Bool {
        if isFirst {
            guard index < text.count, text[index] == UInt8(ascii: "{") else { return false }
            index += 1
        }
        guard index < text.count, text[index] == UInt8(ascii: "}") else { return false }
        index += 1
        return true
    }

    /// Where a value ends; nil when the text ends before.
    private func endOfValue(in bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        var open = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                guard let end = endOfString(in: bytes, from: index + 1) else { return nil }
                index = end
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                open += 1
                index += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if open == 0 { return index }
                open -= 1
                index += 1
            case UInt8(ascii: ",") where open == 0:
                return index
            default:
                index += 1
            }
        }
        return nil
    }

    /// Behind the quotation mark that ends a string, from behind the one that begins it.
    private func endOfString(in bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        if let known, known.lowerBound == start { index = known.upperBound }
        while true {
            index = PlainText.end(in: bytes, from: index)
            guard index < bytes.count else { return nil }
            switch bytes[index] {
            case UInt8(ascii: "\""): return index + 1
            case UInt8(ascii: "\\"): index += 2
            default: return nil
            }
        }
    }
}
