// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenIDConnect

extension Misbehaviour {
    /// The errors with which a request for a login without redirects is refused (CIBA Core §13).
    static let backchannelRefusalRows: [Misbehaviour: Row] = [
        .backchannelUnknownUser: refusalRow(
            "unknown_user_id", "unknown-user", Matrix.ciba("invalid-unknown-user-id")),
        .backchannelExpiredHintToken: refusalRow("expired_login_hint_token", "hint-refused"),
        .backchannelExpiredIDTokenHint: refusalRow(
            "expired_id_token_hint", "hint-refused", Matrix.ciba("invalid-expired-id-token-hint")),
        .backchannelInvalidIDTokenHint: refusalRow(
            "invalid_id_token_hint", "hint-refused", Matrix.ciba("invalid-id-token-hint")),
        .backchannelBadMessage: refusalRow("invalid_binding_message", "binding-message-refused"),
        .backchannelDenied: refusalRow("access_denied", "access-denied", status: 403),
        .backchannelRefused: refusalRow("invalid_request", "broker-error"),
        .backchannelClientRefused: refusalRow("invalid_client", "client-auth-failed", status: 401),
        .backchannelUnauthorized: requestRow(
            "is refused with 401 and no word", "client-auth-failed"
        ) { draft in
            draft.status = 401
            draft.text = []
        },
    ]

    /// What else is wrong with the answer to a request for a login without redirects.
    static let backchannelAnswerRows: [Misbehaviour: Row] = [
        .backchannelOutage: requestRow("is answered with 503", "provider-outage") {
            $0.becomePage("Come back later.", status: 503)
        },
        .backchannelSlow: requestRow("is not answered in time", "provider-outage") {
            $0.delayMilliseconds = $0.slowMilliseconds
        },
        .backchannelPage: requestRow("is answered with a page", "response-malformed") {
            $0.becomePage("Welcome.", status: 200)
        },
        .backchannelNotJSON: requestRow(
            "gets an answer that breaks off", "response-malformed"
        ) { $0.text = CanonicalJSON.encode($0.members).dropLast() },
        .backchannelWithoutID: requestRow(
            "gets no `auth_req_id`", "response-malformed",
            Matrix.ciba("invalid-missing-authreqid")
        ) { $0.members["auth_req_id"] = nil },
        .backchannelEmptyID: idRow("empty", .string("")),
        .backchannelNumericID: idRow("a number", .integer(7)),
        .backchannelOddID: idRow("of characters that it may not have", .string("id /+\n")),
        .backchannelLongID: idRow(
            "a hundred kilobytes long", .string(String(repeating: "i", count: 100_000))),
        .backchannelWithoutLifetime: requestRow(
            "gets no `expires_in`", "response-malformed", Matrix.ciba("invalid-missing-expiresin")
        ) { $0.members["expires_in"] = nil },
        .backchannelZeroLifetime: requestRow(
            "expires at once: `expires_in` is 0", "response-malformed", ["HX21"]
        ) { $0.members["expires_in"] = .integer(0) },
        .backchannelTextLifetime: Row(
            "`expires_in` of a request without redirects is a text", .nowhere, ["HX21"],
            needs: [.backchannel],
            .answer(.backchannelAuthentication) { $0.members["expires_in"] = .string("120") }),
        .backchannelNegativeInterval: requestRow(
            "gets a negative `interval`", "response-malformed", ["HX21"]
        ) { $0.members["interval"] = .integer(-1) },
        .backchannelHugeInterval: requestRow(
            "gets an `interval` of 32 years", "response-malformed", ["HX21"]
        ) { $0.members["interval"] = .integer(1_000_000_000) },
        .backchannelZeroInterval: intervalRow("0", .integer(0)),
        .backchannelTextInterval: intervalRow("a text", .string("5")),
        .backchannelLongInterval: Row(
            "`interval` is 31 seconds", .nowhere, Matrix.ciba("respects-interval"),
            needs: [.backchannel],
            .answer(.backchannelAuthentication) { $0.members["interval"] = .integer(31) }),
    ]

