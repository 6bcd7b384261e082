// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import LedgerPrimitives
import OpenIDConnect
import SessionEvents
import Sessions

/// A login without a browser with fixed values, step by step.
enum BackchannelLogin {
    static let now = CodeLogin.now
    static let endpoint = "https://op.example/bc?tenant=x"

    static func parameters(_ kind: BackchannelRequest.Kind) -> BackchannelParameters {
        BackchannelParameters(
            provider: "local", environment: "test", issuer: CodeLogin.issuer, clientID: "rp",
            request: BackchannelRequest(
                kind, scope: "openid", acrValues: "low", bindingMessage: "W4SCT",
                requestedExpirySeconds: 90, authorizationDetails: .array([.string("x")])),
            profile: CodeLogin.profile, userAgent: ["loginHint": .string("x")])
    }

    static func answer(_ members: JSONObject, status: Int = 400) -> HTTPResponse {
        HTTPResponse(
            status: status, fields: [HTTPField("Content-Type", "application/json")],
            body: CanonicalJSON.encode(members), durationMilliseconds: 7)
    }

    static func error(_ code: String, _ description: String? = nil) -> HTTPResponse {
        var members: JSONObject = ["error": .string(code)]
        members["error_description"] = description.map { .string($0) }
        return answer(members)
    }

    static let acceptance: JSONObject = [
        "auth_req_id": .string("id-1"), "expires_in": .integer(120),
    ]

    static func accept(
        _ response: HTTPResponse, flow: Flow = .ciba, exchanges: [Exchange] = []
    ) throws(SessionRejection) -> [SessionStep] {
        try Session.decide(
            .receiveAcceptance(
                AcceptanceInput(
                    flow: flow, endpoint: endpoint, response: response,
                    discoveryDigest: CodeLogin.digest("d"), exchanges: exchanges,
                    traceID: "trace-1")), in: begun())
    }

    // MARK: - States

    /// The session before it was sent.
    static func begun(
        _ kind: BackchannelRequest.Kind = .ciba(.loginHint("sub:ssn:1"))
    ) throws(SessionRejection) -> SessionState {
        evolve(
            SessionState(),
            try Session.decide(.initiateBackchannel(parameters(kind)), in: SessionState()))
    }

    /// The session after the provider accepted the request, and after further events.
    static func accepted(
        _ kind: BackchannelRequest.Kind = .ciba(.loginHint("sub:ssn:1")), then polls: [Polled] = []
    ) throws(SessionRejection) -> SessionState {
        let state = evolve(try begun(kind), try accept(answer(acceptance, status: 200)))
        return evolve(state, polls.map { SessionStep(.polled($0)) })
    }

    static func evolve(_ state: SessionState, _ steps: [SessionStep]) -> SessionState {
        steps.reduce(state) { Session.evolve($0, by: $1.event, at: now, sealed: $1.sealed) }
    }

    // MARK: - Polls

    static func input(
        _ outcome: PollInput.Outcome, attempt: Int = 1, hasGap: Bool = false, isLate: Bool = false,
        reasonTexts: [ReasonText] = []
    ) -> PollInput {
        PollInput(
            attempt: attempt, hasGap: hasGap, outcome,
            at: now.advanced(byMilliseconds: 5000), isLate: isLate, traceID: "trace-2",
            reasonTexts: reasonTexts)
    }

    static func poll(
        _ input: PollInput, in state: SessionState
    ) throws(SessionRejection) -> [SessionStep] {
        try Session.decide(.receivePoll(input), in: state)
    }

    /// A poll that got an answer without tokens.
    static func poll(
        _ response: HTTPResponse, hasGap: Bool = false, in state: SessionState
    ) throws(SessionRejection) -> [SessionStep] {
        try poll(input(.answered(response, nil), hasGap: hasGap), in: state)
    }
}
