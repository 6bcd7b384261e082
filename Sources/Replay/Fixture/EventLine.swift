// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import SessionEvents

/// An event of a fixture: a line as a program that reports events writes it.
struct EventLine {
    private static let names: Set<String> = [
        "data", "id", "recordedtime", "source", "specversion", "subject", "time", "type",
        "typeversion",
    ]
    private static let source = "urn:authledger:fixture"

    private let members: JSONObject
    private let place: String

    init(
        _ members: JSONObject, _ place: String, _ session: String
    ) throws(FixtureError) {
        self.members = members
        self.place = place
        guard members.members.allSatisfy({ Self.names.containsIdentical($0.name) }) else {
            throw malformed("there is a member that no event of a fixture has")
        }
        guard members["specversion"] == .string("1.0") else {
            throw malformed("`specversion` must be 1.0")
        }
        guard members["subject"] == .string(session) else {
            throw malformed("`subject` must be the session of \(ReplayFixture.headFile)")
        }
        guard members["id"]?.stringValue.flatMap({ UUIDv7($0) }) != nil else {
            throw malformed("`id` must be a UUID of version 7")
        }
    }

    /// The event, as the one of this number in its session, from 0.
    func step(number: Int) throws(FixtureError) -> RecordedStep {
        guard var data = members["data"]?.objectValue else {
            throw malformed("`data` must be an object")
        }
        let sealed = data["sealed"]
        guard sealed == nil || sealed?.objectValue != nil else {
            throw malformed("`data.sealed` must be an object")
        }
        data["sealed"] = nil
        let event: SessionEvent
        do {
            event = try SessionEventCodec.decode(
                type: members["type"]?.stringValue ?? "",
                version: Int(members["typeversion"]?.integerValue ?? 0), data: data)
        } catch {
            throw malformed(Self.words(for: error))
        }
        return RecordedStep(
            position: UInt64(number), revision: number + 1, time: try instant("time"),
            recordedTime: members["recordedtime"] == nil ? nil : try instant("recordedtime"),
            event: event, sealed: sealed?.objectValue ?? JSONObject())
    }

    private func instant(_ name: String) throws(FixtureError) -> Instant {
        guard let instant = members[name]?.stringValue.flatMap({ Instant(rfc3339: $0) }) else {
            throw malformed("`\(name)` must be an RFC 3339 date-time")
        }
        return instant
    }

    private func malformed(_ problem: String) -> FixtureError {
        .malformed(file: place, problem: problem)
    }

    private static func words(for error: EventDecodingError) -> String {
        switch error {
        case .unknownType: "`type` is not that of an event of a session"
        case .unknownVersion: "`typeversion` is not one that this program reads"
        case .member(let error): "in `data`, \(error)"
        }
    }

    // MARK: - Writing

    /// The line of an event.
    static func encode(
        _ event: SessionEvent, clear: JSONObject, sealed: JSONObject, number: Int, session: String,
        time: Instant, recordedTime: Instant?
    ) -> [UInt8] {
        var data = clear
        if !sealed.isEmpty { data["sealed"] = .object(sealed) }
        let count = UInt64(number)
        let id = UUIDv7(
            at: time, random: [0, 0] + (0..<8).map { UInt8(count >> (56 - 8 * $0) & 0xFF) })
        var line: JSONObject = [
            "specversion": .string("1.0"), "id": .string(id.description),
            "source": .string(source), "type": .string(event.type.rawValue),
            "typeversion": .integer(Int64(event.type.currentVersion)),
            "subject": .string(session), "time": .string(time.rfc3339),
        ]
        line["recordedtime"] = recordedTime.map { .string($0.rfc3339) }
        line["data"] = .object(data)
        return OrderedJSON.encode(.object(line)) + [0x0A]
    }
}
