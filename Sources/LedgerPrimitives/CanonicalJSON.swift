// SPDX-License-Identifier: Apache-2.0

/// Writes canonical JSON (RFC 8785), restricted to whole numbers.
///
/// Numbers that other people's JSON brought as text are written as they came: they are canonical
/// only in the sense that the same input gives the same bytes. Our own leaves never hold one.
public enum CanonicalJSON {
    /// The canonical bytes of a value.
    public static func encode(_ value: JSONValue) -> [UInt8] {
        var output: [UInt8] = []
        append(value, to: &output)
        return output
    }

    /// The canonical bytes of an object.
    public static func encode(_ object: JSONObject) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(1024)
        append(object, to: &output)
        return output
    }

    /// Adds the canonical bytes of a value to a buffer.
    public static func append(_ value: JSONValue, to output: inout [UInt8]) {
        switch value {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): output.append(contentsOf: String(value).utf8)
        case .number(let text): output.append(contentsOf: text.utf8)
        case .string(let text): append(text, to: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                append(element, to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let object): append(object, to: &output)
        }
    }

    /// Adds the canonical bytes of an object to a buffer.
    public static func append(_ object: JSONObject, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "{"))
        for (index, member) in sorted(object.members).enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            append(member.name, to: &output)
            output.append(UInt8(ascii: ":"))
            append(member.value, to: &output)
        }
        output.append(UInt8(ascii: "}"))
    }

    /// Adds a string with its quotation marks and the shortest escapes to a buffer.
    public static func append(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        guard hasEscapes(text) else {
            output.append(contentsOf: text.utf8)
            output.append(UInt8(ascii: "\""))
            return
        }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                output.append(UInt8(ascii: "\\"))
                output.append(byte)
            case 0x08: output.append(contentsOf: "\\b".utf8)
            case 0x09: output.append(contentsOf: "\\t".utf8)
            case 0x0A: output.append(contentsOf: "\\n".utf8)
            case 0x0C: output.append(contentsOf: "\\f".utf8)
            case 0x0D: output.append(contentsOf: "\\r".utf8)
            case 0..<0x20:
                output.append(contentsOf: "\\u00".utf8)
                Hexadecimal.append(byte, to: &output)
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func hasEscapes(_ text: String) -> Bool {
        let bytes = text.utf8.span
        for index in bytes.indices {
            let byte = bytes[index]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                return true
            }
        }
        return false
    }

    private static func sorted(_ members: [JSONObject.Member]) -> [JSONObject.Member] {
        for index in members.indices.dropFirst()
        where precedes(members[index].name, members[index - 1].name) {
            return members.sorted { precedes($0.name, $1.name) }
        }
        return members
    }

    /// Order by UTF-16 code units (RFC 8785 §3.2.3). It differs from the order of UTF-8 bytes only
    /// where a character beyond the basic plane meets one from U+E000 on.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        let (leftBytes, rightBytes) = (left.utf8.span, right.utf8.span)
        for index in 0..<min(leftBytes.count, rightBytes.count) {
            let (leftByte, rightByte) = (leftBytes[index], rightBytes[index])
            if leftByte == rightByte { continue }
            guard min(leftByte, rightByte) < 0xEE else {
                return left.utf16.lexicographicallyPrecedes(right.utf16)
            }
            return leftByte < rightByte
        }
        return leftBytes.count < rightBytes.count
    }
}
