// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
public import EventLog
public import LedgerPrimitives
public import SessionEvents

/// A recorded session that is written again under another id, with something changed: the log
/// itself is in order, only what it says is not what happened.
public struct Forgery {
    /// An event as it will be written.
    public struct Part {
        /// Its type.
        public let type: SessionEventType
        /// Its clear members.
        public var clear: JSONObject
        /// What is sealed.
        public var sealed: JSONObject?
        /// Documents to archive with it.
        public var documents: [[UInt8]] = []
        /// Whether another program is said to have reported it.
        public var isReported = false

        /// Puts another document in place of the one that a member names, where there is one.
        public mutating func replace(_ member: String, with document: [UInt8]) {
            guard clear[member] != nil else { return }
            clear[member] = .string(Digest(ofDocument: document).base64URL)
            documents.append(document)
        }
    }

    private let rig: LoginRig
    private let log: EventLog
    private let original: [Opened]

    /// Takes a session as its model.
    public init(of session: String, in log: EventLog, _ rig: LoginRig) throws {
        self.rig = rig
        self.log = log
        original = try log.opened(session)
    }

    /// Writes the session again, up to `count` events.
    ///
    /// - Returns: its new id.
    public func write(count: Int = .max, _ change: (inout Part) -> Void) throws -> String {
        let subject = rig.capabilities.makeUUIDv7().description
        let newKey = try log.makeDataKey(for: subject)
        var batch = AppendBatch(events: [], newDataKeys: [newKey])
        var head: StreamHead?
        for opened in original.prefix(count) {
            var part = Part(
                type: opened.event.type, clear: opened.event.clearMembers, sealed: opened.sealed)
            change(&part)
            let time = opened.recorded.envelope.time
            let draft = EventDraft(
                id: rig.capabilities.makeUUIDv7(), source: log.info.origin,
                type: part.type.rawValue, typeVersion: 1, subject: subject, time: time,
                recordedTime: part.isReported ? time : nil, clear: part.clear,
                sealed: part.sealed, documents: part.documents)
            let event = try log.prepare(draft, after: head, dataKey: newKey.key)
            head = event.head
            batch.events.append(event)
        }
        _ = try log.appendAndWait(batch)
        return subject
    }

    /// The document that a member of the session's last events names.
    public func document(_ member: String) throws -> [UInt8] {
        let text = original.compactMap { $0.event.clearMembers[member]?.stringValue }.last
        let digest = try required(text.flatMap(Digest.init(base64URL:)))
        return try required(try log.blob(digest))
    }

    /// The ID token.
    public func idToken() throws -> String {
        try required(original.compactMap { $0.sealed?["idToken"]?.stringValue }.first)
    }
}
