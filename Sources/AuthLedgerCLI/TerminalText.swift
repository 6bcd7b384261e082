// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// Text from outside, made fit for a terminal.
enum TerminalText {
    /// The text with everything escaped that moves the cursor, changes the direction of writing or
    /// cannot be seen.
    static func escaped(_ text: String) -> String {
        var output = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if isHarmless(scalar) {
                output.append(scalar)
            } else {
                output.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            }
        }
        return String(output)
    }

    /// The words of a text in lines that are not wider than so many columns.
    static func lines(of text: String, columns: Int) -> [String] {
        var lines: [String] = []
        var room = 0
        for word in text.split(separator: " ") {
            for piece in pieces(of: word, columns: columns) {
                let width = width(of: piece)
                if room > width {
                    lines[lines.count - 1] += " \(piece)"
                    room -= width + 1
                } else {
                    lines.append(String(piece))
                    room = columns - width
                }
            }
        }
        return lines.isEmpty ? [""] : lines
    }

    /// A word, in pieces if it is wider than a line.
    private static func pieces(of word: Substring, columns: Int) -> [Substring] {
        var pieces: [Substring] = []
        var rest = word
        while width(of: rest) > columns {
            var used = 0
            let end = rest.indices.first { index in
                used += width(of: rest[index...index])
                return used > columns && index > rest.startIndex
            }
            guard let end else { break }
            pieces.append(rest[..<end])
            rest = rest[end...]
        }
        return pieces + [rest]
    }

    /// How many columns a text takes at most. Terminals differ beyond the scripts that stand first
    /// in Unicode, and nothing is lost where a line is shorter than it could be.
    private static func width(of text: Substring) -> Int {
        text.unicodeScalars.reduce(0) { $0 + ($1.value < 0x1100 ? 1 : 2) }
    }

    /// A value as one line of JSON, escaped.
    static func json(_ value: JSONValue) -> String {
        escaped(String(decoding: CanonicalJSON.encode(value), as: UTF8.self))
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
            .unassigned:
            false
        default:
            true
        }
    }
}
