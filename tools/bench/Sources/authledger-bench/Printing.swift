// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives

extension Report {
    /// A table for people.
    var text: String {
        let cells =
            [["", "AuthLedger", "compared with", "", "ratio", "bar"]]
            + rows.map { row in
                [
                    "\(row.name), \(row.unit.rawValue)", row.figures.text(row.unit),
                    row.peer?.name ?? "", row.peer?.figures.text(row.unit) ?? "",
                    row.ratio?.ratioText ?? "", row.barText,
                ]
            }
        let widths = (0..<6).map { column in cells.map { $0[column].count }.max() ?? 0 }
        let lines = cells.map { line in
            var padded = ""
            for (cell, width) in zip(line, widths) where width > 0 {
                padded += cell + String(repeating: " ", count: width - cell.count + 2)
            }
            return "  " + padded.trimmedAtEnd
        }
        return (["\(name): \(conditions.joined(separator: "; "))"] + lines + [""])
            .joined(separator: "\n")
    }

    /// One line of JSON for programs.
    var json: String {
        let object: JSONObject = [
            "benchmark": .string(name),
            "conditions": .array(conditions.map { .string($0) }),
            "rows": .array(rows.map { .object($0.object) }),
        ]
        return String(decoding: CanonicalJSON.encode(object), as: UTF8.self)
    }
}

extension Row {
    fileprivate var barText: String {
        guard let bar, let isWithinBar else { return "" }
        return "\(Decimal.text(bar, digits: 1)) \(isWithinBar ? "met" : "MISSED")"
    }

    fileprivate var object: JSONObject {
        var object: JSONObject = [
            "name": .string(name), "unit": .string(unit.rawValue), "value": figures.json,
        ]
        if let peer {
            object["peer"] = .string(peer.name)
            object["peerValue"] = peer.figures.json
            object["ratio"] = ratio?.json
        }
        if let bar, let isWithinBar {
            object["bar"] = .number(Decimal.text(bar, digits: 3))
            object["met"] = .bool(isWithinBar)
        }
        return object
    }
}

extension Figures {
    fileprivate func text(_ unit: Unit) -> String {
        let digits =
            switch unit {
            case .microseconds, .microsecondsPerToken: 2
            case .milliseconds, .seconds: 1
            default: 0
            }
        let middle = Decimal.text(median, digits: digits)
        if least == most { return middle }
        return middle
            + " (\(Decimal.text(least, digits: digits))–\(Decimal.text(most, digits: digits)))"
    }

    fileprivate var ratioText: String {
        "\(Decimal.text(median, digits: 2)) "
            + "(\(Decimal.text(least, digits: 2))–\(Decimal.text(most, digits: 2)))"
    }

    fileprivate var json: JSONValue {
        .object([
            "max": .number(Decimal.text(most, digits: 3)),
            "median": .number(Decimal.text(median, digits: 3)),
            "min": .number(Decimal.text(least, digits: 3)),
        ])
    }
}

/// Numbers with a fixed count of digits behind the point.
enum Decimal {
    static func text(_ value: Double, digits: Int) -> String {
        var scale = 1
        for _ in 0..<digits {
            scale *= 10
        }
        let scaled = Int((value * Double(scale)).rounded())
        guard digits > 0 else { return String(scaled) }
        let fraction = String(abs(scaled) % scale)
        let sign = scaled < 0 ? "-" : ""
        return "\(sign)\(abs(scaled) / scale)."
            + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}

extension String {
    fileprivate var trimmedAtEnd: String {
        String(self[..<(lastIndex { $0 != " " }.map { index(after: $0) } ?? startIndex)])
    }
}
