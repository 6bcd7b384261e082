// SPDX-License-Identifier: Apache-2.0

/// A JSON value as our strict reader gives it (RFC 8259).
///
/// Strings and member names are compared byte by byte: Swift's own `==` on strings takes the
/// composed and the decomposed form of a letter for the same, which two providers' users are not.
public enum JSONValue: Sendable {
    case null
    case bool(Bool)
    /// A whole number between -(2^53 - 1) and 2^53 - 1, written without fraction or exponent.
    case integer(Int64)
    /// Any other number, kept as the text that came: fractions, exponents, large values.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)
}

/// A JSON object: members in the order they came or were set, no name twice.
public struct JSONObject: Sendable {
    /// A name and its value.
    public struct Member: Sendable, Equatable {
        /// The name, unescaped.
        public let name: String
        /// The value.
        public var value: JSONValue

        /// A member of an object.
        public init(_ name: String, _ value: JSONValue) {
            self.name = name
            self.value = value
        }

        /// Whether name and value are the same, byte by byte.
        public static func == (left: Member, right: Member) -> Bool {
            left.name.isIdentical(to: right.name) && left.value == right.value
        }
    }

    /// The members in their order.
    public private(set) var members: [Member]

    /// An object without members.
    public init() {
        members = []
    }

    /// For the reader, which has seen to it that no name stands twice.
    init(uncheckedMembers: [Member]) {
        members = uncheckedMembers
    }

    /// The value of a member; setting nil removes it.
    public subscript(name: String) -> JSONValue? {
        get { index(of: name).map { members[$0].value } }
        set {
            switch (index(of: name), newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(name, value))
            case (nil, nil): break
            }
        }
    }

    /// Where a member stands among ``members``.
    ///
    /// - Parameter start: where the search begins; it goes on at the front.
    package func index(of name: String, from start: Int = 0) -> Int? {
        let start = min(max(start, 0), members.count)
        for index in start..<members.count where members[index].name.isIdentical(to: name) {
            return index
        }
        for index in 0..<start where members[index].name.isIdentical(to: name) {
            return index
        }
        return nil
    }

    /// Whether there are no members.
    public var isEmpty: Bool { members.isEmpty }
}

extension JSONObject: Equatable, ExpressibleByDictionaryLiteral {
    /// Objects are equal when they have the same members, in any order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.members.count == right.members.count
            && left.members.allSatisfy { right[$0.name] == $0.value }
    }

    /// An object with these members.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init()
        for (name, value) in elements {
            self[name] = value
        }
    }
}

extension JSONValue: Equatable {
    /// Whether two values are the same; texts are compared byte by byte.
    public static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.number(let left), .number(let right)): left.isIdentical(to: right)
        case (.string(let left), .string(let right)): left.isIdentical(to: right)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }
}

extension JSONValue {
    /// The text, if this is a string.
    public var stringValue: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    /// The whole number, if this is one.
    public var integerValue: Int64? {
        guard case .integer(let value) = self else { return nil }
        return value
    }

    /// The truth value, if this is one.
    public var boolValue: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// The elements, if this is an array.
    public var arrayValue: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// The members, if this is an object.
    public var objectValue: JSONObject? {
        guard case .object(let object) = self else { return nil }
        return object
    }

    /// Whether every number in this value is a whole one, as our own leaves demand.
    public var hasOnlyIntegers: Bool {
        switch self {
        case .number: false
        case .array(let elements): elements.allSatisfy(\.hasOnlyIntegers)
        case .object(let object): object.members.allSatisfy(\.value.hasOnlyIntegers)
        case .null, .bool, .integer, .string: true
        }
    }
}

extension String {
    /// Whether two texts have the same bytes; unlike `==`, which compares what they look like.
    public func isIdentical(to other: String) -> Bool {
        // Most texts differ in their length, which costs less to ask for than their bytes.
        utf8.count == other.utf8.count && ByteWords.areSame(utf8.span, other.utf8.span)
    }
}

extension Set<String> {
    /// Whether the set has a text with the same bytes. For `contains` the Kelvin sign is a K.
    public func containsIdentical(_ text: String) -> Bool {
        firstIndex(of: text).map { self[$0].isIdentical(to: text) } ?? false
    }
}
