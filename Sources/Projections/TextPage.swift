// SPDX-License-Identifier: Apache-2.0

/// A page of text for a terminal of 80 columns.
struct TextPage {
    private static let columns = 80
    private var lines: [String] = []

    /// What was added, without a line break at the end.
    var text: String { lines.joined(separator: "\n") }

    /// Adds a paragraph.
    mutating func add(_ paragraph: String) {
        wrap(paragraph, first: "", rest: "")
    }

    /// Adds a list with a mark before the first paragraph of each item, set off from what stands
    /// above.
    mutating func add(list: [(mark: String, paragraphs: [String])], under heading: String) {
        if list.isEmpty { return }
        lines += ["", heading]
        let width = list.map(\.mark.count).max() ?? 0
        let rest = String(repeating: " ", count: width + 4)
        for (mark, paragraphs) in list {
            let padding = String(repeating: " ", count: width - mark.count)
            for (index, paragraph) in paragraphs.enumerated() {
                wrap(paragraph, first: index == 0 ? "  \(mark)\(padding)  " : rest, rest: rest)
            }
        }
    }

    /// Adds a list whose marks are numbers.
    mutating func addNumbered(_ items: [[String]], under heading: String) {
        add(list: items.enumerated().map { ("\($0.offset + 1).", $0.element) }, under: heading)
    }

    /// Adds what to do, set off from what stands above.
    ///
    /// - Parameter retrySafe: nil where nothing failed.
    mutating func add(hint: String, retrySafe: Bool?) {
        lines.append("")
        add("What to do: \(hint)")
        guard let retrySafe else { return }
        add(retrySafe ? "A new attempt is safe." : "Do not just try again; look into it first.")
    }

    /// Breaks a paragraph between words. A word that is longer than a line gets one of its own.
    private mutating func wrap(_ paragraph: String, first: String, rest: String) {
        var line = first
        var isEmpty = true
        for word in Self.words(of: paragraph) {
            if !isEmpty, line.count + 1 + word.count > Self.columns {
                lines.append(line)
                line = rest
                isEmpty = true
            }
            line += isEmpty ? word : " \(word)"
            isEmpty = false
        }
        lines.append(line)
    }

    /// The words of a paragraph; a number and its unit are one.
    private static func words(of paragraph: String) -> [String] {
        var words: [String] = []
        for word in paragraph.split(separator: " ") {
            if let last = words.last?.last, last.isNumber, DurationWords.isUnit(word) {
                words[words.count - 1] += " \(word)"
            } else {
                words.append(String(word))
            }
        }
        return words
    }
}
