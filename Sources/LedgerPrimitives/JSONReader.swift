// SPDX-License-Identifier: Apache-2.0

/// Why a text is not JSON as we take it, and where.
public struct JSONError: Error, Equatable, CustomStringConvertible {
    /// What is wrong. The raw value is a fixed text without any of the input in it.
    public enum Problem: String, Sendable {
        case byteOrderMark = "a byte order mark stands in front"
        case duplicateMember = "a member name stands twice in one object"
        case endOfText = "the text ends too early"
        case loneSurrogate = "an escape names half a surrogate pair"
        case notInteger = "a number is not a whole one between -(2^53 - 1) and 2^53 - 1"
        case tooDeep = "arrays and objects are nested too deeply"
        case trailingText = "something follows the value"
        case unexpectedByte = "this byte cannot stand here"
        case invalidNumber = "this is not a JSON number"
        case invalidString = "a string has a control character or an unknown escape"
        case invalidUTF8 = "the text is not UTF-8"
    }

    /// What is wrong.
    public let problem: Problem
    /// Where: bytes from the start of the text.
    public let offset: Int

    /// The problem in words.
    public var description: String { "\(problem.rawValue) (at byte \(offset))" }
}

/// A strict reader for JSON (RFC 8259), working on bytes.
///
/// Refused, where lenient readers differ from each other and thereby can be played against each
/// other: duplicate members (compared after unescaping), trailing commas, comments, a byte order
/// mark, lone surrogates, invalid UTF-8, and nesting beyond a limit.
public struct JSONReader {
    /// Which numbers are taken.
    public enum Numbers: Sendable {
        /// Whole numbers up to 2^53 - 1 in their one canonical spelling: our own leaves.
        case integersOnly
        /// Any number; what is no such integer is kept as its text: other people's JSON.
        case anyAsText
    }

    /// How deep arrays and objects may be nested, unless a caller says otherwise.
    public static let depthMax = 64

    private let bytes: [UInt8]
    private let numbers: Numbers
    private let depthMax: Int
    private var index = 0
    /// Members of the outermost object whose values are not read.
    private var passedOver: [String] = []

