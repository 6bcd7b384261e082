// SPDX-License-Identifier: Apache-2.0

import TestSupport
import Testing

@testable import LedgerPrimitives

@Suite("An instant")
struct InstantTests {
    /// Texts in the form we write, and what they are.
    private static let canonical: [(text: String, milliseconds: Int64)] = [
        ("1970-01-01T00:00:00.000Z", 0), ("1970-01-01T00:00:00.001Z", 1),
        ("1969-12-31T23:59:59.999Z", -1), ("2026-11-20T09:15:02.114Z", 1_795_166_102_114),
        ("2000-02-29T12:00:00.000Z", 951_825_600_000),
        ("2024-02-29T23:59:59.999Z", 1_709_251_199_999),
        ("1900-03-01T00:00:00.000Z", -2_203_891_200_000),
        ("2038-01-19T03:14:08.000Z", 2_147_483_648_000),
        ("0000-01-01T00:00:00.000Z", -62_167_219_200_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ]

    @Test("is written in UTC with milliseconds, and read back")
    func canonical() {
        for (text, milliseconds) in Self.canonical {
            let instant = Instant(millisecondsSince1970: milliseconds)
            #expect(instant.rfc3339 == text)
            #expect("\(instant)" == text)
            #expect(Instant(rfc3339: text) == instant, "\(text)")
        }
    }

    /// Other spellings, and the one that we write.
    private static let spellings: [(text: String, canonical: String)] = [
        ("2026-11-20T09:15:02Z", "2026-11-20T09:15:02.000Z"),
        ("2026-11-20t09:15:02z", "2026-11-20T09:15:02.000Z"),
        ("2026-11-20T09:15:02.1Z", "2026-11-20T09:15:02.100Z"),
        ("2026-11-20T09:15:02.12Z", "2026-11-20T09:15:02.120Z"),
        ("2026-11-20T09:15:02.9999Z", "2026-11-20T09:15:02.999Z"),
        ("2026-11-20T09:15:02.000000000000000000001Z", "2026-11-20T09:15:02.000Z"),
        ("2026-11-20T09:15:02+00:00", "2026-11-20T09:15:02.000Z"),
        ("2026-11-20T09:15:02-00:00", "2026-11-20T09:15:02.000Z"),
        ("2026-11-20T00:15:02+01:00", "2026-11-19T23:15:02.000Z"),
        ("2026-12-31T23:30:00-00:30", "2027-01-01T00:00:00.000Z"),
        ("2024-02-28T23:00:00-14:00", "2024-02-29T13:00:00.000Z"),
        ("2026-01-01T00:00:00+23:59", "2025-12-31T00:01:00.000Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
        ("2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.500Z"),
    ]

    @Test("is read with any offset and any fraction")
    func spellings() {
        for (text, canonical) in Self.spellings {
            #expect(Instant(rfc3339: text)?.rfc3339 == canonical, "\(text)")
        }
    }

    private static let refused = [
        "", "2026-11-20", "2026-11-20T09:15:02", "2026-11-20 09:15:02Z", "2026-11-20T09:15Z",
        "2026-11-20T24:00:00Z", "2026-11-20T09:60:00Z", "2026-11-20T09:15:61Z",
        "2026-00-20T09:15:02Z", "2026-13-20T09:15:02Z", "2026-11-00T09:15:02Z",
        "2026-11-31T09:15:02Z", "2026-02-29T09:15:02Z", "1900-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z", "2000-02-30T00:00:00Z", "2026-11-20T09:15:02.Z",
        "2026-11-20T09:15:02,5Z", "2026-11-20T09:15:02+0100", "2026-11-20T09:15:02+01",
        "2026-11-20T09:15:02+24:00", "2026-11-20T09:15:02+01:60", "2026-11-20T09:15:02ZZ",
        "2026-11-20T09:15:02Z ", " 2026-11-20T09:15:02Z", "2026-11-20T09:15:02Z\n",
        "20261120T091502Z", "+2026-11-20T09:15:02Z", "-026-11-20T09:15:02Z",
        "12026-11-20T09:15:02Z", "2026-1-20T09:15:02Z", "2026-11-20T9:15:02Z",
        "2026-W47-5T09:15:02Z", "2026-11-20T09:15:02\u{2212}01:00", "٢٠٢٦-11-20T09:15:02Z",
        "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z",
        "2026-11-20T09:15:02.5",
    ]

    @Test("is refused when the text is no RFC 3339 date-time", arguments: refused)
    func refusals(text: String) {
        #expect(Instant(rfc3339: text) == nil)
    }

    @Test("is read from a plain date at midnight UTC")
    func dates() {
        #expect(Instant(date: "2026-11-20")?.rfc3339 == "2026-11-20T00:00:00.000Z")
        for text in ["2026-11-31", "2026-11-20T00:00:00Z", "20261120", "", "2026-11-20 "] {
            #expect(Instant(date: text) == nil, "\(text)")
        }
    }

    /// Walks the calendar by the rule that children learn, day by day from year 0 to 9999.
    @Test("agrees with the calendar on every day of four centuries and many others")
    func calendar() {
        var calendar = Calendar()
        var failures = 0
        while calendar.year <= 9999 {
            if (1850...2250).contains(calendar.year) || calendar.dayNumber % 89 == 0 {
                let instant = Instant(millisecondsSince1970: calendar.dayNumber * 86_400_000)
                let text = "\(calendar)T00:00:00.000Z"
                let months = (calendar.year - 1970) * 12 + calendar.month - 1
                if instant.rfc3339 != text || Instant(rfc3339: text) != instant
                    || instant.monthIndex != months
                {
                    failures += 1
                    if failures < 5 { Issue.record("\(text)") }
                }
            }
            calendar.advance()
        }
        #expect(failures == 0)
        #expect(calendar.dayNumber * 86_400_000 == Instant.writable.upperBound + 1)
    }

    @Test("comes back with any offset", arguments: Seeds.all)
    func offsets(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let milliseconds = Int64.random(
                in: -60_000_000_000_000...250_000_000_000_000, using: &generator)
            let minutes = Int64.random(in: -1439...1439, using: &generator)
            let instant = Instant(millisecondsSince1970: milliseconds)
            #expect(Instant(rfc3339: instant.rfc3339) == instant, "\(Seeds.hint(seed))")
            let local = instant.advanced(byMilliseconds: minutes * 60_000).rfc3339.dropLast()
            let digits = [minutes.magnitude / 60, minutes.magnitude % 60].map { number in
                (number < 10 ? "0" : "") + String(number)
            }
            let text = local + (minutes < 0 ? "-" : "+") + digits.joined(separator: ":")
            #expect(Instant(rfc3339: String(text)) == instant, "\(text), \(Seeds.hint(seed))")
        }
    }

    @Test("is written within four-digit years, and compares by time")
    func limits() {
        #expect(Instant(millisecondsSince1970: .max).rfc3339 == "9999-12-31T23:59:59.999Z")
        #expect(Instant(millisecondsSince1970: .min).rfc3339 == "0000-01-01T00:00:00.000Z")
        #expect(Instant(millisecondsSince1970: -1) < Instant(millisecondsSince1970: 0))
    }

    @Test("names the month of its keys in UTC")
    func months() {
        let cases = [
            ("1970-01-31T23:59:59.999Z", 0), ("1970-02-01T00:00:00Z", 1),
            ("1969-12-31T00:00:00Z", -1), ("2026-11-20T09:15:02Z", 682),
            ("2027-01-01T00:30:00+01:00", 683),
        ]
        for (text, month) in cases {
            #expect(Instant(rfc3339: text)?.monthIndex == month, "\(text)")
        }
    }
}

/// A calendar that only knows how long months are.
private struct Calendar: CustomStringConvertible {
    private(set) var year = 0
    private(set) var month = 1
    private var day = 1
    /// Days since 1970-01-01.
    private(set) var dayNumber: Int64 = -719_528

    mutating func advance() {
        dayNumber += 1
        day += 1
        if day <= lengthOfMonth { return }
        day = 1
        month += 1
        if month <= 12 { return }
        month = 1
        year += 1
    }

    private var lengthOfMonth: Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    var description: String {
        let padded = String(repeating: "0", count: 4 - String(year).count) + String(year)
        return padded + (month < 10 ? "-0\(month)" : "-\(month)")
            + (day < 10 ? "-0\(day)" : "-\(day)")
    }
}
