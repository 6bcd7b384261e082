// SPDX-License-Identifier: Apache-2.0

/// The attributes of an event around its payload: CloudEvents 1.0 and the extensions of ours that
/// chain the events of a stream.
public struct EventEnvelope: Equatable, Sendable {
    /// Unique id of the event.
    public var id: UUIDv7
    /// Who observed the event: the ledger's origin, or the reporting program's own name.
    public var source: String
    /// Event type, for example `authledger.session.initiated`.
    public var type: String
    /// Schema version of the type, from 1.
    public var typeVersion: Int
    /// The stream: a session id, an issuer, a ledger id.
    public var subject: String
    /// Place in the stream: 1, 2, 3 …
    public var revision: Int
    /// Leaf hash of the stream's previous event; nil at revision 1.
    public var previous: Digest?
    /// When it happened, by the observer's clock.
    public var time: Instant
    /// When this ledger took the event in; only on reported events.
    public var recordedTime: Instant?

    /// An envelope of an event.
    public init(
        id: UUIDv7, source: String, type: String, typeVersion: Int, subject: String,
        revision: Int, previous: Digest?, time: Instant, recordedTime: Instant? = nil
    ) {
        self.id = id
        self.source = source
        self.type = type
        self.typeVersion = typeVersion
        self.subject = subject
        self.revision = revision
        self.previous = previous
        self.time = time
        self.recordedTime = recordedTime
    }

