// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import SessionEvents

/// The events of a session with what lies between them.
struct SessionStory {
    /// An event.
    struct Step {
        let position: UInt64
        let revision: Int
        let time: Instant
        let event: SessionEvent
        /// From the event before to this one, in milliseconds; nil for the first one. It is
        /// negative when the observer's clock was put back.
        let waitMilliseconds: Int64?
    }

    /// The events in their order.
    let steps: [Step]
    /// Whether another program ran the login and reported its steps.
    let isReported: Bool

    /// Reads the events of one session.
    init(_ events: [RecordedEvent]) throws(EventDecodingError) {
        var steps: [Step] = []
        for event in events {
            let payload = try SessionEventCodec.decode(event)
            let time = event.envelope.time
            let wait = steps.last.map {
                time.millisecondsSince1970 - $0.time.millisecondsSince1970
            }
            steps.append(
                Step(
                    position: event.position, revision: event.envelope.revision, time: time,
                    event: payload, waitMilliseconds: wait))
        }
        self.steps = steps
        isReported = events.contains { $0.envelope.recordedTime != nil }
    }
}

extension SessionStory {
    /// What the login began with.
    var initiated: (step: Step, payload: Initiated)? {
        for step in steps {
            if case .initiated(let payload) = step.event { return (step, payload) }
        }
        return nil
    }

    /// How the login failed.
    var failed: (step: Step, payload: Failed)? {
        guard let last = steps.last, case .failed(let payload) = last.event else { return nil }
        return (last, payload)
    }

    /// The answers that came back from the provider through the browser.
    var callbacks: [(step: Step, payload: CallbackReceived)] {
        steps.compactMap { step in
            guard case .callback(let payload) = step.event, payload.from == nil else { return nil }
            return (step, payload)
        }
    }

    /// The answers of the backchannel.
    var polls: [(step: Step, payload: Polled)] {
        steps.compactMap { step in
            guard case .polled(let payload) = step.event else { return nil }
            return (step, payload)
        }
    }

    /// What came with the tokens.
    var tokenIssued: (step: Step, payload: TokenIssued)? {
        for step in steps {
            if case .tokenIssued(let payload) = step.event { return (step, payload) }
        }
        return nil
    }

    /// The step in which the code's exchange ended, when there was one.
    var exchange: Step? {
        for (before, step) in zip(steps, steps.dropFirst()) {
            guard case .callback(let callback) = before.event, callback.from == nil else {
                continue
            }
            switch step.event {
            case .tokenIssued: return step
            case .failed(let payload) where payload.stage == .token: return step
            default: continue
            }
        }
        return nil
    }

    /// The error codes that the provider gave.
    var errors: [(step: Step, code: String)] {
        steps.compactMap { step in
            let code: String? =
                switch step.event {
                case .callback(let payload): payload.error
                case .polled(let payload): payload.isWaiting ? nil : payload.error
                case .failed(let payload): payload.error
                case .initiated, .redirected, .tokenIssued, .verified: nil
                }
            return code.map { (step, $0) }
        }
    }

    /// The requests of the session and what became of them.
    var answers: [Answer] {
        steps.flatMap { step in
            step.event.exchanges.map {
                Answer(
                    step: step, purpose: $0.purpose, status: $0.status,
                    milliseconds: $0.durationMilliseconds, isAnswered: $0.status != nil)
            } + (step.event.ownAnswer.map { [$0(step)] } ?? [])
        }
    }

    /// What became of a request.
    struct Answer {
        let step: Step
        let purpose: String
        let status: Int?
        let milliseconds: Int?
        let isAnswered: Bool
    }
}

extension Polled {
    /// Whether the provider asks for patience, which is no error.
    var isWaiting: Bool { status == .pending || status == .slowDown }

    /// The pause between polls from here on, where this says one. A server that is out says how
    /// long it wants to be left alone, which is not that.
    var namedIntervalSeconds: Int? { status == .unavailable ? nil : intervalSeconds }
}

extension SessionEvent {
    /// The requests beside the flow's own that were made on the way to this event.
    var exchanges: [Exchange] {
        switch self {
        case .initiated: []
        case .redirected(let payload): payload.exchanges ?? []
        case .callback(let payload): payload.exchanges ?? []
        case .polled(let payload): payload.exchanges ?? []
        case .tokenIssued(let payload): payload.exchanges ?? []
        case .verified(let payload): payload.exchanges ?? []
        case .failed(let payload): payload.exchanges ?? []
        }
    }

    /// The provider's id for what the event is about.
    var traceID: String? {
        switch self {
        case .initiated, .verified, .failed: nil
        case .redirected(let payload): payload.traceID
        case .callback(let payload): payload.traceID
        case .polled(let payload): payload.traceID
        case .tokenIssued(let payload): payload.traceID
        }
    }

    /// The answer that the event itself is, of an event that is one.
    fileprivate var ownAnswer: ((SessionStory.Step) -> SessionStory.Answer)? {
        switch self {
        case .polled(let payload):
            answer("poll", payload.httpStatus, payload.durationMilliseconds)
        case .tokenIssued(let payload):
            answer("token", payload.httpStatus, payload.durationMilliseconds)
        case .initiated, .redirected, .callback, .verified, .failed: nil
        }
    }

    private func answer(
        _ purpose: String, _ status: Int?, _ milliseconds: Int?
    ) -> (SessionStory.Step) -> SessionStory.Answer {
        {
            SessionStory.Answer(
                step: $0, purpose: purpose, status: status, milliseconds: milliseconds,
                isAnswered: true)
        }
    }
}
