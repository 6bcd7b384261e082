// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

// Literals make the payloads above read like the JSON they become.
extension JSONValue: @retroactive ExpressibleByStringLiteral,
    @retroactive ExpressibleByUnicodeScalarLiteral,
    @retroactive ExpressibleByExtendedGraphemeClusterLiteral,
    @retroactive ExpressibleByBooleanLiteral, @retroactive ExpressibleByIntegerLiteral,
    @retroactive ExpressibleByArrayLiteral, @retroactive ExpressibleByDictionaryLiteral
{
    /// A string.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A whole number.
    public init(integerLiteral value: Int64) { self = .integer(value) }
    /// An array.
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    /// An object.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.reduce(into: JSONObject()) { $0[$1.0] = $1.1 })
    }
}
