// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// JSON whose members stay in their order: which claim comes first is recorded of some.
enum OrderedJSON {
    static func encode(_ value: JSONValue) -> [UInt8] {
        var output: [UInt8] = []
        append(value, to: &output, indent: nil)
        return output
    }

    /// A text with a member a line, for reading and comparing, and a newline at its end.
    static func lines(_ object: JSONObject) -> [UInt8] {
        var output: [UInt8] = []
        append(.object(object), to: &output, indent: 0)
        return output + [0x0A]
    }

    private static func append(_ value: JSONValue, to output: inout [UInt8], indent: Int?) {
        switch value {
        case .array(let elements) where !elements.isEmpty:
            appendList(elements.map { (nil, $0) }, "[", "]", to: &output, indent)
        case .object(let object) where !object.isEmpty:
            appendList(object.members.map { ($0.name, $0.value) }, "{", "}", to: &output, indent)
        default: CanonicalJSON.append(value, to: &output)
        }
    }

    private static func appendList(
        _ entries: [(name: String?, value: JSONValue)], _ open: String, _ close: String,
        to output: inout [UInt8], _ indent: Int?
    ) {
        output.append(contentsOf: open.utf8)
        for (index, entry) in entries.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            newline(indent.map { $0 + 1 }, to: &output)
            if let name = entry.name {
                CanonicalJSON.append(name, to: &output)
                output.append(contentsOf: (indent == nil ? ":" : ": ").utf8)
            }
            append(entry.value, to: &output, indent: indent.map { $0 + 1 })
        }
        newline(indent, to: &output)
        output.append(contentsOf: close.utf8)
    }

    private static func newline(_ indent: Int?, to output: inout [UInt8]) {
        guard let indent else { return }
        output.append(0x0A)
        output.append(contentsOf: [UInt8](repeating: 0x20, count: 2 * indent))
    }
}

/// Texts that are no strict JSON, one for each way of not being it.
enum BrokenJSON {
    static func text(with problem: JSONError.Problem) -> [UInt8] {
        switch problem {
        case .byteOrderMark: [0xEF, 0xBB, 0xBF] + Array("{}".utf8)
        case .duplicateMember: Array(#"{"alg":1,"alg":2}"#.utf8)
        case .endOfText: Array("{".utf8)
        case .loneSurrogate: Array(#"{"text":"\ud800"}"#.utf8)
        case .notInteger: Array(#"{"number":1.5}"#.utf8)
        case .tooDeep: [UInt8](repeating: UInt8(ascii: "["), count: JSONReader.depthMax + 1)
        case .trailingText: Array("{} {}".utf8)
        case .unexpectedByte: Array("{,}".utf8)
        case .invalidNumber: Array(#"{"number":01}"#.utf8)
        case .invalidString: Array("{\"text\":\"\u{1}\"}".utf8)
        case .invalidUTF8: Array(#"{"text":""#.utf8) + [0xFF] + Array(#""}"#.utf8)
        }
    }
}
