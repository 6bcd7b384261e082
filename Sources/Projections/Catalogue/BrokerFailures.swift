// SPDX-License-Identifier: Apache-2.0

extension FailureCatalogue {
    /// What lies with the provider.
    static let brokerFailures: [Entry] = [
        Entry(
            "broker-error", .broker, .warning, retrySafe: true,
            "The provider answered with an error of its own.",
            evidence: [
                "`callback.error`, `polled.error` or `failed.error`; the text beside it is sealed.",
                "The trace ids of the events and of `failed.exchanges`.",
            ],
            causes: [
                .when(.error(["server_error"]), "The provider, or the eID behind it, had a fault."),
                .when(
                    .unregisteredError,
                    "The provider has error codes of its own, and this is one of them."),
                .when(
                    .error([
                        "invalid_request", "invalid_scope", "unsupported_response_type",
                        "invalid_request_object",
                    ]),
                    "The request has something that the provider does not take."),
                .when(.status(429), "The provider limits how often it may be asked."),
                "The provider met something that it has no better word for.",
            ],
            hint: Hint.reportToProvider),
        Entry(
            "claim-malformed", .broker, .warning, retrySafe: false,
            "A claim of the ID token has a wrong form.",
            evidence: [
                "`failed.checks` names the check that failed.",
                "The claims are in the sealed ID token of `token-issued`.",
            ],
            causes: [
                "The provider writes a time as a text, or a list where one value belongs.",
                "The token is not an ID token of this provider.",
            ],
            hint: Hint.reportToProvider),
        Entry(
            "claim-missing", .broker, .warning, retrySafe: false,
            "The ID token lacks a claim that it must have.",
            evidence: [
                "`failed.checks` names the check that failed.",
                "`initiated.scope` is what was asked for; the claims are in the sealed ID token.",
            ],
            causes: [
                "The provider leaves out a claim that every ID token has.",
                """
                The policy demands a claim, such as a nonce, that this flow of the provider does \
                not have.
                """,
                "The client may not have the claim: the scope or the legal basis is missing.",
            ],
            hint: Hint.reportToProvider,
            asked: [.scope]),
        Entry(
            "code-refused", .broker, .warning, retrySafe: true,
            "The provider refused the authorization code.",
            evidence: [
                "`failed.error` is `invalid_grant`; the text beside it is sealed.",
                "The times of `callback` and of `failed`; `initiated.codeChallenge`.",
            ],
            causes: [
                .when(
                    .slowExchange,
                    "The code was too old: codes often live for a minute or less."),
                "The code had been used before: the callback was sent twice.",
                .when(
                    .proofKey,
                    "The verifier is another login's, or did not reach the provider unchanged."),
                "The exchange named another redirect URI or client than the request.",
            ],
            hint: """
                Begin a new login; if it happens again, look at the likely causes one by one.
                """),
        Entry(
            "crit-unsupported", .broker, .warning, retrySafe: false,
            "The ID token demands an extension that is not known.",
            evidence: [
                "`failed.checks`: crit failed.",
                "The header is in the sealed ID token of `token-issued`.",
            ],
            causes: [
                "The provider uses an extension that this client did not agree to.",
                "The token is not an ID token of this provider.",
            ],
            hint: Hint.reportToProvider),
        Entry(
            "key-set-invalid", .broker, .warning, retrySafe: true,
            "The provider's key set cannot be read.",
            evidence: [
                "`failed.stage` is discovery; the code had not been spent.",
                "`authledger.provider.key-set-fetched` has the last one that could be read.",
            ],
            causes: [
                "A page of a proxy, or an error page, came in place of the key set.",
                "The provider publishes a key that is malformed, or a private one.",
            ],
            hint: Hint.reportToProvider),
        Entry(
            "key-unsuitable", .broker, .warning, retrySafe: false,
            "The key that the ID token names is not one for its algorithm.",
            evidence: [
                "`failed.checks`: key failed.",
                """
                `token-issued.algorithm` and `token-issued.keyID`; `token-issued.keySetDigest` \
                names the keys.
                """,
            ],
            causes: [
                "The provider marks the key for another algorithm or for encryption.",
                "Somebody tries to have the token verified with another kind of key.",
            ],
            hint: Hint.reportToProvider),
        Entry(
            "key-weak", .broker, .warning, retrySafe: false,
            "The key that the ID token names is too weak.",
            evidence: [
                "`failed.checks`: key failed.",
                """
                `token-issued.keyID`; `token-issued.keySetDigest` names the keys, the policy the \
                least size.
                """,
            ],
            causes: [
                "The provider still signs with an old, short key.",
                "A key for tests is in use.",
            ],
            hint: Hint.reportToProvider),
        Entry(
            "kid-unknown", .broker, .warning, retrySafe: true,
            "The provider's key set does not have the key that the ID token names.",
            evidence: [
                """
                `token-issued.keyID` is the key; `failed.keySetDigest` or \
                `token-issued.keySetDigest` the keys.
                """,
                "`authledger.provider.key-set-fetched` tells when which key set was there.",
            ],
            causes: [
                .when(
                    .reportedKeySet,
                    "The key set that was reported with the token is an older one."),
                "The provider changed its keys a moment ago and publishes late.",
                "Something on the way served an old key set.",
                "The token is of another environment, or not of this provider.",
            ],
            hint: """
                Try again in a minute; if it stays, compare the key's id with what the provider \
                publishes.
                """),
        Entry(
            "provider-outage", .broker, .warning, retrySafe: true,
            "The provider could not be reached or answered with a server error.",
            evidence: [
                """
                `failed.exchanges` or `polled.httpStatus`: a status of 500 or more, or no status \
                at all.
                """,
                "`callback.error` or `failed.error` is `temporarily_unavailable`.",
            ],
            causes: [
                .when(.serverError, "The provider, or the eID behind it, is down."),
                .when(
                    .error(["temporarily_unavailable"]),
                    "The provider is overloaded or under maintenance."),
                .when(
                    .unanswered,
                    "The way to the provider is cut: network, name resolution or firewall."),
                .when(.status(429), "The provider limits how often it may be asked."),
                .when(.slowAnswer, "The provider answers more slowly than this program waits."),
                "The provider, or the network before it, was not available for a moment.",
            ],
            hint: "Wait and try again; see whether other logins fail at the same time."),
        Entry(
            "response-malformed", .broker, .warning, retrySafe: true,
            "An answer of the provider cannot be read.",
            evidence: [
                "`failed.stage` says which step it belongs to, `failed.exchanges` its status.",
                "What came is sealed in the event, if it was kept.",
            ],
            causes: [
                .when(.serverError, "An error page came in place of the answer."),
                "A page of a proxy, or of maintenance, came in place of the answer.",
                "The answer has a member twice, lacks one, or has one of another type.",
            ],
            hint: Hint.reportToProvider),
        Entry(
            "response-too-large", .broker, .warning, retrySafe: false,
            "An answer is larger than allowed.",
            evidence: [
                "`failed.stage` says which step it belongs to.",
                "`failed.checks`: size failed, if it is the ID token.",
            ],
            causes: [
                "The provider sends evidence, pictures or many claims with the token.",
                "Something else than the provider answered.",
                "Somebody tries to exhaust this program's memory.",
            ],
            hint: """
                Ask for fewer scopes, or raise the size in the profile knowingly; else report it.
                """,
            asked: [.scope]),
        Entry(
            "token-malformed", .broker, .warning, retrySafe: false,
            "The ID token cannot be read.",
            evidence: [
                "`failed.checks`: token or claims failed.",
                "The text that came is sealed in `token-issued`.",
            ],
            causes: [
                """
                The provider sent an encrypted or an opaque token, and the profile expects a \
                signed one.
                """,
                "Something on the way cut it off.",
                "The token was made by hand.",
            ],
            hint: Hint.reportToProvider),
        Entry(
            "token-response-malformed", .broker, .warning, retrySafe: true,
            "The answer of the token endpoint cannot be read.",
            evidence: [
                "`failed.stage` is token: no `token-issued` follows.",
                "`failed.exchanges`: its status and trace id.",
            ],
            causes: [
                .when(.serverError, "An error page came in place of the answer."),
                "A page of a proxy, or of maintenance, came in place of the answer.",
                "The answer has a member twice, lacks one, or has one of another type.",
            ],
            hint: Hint.reportToProvider),
        Entry(
            "userinfo-invalid", .broker, .warning, retrySafe: false,
            "The UserInfo response cannot be read, or its signature, issuer or audience is wrong.",
            evidence: [
                """
                `failed.stage` is userinfo; `failed.exchanges` has the request, its status and \
                trace id.
                """,
                "The response is sealed in `failed`.",
            ],
            causes: [
                """
                The provider signs UserInfo with another algorithm or key than the profile \
                allows.
                """,
                """
                The provider sends plain claims where signed ones were agreed on, or the other \
                way round.
                """,
                .when(.serverError, "An error page came in place of the answer."),
            ],
            hint: Hint.reportToProvider),
    ]
}
