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
