// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import LedgerPrimitives
import LoginSupport
import SessionEvents

/// A recorded session that is written again under another id, with something changed: the log
/// itself is in order, only what it says is not what happened.
struct Forgery {
    /// An event as it will be written.
    struct Part {
        let type: SessionEventType
        var clear: JSONObject
        var sealed: JSONObject?
        var documents: [[UInt8]] = []
    }

    private let rig: LoginRig
    private let log: EventLog
    private let original: [Opened]

    init(of session: String, in log: EventLog, _ rig: LoginRig) throws {
        self.rig = rig
        self.log = log
        original = try log.opened(session)
    }

    /// Writes the session again, up to `count` events.
    ///
    /// - Returns: its new id.
    func write(count: Int = .max, _ change: (inout Part) -> Void) throws -> String {
        let subject = rig.capabilities.makeUUIDv7().description
        let newKey = try log.makeDataKey(for: subject)
        var batch = AppendBatch(events: [], newDataKeys: [newKey])
        var head: StreamHead?
        for opened in original.prefix(count) {
            var part = Part(
                type: opened.event.type, clear: opened.event.clearMembers, sealed: opened.sealed)
            change(&part)
            let draft = EventDraft(
                id: rig.capabilities.makeUUIDv7(), source: log.info.origin,
                type: part.type.rawValue, typeVersion: 1, subject: subject,
                time: opened.recorded.envelope.time, clear: part.clear, sealed: part.sealed,
                documents: part.documents)
            let event = try log.prepare(draft, after: head, dataKey: newKey.key)
            head = event.head
            batch.events.append(event)
        }
        _ = try log.appendAndWait(batch)
        return subject
    }

    /// Writes the session again with another document in place of the one that a member names.
    func write(replacing member: String, with document: [UInt8]) throws -> String {
        try write { part in
            guard part.clear[member] != nil else { return }
            part.clear[member] = .string(Digest(ofDocument: document).base64URL)
            part.documents.append(document)
        }
    }

    /// A document that the session's token is checked with.
    func document(_ member: String) throws -> [UInt8] {
        let text = original.compactMap { $0.event.clearMembers[member]?.stringValue }.last
        let digest = try required(text.flatMap(Digest.init(base64URL:)))
        return try required(try log.blob(digest))
    }

    /// The ID token.
    func idToken() throws -> String {
        try required(original.compactMap { $0.sealed?["idToken"]?.stringValue }.first)
    }
}