    private static func requestRow(
        _ what: String, _ reason: String, _ matrix: [String] = [],
        _ spoil: @escaping @Sendable (inout AnswerDraft) -> Void
    ) -> Row {
        Row(
            "the request without redirects \(what)", .backchannelRequest, reason, matrix,
            needs: [.backchannel], .answer(.backchannelAuthentication, spoil))
    }

    private static func refusalRow(
        _ error: String, _ reason: String, _ matrix: [String] = [], status: Int = 400
    ) -> Row {
        requestRow("is refused: `\(error)`", reason, matrix) {
            $0.refuse(error, "not like this", status: status)
        }
    }

    private static func idRow(_ what: String, _ value: JSONValue) -> Row {
        requestRow("gets an `auth_req_id` that is \(what)", "response-malformed") {
            $0.members["auth_req_id"] = value
        }
    }

    private static func intervalRow(_ what: String, _ value: JSONValue) -> Row {
        Row(
            "`interval` is \(what)", .nowhere, ["HX21"], needs: [.backchannel],
            .answer(.backchannelAuthentication) { $0.members["interval"] = value })
    }

    // MARK: - Polls

    /// What ends a login at a poll.
    static let pollRows: [Misbehaviour: Row] = [
        .pollInvalidRequest: endingRow(
            "invalid_request", "broker-error", Matrix.ciba("invalid-request")),
        .pollDenied: endingRow(
            "access_denied", "access-denied", Matrix.ciba("invalid-access-denied")),
        .pollExpired: endingRow(
            "expired_token", "poll-timeout", Matrix.ciba("invalid-expired-token")),
        .pollInvalidGrant: endingRow("invalid_grant", "broker-error"),
        .pollClientRefused: endingRow("invalid_client", "client-auth-failed"),
        .pollUnknownError: endingRow("transaction_failed", "broker-error"),
        .pollLateTokens: Row(
            "the tokens come when the request has expired", .poll, "poll-timeout", ["HX21"],
            needs: [.backchannel], .script(BackchannelScript()),
            .answer(.backchannelAuthentication) { $0.members["expires_in"] = .integer(18) },
            .answer(.token) { $0.delayMilliseconds = 8000 }),
        .pollLostTokens: Row(
            "the tokens come when nobody waits for them any more", .poll, "result-lost", ["HX21"],
            needs: [.backchannel], .answer(.token) { $0.delayMilliseconds = $0.slowMilliseconds }),
        .pollWithoutIDToken: Row(
            "a poll gets tokens, but no ID token", .poll, "id-token-missing", ["HX21"],
            needs: [.backchannel], .answer(.token) { $0.members["id_token"] = nil }),
        .pollNotJSON: Row(
            "a poll gets tokens that break off", .poll, "token-response-malformed",
            needs: [.backchannel],
            .answer(.token) { $0.text = CanonicalJSON.encode($0.members).dropLast() }),
        .pollPage: Row(
            "a poll is answered with a page", .poll, "token-response-malformed",
            needs: [.backchannel], .script(BackchannelScript(interludes: [2: .page]))),
        .pollRedirect: Row(
            "a poll is sent on to somebody else's", .poll, "token-response-malformed",
            needs: [.backchannel],
            .waiting { draft, number in
                if number == 2 { draft.becomeRedirect(to: AnswerDraft.foreignOrigin + "/token") }
            }),
    ]

    private static func endingRow(
        _ error: String, _ reason: String, _ matrix: [String] = []
    ) -> Row {
        let script = BackchannelScript(ending: .fails(code: error, description: "it is over"))
        return Row(
            "the third poll is refused: `\(error)`", .poll, reason, matrix, needs: [.backchannel],
            .script(script))
    }

