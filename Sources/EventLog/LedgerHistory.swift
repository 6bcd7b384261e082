// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import SessionEvents
internal import Synchronization

/// A hold on a session, with the event that placed it.
public struct RecordedHold: Equatable, Sendable {
    /// Where the event is.
    public let position: UInt64
    /// When it was placed.
    public let time: Instant
    /// Who placed it.
    public let by: Operator
}

/// An erasure that the log attests for a session.
public struct RecordedErasure: Equatable, Sendable {
    /// The erasure.
    public let erasure: UUIDv7
    /// Position of the event that attests it.
    public let position: UInt64
    /// When the keys were destroyed.
    public let time: Instant
    /// On what ground.
    public let legalBasis: LegalBasis
    /// Who asked for it.
    public let by: Operator
}

/// An erasure that was begun, with the events that say so.
public struct BegunErasure: Equatable, Sendable {
    /// What each of the events says, with its position.
    public internal(set) var parts: [(position: UInt64, payload: ErasureStarted)] = []

    /// The names of all streams whose keys go.
    public var streams: [String] { parts.flatMap(\.payload.streams) }

    /// Whether both have the same events.
    public static func == (left: BegunErasure, right: BegunErasure) -> Bool {
        left.parts.map(\.position) == right.parts.map(\.position)
            && left.parts.map(\.payload) == right.parts.map(\.payload)
    }
}

/// What the ledger's own stream says of holds and erasures.
public struct LedgerHistory: Equatable, Sendable {
    /// How many events the stream has.
    public private(set) var revision = 0
    /// Sessions that may not be erased.
    public private(set) var holds: [UUIDv7: RecordedHold] = [:]
    /// Streams whose keys are destroyed, by name, each with the first event that says so.
    public private(set) var erased: [String: RecordedErasure] = [:]
    /// Erasures that were begun and are not attested yet, the oldest first.
    public private(set) var unfinished: [UUIDv7: BegunErasure] = [:]
    private var begun: [UUIDv7: BegunErasure] = [:]
    private var attestedParts: [UUIDv7: Set<Int>] = [:]

    /// Streams of erasures that were begun and are not attested yet.
    public var pending: Set<String> { Set(unfinished.values.flatMap(\.streams)) }

    /// Takes the next event of the stream in; kinds that concern neither pass by.
    mutating func fold(_ event: RecordedEvent) throws {
        revision = event.envelope.revision
        guard let type = LedgerEventType(rawValue: event.envelope.type) else { return }
        switch type {
        case .erasureStarted, .erased, .holdPlaced, .holdReleased: break
        default: return
        }
        let payload: LedgerEvent
        do {
            payload = try LedgerEventCodec.decode(event)
        } catch {
            throw LedgerError.damaged(
                "an event of the ledger's own stream cannot be read", position: event.position)
        }
        switch payload {
        case .holdPlaced(let hold):
            let place = RecordedHold(
                position: event.position, time: event.envelope.time, by: hold.by)
            holds[hold.session] = holds[hold.session] ?? place
        case .holdReleased(let hold): holds[hold.session] = nil
        case .erasureStarted(let started):
            begun[started.erasure, default: BegunErasure()].parts.append((event.position, started))
            unfinished[started.erasure] = begun[started.erasure]
        case .erased(let end): attest(end, event)
        default: break
        }
    }

    private mutating func attest(_ end: Erased, _ event: RecordedEvent) {
        let begun = begun[end.erasure]?.parts.first { $0.payload.part == end.part }?.payload
        for stream in end.streams where erased[stream] == nil {
            erased[stream] = RecordedErasure(
                erasure: end.erasure, position: event.position, time: event.envelope.time,
                legalBasis: begun?.legalBasis ?? .other,
                by: begun?.by ?? Operator(user: nil, uid: 0))
        }
        attestedParts[end.erasure, default: []].insert(end.part)
        if attestedParts[end.erasure]?.count == self.begun[end.erasure]?.parts.count {
            unfinished[end.erasure] = nil
        }
    }
}

extension EventLog {
    /// What the ledger's own stream says of holds and erasures.
    public func history() throws -> LedgerHistory {
        let subject = info.ledgerID.description
        let head = try streamHead(subject)
        if let known = knownHistory.withLock({ $0 }), known.revision == head?.revision ?? 0 {
            return known
        }
        let history = try stream(subject).reduce(into: LedgerHistory()) { try $0.fold($1) }
        knownHistory.withLock { $0 = history }
        return history
    }

    /// What that stream said when the log had so many events.
    public func history(before size: UInt64) throws -> LedgerHistory {
        try stream(info.ledgerID.description, before: size)
            .reduce(into: LedgerHistory()) { try $0.fold($1) }
    }

    /// The erasure that the log attests for a session; nil when there is none.
    public func erasure(of session: String) throws -> RecordedErasure? {
        try history().erased[session]
    }

    /// Why the data key of a stream is not there.
    public func reasonForMissingKey(of subject: String) -> LedgerError {
        let isErased = (try? erasure(of: subject)) ?? nil
        return isErased == nil ? .keyMissing(subject: subject) : .erased(subject: subject)
    }
}

extension ErasureStarted {
    /// The names of the streams whose keys go.
    var streams: [String] {
        sessions.map(\.description) + accesses.map { AccessStream.subject($0) }
    }
}

extension Erased {
    /// The names of the streams whose keys are gone.
    var streams: [String] {
        sessions.map(\.description) + accesses.map { AccessStream.subject($0) }
    }
}
