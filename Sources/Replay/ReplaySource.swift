// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LedgerPrimitives
internal import SessionEvents

/// A recorded event of a session, opened.
struct RecordedStep: Equatable {
    let position: UInt64
    let revision: Int
    let time: Instant
    /// When it was recorded, where that is not when it happened: another program reported it.
    var recordedTime: Instant?
    let event: SessionEvent
    let sealed: JSONObject
}

/// A session as a replay needs it.
struct OpenedSession {
    /// Its events, as many as were asked for.
    var steps: [RecordedStep]
    /// Whether its data key was destroyed, so that nothing sealed could be opened.
    var isErased: Bool

    /// Whether another program ran the login.
    var isReported: Bool { steps.contains { $0.recordedTime != nil } }
}

/// Where replays find sessions, and the documents that their events name.
protocol ReplaySource {
    /// The events of a session, opened as far as that is possible.
    ///
    /// - Parameter revisionsMax: how many of them; nil for all.
    func open(_ session: String, revisionsMax: Int?) throws -> OpenedSession

    /// The bytes of an archived document; nil when it is not there.
    func document(_ digest: Digest) throws -> [UInt8]?
}

/// A log that is open for reading what is sealed.
struct LedgerSource: ReplaySource {
    let log: EventLog

    func open(_ session: String, revisionsMax: Int?) throws -> OpenedSession {
        let key = try log.dataKey(for: session)
        if key == nil {
            let error = log.reasonForMissingKey(of: session)
            guard case .erased = error else { throw error }
        }
        let steps = try log.stream(session).prefix(revisionsMax ?? .max).map { recorded in
            RecordedStep(
                position: recorded.position, revision: recorded.envelope.revision,
                time: recorded.envelope.time, recordedTime: recorded.envelope.recordedTime,
                event: try SessionEventCodec.decode(recorded),
                sealed: try key.flatMap { try log.openSealed(recorded, dataKey: $0) }
                    ?? JSONObject())
        }
        return OpenedSession(steps: steps, isErased: key == nil)
    }

    func document(_ digest: Digest) throws -> [UInt8]? { try log.blob(digest) }
}
