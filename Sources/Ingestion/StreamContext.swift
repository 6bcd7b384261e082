// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LedgerPrimitives
internal import SessionEvents
internal import Sessions

/// What is remembered of a session while its events come in.
struct StreamContext {
    /// The end of the stream, counting events that are prepared but not written yet.
    var head: StreamHead?
    var state = SessionState()
    /// Who reports this session; fixed by its first event.
    var source: String?
    let dataKey: DataKey
    /// Set until the key is stored.
    var newDataKey: NewDataKey?
    /// Revision of each event.
    var revisions: [UUIDv7: Int] = [:]
    /// Events that are prepared but not written yet, by id; the others can be read from the log.
    var unwritten: [UUIDv7: KnownEvent] = [:]

    /// Reads what the log has of a session.
    init(subject: String, in log: EventLog) throws {
        let events = try log.stream(subject)
        guard let first = events.first else {
            // A key without events is what a crash between the two leaves behind; it serves.
            let stored = try log.dataKey(for: subject)
            newDataKey = stored == nil ? try log.makeDataKey(for: subject) : nil
            guard let key = stored ?? newDataKey?.key else {
                throw LedgerError.keyMissing(subject: subject)
            }
            dataKey = key
            return
        }
        let key: DataKey
        do {
            key = try log.existingDataKey(for: subject)
        } catch LedgerError.erased {
            throw LineRejection(
                .sessionErased,
                "the session is erased: nothing can be added to it, nor compared with it")
        }
        guard first.data[DataMember.keyCommitment] == .string(key.commitment.base64URL) else {
            throw LedgerError.keyMismatch(subject: subject)
        }
        dataKey = key
        source = first.envelope.source
        for event in events {
            let envelope = event.envelope
            head = StreamHead(revision: envelope.revision, leafHash: event.leafHash)
            revisions[envelope.id] = envelope.revision
            state = Session.evolve(
                state, by: try SessionEventCodec.decode(event), at: envelope.time)
        }
    }
}

/// An event that was taken before, with what a second report of it is compared to.
struct KnownEvent {
    let content: EventContent
    /// Leaf hash of the event before it.
    let previous: Digest?
}

/// What makes two reports of an event the same: everything the reporter said.
struct EventContent: Equatable {
    let type: String
    let typeVersion: Int
    let source: String
    let time: Instant
    let clear: JSONObject
    let sealed: JSONObject?

    init(_ reported: ReportedEvent, _ intake: Intake) {
        type = reported.type.rawValue
        typeVersion = reported.typeVersion
        source = reported.source
        time = reported.time
        clear = intake.event.clearMembers
        sealed = intake.sealed
    }

    init(_ recorded: RecordedEvent, sealed: JSONObject?) {
        type = recorded.envelope.type
        typeVersion = recorded.envelope.typeVersion
        source = recorded.envelope.source
        time = recorded.envelope.time
        var clear = recorded.data
        for name in [DataMember.sealed, DataMember.sealedBlob, DataMember.keyCommitment] {
            clear[name] = nil
        }
        self.clear = clear
        self.sealed = sealed
    }
}
