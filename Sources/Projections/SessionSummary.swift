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
    /// Position of its last event.
    public internal(set) var lastPosition: UInt64
    /// The key by which its ID token is signed; nil before it has one.
    public internal(set) var tokenKey: TokenKey?
    /// When its keys were destroyed, as the log attests; nil while they are not.
    public var erasedAt: Instant?
    /// Position of the event that attests it.
    public internal(set) var erasedPosition: UInt64?

    /// From the first event to the last, in milliseconds.
    public var durationMilliseconds: Int64 {
        lastEventAt.millisecondsSince1970 - startedAt.millisecondsSince1970
    }

    init(_ event: ProjectedEvent, _ payload: Initiated) {
        session = event.subject
        observed = event.isReported ? .reported : .own
        provider = payload.provider
        issuer = payload.issuer
        clientID = payload.clientID
        flow = payload.flow
        state = "initiated"
        firstPosition = event.position
        lastPosition = event.position
        startedAt = event.time
        lastEventAt = event.time
        events = 1
    }

    mutating func fold(_ event: ProjectedEvent, _ payload: SessionEvent) {
        events += 1
        lastEventAt = event.time
        lastPosition = event.position
        switch payload {
        case .initiated: break
        case .redirected(let redirected):
            state = "redirected"
            issuer = redirected.issuer ?? issuer
        case .callback: state = "callback-received"
        case .polled: state = "polling"
        case .tokenIssued(let issued):
            state = "token-issued"
            tokenKey = TokenKey(
                algorithm: issued.algorithm, keyID: issued.keyID,
                keySetDigest: issued.keySetDigest)
        case .verified(let verified):
            state = "verified"
            acr = verified.acr
            endedAt = event.time
            tokenKey?.update(
                algorithm: verified.algorithm, keyID: verified.keyID,
                keySetDigest: verified.keySetDigest)
        case .failed(let failed):
            state = "failed"
            reason = failed.reason
            stage = failed.stage
            endedAt = event.time
            tokenKey?.update(algorithm: nil, keyID: nil, keySetDigest: failed.keySetDigest)
        }
    }

    mutating func foldErasure(_ event: ProjectedEvent) {
        guard erasedAt == nil else { return }
        erasedAt = event.time
        erasedPosition = event.position
    }

    /// The session as it was when the log had so many events; nil when that cannot be told
    /// without its events.
    public func asOf(_ size: UInt64) -> SessionSummary? {
        guard lastPosition < size else { return nil }
        var session = self
        if let erasedPosition, erasedPosition >= size {
            session.erasedAt = nil
            session.erasedPosition = nil
        }
        return session
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
    /// - Throws: ``EventDecodingError`` or ``LedgerEventDecodingError`` for an event that this
    ///   program cannot read. It must not be left out silently: the caller stops or says so.
    public mutating func fold(_ event: RecordedEvent) throws {
        let event = try ProjectedEvent(event)
        switch event.content {
        case .session(let payload):
            if let index = indexes[event.subject] {
                sessions[index].fold(event, payload)
            } else if case .initiated(let initiated) = payload {
                indexes[event.subject] = sessions.count
                sessions.append(SessionSummary(event, initiated))
            }
        case .erased(let erased):
            for index in erased.compactMap({ indexes[$0.description] }) {
                sessions[index].foldErasure(event)
            }
        case .other: break
        }
    }

    /// The session of this id.
    public subscript(session: String) -> SessionSummary? {
        indexes[session].map { sessions[$0] }
    }
}
