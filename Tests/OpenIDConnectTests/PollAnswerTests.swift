// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import LedgerPrimitives
import OpenIDConnect
import Testing

@Suite("The answer to a poll")
struct PollAnswerTests {
    private static let now = Instant(millisecondsSince1970: 1_700_000_000_000)

    private static func answer(
        _ members: JSONObject, status: Int = 400, fields: [HTTPField] = []
    ) -> PollAnswer {
        answer(CanonicalJSON.encode(members), status: status, fields: fields)
    }

    private static func answer(
        _ body: [UInt8], status: Int, fields: [HTTPField] = []
    ) -> PollAnswer {
        PollAnswer.process(
            HTTPResponse(
                status: status, fields: [HTTPField("Content-Type", "application/json")] + fields,
                body: body), at: now)
    }

    private static func error(_ code: String) -> JSONObject { ["error": .string(code)] }

    @Test("is asked for with the grant type and the name of the request")
    func form() {
        let form = PollAnswer.form(
            grantType: PollAnswer.cibaGrantType, requestID: "auth_req_id", "id-1")
        #expect(
            form == [
                .init("grant_type", "urn:openid:params:grant-type:ciba"),
                .init("auth_req_id", "id-1"),
            ])
    }

    @Test(
        "asks for patience, with any status of a client's error or of success",
        arguments: [
            400, 200, 403,
        ])
    func patience(status: Int) {
        #expect(
            Self.answer(Self.error("authorization_pending"), status: status)
                == .pending(PollAnswer.Waiting()))
        #expect(
            Self.answer(Self.error("slow_down"), status: status)
                == .slowDown(PollAnswer.Waiting()))
    }

    @Test("that asks for patience brings what is said of it, and what the caller shows")
    func waiting() {
        var members = Self.error("authorization_pending")
        members["error_description"] = .string("awaiting first user interaction")
        members["interval"] = .string("9")
        members["acr_data"] = .object(["hintCode": .string("userSign")])
        var waiting = PollAnswer.Waiting()
        waiting.description = "awaiting first user interaction"
        waiting.intervalSeconds = 9
        waiting.acrData = ["hintCode": .string("userSign")]
        #expect(Self.answer(members) == .pending(waiting))
        // An interval that is none is no reason to give the user up.
        members["interval"] = .integer(-1)
        waiting.intervalSeconds = nil
        #expect(Self.answer(members) == .pending(waiting))
    }

    @Test(
        "that a server could not give lets the request go on", arguments: [408, 429, 500, 502, 503])
    func outage(status: Int) {
        #expect(
            Self.answer(Array("<html>".utf8), status: status)
                == .unavailable(retryAfterSeconds: nil))
        // A server that is out is not believed to know what the user said.
        #expect(
            Self.answer(Self.error("access_denied"), status: status)
                == .unavailable(retryAfterSeconds: nil))
    }

    @Test("of a server that is out for a while says so by an error as well")
    func temporarily() {
        #expect(
            Self.answer(Self.error("temporarily_unavailable"))
                == .unavailable(retryAfterSeconds: nil))
    }

    @Test(
        "says when to come back, in seconds or by a date, within reason",
        arguments: [
            ("7", 7), ("0", 0), ("-3", 0), ("86400", 600), ("soon", nil), ("", nil),
            ("Tue, 14 Nov 2023 22:13:50 GMT", 30), ("Tue, 14 Nov 2023 22:13:00 GMT", 0),
            (String(repeating: "9", count: 65), nil),
        ] as [(String, Int?)])
    func retryAfter(text: String, seconds: Int?) {
        #expect(
            Self.answer([], status: 503, fields: [HTTPField("Retry-After", text)])
                == .unavailable(retryAfterSeconds: seconds))
    }

    @Test(
        "ends the request with any other error",
        arguments: [
            ("access_denied", .accessDenied), ("consent_required", .consentDenied),
            ("expired_token", .pollTimeout), ("invalid_client", .clientAuthenticationFailed),
            ("unauthorized_client", .clientAuthenticationFailed), ("invalid_grant", .brokerError),
            ("invalid_request", .brokerError), ("transaction_failed", .brokerError),
            ("made_up", .brokerError), ("", .brokerError),
        ] as [(String, FlowFailureReason)])
    func over(code: String, reason: FlowFailureReason) {
        #expect(
            Self.answer(Self.error(code)) == .over(FlowFailure(reason, error: ProviderError(code))))
    }

    @Test("without an error is tokens with the status 200 alone")
    func tokens() {
        #expect(Self.answer(["id_token": .string("a.b.c")], status: 200) == .tokens)
        // What they hold is for the reader of tokens to say.
        #expect(Self.answer(Array("<html>".utf8), status: 200) == .tokens)
        for (status, reason) in [
            (201, FlowFailureReason.tokenResponseMalformed), (302, .tokenResponseMalformed),
            (400, .tokenResponseMalformed), (401, .clientAuthenticationFailed),
            (403, .tokenResponseMalformed),
        ] {
            #expect(Self.answer([], status: status) == .over(FlowFailure(reason)))
        }
    }
}

@Suite("The pace of polling")
struct PollPaceTests {
    @Test("is the interval, and never less than a second", arguments: [(0, 1), (1, 1), (31, 31)])
    func interval(named: Int, kept: Int) {
        var pace = PollPace(intervalSeconds: named)
        #expect(pace.pauseSeconds == kept)
        pace.noteWaiting()
        #expect(pace.pauseSeconds == kept)
    }

    @Test("is slower by five seconds for good with each slow_down, or as slow as it says")
    func slowDown() {
        var pace = PollPace(intervalSeconds: 5)
        pace.slowDown(naming: nil)
        #expect(pace.pauseSeconds == 10)
        pace.noteWaiting()
        #expect(pace.pauseSeconds == 10)
        pace.slowDown(naming: 1)
        #expect(pace.pauseSeconds == 15)
        pace.slowDown(naming: 40)
        #expect(pace.pauseSeconds == 40)
        for _ in 0..<1000 { pace.slowDown(naming: nil) }
        #expect(pace.pauseSeconds == BackchannelAcceptance.intervalSecondsMax)
    }

    @Test("doubles with each outage up to a minute, and is back with the next answer")
    func outages() {
        var pace = PollPace(intervalSeconds: 5)
        let pauses = (0..<8).map { _ in
            pace.noteOutage(retryAfterSeconds: nil)
            return pace.pauseSeconds
        }
        #expect(pauses == [10, 20, 40, 60, 60, 60, 60, 60])
        pace.noteWaiting()
        #expect(pace.pauseSeconds == 5)
        #expect(pace.outages == 0)
    }

    @Test("is what a server that is out asks for, where that is longer")
    func retryAfter() {
        var pace = PollPace(intervalSeconds: 5)
        pace.noteOutage(retryAfterSeconds: 300)
        #expect(pace.pauseSeconds == 300)
        pace.noteOutage(retryAfterSeconds: 1)
        #expect(pace.pauseSeconds == 20)
        pace.slowDown(naming: nil)
        #expect(pace.pauseSeconds == 10)
    }

    @Test("is never shorter than a long interval, also when a server is out")
    func longInterval() {
        var pace = PollPace(intervalSeconds: 3600)
        for _ in 0..<100 { pace.noteOutage(retryAfterSeconds: nil) }
        #expect(pace.pauseSeconds == 3600)
    }
}
