// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import SessionEvents

/// A line of input: one CloudEvent whose `data.sealed` is still a plain object.
struct ReportedEvent {
    let id: UUIDv7
    let source: String
    let type: SessionEventType
    let typeVersion: Int
    let subject: String
    let time: Instant
    /// Given by the reporter to be checked; usually left out.
    let revision: Int?
    let previous: Digest?
    /// `data` without `sealed`, as it came.
    let clear: JSONObject
    let sealed: JSONObject?

    /// Reads a line.
    ///
    /// - Throws: ``LineRejection`` with the first thing that is wrong.
    init(line: [UInt8]) throws(LineRejection) {
        let value: JSONValue
        do {
            value = try JSONReader.read(line, numbers: .anyAsText)
        } catch {
            throw LineRejection(.jsonMalformed, error.description)
        }
        guard let object = value.objectValue else {
            throw LineRejection(.jsonMalformed, "the line is not a JSON object")
        }
        let members = EnvelopeMembers(object)
        try members.refuseUnknown()
        guard try members.text("specversion") == "1.0" else {
            throw members.malformed("specversion", "\"1.0\"")
        }
        type = try members.type()
        typeVersion = try members.typeVersion(of: type)
        id = try members.value("id", "a lower-case UUID of version 7", UUIDv7.init)
        subject = try members.value("subject", "a session id: a lower-case UUID of version 7") {
            UUIDv7($0)?.description
        }
        source = try members.value(
            "source", "a URI reference of up to 200 letters, digits and the characters ._~:/@-",
            Self.source)
        time = try members.value("time", "an RFC 3339 date-time") { Instant(rfc3339: $0) }
        revision = try members.optionalRevision()
        previous = try members.optional(
            "previous", "base64url of 32 bytes without padding", Digest.init(base64URL:))
        guard var data = object["data"]?.objectValue else {
            throw members.malformed("data", "an object")
        }
        if let member = data["sealed"] {
            guard let sealed = member.objectValue else {
                throw members.malformed("data.sealed", "an object; the ledger seals it itself")
            }
            self.sealed = sealed
            data["sealed"] = nil
        } else {
            sealed = nil
        }
        clear = data
    }

    private static func source(_ text: String) -> String? {
        let isFit =
            (1...200).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
                    || "._~:/@-".utf8.contains(byte)
            }
        return isFit ? text : nil
    }
}

/// The attributes around `data` in a line of input.
private struct EnvelopeMembers {
    private static let known: Set<String> = [
        "specversion", "id", "source", "type", "typeversion", "subject", "time", "data",
        "revision", "previous", "datacontenttype",
    ]

    let object: JSONObject

    init(_ object: JSONObject) {
        self.object = object
    }

    func refuseUnknown() throws(LineRejection) {
        if object["recordedtime"] != nil {
            throw LineRejection(.memberUnknown, "`recordedtime` is set by the ledger; leave it out")
        }
        for member in object.members where !Self.known.contains(member.name) {
            throw LineRejection(
                .memberUnknown,
                "the event has an attribute that is not one of those that `ingest` takes")
        }
        // CloudEvents libraries add this by themselves; it says what is known anyway.
        if let contentType = object["datacontenttype"], contentType != .string("application/json") {
            throw malformed("datacontenttype", "\"application/json\"")
        }
    }

    func malformed(_ name: String, _ expectation: String) -> LineRejection {
        LineRejection(.memberMalformed, "`\(name)` must be \(expectation)")
    }

    func text(_ name: String) throws(LineRejection) -> String {
        guard let member = object[name] else {
            throw LineRejection(.memberMissing, "`\(name)` is missing")
        }
        guard let text = member.stringValue else { throw malformed(name, "a string") }
        return text
    }

    func value<Value>(
        _ name: String, _ expectation: String, _ read: (String) -> Value?
    ) throws(LineRejection) -> Value {
        guard let value = read(try text(name)) else { throw malformed(name, expectation) }
        return value
    }

    func optional<Value>(
        _ name: String, _ expectation: String, _ read: (String) -> Value?
    ) throws(LineRejection) -> Value? {
        object[name] == nil ? nil : try value(name, expectation, read)
    }

    func type() throws(LineRejection) -> SessionEventType {
        guard let type = SessionEventType(rawValue: try text("type")) else {
            let known = SessionEventType.allCases.map(\.rawValue).joined(separator: ", ")
            throw LineRejection(.typeUnknown, "`type` must be one of \(known)")
        }
        return type
    }

    func typeVersion(of type: SessionEventType) throws(LineRejection) -> Int {
        guard let member = object["typeversion"] else {
            throw LineRejection(.memberMissing, "`typeversion` is missing")
        }
        guard let version = member.integerValue, (1...type.currentVersion).contains(Int(version))
        else {
            throw LineRejection(
                .versionUnknown,
                "`typeversion` must be a whole number from 1 to \(type.currentVersion)")
        }
        return Int(version)
    }

    func optionalRevision() throws(LineRejection) -> Int? {
        guard let member = object["revision"] else { return nil }
        guard let revision = member.integerValue, (1...Int64(Int32.max)).contains(revision) else {
            throw malformed("revision", "a whole number from 1 on")
        }
        return Int(revision)
    }
}
