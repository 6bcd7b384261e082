// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LedgerPrimitives

extension Diagnosis {
    /// As a member of `checks`.
    var object: JSONObject {
        var object: JSONObject = [
            "message": .string(message), "name": .string(name),
            "outcome": .string(outcome.rawValue),
        ]
        if let hint { object["hint"] = .string(hint) }
        return object
    }

    /// A line, and one more for the hint.
    var text: String {
        let mark = [Outcome.ok: "ok      ", .warning: "warning ", .problem: "PROBLEM "][outcome]
        let line = "\(mark ?? "")\(name): \(message)"
        return TerminalText.escaped(line)
            + (hint.map { "\n        -> " + TerminalText.escaped($0) } ?? "")
    }
}

extension [Diagnosis] {
    /// Whether nothing is so wrong that it does not work.
    var isFine: Bool { !contains { $0.outcome == .problem } }

    /// All of them, for programs.
    var objects: JSONValue { .array(map { .object($0.object) }) }

    /// All of them, for people.
    var text: String { map(\.text).joined(separator: "\n") }
}
