// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import LedgerPrimitives
import OpenIDConnect
import SessionEvents
import Sessions
import Testing

/// Polls that went before.
private enum Earlier {
    static let silence = Polled(status: .unavailable, attempt: 1)
    static let outage = Polled(status: .unavailable, attempt: 2, httpStatus: 503)
    static let outageBehindGap = Polled(
        status: .unavailable, attempt: 2, httpStatus: 503, hasGap: true)
    static let pending = Polled(status: .pending, attempt: 3, httpStatus: 400)
    static let slowDown = Polled(
        status: .slowDown, attempt: 3, intervalSeconds: 10, httpStatus: 400)
}

@Suite("A poll")
struct PollStepTests {
    typealias Login = BackchannelLogin

    private static func polled(
        _ status: PollStatus, httpStatus: Int? = 400, error: String? = nil, hint: String? = nil,
        interval: Int? = nil, hasGap: Bool? = nil
    ) -> SessionEvent {
        .polled(
            Polled(
                status: status, attempt: 1, error: error, hint: hint, intervalSeconds: interval,
                httpStatus: httpStatus, durationMilliseconds: httpStatus == nil ? nil : 7,
                hasGap: hasGap, traceID: "trace-2"))
    }

    private static func failed(
        _ reason: FlowFailureReason, error: String? = nil, stage: Stage = .polling
    ) -> SessionEvent {
        .failed(Failed(stage: stage, reason: FailureReason(reason), error: error))
    }

    // MARK: - Patience

