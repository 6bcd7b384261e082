// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// The clear part of an event's payload.
protocol SessionEventPayload: Equatable, Sendable {
    init(reading members: inout MemberReader) throws(MemberError)
    func write(to object: inout JSONObject)
}

/// What happened in a session.
public enum SessionEvent: Equatable, Sendable {
    case initiated(Initiated)
    case redirected(Redirected)
    case callback(CallbackReceived)
    case polled(Polled)
    case tokenIssued(TokenIssued)
    case verified(Verified)
    case failed(Failed)
}

/// The type of an event of a session, as it stands in the envelope.
public enum SessionEventType: String, CaseIterable, Sendable {
    case initiated = "authledger.session.initiated"
    case redirected = "authledger.session.redirected"
    case callback = "authledger.session.callback"
    case polled = "authledger.session.polled"
    case tokenIssued = "authledger.session.token-issued"
    case verified = "authledger.session.verified"
    case failed = "authledger.session.failed"

    /// The schema version that we write. Older ones are read for ever.
    public var currentVersion: Int {
        switch self {
        case .initiated, .redirected, .callback, .polled, .tokenIssued, .verified, .failed: 1
        }
    }

    /// The last word of the type, as people say it.
    public var word: String { String(rawValue.dropFirst("authledger.session.".count)) }
}

extension SessionEvent {
    /// The event's type.
    public var type: SessionEventType {
        switch self {
        case .initiated: .initiated
        case .redirected: .redirected
        case .callback: .callback
        case .polled: .polled
        case .tokenIssued: .tokenIssued
        case .verified: .verified
        case .failed: .failed
        }
    }

    private var payload: any SessionEventPayload {
        switch self {
        case .initiated(let payload): payload
        case .redirected(let payload): payload
        case .callback(let payload): payload
        case .polled(let payload): payload
        case .tokenIssued(let payload): payload
        case .verified(let payload): payload
        case .failed(let payload): payload
        }
    }

    /// The clear members of `data`.
    public var clearMembers: JSONObject {
        var object = JSONObject()
        payload.write(to: &object)
        return object
    }
}

/// Why a payload could not be read.
public enum EventDecodingError: Error, Equatable {
    /// No event of a session has this type.
    case unknownType
    /// The type has no such schema version, or a later program wrote it.
    case unknownVersion(SessionEventType, Int)
    /// A member is missing, unknown or malformed.
    case member(MemberError)
}

/// Reads payloads of every version there ever was.
public enum SessionEventCodec {
    /// Members of `data` that the log puts there; they are no part of the payload.
    static let logMembers = ["sealed", "sealedBlob", "keyCommitment"]

    /// Reads the clear members of a recorded or reported event.
    ///
    /// Stored bytes never change. When a type gets a second version, its first one is read here
    /// by a type of its own and turned into the current one.
    public static func decode(
        type: String, version: Int, data: JSONObject
    ) throws(EventDecodingError) -> SessionEvent {
        guard let type = SessionEventType(rawValue: type) else { throw .unknownType }
        do {
            switch (type, version) {
            case (.initiated, 1): return .initiated(try read(data))
            case (.redirected, 1): return .redirected(try read(data))
            case (.callback, 1): return .callback(try read(data))
            case (.polled, 1): return .polled(try read(data))
            case (.tokenIssued, 1): return .tokenIssued(try read(data))
            case (.verified, 1): return .verified(try read(data))
            case (.failed, 1): return .failed(try read(data))
            default: throw EventDecodingError.unknownVersion(type, version)
            }
        } catch let error as MemberError {
            throw .member(error)
        } catch let error as EventDecodingError {
            throw error
        } catch {
            throw .unknownType
        }
    }

    /// The payload of a recorded event.
    public static func decode(
        _ event: RecordedEvent
    ) throws(EventDecodingError) -> SessionEvent {
        try decode(
            type: event.envelope.type, version: event.envelope.typeVersion, data: event.data)
    }

    private static func read<Payload: SessionEventPayload>(
        _ object: JSONObject
    ) throws(MemberError) -> Payload {
        var reader = MemberReader(object)
        for name in logMembers {
            reader.skip(name)
        }
        let payload = try Payload(reading: &reader)
        try reader.finish()
        return payload
    }
}
