// SPDX-License-Identifier: Apache-2.0

internal import Platform
internal import QRCode

/// Lines on standard error that are renewed in place while a login waits for its user, below a QR
/// code where there is one to be scanned.
///
/// Elsewhere than on a terminal each line is printed when it is new, and no QR code: whoever has
/// its text can take the login over, so it must not get into a file. While a block is shown nothing
/// else may be written to standard error.
struct LiveBlock {
    private let file: File
    private let isLive: Bool
    private let hasColor: Bool
    /// What stands on the terminal, with the cursor at the end of its last line.
    private var drawn: Drawing?
    /// What was printed last, elsewhere.
    private var printed: [String] = []

    /// A block on standard error.
    init(_ global: GlobalOptions) {
        self.init(.standardError, isLive: global.hasLiveTerminal, hasColor: global.usesColor)
    }

    /// - Parameters:
    ///   - isLive: whether the file is a terminal on which the cursor can be moved.
    ///   - hasColor: whether a QR code is drawn in black and white.
    init(_ file: File, isLive: Bool, hasColor: Bool) {
        self.file = file
        self.isLive = isLive
        self.hasColor = hasColor
    }

    /// Shows these lines, and this code above them, instead of what was shown before. The first
    /// lines should say the most: they stay where there is no room for all.
    mutating func show(_ texts: [String], code: QRCode? = nil) {
        let texts = texts.map(TerminalText.escaped)
        if isLive {
            draw(texts, code)
        } else {
            list(code == nil ? texts : ["A QR code is shown on a terminal only."] + texts)
        }
    }

    /// Leaves what is shown as it is and goes below it.
    mutating func finish() {
        guard drawn != nil else { return }
        write("\n")
        ProcessControl.endLineOnInterrupt(false)
        drawn = nil
    }

    private mutating func draw(_ texts: [String], _ code: QRCode?) {
        let usual = TerminalSize(columns: 80, rows: 24)
        let drawing = Drawing(
            texts, code.map { TerminalPicture($0, hasColor: hasColor) },
            size: file.terminalSize ?? usual)
        guard drawing != drawn else { return }
        ProcessControl.endLineOnInterrupt(true)
        write(drawing.written(over: drawn))
        drawn = drawing
    }

    private mutating func list(_ texts: [String]) {
        for text in texts where !printed.contains(text) { write(text + "\n") }
        printed = texts
    }

    private func write(_ text: String) {
        try? file.write(Array(text.utf8))
    }
}

/// What a terminal of a certain size shows of a block.
private struct Drawing: Equatable {
    /// At least one line, none wider and not more than the terminal has room for.
    let lines: [String]
    let size: TerminalSize

    init(_ texts: [String], _ picture: TerminalPicture?, size: TerminalSize) {
        self.size = size
        var (texts, pictureLines) = (texts, picture?.lines ?? [])
        if let picture {
            let rows = picture.lines.count + min(texts.count, 1)
            if picture.columns > size.columns || rows > size.rows {
                pictureLines = []
                texts.insert(
                    "The window is too small for the QR code, which needs \(picture.columns) "
                        + "columns and \(rows) lines.", at: 0)
            }
        }
        let textLines = texts.flatMap { TerminalText.lines(of: $0, columns: size.columns) }
        let lines = (pictureLines + textLines).prefix(size.rows)
        self.lines = lines.isEmpty ? [""] : Array(lines)
    }

    /// What to write so that this stands where another one stood.
    func written(over other: Drawing?) -> String {
        var text = ""
        if let other, size.columns < other.size.columns {
            // The terminal has broken lines anew; nobody knows where the first of them is.
            text = "\u{1B}[H\u{1B}[2J"
        } else if let other {
            text = other.lines.count > 1 ? "\r\u{1B}[\(other.lines.count - 1)A" : "\r"
        }
        // A line is cleared before it is written: at the end of a full one the cursor still stands
        // on its last character. With the last line goes all that is below it.
        for line in lines.dropLast() { text += "\u{1B}[K\(line)\r\n" }
        return text + "\u{1B}[J" + (lines.last ?? "")
    }
}