    /// The leaf bytes: the event as canonical JSON. These bytes are hashed, exported and proven.
    ///
    /// - Parameter data: the payload, already canonical JSON.
    public func leaf(data: [UInt8]) -> [UInt8] {
        var leaf: [UInt8] = []
        leaf.reserveCapacity(data.count + 420)
        leaf.append(contentsOf: #"{"data":"#.utf8)
        leaf.append(contentsOf: data)
        leaf.append(contentsOf: #","id":""#.utf8)
        UUIDText.append(id.bytes.span, to: &leaf)
        if let previous {
            leaf.append(contentsOf: #"","previous":""#.utf8)
            Base64URL.append(previous.bytes.span, to: &leaf)
        }
        if let recordedTime {
            leaf.append(contentsOf: #"","recordedtime":""#.utf8)
            leaf.append(contentsOf: recordedTime.rfc3339Bytes)
        }
        leaf.append(contentsOf: #"","revision":"#.utf8)
        leaf.append(contentsOf: String(revision).utf8)
        leaf.append(contentsOf: #","source":"#.utf8)
        CanonicalJSON.append(source, to: &leaf)
        leaf.append(contentsOf: #","specversion":"1.0","subject":"#.utf8)
        CanonicalJSON.append(subject, to: &leaf)
        leaf.append(contentsOf: #","time":""#.utf8)
        leaf.append(contentsOf: time.rfc3339Bytes)
        leaf.append(contentsOf: #"","type":"#.utf8)
        CanonicalJSON.append(type, to: &leaf)
        leaf.append(contentsOf: #","typeversion":"#.utf8)
        leaf.append(contentsOf: String(typeVersion).utf8)
        leaf.append(UInt8(ascii: "}"))
        return leaf
    }
}

/// An event as the log holds it.
public struct RecordedEvent: Sendable {
    /// Place in the log, from 0; the leaf index in the tree.
    public let position: UInt64
    /// SHA-256(0x00 ‖ leaf), as RFC 6962 hashes leaves.
    public let leafHash: Digest
    /// The attributes around the payload.
    public let envelope: EventEnvelope
    /// The payload.
    public let data: JSONObject
    /// The bytes that are hashed and never change.
    public let leaf: [UInt8]

    /// Reads leaf bytes that are known to be the ones that were hashed, and so to be in the
    /// canonical form in which they were written; ``EventEnvelope/read(_:)`` looks.
    ///
    /// - Parameter passingOver: members of `data` that are not read, for who folds millions of
    ///   events; an empty text, array or object stands in the place of each.
    public init(
        position: UInt64, leafHash: Digest, leaf: [UInt8], passingOver: [String] = []
    ) throws(LeafError) {
        if let parts = EventEnvelope.parseCanonical(leaf, passingOver: passingOver) {
            (envelope, data) = parts
        } else {
            // What is wrong with it, if anything is, the slower way tells.
            (envelope, data) = try EventEnvelope.parse(leaf)
        }
        self.position = position
        self.leafHash = leafHash
        self.leaf = leaf
    }
}

/// Why bytes are not a leaf of ours.
public enum LeafError: Error, Equatable {
    /// The bytes are not strict JSON.
    case json(JSONError)
    /// A member is missing, unknown, or not of its form; its name.
    case member(String)
    /// The bytes are JSON of the right shape, but not in canonical form.
    case notCanonical
}

extension EventEnvelope {
    /// Reads the envelope and the payload from leaf bytes, which must be in canonical form.
    public static func read(
        _ leaf: [UInt8]
    ) throws(LeafError) -> (envelope: EventEnvelope, data: JSONObject) {
        let (envelope, data) = try parse(leaf)
        guard envelope.leaf(data: CanonicalJSON.encode(data)) == leaf else { throw .notCanonical }
        return (envelope, data)
    }

    /// Reads the envelope and the payload without asking for the canonical form.
    static func parse(
        _ leaf: [UInt8]
    ) throws(LeafError) -> (envelope: EventEnvelope, data: JSONObject) {
        let value: JSONValue
        do {
            value = try JSONReader.read(leaf, numbers: .integersOnly)
        } catch {
            throw .json(error)
        }
        guard let object = value.objectValue else { throw .notCanonical }
        let envelope = try EventEnvelope(members: object)
        guard let data = object["data"]?.objectValue else { throw .member("data") }
        return (envelope, data)
    }

    private static let memberNames = [
        "data", "id", "previous", "recordedtime", "revision", "source", "specversion", "subject",
        "time", "type", "typeversion",
    ]

    private init(members: JSONObject) throws(LeafError) {
        // Members are asked for in the order in which the canonical form has them.
        var next = 0
        func member(_ name: String) -> JSONValue? {
            guard let index = members.index(of: name, from: next) else { return nil }
            next = index + 1
            return members.members[index].value
        }
        func text(_ name: String) throws(LeafError) -> String {
            guard let value = member(name)?.stringValue else { throw .member(name) }
            return value
        }
        func optional<Value>(
            _ name: String, _ read: (String) -> Value?
        ) throws(LeafError) -> Value? {
            guard let member = member(name) else { return nil }
            guard let value = member.stringValue.flatMap(read) else { throw .member(name) }
            return value
        }
        func number(_ name: String) throws(LeafError) -> Int {
            guard let value = member(name)?.integerValue, value >= 1 else { throw .member(name) }
            return Int(value)
        }
        guard let id = UUIDv7(try text("id")) else { throw .member("id") }
        let previous = try optional("previous", Digest.init(base64URL:))
        let recordedTime = try optional("recordedtime") { Instant(rfc3339: $0) }
        let revision = try number("revision")
        let source = try text("source")
        guard try text("specversion") == "1.0" else { throw .member("specversion") }
        let subject = try text("subject")
        guard let time = Instant(rfc3339: try text("time")) else { throw .member("time") }
        self.init(
            id: id, source: source, type: try text("type"), typeVersion: try number("typeversion"),
            subject: subject, revision: revision, previous: previous, time: time,
            recordedTime: recordedTime)
        guard (previous == nil) == (self.revision == 1) else { throw .member("previous") }
        let known = 9 + (previous == nil ? 0 : 1) + (recordedTime == nil ? 0 : 1)
        guard members.members.count == known else { throw Self.unknownMember(of: members) }
    }

    private static func unknownMember(of object: JSONObject) -> LeafError {
        let unknown = object.members.first { member in
            !memberNames.contains { $0.isIdentical(to: member.name) }
        }
        return .member(unknown?.name ?? "data")
    }
}
