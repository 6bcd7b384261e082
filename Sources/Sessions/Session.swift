// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import SessionEvents

/// The rules of a session: what a command leads to, and what events add up to.
///
/// Both functions are pure, so that a replay can ask them again years later.
public enum Session {
    /// The steps that a command leads to.
    ///
    /// What a provider or a browser did wrong is a step (`failed`), because it has to be recorded.
    ///
    /// - Throws: ``SessionRejection`` when the command makes no sense now; then nothing happened.
    public static func decide(
        _ command: SessionCommand, in state: SessionState
    ) throws(SessionRejection) -> [SessionStep] {
        let steps = try steps(command, in: state)
        var next = state
        for step in steps {
            try checkTransition(to: step.event, in: next)
            next = evolve(next, by: step.event, at: nil)
        }
        return steps
    }

    private static func steps(
        _ command: SessionCommand, in state: SessionState
    ) throws(SessionRejection) -> [SessionStep] {
        switch command {
        case .recordReported(let event): [SessionStep(event)]
        case .initiate(let parameters): [RedirectFlow.initiate(parameters)]
        case .initiateBackchannel(let parameters): [BackchannelFlow.initiate(parameters)]
        case .receiveAcceptance(let input): BackchannelFlow.receiveAcceptance(input)
        case .receivePoll(let input): try PollStep.receive(input, in: state)
        case .redirect(let redirection): [RedirectFlow.redirect(redirection, in: state)]
        case .receiveSelection(let input): try RedirectFlow.receiveSelection(input, in: state)
        case .receiveCallback(let input): try CallbackStep.receive(input, in: state)
        case .receiveTokens(let input): TokenStep.receive(input, in: state)
        case .verifyToken(let input): [try TokenVerification.verify(input, in: state)]
        case .fail(let stage, let failure, let exchanges):
            [SessionStep(failed: stage, failure, exchanges: exchanges)]
        }
    }

    /// The state after an event.
    ///
    /// - Parameters:
    ///   - time: when it happened; nil where only the order of events matters.
    ///   - sealed: its sealed part, where it was opened.
    public static func evolve(
        _ state: SessionState, by event: SessionEvent, at time: Instant?,
        sealed: JSONObject? = nil
    ) -> SessionState {
        var next = state
        evolve(&next, by: event, at: time, sealed: sealed)
        return next
    }

    /// Takes an event into a state, as ``evolve(_:by:at:sealed:)`` does, without a copy of it.
    public static func evolve(
        _ state: inout SessionState, by event: SessionEvent, at time: Instant?,
        sealed: JSONObject? = nil
    ) {
        if let sealed { state.secrets.take(sealed) }
        switch event {
        case .initiated(let payload):
            state.phase = .initiated
            state.flow = payload.flow
            state.issuer = payload.issuer
            state.profileDigest = payload.profileDigest
            state.acrValues = payload.acrValues
            state.responseMode = payload.responseMode
            state.responseType = payload.responseType
            state.requestedExpirySeconds = payload.requestedExpirySeconds
        case .redirected(let payload):
            state.phase = .redirected
            state.isChoosingAccount = false
            state.awaitsSelection = payload.to == .accountSelector
            state.issuer = payload.issuer ?? state.issuer
            state.discoveryDigest = payload.discoveryDigest ?? state.discoveryDigest
        case .callback(let payload):
            state.phase = .callbackReceived
            state.isChoosingAccount = payload.from == .accountSelector
            if state.isChoosingAccount { state.issuer = state.secrets.chosenIssuer ?? state.issuer }
        case .polled(let payload):
            state.phase = .polling
            state.polling.note(payload, at: time)
            state.discoveryDigest = payload.discoveryDigest ?? state.discoveryDigest
        case .tokenIssued(let payload):
            state.phase = .tokenIssued
            state.tokenKeyID = payload.keyID
            state.tokenIssuedAt = time
            state.polling.acceptedAt = payload.acceptedAt ?? state.polling.acceptedAt
            state.keySetDigest = payload.keySetDigest
            state.policyDigest = payload.policyDigest
        case .verified:
            state.phase = .verified
        case .failed:
            state.phase = .failed
        }
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
