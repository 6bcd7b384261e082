// SPDX-License-Identifier: Apache-2.0

/// A point in time in UTC, in whole milliseconds.
///
/// The core never asks for the time: instants come in as values.
public struct Instant: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    public let millisecondsSince1970: Int64

    /// An instant so many milliseconds after 1970-01-01T00:00:00Z.
    public init(millisecondsSince1970: Int64) {
        self.millisecondsSince1970 = millisecondsSince1970
    }

    /// The whole seconds of it, as tokens have dates; what is left is cut off.
    public var secondsSince1970: Int64 { millisecondsSince1970 / 1000 }

    /// The order of time.
    public static func < (left: Instant, right: Instant) -> Bool {
        left.millisecondsSince1970 < right.millisecondsSince1970
    }

    /// This instant moved by so many milliseconds.
    public func advanced(byMilliseconds milliseconds: Int64) -> Instant {
        Instant(millisecondsSince1970: millisecondsSince1970 + milliseconds)
    }
}

// MARK: - RFC 3339

extension Instant: CustomStringConvertible {
    /// The earliest and latest instants that RFC 3339 can write with a four-digit year.
    static let writable: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

    /// Whether RFC 3339 can write it: what is written of any other is the nearest that it can.
    package var isWritable: Bool { Self.writable.contains(millisecondsSince1970) }

    /// RFC 3339 in UTC with three digits: `2026-11-20T09:15:02.114Z`.
    public var rfc3339: String { String(decoding: rfc3339Bytes, as: UTF8.self) }

    /// The same as ``rfc3339``.
    public var description: String { rfc3339 }

    /// The 24 ASCII bytes of ``rfc3339``.
    public var rfc3339Bytes: [UInt8] {
        var output: [UInt8] = []
        append(to: &output)
        return output
    }

    /// Adds the 24 ASCII bytes of ``rfc3339`` to a buffer.
    public func append(to output: inout [UInt8]) {
        let clamped = min(
            max(millisecondsSince1970, Self.writable.lowerBound), Self.writable.upperBound)
        let (days, inDay) = clamped.flooredDivision(by: 86_400_000)
        let date = CivilDate(daysSince1970: days)
        // All of them are small and not negative, for which a machine has quicker ways.
        let (year, second) = (UInt32(date.year), UInt32(inDay / 1000))
        let millisecond = UInt32(inDay % 1000)
        output.append(addingCapacity: 24) { output in
            output.appendTwoDigits(year / 100)
            output.appendTwoDigits(year % 100)
            output.append(UInt8(ascii: "-"))
            output.appendTwoDigits(UInt32(date.month))
            output.append(UInt8(ascii: "-"))
            output.appendTwoDigits(UInt32(date.day))
            output.append(UInt8(ascii: "T"))
            output.appendTwoDigits(second / 3600)
            output.append(UInt8(ascii: ":"))
            output.appendTwoDigits(second / 60 % 60)
            output.append(UInt8(ascii: ":"))
            output.appendTwoDigits(second % 60)
            output.append(UInt8(ascii: "."))
            output.append(UInt8(truncatingIfNeeded: 0x30 + millisecond / 100))
            output.appendTwoDigits(millisecond % 100)
            output.append(UInt8(ascii: "Z"))
        }
    }

    /// Reads an RFC 3339 date-time with any offset; digits below a millisecond are cut off.
    public init?(rfc3339 text: String) {
        self.init(rfc3339: Array(text.utf8)[...])
    }

