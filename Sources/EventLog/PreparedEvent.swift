// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
public import LedgerPrimitives
internal import MerkleTree
internal import OpenSSL

/// An event as its author has it, before it gets its place in a stream.
public struct EventDraft: Sendable {
    /// Unique id of the event.
    public var id: UUIDv7
    /// Who observed it.
    public var source: String
    /// Event type.
    public var type: String
    /// Schema version of the type.
    public var typeVersion: Int
    /// The stream.
    public var subject: String
    /// When it happened.
    public var time: Instant
    /// When this ledger took it in; only on reported events.
    public var recordedTime: Instant?
    /// The members of `data` that may be read by everyone who may read the log.
    public var clear: JSONObject
    /// What is personal or secret; sealed under the stream's data key.
    public var sealed: JSONObject?
    /// Public documents that the event refers to by digest and that the log archives with it.
    public var documents: [[UInt8]]

    /// A draft of an event.
    public init(
        id: UUIDv7, source: String, type: String, typeVersion: Int, subject: String,
        time: Instant, recordedTime: Instant? = nil, clear: JSONObject, sealed: JSONObject? = nil,
        documents: [[UInt8]] = []
    ) {
        self.id = id
        self.source = source
        self.type = type
        self.typeVersion = typeVersion
        self.subject = subject
        self.time = time
        self.recordedTime = recordedTime
        self.clear = clear
        self.sealed = sealed
        self.documents = documents
    }
}

/// An event that is sealed, hashed and compressed, and waits for its position.
public struct PreparedEvent: Sendable {
    /// Unique id of the event.
    public let id: UUIDv7
    /// The stream.
    public let subject: String
    /// The end of the stream that this event was made for; nil for a stream's first event.
    public let expected: StreamHead?
    /// The end of the stream once this event is in.
    public let head: StreamHead
    /// Whether the event opens a stream of a session.
    let opensSession: Bool
    /// Whether the ledger itself observed what happened.
    let isOwnObservation: Bool
    /// The commitment to the stream's data key that a first event carries.
    let keyCommitment: Digest?
    let leafLength: Int
    let body: FrameBody
    let blobs: [Blob]
}

/// Names of the members of `data` that the log itself puts there.
public enum DataMember {
    /// A JWE with everything personal or secret.
    public static let sealed = "sealed"
    /// SHA-256 of the blob that holds such a JWE when it is too large for a leaf.
    public static let sealedBlob = "sealedBlob"
    /// On a stream's first event: what commits to the stream's data key.
    public static let keyCommitment = "keyCommitment"
    /// Members by which events name archived documents: base64url of their SHA-256.
    static let documentDigests = [
        "discoveryDigest", "documentDigest", "keySetDigest", "policyDigest", "profileDigest",
    ]
}

extension EventLog {
    /// Sealed payloads whose plaintext is larger than this go to a blob, in bytes.
    static let inlineSealedBytesMax = 32_768
    /// The type prefix of everything that belongs to a session.
    static let sessionTypePrefix = "authledger.session."

    /// Seals, hashes and compresses an event for a given end of its stream.
    ///
    /// - Parameters:
    ///   - head: the end of the stream; nil if this is its first event.
    ///   - dataKey: the stream's data key; required where there is something to seal.
    /// - Throws: ``LedgerError/eventTooLarge(bytes:)`` or ``LedgerError/blobTooLarge(bytes:)``.
    public func prepare(
        _ draft: EventDraft, after head: StreamHead?, dataKey: DataKey?
    ) throws -> PreparedEvent {
        let revision = (head?.revision ?? 0) + 1
        var blobs = try draft.documents.map { try recentBlobs.blob($0) }
        var data = draft.clear
        if revision == 1, let dataKey {
            data[DataMember.keyCommitment] = .string(dataKey.commitment.base64URL)
        }
        if let sealed = draft.sealed {
            guard let dataKey else { throw LedgerError.keyMissing(subject: draft.subject) }
            let plaintext = CanonicalJSON.encode(sealed)
            let nonce = capabilities.randomBytes(AES256GCM.nonceBytes)
            if plaintext.count <= Self.inlineSealedBytesMax {
                data[DataMember.sealed] = .string(
                    dataKey.seal(plaintext, revision: revision, nonce: nonce))
            } else {
                let blob = try Blob(
                    dataKey.sealBlob(plaintext, event: draft.id, number: 0, nonce: nonce))
                data[DataMember.sealedBlob] = .string(blob.digest.base64URL)
                blobs.append(blob)
            }
        }
        return try prepare(draft, data: data, after: head, blobs: blobs)
    }

