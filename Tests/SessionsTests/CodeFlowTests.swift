// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import LedgerPrimitives
import OpenIDConnect
import SessionEvents
import Sessions
import Testing

@Suite("A login with a code")
struct CodeFlowTests {
    typealias Code = CodeLogin

    // MARK: - Initiate

    @Test("begins with what was chosen, the secrets sealed and the profile archived")
    func initiate() throws {
        let steps = try Session.decide(.initiate(Code.parameters(.pkce)), in: SessionState())
        #expect(
            steps == [
                SessionStep(
                    .initiated(
                        Initiated(
                            provider: "local", issuer: Code.issuer, clientID: "rp", flow: .pkce,
                            scope: "openid", acrValues: "low",
                            redirectURI: "https://rp.example/cb", responseMode: "query",
                            codeChallenge: Digest(
                                base64URL: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
                            profileDigest: Code.profile.digest)),
                    sealed: [
                        "state": .string("st"), "nonce": .string("no"),
                        "codeVerifier": .string(Code.verifier), "ip": .string("192.0.2.1"),
                    ], documents: [Code.profile.bytes])
            ])
    }

    @Test("without PKCE has no challenge and no verifier")
    func initiateWithoutPKCE() throws {
        let step = try #require(
            try Session.decide(.initiate(Code.parameters(.code)), in: SessionState()).first)
        guard case .initiated(let event) = step.event else {
            Issue.record("another event")
            return
        }
        #expect(event.codeChallenge == nil)
        #expect(event.flow == .code)
        #expect(step.sealed?["codeVerifier"] == nil)
    }

    @Test("does not let the caller's own data of the user agent stand in for its secrets")
    func userAgent() throws {
        var parameters = Code.parameters(.pkce)
        parameters.userAgent = ["state": .string("x"), "nonce": .string("x")]
        let step = try #require(try Session.decide(.initiate(parameters), in: SessionState()).first)
        #expect(step.sealed?["state"] == .string("st"))
        #expect(step.sealed?["nonce"] == .string("no"))
    }

    // MARK: - Redirect

    @Test("sends the user away to an endpoint, whose query stays out of the log")
    func redirect() throws {
        let command = SessionCommand.redirect(
            Redirection(
                endpoint: "https://op.example/auth?tenant=x", discoveryDigest: Code.digest("d")))
        #expect(
            try Session.decide(command, in: Code.state(.initiated)) == [
                SessionStep(
                    .redirected(
                        Redirected(
                            endpoint: "https://op.example/auth", usedPAR: false,
                            discoveryDigest: Code.digest("d"))))
            ])
    }

    // MARK: - Callback

    @Test("takes the callback it waits for, with everything in it sealed")
    func goodCallback() throws {
        let query = "code=co&state=st&iss=https%3A%2F%2Fop.example&x=1"
        #expect(
            try Code.receive(query, binding: .session, promisesIssuer: true) == [
                SessionStep(
                    .callback(
                        CallbackReceived(
                            responseMode: "query", stateMatched: true, stateBinding: .session)),
                    sealed: [
                        "code": .string("co"), "state": .string("st"),
                        "iss": .string("https://op.example"),
                    ])
            ])
    }

    @Test(
        "ends with a callback that is not the one it waits for, and both are recorded",
        arguments: [
            ("state=st&code=a&code=b", FlowFailureReason.callbackMalformed, nil, nil),
            ("state=st&code=%", .callbackMalformed, nil, nil),
            ("code=co", .stateMissing, nil, nil),
            ("state=other&code=co", .stateMismatch, false, nil),
            ("state=st&code=co&iss=https://evil.example", .issuerMismatch, true, nil),
            ("state=st&code=co", .issuerMissing, true, nil),
            ("state=st&\(iss)", .callbackMalformed, true, nil),
            ("state=st&\(iss)&error=access_denied", .accessDenied, true, "access_denied"),
            ("state=st&\(iss)&error=01010112345", .brokerError, true, "other"),
            ("state=other&\(iss)&error=login_required", .stateMismatch, false, "login_required"),
        ] as [(String, FlowFailureReason, Bool?, String?)])
    func badCallback(
        query: String, reason: FlowFailureReason, matched: Bool?, error: String?
    ) throws {
        let steps = try Code.receive(query, binding: .none, promisesIssuer: true)
        #expect(
            steps.map(\.event) == [
                .callback(
                    CallbackReceived(
                        responseMode: "query", error: error, stateMatched: matched,
                        stateBinding: StateBinding.none)),
                .failed(
                    Failed(
                        stage: .callback, reason: FailureReason(reason),
                        error: reason == .stateMismatch ? nil : error)),
            ])
        #expect(steps.allSatisfy { $0.documents.isEmpty })
    }

    private static let iss = "iss=https%3A%2F%2Fop.example"

    @Test("seals an error code that is not registered, in both events")
    func unregisteredError() throws {
        let steps = try Code.receive("state=st&error=01010112345&error_description=d")
        #expect(
            steps.map(\.sealed) == [
                [
                    "state": .string("st"), "error": .string("01010112345"),
                    "errorDescription": .string("d"),
                ], ["error": .string("01010112345")],
            ])
        let registered = try Code.receive("state=st&error=access_denied")
        #expect(registered.last?.sealed == nil)
    }

    @Test("keeps of a callback that cannot be read no more than its beginning")
    func rawCallback() throws {
        let bad = try Code.receive("state=%zz")
        #expect(bad.first?.sealed == ["raw": .string("state=%zz")])
        for filler in ["a", "e\u{301}\u{301}\u{301}", "\u{1F9FE}"] {
            let long = try Code.receive("%" + String(repeating: filler, count: 300_000))
            let raw = try #require(long.first?.sealed?["raw"]?.stringValue)
            #expect(raw.utf8.count <= 8192)
            #expect(raw.hasPrefix("%"))
        }
    }

    @Test(
        "refuses a callback that it does not wait for",
        arguments: [
            SessionPhase.initiated, .callbackReceived, .tokenIssued, .verified, .failed,
        ])
    func unexpectedCallback(phase: SessionPhase) {
        #expect(throws: SessionRejection.notAwaitingCallback(phase)) {
            try Code.receive("state=st&code=co", in: Code.state(phase))
        }
    }

    @Test("refuses a callback before it begins, and one whose state it cannot open")
    func callbackWithoutEvidence() {
        #expect(throws: SessionRejection.notAwaitingCallback(nil)) {
            try Code.receive("state=st&code=co", in: SessionState())
        }
        #expect(throws: SessionRejection.evidenceMissing) {
            try Code.receive("state=st&code=co", in: Code.state(.redirected, isSealed: true))
        }
    }

    @Test("refuses a callback where no browser is waited for")
    func callbackOfAnotherFlow() {
        let state = Code.state(.redirected, flow: .ciba)
        #expect(throws: SessionRejection.wrongFlow(.ciba, .callback)) {
            try Code.receive("state=st&code=co", in: state)
        }
    }

    // MARK: - Order

    /// What is allowed where; `receiveTokens` and `verifyToken` have tests of their own.
    @Test("refuses commands out of order", arguments: [nil] + SessionPhase.allCases)
    func order(phase: SessionPhase?) {
        let state = phase.map { Code.state($0) } ?? SessionState()
        let failure = SessionCommand.fail(.token, FlowFailure(.providerOutage))
        let commands: [(SessionCommand, SessionEventType, Set<SessionPhase?>)] = [
            (.initiate(Code.parameters(.pkce)), .initiated, [nil]),
            (
                .redirect(
                    Redirection(endpoint: "https://a.example", discoveryDigest: Code.digest("d"))),
                .redirected, [.initiated]
            ),
            (
                .receiveTokens(Code.tokens(Code.good)), .tokenIssued,
                [.callbackReceived, .polling]
            ),
            (
                failure, .failed,
                [.initiated, .redirected, .callbackReceived, .polling, .tokenIssued]
            ),
        ]
        for (command, type, allowed) in commands {
            if allowed.contains(phase) {
                #expect((try? Session.decide(command, in: state))?.last?.event.type == type)
            } else {
                #expect(throws: SessionRejection.transitionNotAllowed(from: phase, to: type)) {
                    try Session.decide(command, in: state)
                }
            }
        }
    }

    @Test("records the report of another program as it came")
    func reported() throws {
        let event = SessionEvent.callback(CallbackReceived(error: "access_denied"))
        #expect(
            try Session.decide(.recordReported(event), in: Code.state(.redirected))
                == [SessionStep(event)])
    }

    // MARK: - Fail

    @Test(
        "ends for every reason of a flow, at the stage where it happened",
        arguments: FlowFailureReason.allCases)
    func fail(reason: FlowFailureReason) throws {
        let failure = FlowFailure(reason, error: ProviderError("login_required"))
        #expect(
            try Session.decide(.fail(.discovery, failure), in: Code.state(.initiated)) == [
                SessionStep(
                    .failed(
                        Failed(
                            stage: .discovery, reason: FailureReason(reason),
                            error: "login_required")))
            ])
        let planted = FlowFailure(reason, error: ProviderError("010101 12345"))
        let step = try #require(
            try Session.decide(.fail(.token, planted), in: Code.state(.callbackReceived)).first)
        #expect(
            step.event
                == .failed(
                    Failed(stage: .token, reason: FailureReason(reason), error: "other")))
        #expect(step.sealed == ["error": .string("010101 12345")])
    }
}

@Suite("A reason for a failure")
struct FailureReasonCatalogueTests {
    @Test("of a flow is in the catalogue", arguments: FlowFailureReason.allCases)
    func flow(reason: FlowFailureReason) {
        #expect(FailureReason.catalogue.contains(reason.rawValue))
        #expect(FailureReason(reason).code == reason.rawValue)
    }

    @Test("of a token check is in the catalogue", arguments: TokenFailureReason.allCases)
    func token(reason: TokenFailureReason) {
        #expect(FailureReason.catalogue.contains(reason.rawValue))
        #expect(FailureReason(reason).code == reason.rawValue)
    }
}