    @Test("of a user who has not answered is recorded, a registered word in the clear")
    func pending() throws {
        let known = try Login.poll(
            Login.error("authorization_pending", "awaiting first user interaction"),
            in: Login.accepted())
        #expect(
            known == [
                SessionStep(Self.polled(.pending, hint: "awaiting first user interaction"))
            ])
        let silent = try Login.poll(Login.error("authorization_pending"), in: Login.accepted())
        #expect(silent == [SessionStep(Self.polled(.pending))])
    }

    @Test("seals a provider's own words, once as long as they stay the same")
    func unregistered() throws {
        let answer = Login.error("authorization_pending", "one moment, Kari")
        let first = try Login.poll(answer, in: Login.accepted())
        #expect(
            first == [
                SessionStep(
                    Self.polled(.pending, hint: "other"),
                    sealed: ["pollDescription": .string("one moment, Kari")])
            ])
        let state = Login.evolve(try Login.accepted(), first)
        #expect(
            try Login.poll(answer, in: state)
                == [SessionStep(Self.polled(.pending, hint: "other"))])
    }

    @Test("seals what the caller shows whenever it changes")
    func acrData() throws {
        let answer = { (code: String) in
            Login.answer([
                "error": .string("authorization_pending"),
                "acr_data": .object(["qrData": .string(code), "hintCode": .string("userSign")]),
            ])
        }
        let first = try Login.poll(answer("q1"), in: Login.accepted())
        #expect(first.map(\.event) == [Self.polled(.pending, hint: "userSign")])
        #expect(first[0].sealed?["acrData"]?.objectValue?["qrData"] == .string("q1"))
        let state = Login.evolve(try Login.accepted(), first)
        #expect(try Login.poll(answer("q1"), in: state)[0].sealed == nil)
        #expect(try Login.poll(answer("q2"), in: state)[0].sealed != nil)
    }

    @Test("that came too often lengthens every later pause")
    func slowDown() throws {
        let steps = try Login.poll(Login.error("slow_down"), in: Login.accepted())
        #expect(steps == [SessionStep(Self.polled(.slowDown, interval: 10))])
        let slowed = Login.evolve(try Login.accepted(), steps)
        #expect(slowed.polling.pace?.pauseSeconds == 10)
        let pending = Login.evolve(
            slowed, try Login.poll(Login.error("authorization_pending"), in: slowed))
        #expect(pending.polling.pace?.pauseSeconds == 10)
        let again = Login.evolve(pending, try Login.poll(Login.error("slow_down"), in: pending))
        #expect(again.polling.pace?.pauseSeconds == 15)
    }

    @Test("of a server that is out, or of none, ends nothing and is told apart")
    func unavailable() throws {
        let busy = HTTPResponse(
            status: 503, fields: [HTTPField("Retry-After", "40")], body: [],
            durationMilliseconds: 7)
        let answered = try Login.poll(busy, in: Login.accepted())
        #expect(
            answered == [SessionStep(Self.polled(.unavailable, httpStatus: 503, interval: 40))])
        #expect(
            Login.evolve(try Login.accepted(), answered).polling.pace?.pauseSeconds == 40)
        let silent = try Login.poll(
            Login.input(.unanswered(FlowFailure(.providerOutage))), in: Login.accepted())
        #expect(silent == [SessionStep(Self.polled(.unavailable, httpStatus: nil))])
        #expect(Login.evolve(try Login.accepted(), silent).polling.pace?.pauseSeconds == 10)
    }

    // MARK: - The end

    @Test(
        "with a final error ends the session at the stage `polling`",
        arguments: [
            ("access_denied", FlowFailureReason.accessDenied, "access_denied"),
            ("expired_token", .pollTimeout, "expired_token"),
            ("invalid_grant", .brokerError, "invalid_grant"),
            ("invalid_client", .clientAuthenticationFailed, "invalid_client"),
            ("01010112345", .brokerError, "other"),
        ])
    func over(code: String, reason: FlowFailureReason, error: String) throws {
        let steps = try Login.poll(Login.error(code), in: Login.accepted())
        #expect(
            steps.map(\.event) == [
                Self.polled(.error, error: error), Self.failed(reason, error: error),
            ])
        #expect(steps[1].sealed?["error"] == (error == "other" ? .string(code) : nil))
    }

    @Test("with a text that its profile knows ends for the finer reason")
    func reasonTexts() throws {
        let texts = [
            ReasonText(error: "access_denied", text: "declined", reason: .userCancelled)
        ]
        let steps = try Login.poll(
            Login.input(
                .answered(Login.error("access_denied", "user declined"), nil), reasonTexts: texts),
            in: Login.accepted())
        guard case .failed(let failed)? = steps.last?.event else {
            Issue.record("another event")
            return
        }
        #expect(failed.reason == FailureReason(.userCancelled))
    }

    @Test("that could not even be sent ends the session, and is recorded")
    func unsendable() throws {
        for reason in [FlowFailureReason.hostRefused, .clientAuthenticationFailed] {
            let steps = try Login.poll(
                Login.input(.unanswered(FlowFailure(reason))), in: Login.accepted())
            #expect(
                steps.map(\.event)
                    == [Self.polled(.error, httpStatus: nil), Self.failed(reason)])
        }
    }

    // MARK: - Answers that were lost

    @Test("right behind a gap that ends the session may have come too late for the tokens")
    func gap() throws {
        for code in ["invalid_grant", "access_denied", "expired_token"] {
            let steps = try Login.poll(Login.error(code), hasGap: true, in: Login.accepted())
            #expect(
                steps.map(\.event) == [
                    Self.polled(.error, error: code, hasGap: true),
                    Self.failed(.resultLost, error: code),
                ])
        }
        let pending = try Login.poll(
            Login.error("authorization_pending"), hasGap: true, in: Login.accepted())
        #expect(pending.map(\.event) == [Self.polled(.pending, hasGap: true)])
    }

    @Test(
        "of a request that is used up says that the tokens were in the answer that never came",
        arguments: [
            ([Earlier.silence], FlowFailureReason.resultLost),
            ([Earlier.silence, Earlier.outage], .resultLost),
            ([Earlier.outageBehindGap], .resultLost),
            ([Earlier.pending, Earlier.silence], .resultLost),
            // The request was still open behind the answer that is missing.
            ([Earlier.silence, Earlier.pending], .brokerError),
            ([Earlier.silence, Earlier.slowDown], .brokerError),
            // A server that says that it is out gave no tokens.
            ([Earlier.outage], .brokerError), ([], .brokerError),
        ])
    func usedUp(polls: [Polled], reason: FlowFailureReason) throws {
        let state = try Login.accepted(then: polls)
        let steps = try Login.poll(Login.error("invalid_grant"), in: state)
        #expect(
            steps.map(\.event) == [
                Self.polled(.error, error: "invalid_grant"),
                Self.failed(reason, error: "invalid_grant"),
            ])
        // Other errors say themselves what became of the request.
        let denied = try Login.poll(Login.error("access_denied"), in: state)
        #expect(denied.last?.event == Self.failed(.accessDenied, error: "access_denied"))
    }

    // MARK: - Tokens

    private static func tokens(
        _ response: HTTPResponse, hasGap: Bool = false
    ) -> PollInput.Outcome {
        var input = CodeLogin.tokens(response)
        input.poll = TokenInput.Poll(attempt: 1, hasGap: hasGap)
        return .answered(response, .success(input))
    }

    @Test("with tokens is recorded as these, with what they are checked against")
    func tokens() throws {
        let steps = try Login.poll(
            Login.input(Self.tokens(CodeLogin.good), hasGap: false), in: Login.accepted())
        #expect(
            steps.map(\.event) == [
                .tokenIssued(
                    TokenIssued(
                        endpoint: "https://op.example/token", attempt: 1, acceptedAt: Login.now,
                        tokenType: "Bearer", expiresInSeconds: 300,
                        keySetDigest: CodeLogin.digest("{}"), keySetSource: .own,
                        policyDigest: CodeLogin.policy.digest, policySource: .own, httpStatus: 200,
                        durationMilliseconds: 7))
            ])
        #expect(steps[0].sealed?["requestID"] == .string("id-1"))
        #expect(steps[0].sealed?["idToken"] == .string("a.b.c"))
        #expect(steps[0].sealed?["codeHash"] == nil)
        let behindGap = try Login.poll(
            Login.input(Self.tokens(CodeLogin.good, hasGap: true), hasGap: true),
            in: Login.accepted())
        guard case .tokenIssued(let event)? = behindGap.first?.event else {
            Issue.record("another event")
            return
        }
        #expect(event.hasGap == true)
    }

    @Test("with tokens that come too late ends as if none had come")
    func late() throws {
        let steps = try Login.poll(
            Login.input(Self.tokens(CodeLogin.good), isLate: true), in: Login.accepted())
        #expect(
            steps.map(\.event)
                == [Self.polled(.error, httpStatus: 200), Self.failed(.pollTimeout)])
        #expect(steps.allSatisfy { $0.sealed == nil && $0.documents.isEmpty })
    }

    @Test(
        "with tokens that are none is recorded, and ends at the stage `token`",
        arguments: [
            (CodeLogin.response(["id_token": .null]), FlowFailureReason.idTokenMissing),
            (CodeLogin.response(["token_type": .null]), .tokenResponseMalformed),
        ])
    func noTokens(response: HTTPResponse, reason: FlowFailureReason) throws {
        let steps = try Login.poll(Login.input(Self.tokens(response)), in: Login.accepted())
        #expect(
            steps.map(\.event) == [
                Self.polled(.error, httpStatus: 200), Self.failed(reason, stage: .token),
            ])
    }

    @Test("with tokens that no key set is there for ends the session")
    func withoutKeys() throws {
        let outcome = PollInput.Outcome.answered(
            CodeLogin.good, .failure(FlowFailure(.metadataUnavailable)))
        let steps = try Login.poll(Login.input(outcome), in: Login.accepted())
        #expect(
            steps.map(\.event)
                == [Self.polled(.error, httpStatus: 200), Self.failed(.metadataUnavailable)])
    }
}