    /// Reads the ASCII bytes of an RFC 3339 date-time.
    public init?(rfc3339 text: ArraySlice<UInt8>) {
        var scanner = DateScanner(rest: text)
        guard let year = scanner.number(digits: 4), scanner.skip("-"),
            let month = scanner.number(digits: 2), scanner.skip("-"),
            let day = scanner.number(digits: 2), scanner.skip("T") || scanner.skip("t"),
            let hour = scanner.number(digits: 2), hour < 24, scanner.skip(":"),
            let minute = scanner.number(digits: 2), minute < 60, scanner.skip(":"),
            let second = scanner.number(digits: 2), second <= 60,
            let milliseconds = scanner.fraction(),
            let offsetMinutes = scanner.offset(), scanner.rest.isEmpty,
            let date = CivilDate(year: year, month: month, day: day)
        else { return nil }
        let minutes = (date.daysSince1970 * 24 + hour) * 60 + minute - offsetMinutes
        let value = (minutes * 60 + second) * 1000 + milliseconds
        guard Self.writable.contains(value) else { return nil }
        self.init(millisecondsSince1970: value)
    }

    /// Midnight UTC of a calendar date written `YYYY-MM-DD`.
    public init?(date text: String) {
        self.init(rfc3339: text + "T00:00:00Z")
    }
}

extension Instant {
    /// Months since January 1970 in UTC; names the bucket of data keys made in that month.
    public var monthIndex: Int {
        let (days, _) = millisecondsSince1970.flooredDivision(by: 86_400_000)
        let date = CivilDate(daysSince1970: days)
        return Int((date.year - 1970) * 12 + date.month - 1)
    }
}

/// A date of the proleptic Gregorian calendar.
private struct CivilDate {
    let year: Int64
    let month: Int64
    let day: Int64

    /// Years are counted from March, so that the leap day is the last of its year; 400 of them
    /// have 146,097 days.
    init(daysSince1970: Int64) {
        let (era, dayOfEra) = (daysSince1970 + 719_468).flooredDivision(by: 146_097)
        let leapCorrected = dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096
        let yearOfEra = leapCorrected / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    }

    init?(year: Int64, month: Int64, day: Int64) {
        guard (1...12).contains(month), day >= 1 else { return nil }
        self.year = year
        self.month = month
        self.day = day
        let readBack = CivilDate(daysSince1970: daysSince1970)
        guard readBack.year == year, readBack.month == month, readBack.day == day else {
            return nil
        }
    }

    var daysSince1970: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shiftedYear.flooredDivision(by: 400)
        let monthFromMarch = month > 2 ? month - 3 : month + 9
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}

/// Reads the parts of a date-time from the front of `rest`.
private struct DateScanner {
    var rest: ArraySlice<UInt8>

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    mutating func digit() -> Int64? {
        guard let byte = rest.first, (0x30...0x39).contains(byte) else { return nil }
        rest.removeFirst()
        return Int64(byte - 0x30)
    }

    mutating func number(digits: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<digits {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// The milliseconds of an optional fraction; nil when a point has no digit behind it.
    mutating func fraction() -> Int64? {
        guard skip(".") else { return 0 }
        guard var value = digit() else { return nil }
        var digits = 1
        while let digit = digit() {
            if digits < 3 {
                value = value * 10 + digit
                digits += 1
            }
        }
        while digits < 3 {
            value *= 10
            digits += 1
        }
        return value
    }

    /// Minutes east of UTC.
    mutating func offset() -> Int64? {
        if skip("Z") || skip("z") { return 0 }
        let sign: Int64
        if skip("+") {
            sign = 1
        } else if skip("-") {
            sign = -1
        } else {
            return nil
        }
        guard let hours = number(digits: 2), hours < 24, skip(":"),
            let minutes = number(digits: 2), minutes < 60
        else { return nil }
        return sign * (hours * 60 + minutes)
    }
}

extension Int64 {
    /// Quotient rounded towards minus infinity, and the remainder that is never negative.
    fileprivate func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

extension OutputSpan<UInt8> {
    fileprivate mutating func appendTwoDigits(_ value: UInt32) {
        append(UInt8(truncatingIfNeeded: 0x30 + value / 10))
        append(UInt8(truncatingIfNeeded: 0x30 + value % 10))
    }
}