    /// Reads one value that fills the whole text.
    public static func read(
        _ bytes: [UInt8], numbers: Numbers, depthMax: Int = JSONReader.depthMax
    ) throws(JSONError) -> JSONValue {
        var reader = JSONReader(bytes: bytes, numbers: numbers, depthMax: depthMax)
        if bytes.first == 0xEF, bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw reader.error(.byteOrderMark)
        }
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        guard reader.index == bytes.count else { throw reader.error(.trailingText) }
        return value
    }

    /// Reads an object of canonical JSON that begins in the middle of a text.
    ///
    /// - Parameter passingOver: members of it whose values are not read; an empty text, array or
    ///   object stands in the place of each.
    /// - Returns: the object, and where the text goes on.
    static func readCanonicalObject(
        _ bytes: [UInt8], from start: Int, passingOver: [String]
    ) throws(JSONError) -> (object: JSONObject, end: Int) {
        var reader = JSONReader(bytes: bytes, numbers: .integersOnly, depthMax: depthMax)
        reader.index = start
        reader.passedOver = passingOver
        guard reader.peek == UInt8(ascii: "{") else { throw reader.unexpected }
        let object = try reader.object(depth: 2)
        return (object, reader.index)
    }

    private init(bytes: [UInt8], numbers: Numbers, depthMax: Int) {
        self.bytes = bytes
        self.numbers = numbers
        self.depthMax = depthMax
    }

    private func error(_ problem: JSONError.Problem, at offset: Int? = nil) -> JSONError {
        JSONError(problem: problem, offset: offset ?? index)
    }

    // MARK: - Values

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        skipSpace()
        guard index < bytes.count else { throw error(.endOfText) }
        switch bytes[index] {
        case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: throw error(.unexpectedByte)
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONObject {
        guard depth <= depthMax else { throw error(.tooDeep) }
        var members: [JSONObject.Member] = []
        var seen = MemberNames()
        index += 1
        skipSpace()
        if skip(UInt8(ascii: "}")) { return JSONObject() }
        // What is outermost has many as a rule: tokens, events and their payloads.
        members.reserveCapacity(depth <= 2 ? 12 : 4)
        while true {
            skipSpace()
            let start = index
            guard peek == UInt8(ascii: "\"") else { throw unexpected }
            let name = try string()
            guard seen.insert(name, after: members) else {
                throw error(.duplicateMember, at: start)
            }
            skipSpace()
            guard skip(UInt8(ascii: ":")) else { throw unexpected }
            let isPassedOver =
                depth == 2 && passedOver.contains { $0.isIdentical(to: name) }
            members.append(
                JSONObject.Member(
                    name, isPassedOver ? try placeholder() : try value(depth: depth)))
            skipSpace()
            if skip(UInt8(ascii: ",")) { continue }
            guard skip(UInt8(ascii: "}")) else { throw unexpected }
            return JSONObject(uncheckedMembers: members)
        }
    }

    /// Goes behind a value without reading it. Only quotation marks and brackets are looked at.
    private mutating func placeholder() throws(JSONError) -> JSONValue {
        skipSpace()
        let first = peek
        var open = 0
        repeat {
            guard let byte = peek else { throw error(.endOfText) }
            switch byte {
            case UInt8(ascii: "\""): try skipString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                open += 1
                index += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                open -= 1
                index += 1
            default:
                guard open > 0 else { return try value(depth: depthMax) }
                index += 1
            }
        } while open > 0
        switch first {
        case UInt8(ascii: "{"): return .object(JSONObject())
        case UInt8(ascii: "["): return .array([])
        default: return .string("")
        }
    }

    private mutating func skipString() throws(JSONError) {
        index += 1
        while true {
            index = endOfPlainText(from: index)
            guard index < bytes.count else { throw error(.endOfText) }
            guard bytes[index] == UInt8(ascii: "\\") else { break }
            index += 2
        }
        guard bytes[index] == UInt8(ascii: "\"") else { throw error(.invalidString) }
        index += 1
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
        guard depth <= depthMax else { throw error(.tooDeep) }
        var elements: [JSONValue] = []
        index += 1
        skipSpace()
        if skip(UInt8(ascii: "]")) { return [] }
        while true {
            elements.append(try value(depth: depth))
            skipSpace()
            if skip(UInt8(ascii: ",")) { continue }
            guard skip(UInt8(ascii: "]")) else { throw unexpected }
            return elements
        }
    }

    private mutating func literal(
        _ text: StaticString, _ value: JSONValue
    ) throws(JSONError) -> JSONValue {
        for character in text.description.utf8 {
            guard skip(character) else { throw unexpected }
        }
        return value
    }

    // MARK: - Strings

    /// Reads a string; the reader stands on its opening quotation mark.
    private mutating func string() throws(JSONError) -> String {
        let start = index + 1
        index = endOfPlainText(from: start)
        guard index < bytes.count else { throw error(.endOfText) }
        switch bytes[index] {
        case UInt8(ascii: "\""):
            index += 1
            return try decoded(bytes.span.extracting(start..<index - 1))
        case UInt8(ascii: "\\"):
            return try escapedString(from: start)
        default:
            throw error(.invalidString)
        }
    }

    /// Where the first byte from `start` on stands that is not a character by itself.
    private func endOfPlainText(from start: Int) -> Int {
        PlainText.end(in: bytes.span, from: start)
    }

    /// The slower way, from the first escape on.
    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var text = Array(bytes[start..<index])
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return try decoded(text.span)
            case UInt8(ascii: "\\"):
                index += 1
                try unescape(into: &text)
            case 0..<0x20:
                throw error(.invalidString)
            default:
                text.append(byte)
                index += 1
            }
        }
        throw error(.endOfText)
    }

    private func decoded(_ text: Span<UInt8>) throws(JSONError) -> String {
        do {
            return String(copying: try UTF8Span(validating: text))
        } catch {
            throw self.error(.invalidUTF8)
        }
    }

    /// Reads what follows a backslash.
    private mutating func unescape(into text: inout [UInt8]) throws(JSONError) {
        guard let character = peek else { throw error(.endOfText) }
        index += 1
        switch character {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(character)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try escapedScalar()).utf8)
        default: throw error(.invalidString, at: index - 1)
        }
    }

    private mutating func escapedScalar() throws(JSONError) -> Character {
        let start = index
        var code = UInt32(try codeUnit())
        if (0xD800...0xDBFF).contains(code) {
            guard skip(UInt8(ascii: "\\")), skip(UInt8(ascii: "u")) else {
                throw error(.loneSurrogate, at: start)
            }
            let low = UInt32(try codeUnit())
            guard (0xDC00...0xDFFF).contains(low) else { throw error(.loneSurrogate, at: start) }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw error(.loneSurrogate, at: start) }
        return Character(scalar)
    }

    /// Reads four hexadecimal digits of either case.
    private mutating func codeUnit() throws(JSONError) -> UInt16 {
        var code: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = peek else { throw error(.endOfText) }
            let lowerCased = (0x41...0x46).contains(digit) ? digit + 0x20 : digit
            guard let value = Hexadecimal.value(of: lowerCased) else {
                throw error(.invalidString)
            }
            code = code << 4 | UInt16(value)
            index += 1
        }
        return code
    }

    // MARK: - Numbers

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = index
        let isNegative = skip(UInt8(ascii: "-"))
        let digits = skipDigits()
        let hasLeadingZero = digits > 1 && bytes[index - digits] == UInt8(ascii: "0")
        guard digits > 0, !hasLeadingZero else { throw error(.invalidNumber, at: start) }
        var isWhole = true
        if skip(UInt8(ascii: ".")) {
            isWhole = false
            guard skipDigits() > 0 else { throw error(.invalidNumber, at: start) }
        }
        if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
            isWhole = false
            if !skip(UInt8(ascii: "+")) { _ = skip(UInt8(ascii: "-")) }
            guard skipDigits() > 0 else { throw error(.invalidNumber, at: start) }
        }
        if isWhole, digits <= 16, let value = safeInteger(from: start, isNegative: isNegative) {
            return .integer(value)
        }
        guard case .anyAsText = numbers else { throw error(.notInteger, at: start) }
        return .number(String(decoding: bytes[start..<index], as: UTF8.self))
    }

    /// The integer between `start` and here, if it is one that every JSON reader keeps exactly.
    /// Minus zero is none: it has no canonical spelling as an integer.
    private func safeInteger(from start: Int, isNegative: Bool) -> Int64? {
        var value: Int64 = 0
        for byte in bytes[(isNegative ? start + 1 : start)..<index] {
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        guard value < 1 << 53, !(isNegative && value == 0) else { return nil }
        return isNegative ? -value : value
    }

    private mutating func skipDigits() -> Int {
        let start = index
        while let byte = peek, (0x30...0x39).contains(byte) {
            index += 1
        }
        return index - start
    }

    // MARK: - Bytes

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    private var unexpected: JSONError {
        error(index < bytes.count ? .unexpectedByte : .endOfText)
    }

    private mutating func skip(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        index += 1
        return true
    }

    private mutating func skipSpace() {
        while index < bytes.count {
            switch bytes[index] {
            case 0x20, 0x0A, 0x0D, 0x09: index += 1
            default: return
            }
        }
    }
}

/// The member names of the object being read. While each name is behind the one before, as in
/// canonical JSON, no two can be the same. Otherwise small objects compare each name with those
/// before, and from 16 members on a set does, so that a hostile object does not cost the square of
/// its size.
private struct MemberNames {
    private var isAscending = true
    private var set: Set<[UInt8]> = []

    /// Takes a name in; false if it was there.
    mutating func insert(_ name: String, after members: [JSONObject.Member]) -> Bool {
        if members.isEmpty { return true }
        if isAscending, members[members.count - 1].name.precedes(name) { return true }
        isAscending = false
        if members.count < 16 {
            return !members.contains { $0.name.isIdentical(to: name) }
        }
        if set.isEmpty {
            set = Set(members.map { Array($0.name.utf8) })
        }
        return set.insert(Array(name.utf8)).inserted
    }
}

extension String {
    /// Whether the bytes of this text come before those of another.
    fileprivate func precedes(_ other: String) -> Bool {
        let (left, right) = (utf8.span, other.utf8.span)
        let count = min(left.count, right.count)
        var index = 0
        while index < count {
            if left[index] != right[index] { return left[index] < right[index] }
            index += 1
        }
        return left.count < right.count
    }
}
