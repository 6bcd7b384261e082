// SPDX-License-Identifier: Apache-2.0

public import EventLog
public import LedgerPrimitives
public import SessionEvents

/// An event of a session, read and opened.
public struct Opened: Sendable {
    /// As the log has it.
    public let recorded: RecordedEvent
    /// The clear part.
    public let event: SessionEvent
    /// The sealed part, where there is one.
    public let sealed: JSONObject?
}

extension EventLog {
    /// The events of a session, in order.
    public func opened(_ session: String) throws -> [Opened] {
        let key = try required(try dataKey(for: session))
        return try stream(session).map { recorded in
            Opened(
                recorded: recorded, event: try SessionEventCodec.decode(recorded),
                sealed: try openSealed(recorded, dataKey: key))
        }
    }

    /// The last words of the types of a session's events.
    public func words(_ session: String) throws -> [String] {
        try stream(session).map { try SessionEventCodec.decode($0).type.word }
    }

    /// How a session failed; nil when it did not.
    public func failure(_ session: String) throws -> Failed? {
        guard let last = try stream(session).last,
            case .failed(let failed) = try SessionEventCodec.decode(last)
        else { return nil }
        return failed
    }

    /// The reasons of callbacks that were refused outside of any session.
    public func refusals() throws -> [String] {
        try stream(CallbackRefused.subject).map { $0.data["reason"]?.stringValue ?? "" }
    }

    /// All events of the log.
    public func everything() throws -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        try forEachEvent(in: 0..<UInt64.max) { event in
            events.append(event)
            return true
        }
        return events
    }
}
