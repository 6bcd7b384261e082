// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// Dates in the form that senders must use: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
extension Instant {
    /// The first one is the day of 1970-01-01.
    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    private static let dayMilliseconds: Int64 = 86_400_000

    /// Reads a date in that form. The two obsolete forms are not read.
    public init?(httpDate text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard text.utf8.count == 29, parts.count == 6, parts[5] == "GMT",
            Self.weekdays.contains(where: { "\($0)," == parts[0] }),
            let month = Self.months.firstIndex(of: parts[2])
        else { return nil }
        let number = (month < 9 ? "0" : "") + String(month + 1)
        self.init(rfc3339: "\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z")
    }

    /// The instant in that form, cut to whole seconds.
    public var httpDate: String {
        let isBefore = millisecondsSince1970 % Self.dayMilliseconds < 0
        let days = millisecondsSince1970 / Self.dayMilliseconds - (isBefore ? 1 : 0)
        let weekday = Self.weekdays[Int((days % 7 + 7) % 7)]
        let parts = rfc3339.split { "-T.".contains($0) }
        let month = Self.months[(Int(parts[1]) ?? 1) - 1]
        return "\(weekday), \(parts[2]) \(month) \(parts[0]) \(parts[3]) GMT"
    }
}
