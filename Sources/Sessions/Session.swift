// SPDX-License-Identifier: Apache-2.0

public import SessionEvents

/// Why a command makes no sense for a session as it stands.
public enum SessionRejection: Error, Equatable {
    /// The event cannot follow what was recorded so far; nil stands for a session without events.
    case transitionNotAllowed(from: SessionPhase?, to: SessionEventType)
    /// The event belongs to another kind of flow than the session's.
    case wrongFlow(Flow, SessionEventType)
}

/// What a session may be asked to do.
public enum SessionCommand: Equatable, Sendable {
    /// Record a step that another program took.
    case recordReported(SessionEvent)
}

/// The rules of a session: what a command leads to, and what events add up to.
///
/// Both functions are pure. Everything that is not determined by the events so far (times, nonces,
/// answers of a provider) comes in as a field of the command.
public enum Session {
    /// The events that a command leads to.
    ///
    /// - Throws: ``SessionRejection`` when the command makes no sense now; then nothing happened.
    public static func decide(
        _ command: SessionCommand, in state: SessionState
    ) throws(SessionRejection) -> [SessionEvent] {
        switch command {
        case .recordReported(let event):
            try checkTransition(to: event, in: state)
            return [event]
        }
    }

    /// The state after an event.
    public static func evolve(_ state: SessionState, by event: SessionEvent) -> SessionState {
        var next = state
        switch event {
        case .initiated(let payload):
            next.phase = .initiated
            next.flow = payload.flow
        case .redirected:
            next.phase = .redirected
            next.isChoosingAccount = false
        case .callback(let payload):
            next.phase = .callbackReceived
            next.isChoosingAccount = payload.from == .accountSelector
        case .polled:
            next.phase = .polling
        case .tokenIssued(let payload):
            next.phase = .tokenIssued
            next.tokenKeyID = payload.keyID
        case .verified:
            next.phase = .verified
        case .failed:
            next.phase = .failed
        }
        return next
    }

    /// The state after a whole stream.
    public static func state(after events: some Sequence<SessionEvent>) -> SessionState {
        events.reduce(SessionState()) { evolve($0, by: $1) }
    }

    private static func checkTransition(
        to event: SessionEvent, in state: SessionState
    ) throws(SessionRejection) {
        guard isAllowed(event, in: state) else {
            throw .transitionNotAllowed(from: state.phase, to: event.type)
        }
        guard let flow = state.flow else { return }
        switch event {
        case .redirected, .callback:
            guard flow.usesRedirect else { throw .wrongFlow(flow, event.type) }
        case .polled:
            guard !flow.usesRedirect else { throw .wrongFlow(flow, event.type) }
        case .initiated, .tokenIssued, .verified, .failed:
            break
        }
    }

    /// The order of events (see the table of sequences in ARCHITECTURE.md).
    private static func isAllowed(_ event: SessionEvent, in state: SessionState) -> Bool {
        switch (state.phase, event) {
        case (nil, .initiated): true
        case (nil, _): false
        case (.initiated, .redirected), (.initiated, .polled), (.initiated, .failed): true
        case (.redirected, .callback), (.redirected, .failed): true
        case (.callbackReceived, .redirected): state.isChoosingAccount
        case (.callbackReceived, .tokenIssued): !state.isChoosingAccount
        case (.callbackReceived, .failed): true
        case (.polling, .polled), (.polling, .tokenIssued), (.polling, .failed): true
        case (.tokenIssued, .verified), (.tokenIssued, .failed): true
        default: false
        }
    }
}