    private func prepare(
        _ draft: EventDraft, data: JSONObject, after head: StreamHead?, blobs: [Blob]
    ) throws -> PreparedEvent {
        let envelope = EventEnvelope(
            id: draft.id, source: draft.source, type: draft.type, typeVersion: draft.typeVersion,
            subject: draft.subject, revision: (head?.revision ?? 0) + 1, previous: head?.leafHash,
            time: draft.time, recordedTime: draft.recordedTime)
        // In a frame, a name without bytes stands for a UUID.
        precondition(!draft.subject.isEmpty, "a stream has a name")
        let leaf = envelope.leaf(data: CanonicalJSON.encode(data))
        guard leaf.count <= LedgerLimits.leafBytesMax,
            draft.subject.utf8.count <= LedgerLimits.subjectBytesMax
        else { throw LedgerError.eventTooLarge(bytes: leaf.count) }
        let place = StreamPlace(
            subject: draft.subject, revision: envelope.revision, previous: envelope.previous)
        return PreparedEvent(
            id: draft.id, subject: draft.subject, expected: head,
            head: StreamHead(revision: envelope.revision, leafHash: MerkleTree.leafHash(leaf)),
            opensSession: head == nil && draft.type.hasPrefix(Self.sessionTypePrefix),
            isOwnObservation: draft.source == info.origin,
            keyCommitment: head == nil
                ? data[DataMember.keyCommitment]?.stringValue.flatMap(Digest.init(base64URL:))
                : nil,
            leafLength: leaf.count,
            body: try codec.body(leaf: leaf, place: place, packing: .packed), blobs: blobs)
    }

    /// The sealed part of an event as JSON, opened with the stream's data key.
    ///
    /// - Returns: nil when the event has no sealed part.
    /// - Throws: ``LedgerError/damaged(_:position:)`` when it cannot be opened.
    public func openSealed(
        _ event: RecordedEvent, dataKey: DataKey
    ) throws -> JSONObject? {
        let plaintext: [UInt8]?
        if let box = event.data[DataMember.sealed]?.stringValue {
            try checkCommitment(of: dataKey, toOpen: event)
            plaintext = dataKey.open(box, revision: event.envelope.revision)
        } else if let name = event.data[DataMember.sealedBlob]?.stringValue {
            try checkCommitment(of: dataKey, toOpen: event)
            let content = try Digest(base64URL: name).flatMap { try blob($0) }
            plaintext = content.flatMap {
                dataKey.openBlob($0, event: event.envelope.id, number: 0)
            }
        } else {
            return nil
        }
        guard let plaintext,
            let value = try? JSONReader.read(plaintext, numbers: .anyAsText),
            let object = value.objectValue
        else {
            throw LedgerError.damaged("sealed data cannot be opened", position: event.position)
        }
        return object
    }

    /// Compares a data key with what the stream's first event says of it, once for each key.
    private func checkCommitment(of dataKey: DataKey, toOpen event: RecordedEvent) throws {
        if dataKey.checked.isDone { return }
        let subject = event.envelope.subject
        let first =
            event.envelope.revision == 1 ? event : try self.event(ofStream: subject, revision: 1)
        guard let commitment = first?.data[DataMember.keyCommitment]?.stringValue else {
            throw LedgerError.damaged(
                "the stream does not say which key its sealed data have", position: event.position)
        }
        guard commitment.isIdentical(to: dataKey.commitment.base64URL) else {
            throw LedgerError.keyMismatch(subject: subject)
        }
        dataKey.checked.finish()
    }
}

/// An event made up to look like the ones that will come. One without a recorded time stands for
/// those of the ledger's own, and gets the ledger's name as its source.
public struct SampleEvent: Sendable {
    /// The attributes around the payload.
    public let envelope: EventEnvelope
    /// The payload.
    public let data: JSONObject

    /// A sample.
    public init(envelope: EventEnvelope, data: JSONObject) {
        self.envelope = envelope
        self.data = data
    }
}
