// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import SessionEvents

/// A session as lists show it, folded from the clear part of its events.
public struct SessionSummary: Equatable, Sendable {
    /// Who took the steps.
    public enum Observer: String, Sendable {
        /// AuthLedger ran the login.
        case own
        /// Another program ran it and reported the steps.
        case reported
    }

    /// The session.
    public let session: String
    /// Who took the steps.
    public let observed: Observer
    /// The profile's name.
    public let provider: String
    /// The issuer, once it is known.
    public internal(set) var issuer: String?
    /// The client's id.
    public let clientID: String
    /// How the login goes.
    public let flow: Flow
    /// Where it stands: the word of the command line.
    public internal(set) var state: String
    /// Why it failed.
    public internal(set) var reason: FailureReason?
    /// Where it failed.
    public internal(set) var stage: Stage?
    /// The authentication context class reached.
    public internal(set) var acr: String?
    /// Position of its first event; sessions are listed in this order.
    public let firstPosition: UInt64
    /// When its first event happened.
    public let startedAt: Instant
    /// When it ended; nil while it is open.
    public internal(set) var endedAt: Instant?
    /// When its last event happened.
    public internal(set) var lastEventAt: Instant
    /// How many events it has.
    public internal(set) var events: Int
    /// When its keys were destroyed, as the log attests; nil while they are not.
    public var erasedAt: Instant?

    /// From the first event to the last, in milliseconds.
    public var durationMilliseconds: Int64 {
        lastEventAt.millisecondsSince1970 - startedAt.millisecondsSince1970
    }

    init(_ event: RecordedEvent, _ payload: Initiated) {
        session = event.envelope.subject
        observed = event.envelope.recordedTime == nil ? .own : .reported
        provider = payload.provider
        issuer = payload.issuer
        clientID = payload.clientID
        flow = payload.flow
        state = "initiated"
        firstPosition = event.position
        startedAt = event.envelope.time
        lastEventAt = event.envelope.time
        events = 1
    }

    mutating func fold(_ event: RecordedEvent, _ payload: SessionEvent) {
        events += 1
        lastEventAt = event.envelope.time
        switch payload {
        case .initiated: break
        case .redirected(let redirected):
            state = "redirected"
            issuer = redirected.issuer ?? issuer
        case .callback: state = "callback-received"
        case .polled: state = "polling"
        case .tokenIssued: state = "token-issued"
        case .verified(let verified):
            state = "verified"
            acr = verified.acr
            endedAt = event.envelope.time
        case .failed(let failed):
            state = "failed"
            reason = failed.reason
            stage = failed.stage
            endedAt = event.envelope.time
        }
    }
}

/// All sessions of a log, folded event by event in the log's order.
public struct SessionTable: Sendable {
    private var indexes: [String: Int] = [:]
    /// The sessions in the order of their first events.
    public private(set) var sessions: [SessionSummary] = []

    /// A table without sessions.
    public init() {}

    /// Takes the next event of the log in; events that belong to no session pass by.
    ///
    /// - Throws: ``EventDecodingError`` for an event that this program cannot read. It must not be
    ///   left out silently: the caller stops or says so.
    public mutating func fold(_ event: RecordedEvent) throws(EventDecodingError) {
        guard event.envelope.type.hasPrefix("authledger.session.") else {
            if event.envelope.type == LedgerEventType.erased.rawValue { foldErasure(event) }
            return
        }
        let payload = try SessionEventCodec.decode(event)
        if let index = indexes[event.envelope.subject] {
            sessions[index].fold(event, payload)
        } else if case .initiated(let initiated) = payload {
            indexes[event.envelope.subject] = sessions.count
            sessions.append(SessionSummary(event, initiated))
        }
    }

    private mutating func foldErasure(_ event: RecordedEvent) {
        // Of an event that only a later program can read, the check of the ledger tells.
        guard case .erased(let erasure)? = try? LedgerEventCodec.decode(event) else { return }
        for index in erasure.sessions.compactMap({ indexes[$0.description] })
        where sessions[index].erasedAt == nil {
            sessions[index].erasedAt = event.envelope.time
        }
    }

    /// The session of this id.
    public subscript(session: String) -> SessionSummary? {
        indexes[session].map { sessions[$0] }
    }
}
