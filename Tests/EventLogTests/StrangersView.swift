// SPDX-License-Identifier: Apache-2.0

import EventLog
import LedgerPrimitives
import TestSupport
import Testing

/// What `read_ledger.py` makes of a ledger.
struct StrangersView {
    struct Event {
        let position: Int64
        let leafHash: String
        let leaf: [UInt8]
        /// What was sealed with the event; nil where nothing was.
        let sealed: [UInt8]?
    }

    let events: [Event]
    /// Counts and the root, as the last line has them.
    let summary: JSONObject

    /// Has a ledger read; the reader must come to a clean end.
    init(of ledger: StrangersLedger) throws {
        let outcome = try Python.run(
            "read_ledger.py", [ledger.ledger, try ledger.keyDirectory()])
        try #require(outcome.status == 0, "\(outcome.errors)")
        var lines: [JSONObject] = []
        for line in outcome.lines {
            let value = try JSONReader.read(line, numbers: .integersOnly)
            lines.append(try #require(value.objectValue))
        }
        summary = try #require(lines.last)
        events = try lines.dropLast().map { line in
            Event(
                position: try #require(line["position"]?.integerValue),
                leafHash: try #require(line["leafHash"]?.stringValue),
                leaf: try #require(line["leaf"]?.stringValue.flatMap(Base64.decode)),
                sealed: line["sealed"]?.stringValue.flatMap(Base64.decode))
        }
    }

    /// In what the log itself sees the ledger otherwise, in words.
    func differences(from ledger: StrangersLedger) throws -> [String] {
        let log = try ledger.open(.appending)
        let head = try log.head()
        var differences: [String] = []
        if summary["events"] != .integer(Int64(head.size)) { differences.append("size") }
        if summary["root"] != .string(head.root.base64) { differences.append("root") }
        if summary["blobs"] != .integer(Int64(head.blobs)) { differences.append("blobs") }
        var unread = events[...]
        try log.forEachEvent(in: 0..<UInt64.max) { event in
            guard let seen = unread.popFirst() else {
                differences.append("\(event.position) is missing")
                return false
            }
            if seen.position != Int64(event.position) { differences.append("position") }
            if seen.leaf != event.leaf { differences.append("leaf \(event.position)") }
            if seen.leafHash != "\(event.leafHash)" { differences.append("hash \(event.position)") }
            if try sealed(of: event, in: log) != seen.sealed {
                differences.append("sealed \(event.position)")
            }
            return true
        }
        if !unread.isEmpty { differences.append("too many events") }
        return differences
    }

    private func sealed(of event: RecordedEvent, in log: EventLog) throws -> [UInt8]? {
        guard let key = try log.dataKey(for: event.envelope.subject) else { return nil }
        return try log.openSealed(event, dataKey: key).map { CanonicalJSON.encode($0) }
    }
}
