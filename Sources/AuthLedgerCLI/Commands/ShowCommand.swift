// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Capabilities
internal import Custody
internal import EventLog
internal import LedgerPrimitives
internal import Projections
internal import SessionEvents

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what happened in a session, in words.",
        discussion: """
            Examples:
              authledger show 0198b0f2
              authledger show 0198b0f2 --json
              authledger show 0198b0f2 --as-of -2h
              authledger show 0198b0f2 --reveal --reason "claim 4711"

            Sealed data stay sealed. --reveal opens them, and who looked and why is recorded \
            before the first of them is shown (see `authledger access`); the reason is sealed.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var asOf: AsOfOption

    @Argument(help: ArgumentHelp("A session; any unambiguous prefix.", valueName: "session"))
    var session: String

    @Flag(help: "Show what is sealed; needs --reason.")
    var reveal = false

    @Option(help: ArgumentHelp("Why sealed data are shown.", valueName: "text"))
    var reason: String?

    func validate() throws {
        guard reveal == (reason != nil) else {
            throw ValidationError("--reveal and --reason go together")
        }
        guard reason.map({ (1...4096).contains($0.utf8.count) }) ?? true else {
            throw ValidationError("--reason says something, in at most 4096 bytes")
        }
    }

    func run() throws {
        let log = try global.openLedger(reveal ? .appending : .reading)
        let name = try log.session(withPrefix: session)
        let size = try asOf.size(of: log, global) ?? .max
        let events = try log.stream(name, before: size)
        let erasure = try log.erasure(of: name).flatMap { $0.position < size ? $0 : nil }
        let table = try events.reduce(into: SessionTable()) { try $0.fold($1) }
        guard var summary = table[name] else {
            throw CommandError(.inputOutput, "session-unknown", "there is no such session")
        }
        summary.erasedAt = erasure?.time
        let revealed = try reason.map { try opened(events, of: name, in: log, reason: $0) } ?? [:]
        let timeline = try events.map { try TimelineEntry($0) }
        var object = summary.object
        object["events"] = .array(
            timeline.map { .object($0.object(revealing: revealed[$0.position])) })
        object["erasure"] = erasure.map { .object($0.object) }
        try global.output.print(object) {
            var lines = [summary.line]
            for entry in timeline {
                lines.append(entry.line)
                lines +=
                    revealed[entry.position]?.members.map {
                        "      \($0.name): \(TerminalText.json($0.value))"
                    } ?? []
            }
            if let erasure { lines.append(erasure.line) }
            return lines.joined(separator: "\n")
        }
    }

    /// What is sealed in the events, by position. The record of the access is on disk before the
    /// first of it is opened.
    private func opened(
        _ events: [RecordedEvent], of session: String, in log: EventLog, reason: String
    ) throws -> [UInt64: JSONObject] {
        guard let id = UUIDv7(session) else {
            throw CommandError(.inputOutput, "session-unknown", "there is no such session")
        }
        let sealed = events.filter {
            $0.data[DataMember.sealed] != nil || $0.data[DataMember.sealedBlob] != nil
        }
        if sealed.isEmpty { return [:] }
        let key = try log.existingDataKey(for: session)
        _ = try AccessRecord(log, capabilities: .live).reveal(
            id, in: sealed, command: "show", reason: reason, by: .present)
        var found: [UInt64: JSONObject] = [:]
        for event in sealed {
            found[event.position] = try log.openSealed(event, dataKey: key)
        }
        return found
    }
}

extension TimelineEntry {
    fileprivate func object(revealing sealed: JSONObject?) -> JSONObject {
        var data = data
        if let sealed { data["sealed"] = .object(sealed) }
        return [
            "data": .object(data), "position": .integer(Int64(position)),
            "revision": .integer(Int64(revision)), "text": .string(text),
            "time": .string(time.rfc3339), "type": .string(type),
        ]
    }

    /// One line for people.
    var line: String { "  \(time)  \(text)" }
}

extension RecordedErasure {
    fileprivate var object: JSONObject {
        [
            "at": .string(time.rfc3339), "erasure": .string(erasure.description),
            "legalBasis": .string(legalBasis.rawValue), "position": .integer(Int64(position)),
            "uid": .integer(Int64(by.uid)), "user": .string(by.user),
        ]
    }

    fileprivate var line: String {
        "  \(time)  What was sealed in this session is erased (\(legalBasis.rawValue), position "
            + "\(position))."
    }
}
