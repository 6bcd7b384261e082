// SPDX-License-Identifier: Apache-2.0

public import Capabilities
public import EventLog
public import LedgerPrimitives
public import SessionEvents

/// Records who looks at sealed data, before anything of it is shown.
public struct AccessRecord {
    private let log: EventLog
    private let capabilities: Capabilities

    /// Records into a log that is open for appending.
    public init(_ log: EventLog, capabilities: Capabilities) {
        self.log = log
        self.capabilities = capabilities
    }

    /// Records that sealed data of a session are about to be shown.
    ///
    /// - Returns: the position of the record, which is on disk.
    public func reveal(
        _ session: UUIDv7, in events: [RecordedEvent], command: String, reason: String,
        by operator: Operator
    ) throws -> UInt64 {
        let payload = AccessRevealed(
            command: command, session: session, count: events.count,
            firstPosition: Int(events.first?.position ?? 0),
            lastPosition: Int(events.last?.position ?? 0), by: `operator`)
        return try append(.revealed(payload), sealed: ["reason": .string(reason)]) { subject in
            [try log.lookupEntry(.accessedSession, session.description, subject: subject)]
        }
    }

    /// Records that the result of a search for a person is about to be shown. The record can be
    /// found by the same identifier, so that it goes when the person's sessions are erased.
    ///
    /// - Returns: the position of the record, which is on disk.
    public func search(
        _ identifier: SubjectIdentifier, found: Int, command: String, reason: String?,
        by operator: Operator
    ) throws -> UInt64 {
        let payload = AccessSearched(command: command, count: found, by: `operator`)
        var sealed: JSONObject = [
            "query": .object([
                "kind": .string(identifier.kind.rawValue), "scope": .string(identifier.scope),
                "value": .string(identifier.value),
            ])
        ]
        sealed["reason"] = reason.map { .string($0) }
        let alone = SubjectIdentifier(.any, value: identifier.value)
        let texts = Set([identifier, alone].compactMap { $0?.lookupText })
        return try append(.searched(payload), sealed: sealed) { subject in
            try texts.map { try log.lookupEntry(.subject, $0, subject: subject) }
        }
    }

    private func append(
        _ event: LedgerEvent, sealed: JSONObject, lookups: (String) throws -> [LookupEntry]
    ) throws -> UInt64 {
        let subject = AccessStream.subject(capabilities.makeUUIDv7())
        let key = try log.makeDataKey(for: subject)
        let prepared = try log.prepare(
            log.draft(event, subject: subject, sealed: sealed), after: nil, dataKey: key.key)
        let receipt = try log.appendAndWait(
            AppendBatch(
                events: [prepared], newDataKeys: [key], lookups: try lookups(subject)))
        guard let position = receipt.positions.first else {
            throw LedgerError.internalFault("an access was not recorded")
        }
        return position
    }
}