    /// What comes between polls and must not end a login.
    static let pollInterludeRows: [Misbehaviour: Row] = [
        .pollSlowDown: interludeRow(
            "slowed down", .slowDown, Matrix.ciba("slow-down")),
        .pollOutage: interludeRow(
            "answered with 503", .outage(retryAfterSeconds: nil), ["HX21"]),
        .pollTooMany: interludeRow(
            "answered with 429 and a time to come back", .tooMany(retryAfterSeconds: 7), ["HX21"]),
        .pollSilence: interludeRow("not answered in time", .silence, ["HX21"]),
        .pollSlowDownWithInterval: Row(
            "a poll is slowed down, and is told a shorter `interval`", .nowhere, [],
            needs: [.backchannel], .script(BackchannelScript(interludes: [2: .slowDown])),
            .waiting { draft, number in
                if number == 2 { draft.members["interval"] = .integer(1) }
            }),
        .pollPendingWithStatus200: Row(
            "polls are answered `authorization_pending` with status 200", .nowhere, [],
            needs: [.backchannel], .waiting { draft, _ in draft.status = 200 }),
    ]

    private static func interludeRow(
        _ what: String, _ interlude: BackchannelScript.Interlude, _ matrix: [String]
    ) -> Row {
        Row(
            "the second poll is \(what)", .nowhere, matrix, needs: [.backchannel],
            .script(BackchannelScript(interludes: [2: interlude])))
    }

    // MARK: - Tokens

    /// What binds tokens to another login than the one that was polled.
    static let backchannelTokenRows: [Misbehaviour: Row] = [
        .otherRequest: Row(
            "the ID token names another request", .idToken(.authReqID), "token-replayed",
            needs: [.backchannel],
            .token(.idToken) { $0.claims.appendOne(to: IDTokenMaker.requestClaim) }),
        .otherPerson: Row(
            "the ID token is about another person than was asked for", .idToken(.hintedSubject),
            "subject-mismatch", needs: [.backchannel], .otherPerson),
        .issuedBeforeRequest: Row(
            "the ID token was made before it was asked for", .idToken(.iat), "iat-too-old",
            needs: [.backchannel], .token(.idToken) { $0.issueBeforeRequest() }),
        .earlierTokens: Row(
            "the tokens are those of an earlier login", .idToken(.replay), "token-replayed",
            needs: [.backchannel, .earlierLogin], .earlierTokens,
            // The name of the request would give them away.
            .token(.idToken) { $0.claims[IDTokenMaker.requestClaim] = nil }),
    ]

    // MARK: - Headless

    /// What is wrong with the answers of Headless.
    static let headlessRows: [Misbehaviour: Row] = [
        .headlessRefused: Row(
            "the Headless request is refused: `invalid_request`", .backchannelRequest,
            "broker-error", needs: [.headless],
            .answer(.headless) { $0.refuse("invalid_request", "not like this") }),
        .headlessWithoutID: Row(
            "the Headless request gets no `headless_req_id`", .backchannelRequest,
            "response-malformed", needs: [.headless],
            .answer(.headless) { $0.members["headless_req_id"] = nil }),
        .headlessWithoutData: Row(
            "answers of Headless have no `acr_data`", .nowhere, [], needs: [.headless],
            .answer(.headless) { $0.members["acr_data"] = nil },
            .waiting { draft, _ in draft.members["acr_data"] = nil }),
        .headlessOddData: Row(
            "`acr_data` has other types than it should", .nowhere, [], needs: [.headless],
            .answer(.headless) { $0.members["acr_data"] = .string("bankid") },
            .waiting { draft, _ in
                draft.members["acr_data"] = .object([
                    "qrData": .integer(7), "hintCode": .array([.null]),
                ])
            }),
        .headlessUnknownHint: Row(
            "`hintCode` is one that nobody knows", .nowhere, [], needs: [.headless],
            .waiting { draft, _ in
                draft.members["acr_data"] = .object(["hintCode": .string("userDances")])
            }),
    ]
}
