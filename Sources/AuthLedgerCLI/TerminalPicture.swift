// SPDX-License-Identifier: Apache-2.0

internal import QRCode

/// A QR code as lines of characters for a terminal, two rows of modules a line.
struct TerminalPicture: Equatable {
    /// The light modules around the code. ISO/IEC 18004 asks for four; readers of screens are
    /// content with two, and a terminal of 24 lines has no room for more.
    private static let quietZone = 2

    /// Black on white by numbers that themes of terminals do not change.
    private static let blackOnWhite = "\u{1B}[38;5;16;48;5;231m"
    private static let plain = "\u{1B}[0m"

    /// The lines, all of the same width.
    let lines: [String]
    /// How wide they are.
    let columns: Int

    /// - Parameter hasColor: whether the picture brings its own black and white. Otherwise its
    ///   light modules have the colour of the text, which is right on a dark terminal.
    init(_ code: QRCode, hasColor: Bool) {
        let range = -Self.quietZone..<code.size + Self.quietZone
        columns = range.count
        lines = stride(from: range.lowerBound, to: range.upperBound, by: 2).map { row in
            let characters = range.map { column in
                Self.character(
                    upper: code.isDark(row, column) == hasColor,
                    lower: code.isDark(row + 1, column) == hasColor)
            }
            let line = characters.joined()
            return hasColor ? Self.blackOnWhite + line + Self.plain : line
        }
    }

    /// The character that fills the given halves with the colour of the text.
    private static func character(upper: Bool, lower: Bool) -> String {
        switch (upper, lower) {
        case (true, true): "\u{2588}"
        case (true, false): "\u{2580}"
        case (false, true): "\u{2584}"
        case (false, false): " "
        }
    }
}

extension QRCode {
    /// Whether the module at a place is dark; all around the code are light.
    fileprivate func isDark(_ row: Int, _ column: Int) -> Bool {
        let sides = 0..<size
        return sides.contains(row) && sides.contains(column) && self[row, column]
    }
}
