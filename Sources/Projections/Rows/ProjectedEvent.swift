// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import SessionEvents

/// What projections take from an event: its clear part, read. Nothing sealed is opened for it.
public struct ProjectedEvent: Sendable {
    /// What an event is about, as far as projections go.
    public enum Content: Sendable {
        /// A step of a session.
        case session(SessionEvent)
        /// The keys of these sessions are destroyed.
        case erased([UUIDv7])
        /// Something of which no projection tells.
        case other
    }

    /// Place in the log.
    public let position: UInt64
    /// The stream.
    public let subject: String
    /// When it happened, by the observer's clock.
    public let time: Instant
    /// When this ledger took it in.
    public let recordedAt: Instant
    /// Whether another program observed it.
    public let isReported: Bool
    /// What it is about.
    public let content: Content

    /// Reads a recorded event.
    ///
    /// - Throws: ``EventDecodingError`` or ``LedgerEventDecodingError`` for an event that this
    ///   program cannot read. It must not be left out: whoever folds events stops there.
    public init(_ event: RecordedEvent) throws {
        let envelope = event.envelope
        position = event.position
        subject = envelope.subject
        time = envelope.time
        recordedAt = envelope.recordedTime ?? envelope.time
        isReported = envelope.recordedTime != nil
        if envelope.type.hasPrefix("authledger.session.") {
            content = .session(try SessionEventCodec.decode(event))
        } else if envelope.type == LedgerEventType.erased.rawValue,
            case .erased(let erasure) = try LedgerEventCodec.decode(event)
        {
            content = .erased(erasure.sessions)
        } else {
            content = .other
        }
    }
}