@Suite("The check of a token that a poll brought")
struct PolledTokenTests {
    typealias Login = BackchannelLogin

    /// The outcome of each check that binds the token to its request.
    private static func outcomes(
        _ kind: BackchannelRequest.Kind, _ claims: JSONObject, isReplayed: Bool? = false,
        hintClaims: [String] = ["ssn"]
    ) throws -> [String: Check.Outcome] {
        let signer = try Signer()
        var changes = claims
        changes["nonce"] = .null
        let response = CodeLogin.response(["id_token": .string(try signer.token(changes))])
        var tokens = CodeLogin.tokens(response, keySet: signer.keySet)
        tokens.poll = TokenInput.Poll(attempt: 1, hasGap: false)
        let accepted = try Login.accepted(kind)
        let issued = Login.evolve(
            accepted,
            try Login.poll(Login.input(.answered(response, .success(tokens))), in: accepted))
        var input = signer.input
        input.policy.nonce = .whenSent
        input.policy.hintClaims = hintClaims
        input.isReplayed = isReplayed
        let last = try Session.decide(.verifyToken(input), in: issued).last?.event
        let checks: [Check] =
            switch last {
            case .verified(let event)?: event.checks
            case .failed(let event)?: event.checks ?? []
            default: []
            }
        let names = ["auth_req_id", "subject", "replay"]
        return Dictionary(
            uniqueKeysWithValues: checks.filter { names.contains($0.name) }
                .map { ($0.name, $0.outcome) })
    }

    private static let request = "urn:openid:params:jwt:claim:auth_req_id"

    @Test("compares it with the request that was recorded, and with the person in its hint")
    func loginHint() throws {
        let kind = BackchannelRequest.Kind.ciba(.loginHint("sub:ssn:01819010001"))
        let good: JSONObject = [
            "ssn": .string("018190 10001"), Self.request: .string("id-1"),
        ]
        #expect(
            try Self.outcomes(kind, good)
                == ["auth_req_id": .passed, "subject": .passed, "replay": .passed])
        let bad: JSONObject = ["ssn": .string("01819010002"), Self.request: .string("id-2")]
        #expect(
            try Self.outcomes(kind, bad, isReplayed: true)
                == ["auth_req_id": .failed, "subject": .failed, "replay": .failed])
        #expect(
            try Self.outcomes(kind, good, isReplayed: nil, hintClaims: [])
                == ["auth_req_id": .passed, "subject": .notChecked, "replay": .notChecked])
    }

    @Test("compares the subject of an ID token that was the hint, whatever claims hints have")
    func idTokenHint() throws {
        let hint = { (subject: String) throws -> BackchannelRequest.Kind in
            .ciba(.idTokenHint(try Signer().token(["sub": .string(subject)])))
        }
        #expect(
            try Self.outcomes(hint("person"), ["ssn": .string("x")])["subject"] == .passed)
        #expect(try Self.outcomes(hint("another"), [:])["subject"] == .failed)
        #expect(try Self.outcomes(.ciba(.idTokenHint("x")), [:])["subject"] == .notChecked)
    }

    @Test("says that it cannot tell whom a token meant, and that Headless means nobody")
    func otherHints() throws {
        #expect(
            try Self.outcomes(.ciba(.loginHintToken("t")), ["ssn": .string("1")])["subject"]
                == .notChecked)
        #expect(
            try Self.outcomes(.headless(endUserIP: "203.0.113.7"), ["ssn": .string("1")])
                == ["auth_req_id": .notChecked, "subject": .notApplicable, "replay": .passed])
    }
}
