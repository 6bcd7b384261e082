// SPDX-License-Identifier: Apache-2.0

/// A length of time as people say it.
enum DurationWords {
    /// So many milliseconds in at most two units: `850 ms`, `12.3 s`, `4 min 12 s`, `2 h 5 min`.
    static func text(milliseconds: Int64) -> String {
        let (seconds, minutes) = (milliseconds / 1000, milliseconds / 60_000)
        let (hours, days) = (minutes / 60, minutes / 1440)
        return switch milliseconds {
        case ..<1000: "\(milliseconds) ms"
        case ..<60_000: tenths(milliseconds)
        case ..<3_600_000: pair(minutes, "min", seconds % 60, "s")
        case ..<86_400_000: pair(hours, "h", minutes % 60, "min")
        default: pair(days, "d", hours % 24, "h")
        }
    }

    /// Whether a word is one of the units, with or without a sign behind it.
    static func isUnit(_ word: Substring) -> Bool {
        ["ms", "s", "min", "h", "d"].contains(word.prefix { $0.isLetter })
    }

    private static func tenths(_ milliseconds: Int64) -> String {
        let tenth = milliseconds % 1000 / 100
        return "\(milliseconds / 1000)" + (tenth == 0 ? "" : ".\(tenth)") + " s"
    }

    private static func pair(
        _ large: Int64, _ unit: String, _ small: Int64, _ smallUnit: String
    ) -> String {
        "\(large) \(unit)" + (small == 0 ? "" : " \(small) \(smallUnit)")
    }
}
