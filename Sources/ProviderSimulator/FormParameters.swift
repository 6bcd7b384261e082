// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// Parameters in `application/x-www-form-urlencoded` (RFC 6749 appendix B), of a query or a body.
struct FormParameters {
    let pairs: [(name: String, value: String)]

    /// Parameters that are known already.
    init(_ pairs: [(name: String, value: String)]) {
        self.pairs = pairs
    }

    /// Reads parameters; nil when an escape is broken or the text is not UTF-8.
    init?(parsing text: some Sequence<UInt8>) {
        var pairs: [(name: String, value: String)] = []
        for part in Array(text).split(separator: UInt8(ascii: "&")) {
            let name = part.prefix { $0 != UInt8(ascii: "=") }
            guard let decodedName = FormEncoding.decode(name),
                let value = FormEncoding.decode(part.dropFirst(name.count + 1))
            else { return nil }
            pairs.append((decodedName, value))
        }
        self.pairs = pairs
    }

    /// The value of a parameter; nil when there is none, or it is empty, which means the same
    /// (RFC 6749 §3.1), or it stands there twice.
    subscript(name: String) -> String? {
        let values = pairs.filter { $0.name.isIdentical(to: name) }
        guard values.count == 1, let value = values.first?.value, !value.isEmpty else { return nil }
        return value
    }

    /// Whether a parameter stands there twice, which is forbidden (RFC 6749 §3.1, §3.2).
    var hasRepetition: Bool {
        var names: Set<[UInt8]> = []
        return !pairs.allSatisfy { names.insert(Array($0.name.utf8)).inserted }
    }

    /// The parameters but those of these names.
    func without(_ names: Set<String>) -> FormParameters {
        FormParameters(pairs.filter { !names.containsIdentical($0.name) })
    }

    /// The parameters as a query.
    static func encode(_ pairs: [(name: String, value: String?)]) -> String {
        pairs.compactMap { name, value in
            value.map { "\(FormEncoding.encode(name))=\(FormEncoding.encode($0))" }
        }.joined(separator: "&")
    }
}

/// The encoding of a single name or value.
enum FormEncoding {
    private static let unreserved = Set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Escapes everything that is not unreserved (RFC 3986 §2.3).
    static func encode(_ text: String) -> String {
        var output: [UInt8] = []
        for byte in text.utf8 {
            if unreserved.contains(byte) {
                output.append(byte)
            } else {
                output += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The text of an encoded one; nil when an escape is broken or it is not UTF-8.
    static func decode(_ text: ArraySlice<UInt8>) -> String? {
        var output: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"):
                output.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = value(of: rest.popFirst()), let low = value(of: rest.popFirst())
                else { return nil }
                output.append(high << 4 | low)
            default:
                output.append(byte)
            }
        }
        return String(validating: output, as: UTF8.self)
    }

    /// The value of a hexadecimal digit in either case.
    private static func value(of digit: UInt8?) -> UInt8? {
        digit.flatMap { Hexadecimal.value(of: (0x41...0x46).contains($0) ? $0 + 0x20 : $0) }
    }
}

/// The path and the query of a URL, as they were sent.
struct RequestTarget {
    let path: String
    let query: String

    init(url: String) {
        let bytes = Array(url.utf8).prefix { $0 != UInt8(ascii: "#") }
        let separator = Array("://".utf8)
        var target = bytes
        if bytes.first != UInt8(ascii: "/"),
            let scheme = bytes.indices.first(where: { bytes[$0...].starts(with: separator) })
        {
            target = bytes[(scheme + separator.count)...]
                .drop { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        }
        let path = target.prefix { $0 != UInt8(ascii: "?") }
        self.path = String(decoding: path, as: UTF8.self)
        query = String(decoding: target.dropFirst(path.count + 1), as: UTF8.self)
    }
}
