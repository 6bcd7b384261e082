// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// What happened outside of any session: to the ledger itself, to what is sealed in it, to the
/// documents of a provider, or with a callback that belongs to no session.
public enum LedgerEvent: Equatable, Sendable {
    case erasureStarted(ErasureStarted)
    case erased(Erased)
    case holdPlaced(LegalHold)
    case holdReleased(LegalHold)
    case keysRotated(KeysRotated)
    case revealed(AccessRevealed)
    case searched(AccessSearched)
    case providerDocumentFetched(ProviderDocumentFetched)
    case callbackRefused(CallbackRefused)
}

/// The type of an event outside of sessions, as it stands in the envelope.
public enum LedgerEventType: String, CaseIterable, Sendable {
    case erasureStarted = "authledger.ledger.erasure-started"
    case erased = "authledger.ledger.erased"
    case holdPlaced = "authledger.ledger.hold-placed"
    case holdReleased = "authledger.ledger.hold-released"
    case keysRotated = "authledger.ledger.keys-rotated"
    case revealed = "authledger.access.revealed"
    case searched = "authledger.access.searched"
    case discoveryFetched = "authledger.provider.discovery-fetched"
    case keySetFetched = "authledger.provider.key-set-fetched"
    case callbackRefused = "authledger.callback.refused"

    /// The schema version that we write. Older ones are read for ever.
    public var currentVersion: Int { 1 }
}

extension LedgerEvent {
    /// The event's type.
    public var type: LedgerEventType {
        switch self {
        case .erasureStarted: .erasureStarted
        case .erased: .erased
        case .holdPlaced: .holdPlaced
        case .holdReleased: .holdReleased
        case .keysRotated: .keysRotated
        case .revealed: .revealed
        case .searched: .searched
        case .providerDocumentFetched(let payload):
            payload.kind == .discovery ? .discoveryFetched : .keySetFetched
        case .callbackRefused: .callbackRefused
        }
    }

    private var payload: any SessionEventPayload {
        switch self {
        case .erasureStarted(let payload): payload
        case .erased(let payload): payload
        case .holdPlaced(let payload), .holdReleased(let payload): payload
        case .keysRotated(let payload): payload
        case .revealed(let payload): payload
        case .searched(let payload): payload
        case .providerDocumentFetched(let payload): payload
        case .callbackRefused(let payload): payload
        }
    }

    /// The clear members of `data`.
    public var clearMembers: JSONObject {
        var object = JSONObject()
        payload.write(to: &object)
        return object
    }
}

/// Why an event outside of sessions could not be read.
public enum LedgerEventDecodingError: Error, Equatable {
    /// No event that we know has this type.
    case unknownType
    /// The type has no such schema version, or a later program wrote it.
    case unknownVersion(LedgerEventType, Int)
    /// A member is missing, unknown or malformed.
    case member(MemberError)
}

/// Reads payloads of events outside of sessions.
public enum LedgerEventCodec {
    /// Reads the clear members of a recorded event.
    public static func decode(
        type: String, version: Int, data: JSONObject
    ) throws(LedgerEventDecodingError) -> LedgerEvent {
        guard let type = LedgerEventType(rawValue: type) else { throw .unknownType }
        guard version == 1 else { throw .unknownVersion(type, version) }
        do throws(MemberError) {
            switch type {
            case .erasureStarted: return .erasureStarted(try read(data))
            case .erased: return .erased(try read(data))
            case .holdPlaced: return .holdPlaced(try read(data))
            case .holdReleased: return .holdReleased(try read(data))
            case .keysRotated: return .keysRotated(try read(data))
            case .revealed: return .revealed(try read(data))
            case .searched: return .searched(try read(data))
            case .discoveryFetched, .keySetFetched:
                var payload: ProviderDocumentFetched = try read(data)
                payload.kind = type == .discoveryFetched ? .discovery : .keySet
                return .providerDocumentFetched(payload)
            case .callbackRefused: return .callbackRefused(try read(data))
            }
        } catch {
            throw .member(error)
        }
    }

    /// The payload of a recorded event.
    public static func decode(
        _ event: RecordedEvent
    ) throws(LedgerEventDecodingError) -> LedgerEvent {
        try decode(
            type: event.envelope.type, version: event.envelope.typeVersion, data: event.data)
    }

    private static func read<Payload: SessionEventPayload>(
        _ object: JSONObject
    ) throws(MemberError) -> Payload {
        var reader = MemberReader(object)
        for name in SessionEventCodec.logMembers {
            reader.skip(name)
        }
        let payload = try Payload(reading: &reader)
        try reader.finish()
        return payload
    }
}
