// SPDX-License-Identifier: Apache-2.0

import SessionEvents
import Sessions

/// What can happen in a session, as far as its rules tell one event from another.
enum Step: CaseIterable, Sendable {
    case initiated
    case redirected
    case toSelector
    case callback
    case fromSelector
    case polled
    case tokenIssued
    case verified
    case failed

    var type: SessionEventType { event(.code).type }

    func event(_ flow: Flow) -> SessionEvent {
        switch self {
        case .initiated: .initiated(Initiated(provider: "local", clientID: "rp", flow: flow))
        case .redirected: .redirected(Redirected(endpoint: "https://idp.example.test/authorize"))
        case .toSelector:
            .redirected(Redirected(to: .accountSelector, endpoint: "https://idp.example.test/"))
        case .callback: .callback(CallbackReceived(responseMode: "query"))
        case .fromSelector: .callback(CallbackReceived(from: .accountSelector))
        case .polled: .polled(Polled(status: .pending, attempt: 1))
        case .tokenIssued: .tokenIssued(TokenIssued(algorithm: "RS256", keyID: "key-1"))
        case .verified: .verified(Verified(algorithm: "RS256", checks: []))
        case .failed: .failed(Failed(stage: .token, reason: Self.reason))
        }
    }

    /// Whether the step belongs to a flow of this kind.
    func fits(_ flow: Flow) -> Bool {
        switch self {
        case .redirected, .toSelector, .callback, .fromSelector: flow.usesRedirect
        case .polled: !flow.usesRedirect
        case .initiated, .tokenIssued, .verified, .failed: true
        }
    }

    private static var reason: FailureReason {
        guard let reason = FailureReason("sig-invalid") else { preconditionFailure("no such code") }
        return reason
    }
}

/// A session in which something has happened.
struct Given {
    private let flow: Flow
    private let steps: [Step]

    init(_ flow: Flow, _ steps: [Step] = []) {
        self.flow = flow
        self.steps = steps
    }

    var state: SessionState {
        steps.reduce(SessionState()) { Session.evolve($0, by: $1.event(flow), at: nil) }
    }

    /// The session after one more step.
    func and(_ step: Step) -> Given { Given(flow, steps + [step]) }

    /// What comes of the report of a step.
    func when(_ step: Step) -> Result<[SessionEvent], SessionRejection> {
        Result { () throws(SessionRejection) in
            try Session.decide(.recordReported(step.event(flow)), in: state).map(\.event)
        }
    }
}
