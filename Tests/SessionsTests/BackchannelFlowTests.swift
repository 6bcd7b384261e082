// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import LedgerPrimitives
import OpenIDConnect
import SessionEvents
import Sessions
import Testing

@Suite("A login without a browser")
struct BackchannelFlowTests {
    typealias Login = BackchannelLogin

    // MARK: - Initiate

    @Test("begins with what was chosen, the person and what they will see sealed")
    func initiate() throws {
        let steps = try Session.decide(
            .initiateBackchannel(Login.parameters(.ciba(.loginHint("sub:ssn:1")))),
            in: SessionState())
        #expect(
            steps == [
                SessionStep(
                    .initiated(
                        Initiated(
                            provider: "local", environment: "test", issuer: CodeLogin.issuer,
                            clientID: "rp", flow: .ciba, scope: "openid", acrValues: "low",
                            requestedExpirySeconds: 90, profileDigest: CodeLogin.profile.digest)),
                    sealed: [
                        "loginHint": .string("sub:ssn:1"), "bindingMessage": .string("W4SCT"),
                        "authorizationDetails": .array([.string("x")]),
                    ], documents: [CodeLogin.profile.bytes])
            ])
    }

    @Test(
        "seals whom it is about under the name of the parameter",
        arguments: [
            (.ciba(.loginHintToken("t")), Flow.ciba, "loginHintToken", "t"),
            (.ciba(.idTokenHint("i")), .ciba, "idTokenHint", "i"),
            (.headless(endUserIP: "203.0.113.7"), .headless, "endUserIP", "203.0.113.7"),
        ] as [(BackchannelRequest.Kind, Flow, String, String)])
    func hints(kind: BackchannelRequest.Kind, flow: Flow, name: String, value: String) throws {
        let step = try #require(
            try Session.decide(.initiateBackchannel(Login.parameters(kind)), in: SessionState())
                .first)
        guard case .initiated(let event) = step.event else {
            Issue.record("another event")
            return
        }
        #expect(event.flow == flow)
        #expect(step.sealed?[name] == .string(value))
        // What the caller says of the user agent is no hint.
        #expect(step.sealed?["loginHint"] == nil)
    }

    // MARK: - Acceptance

    @Test("goes on with the acceptance, the request's id sealed")
    func accepted() throws {
        let exchange = Exchange(purpose: "permission", endpoint: "https://op.example/p")
        let response = Login.answer(Login.acceptance, status: 200)
        let steps = try Login.accept(response, exchanges: [exchange])
        #expect(
            steps.map(\.event) == [
                .polled(
                    Polled(
                        status: .accepted, attempt: 0, endpoint: "https://op.example/bc",
                        intervalSeconds: 5, expiresInSeconds: 120, httpStatus: 200,
                        durationMilliseconds: 7, discoveryDigest: CodeLogin.digest("d"),
                        traceID: "trace-1", exchanges: [exchange]))
            ])
        #expect(steps[0].sealed?["requestID"] == .string("id-1"))
        #expect(steps[0].sealed?["response"] != nil)
        let state = try Login.accepted()
        #expect(state.phase == .polling)
        #expect(state.polling.acceptedAt == Login.now)
        #expect(state.polling.pace?.pauseSeconds == 5)
        #expect(state.discoveryDigest == CodeLogin.digest("d"))
        #expect(state.secrets.requestID == "id-1")
    }

    @Test(
        "keeps the interval that the provider names, and never polls without a pause",
        arguments: [(31, 31), (0, 1)])
    func interval(named: Int64, kept: Int) throws {
        var members = Login.acceptance
        members["interval"] = .integer(named)
        let step = try #require(try Login.accept(Login.answer(members, status: 200)).first)
        guard case .polled(let event) = step.event else {
            Issue.record("another event")
            return
        }
        #expect(event.intervalSeconds == kept)
    }

    @Test("seals what the caller shows, and a provider's own message")
    func shown() throws {
        var members = Login.acceptance
        members["headless_req_id"] = .string("h-1")
        members["bindingMessage"] = .string("Blue Elephant")
        members["acr_data"] = .object(["qrData": .string("q"), "hintCode": .string("started")])
        let step = try #require(
            try Login.accept(Login.answer(members, status: 200), flow: .headless).first)
        guard case .polled(let event) = step.event else {
            Issue.record("another event")
            return
        }
        #expect(event.hint == "started")
        #expect(step.sealed?["requestID"] == .string("h-1"))
        #expect(step.sealed?["messageForUser"] == .string("Blue Elephant"))
        #expect(step.sealed?["acrData"] == members["acr_data"])
        members["acr_data"] = .object(["hintCode": .string("01010112345")])
        let odd = try Login.accept(Login.answer(members, status: 200), flow: .headless)
        guard case .polled(let event)? = odd.first?.event else { return }
        #expect(event.hint == "other")
    }

    @Test(
        "ends with a request that was not accepted, and its answer is noted",
        arguments: [
            ("unknown_user_id", FlowFailureReason.unknownUser, "unknown_user_id"),
            ("01010112345", .brokerError, "other"),
        ])
    func refused(code: String, reason: FlowFailureReason, error: String) throws {
        let steps = try Login.accept(Login.error(code))
        #expect(
            steps.map(\.event) == [
                .failed(
                    Failed(
                        stage: .authorizationRequest, reason: FailureReason(reason), error: error,
                        exchanges: [
                            Exchange(
                                purpose: "backchannel", endpoint: "https://op.example/bc",
                                status: 400, durationMilliseconds: 7, traceID: "trace-1")
                        ]))
            ])
        #expect(steps[0].sealed?["error"] == (error == "other" ? .string(code) : nil))
    }

    // MARK: - Time

    @Test("runs out with the request or with our patience, whichever is shorter")
    func deadline() throws {
        let polling = try Login.accepted().polling
        #expect(
            polling.deadline(patienceSeconds: 3600)
                == Login.now.advanced(byMilliseconds: 120_000))
        #expect(
            polling.deadline(patienceSeconds: 60) == Login.now.advanced(byMilliseconds: 60_000))
        #expect(PollingState().deadline(patienceSeconds: 60) == nil)
    }

    @Test("is polled for only while it waits for an answer")
    func notPolling() throws {
        let answer = Login.error("authorization_pending")
        #expect(throws: SessionRejection.notPolling(nil)) {
            try Login.poll(answer, in: SessionState())
        }
        let begun = try Login.begun()
        #expect(throws: SessionRejection.notPolling(.initiated)) {
            try Login.poll(answer, in: begun)
        }
        let ended = Login.evolve(
            try Login.accepted(), try Login.poll(Login.error("access_denied"), in: Login.accepted())
        )
        #expect(throws: SessionRejection.notPolling(.failed)) {
            try Login.poll(answer, in: ended)
        }
        // Reported by another program, without the acceptance.
        let reported = Given(.ciba, [.initiated, .polled]).state
        #expect(throws: SessionRejection.notPolling(.polling)) {
            try Login.poll(answer, in: reported)
        }
    }
}
