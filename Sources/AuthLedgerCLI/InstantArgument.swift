// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import LedgerPrimitives

/// An instant as the command line takes it: RFC 3339 with any offset, a date, or so long ago as
/// `-2h` or `-7d` say, in `s`, `m`, `h`, `d` or `w`.
///
/// An option of this type needs `parsing: .unconditional`: a relative instant begins like an
/// option.
struct InstantArgument: ExpressibleByArgument, Equatable {
    private enum Form: Equatable {
        case instant(Instant)
        /// A calendar day in UTC, by its midnight.
        case day(Instant)
        case ago(milliseconds: Int64)
    }

    /// What help texts and errors say about the form.
    static let valueName = "instant"
    /// A day in UTC has no leap seconds here.
    private static let dayMilliseconds: Int64 = 86_400_000
    /// Longer ago than a hundred years is a slip.
    private static let agoMillisecondsMax = 36_525 * dayMilliseconds

    private let form: Form

    init?(argument: String) {
        if let milliseconds = Self.ago(argument) {
            form = .ago(milliseconds: milliseconds)
        } else if let instant = Instant(rfc3339: argument) {
            form = .instant(instant)
        } else if argument.utf8.count == 10, let midnight = Instant(date: argument) {
            form = .day(midnight)
        } else {
            return nil
        }
    }

    /// The instant itself; for a date its first, in UTC.
    func instant(now: Instant) -> Instant {
        switch form {
        case .instant(let instant), .day(let instant): instant
        case .ago(let milliseconds): now.advanced(byMilliseconds: -milliseconds)
        }
    }

    /// The instant as the end of a half-open range: a date is wholly before it.
    func end(now: Instant) -> Instant {
        guard case .day(let midnight) = form else { return instant(now: now) }
        return midnight.advanced(byMilliseconds: Self.dayMilliseconds)
    }

    /// Whether it is a plain date.
    var isDay: Bool { if case .day = form { true } else { false } }

    /// What was asked for, the same whenever it is asked again.
    var question: String {
        switch form {
        case .instant(let instant): instant.rfc3339
        case .day(let midnight): "day \(midnight)"
        case .ago(let milliseconds): "\(milliseconds) ms ago"
        }
    }

    /// The milliseconds of `-2h` and the like.
    private static func ago(_ text: String) -> Int64? {
        guard text.hasPrefix("-"), let unit = text.last,
            let unitMilliseconds = milliseconds(of: unit)
        else { return nil }
        let digits = text.dropFirst().dropLast()
        guard (1...10).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let count = Int64(digits), count <= agoMillisecondsMax / unitMilliseconds
        else { return nil }
        return count * unitMilliseconds
    }

    private static func milliseconds(of unit: Character) -> Int64? {
        switch unit {
        case "s": 1000
        case "m": 60_000
        case "h": 3_600_000
        case "d": dayMilliseconds
        case "w": 7 * dayMilliseconds
        default: nil
        }
    }
}

/// The instants that `--since` and `--until` leave: from the first on, up to but without the
/// second. A plain date in `--until` includes that day.
struct InstantRange: Equatable {
    let since: Instant?
    let until: Instant?

    init(since: InstantArgument?, until: InstantArgument?, now: Instant) throws {
        self.since = since?.instant(now: now)
        self.until = until?.end(now: now)
        guard let since = self.since, let until = self.until, since >= until else { return }
        throw CommandError(
            .usage, "range-empty", "--since is not before --until",
            hint: "nothing lies between them; swap them?")
    }

    func contains(_ instant: Instant) -> Bool {
        (since.map { instant >= $0 } ?? true) && (until.map { instant < $0 } ?? true)
    }
}
