// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import SessionEvents

/// Why a session ended as it did, for a person.
public struct Explanation: Equatable, Sendable {
    /// Something recorded that shows it.
    public struct Evidence: Equatable, Sendable {
        /// The event.
        public let position: UInt64
        /// What it shows.
        public let text: String
    }

    /// The session.
    public let session: String
    /// The code; nil for a session that did not fail.
    public let reason: FailureReason?
    /// The code in a sentence.
    public let title: String
    /// What shows it.
    public let evidence: [Evidence]
    /// What to do.
    public let hint: String
    /// Whether the user may simply try again.
    public let retrySafe: Bool

    /// Explains a session from its events.
    ///
    /// - Returns: nil for a stream without events of a session.
    public init?(session: String, events: [RecordedEvent]) throws(EventDecodingError) {
        self.session = session
        var evidence: [Evidence] = []
        var last: SessionEvent?
        for event in events {
            let payload = try SessionEventCodec.decode(event)
            evidence += payload.evidence.map { Evidence(position: event.position, text: $0) }
            last = payload
        }
        guard let last else { return nil }
        self.evidence = evidence
        switch last {
        case .failed(let payload):
            let entry = FailureCatalogue.entry(payload.reason)
            reason = payload.reason
            title = entry.title
            hint = entry.hint
            retrySafe = entry.retrySafe
        case .verified:
            reason = nil
            title = "The login succeeded."
            hint = "Nothing needs to be done."
            retrySafe = true
        default:
            reason = nil
            title = "The login is not over: its last event is `\(last.type.word)`."
            hint = "Finish it with `authledger callback`, or begin a new login."
            retrySafe = true
        }
    }
}

extension SessionEvent {
    /// What this event contributes to an explanation.
    fileprivate var evidence: [String] {
        switch self {
        case .initiated(let payload):
            ["the login began with \(payload.provider), flow \(payload.flow.rawValue)"]
        case .redirected(let payload):
            ["the user was sent to \(payload.endpoint)"]
        case .callback(let payload): payload.evidence
        case .polled(let payload):
            payload.status == .error
                ? ["the provider answered the poll with \(payload.error ?? "an error")"] : []
        case .tokenIssued(let payload):
            payload.algorithm.map { ["an ID token signed with \($0) came"] }
                ?? ["an ID token came"]
        case .verified: ["every check passed"]
        case .failed(let payload): payload.evidence
        }
    }
}

extension CallbackReceived {
    fileprivate var evidence: [String] {
        var evidence: [String] = []
        if let error { evidence.append("the callback carried the error \(error)") }
        switch stateMatched {
        case false?: evidence.append("the callback's state is not the one that was sent")
        case true?: evidence.append("the callback's state is the one that was sent")
        case nil: break
        }
        if stateBinding == StateBinding.none {
            evidence.append("nothing tied the callback to the user's own session")
        }
        return evidence
    }
}

extension Failed {
    fileprivate var evidence: [String] {
        var evidence = ["the login ended at the stage \(stage.rawValue)"]
        if let error { evidence.append("the provider gave the error \(error)") }
        let failed = (checks ?? []).filter { $0.outcome == .failed }.map(\.name)
        if !failed.isEmpty {
            evidence.append("failed checks of the ID token: \(failed.joined(separator: ", "))")
        }
        return evidence
    }
}
