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
        UUIDText.append(id.bytes[...], to: &leaf)
        if let previous {
            leaf.append(contentsOf: #"","previous":""#.utf8)
            Base64URL.append(previous.array[...], to: &leaf)
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

    /// Reads leaf bytes.
    public init(
        position: UInt64, leafHash: Digest, leaf: [UInt8]
    ) throws(LeafError) {
        (envelope, data) = try EventEnvelope.read(leaf)
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
    static let memberNames: Set<String> = [
        "data", "id", "previous", "recordedtime", "revision", "source", "specversion", "subject",
        "time", "type", "typeversion",
    ]

    /// Reads the envelope and the payload from leaf bytes, which must be in canonical form.
    public static func read(
        _ leaf: [UInt8]
    ) throws(LeafError) -> (envelope: EventEnvelope, data: JSONObject) {
        let value: JSONValue
        do {
            value = try JSONReader.read(leaf, numbers: .integersOnly)
        } catch {
            throw .json(error)
        }
        guard let object = value.objectValue else { throw .notCanonical }
        if let unknown = object.members.first(where: { !memberNames.contains($0.name) }) {
            throw .member(unknown.name)
        }
        let envelope = try EventEnvelope(members: object)
        guard let data = object["data"]?.objectValue else { throw .member("data") }
        guard envelope.leaf(data: CanonicalJSON.encode(data)) == leaf else { throw .notCanonical }
        return (envelope, data)
    }

    private init(members: JSONObject) throws(LeafError) {
        func text(_ name: String) throws(LeafError) -> String {
            guard let value = members[name]?.stringValue else { throw .member(name) }
            return value
        }
        func optional<Value>(
            _ name: String, _ read: (String) -> Value?
        ) throws(LeafError) -> Value? {
            guard let member = members[name] else { return nil }
            guard let value = member.stringValue.flatMap(read) else { throw .member(name) }
            return value
        }
        guard try text("specversion") == "1.0" else { throw .member("specversion") }
        guard let id = UUIDv7(try text("id")) else { throw .member("id") }
        guard let revision = members["revision"]?.integerValue, revision >= 1 else {
            throw .member("revision")
        }
        guard let version = members["typeversion"]?.integerValue, version >= 1 else {
            throw .member("typeversion")
        }
        guard let time = Instant(rfc3339: try text("time")) else { throw .member("time") }
        self.init(
            id: id, source: try text("source"), type: try text("type"), typeVersion: Int(version),
            subject: try text("subject"), revision: Int(revision),
            previous: try optional("previous", Digest.init(base64URL:)), time: time,
            recordedTime: try optional("recordedtime") { Instant(rfc3339: $0) })
        guard (previous == nil) == (self.revision == 1) else { throw .member("previous") }
    }
}
