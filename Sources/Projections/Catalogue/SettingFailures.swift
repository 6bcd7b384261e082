// SPDX-License-Identifier: Apache-2.0

extension FailureCatalogue {
    /// What lies with the settings of one side and shows when code or token are looked at.
    static let settingFailures: [Entry] = [
        Entry(
            "acr-too-low", .configuration, .warning, retrySafe: true,
            "The login reached a lower level of assurance than demanded.",
            evidence: [
                """
                `failed.checks`: acr failed; or `callback.error` is \
                `unmet_authentication_requirements`.
                """,
                "`initiated.acrValues` is what was asked for; what came is in the sealed ID token.",
            ],
            causes: [
                .when(.acrNotAsked, "No level was asked for, and the provider took a lower one."),
                "The user has no means of the higher level, or chose a lower one.",
                "The provider names the level in a way that the policy's table does not have.",
            ],
            hint: "Ask for the level with `acrValues`, or lower the policy knowingly.",
            asked: [.acr]),
        Entry(
            "aud-mismatch", .configuration, .warning, retrySafe: false,
            "The ID token is meant for another client, or for others beside this one.",
            evidence: [
                "`failed.checks`: aud failed.",
                "`initiated.clientID` is this client; the audience is in the sealed ID token.",
            ],
            causes: [
                """
                Test and production are mixed, or the client id in the profile is another \
                client's.
                """,
                "The provider names further audiences that the profile does not trust.",
                .when(
                    .severalFailedChecks,
                    "A token of another client was brought into this login."),
            ],
            hint: "Check the client id in the profile; do not accept the login before it fits."),
        Entry(
            "auth-time-stale", .configuration, .info, retrySafe: true,
            "The user was authenticated longer ago than asked for.",
            evidence: [
                "`failed.checks`: auth_time failed.",
                "The time of authentication is in the sealed ID token of `token-issued`.",
            ],
            causes: [
                "The provider used a session of the user that it had already.",
                .when(.timeWentBack, "The clocks differ."),
            ],
            hint: """
                Ask the provider for a fresh authentication, with `prompt=login` or `max_age`.
                """),
        Entry(
            "code-expired", .configuration, .warning, retrySafe: true,
            "The authorization code was too old when it was exchanged.",
            evidence: [
                "The times of `callback` and of the event after it.",
                """
                `failed.error` is `invalid_grant`, with a text (sealed) that the profile lists \
                for it.
                """,
            ],
            causes: [
                .when(.slowExchange, "This program was slow between callback and exchange."),
                "The token endpoint could not be reached at first.",
                """
                The provider's codes live for a short time only, and the user's connection was \
                slow.
                """,
            ],
            hint: "Exchange codes at once; look at what held the program up."),
        Entry(
            "code-reused", .configuration, .warning, retrySafe: false,
            "The authorization code had been used before.",
            evidence: [
                """
                `failed.error` is `invalid_grant`, with a text (sealed) that the profile lists \
                for it.
                """,
                """
                Another `callback`, or `authledger.callback.refused`, with the same state or code \
                (sealed).
                """,
            ],
            causes: [
                """
                The callback was sent twice: a double click, a page loaded again, a proxy that \
                repeats.
                """,
                "Two instances of the program took the same callback.",
                "Somebody else used the code first.",
            ],
            hint: """
                Have one instance exchange a code once. If nothing of yours did it twice: treat \
                it as an attack.
                """),
        Entry(
            "id-token-missing", .configuration, .warning, retrySafe: false,
            "The token response has no ID token.",
            evidence: [
                "`failed.stage` is token: no `token-issued` follows `callback` or `polled`.",
                "`initiated.scope` is what was asked for.",
            ],
            causes: [
                .when(.scopeWithoutOpenID, "The scope openid was not asked for."),
                "The provider has this client registered for OAuth alone.",
                "The provider sends the ID token only where another setting asks for it.",
            ],
            hint: "Ask for the scope `openid`; check the client's settings at the provider.",
            asked: [.scope]),
        Entry(
            "jwe-decrypt-failed", .configuration, .warning, retrySafe: false,
            "What the provider encrypted cannot be decrypted with the client's key.",
            evidence: [
                """
                `failed.stage` is callback for the answer, token or verification for the ID \
                token.
                """,
                "The encrypted text is sealed in the event before `failed`.",
            ],
            causes: [
                "It was encrypted for an older or a newer key of the client.",
                "The provider uses another algorithm for this client than the profile allows.",
                "It was changed on its way.",
            ],
            hint: """
                Compare the client's published keys with the profile's; keep an old key for a \
                while.
                """),
        Entry(
            "pkce-failed", .configuration, .warning, retrySafe: true,
            "The PKCE verifier does not fit the challenge of the login.",
            evidence: [
                """
                `initiated.codeChallenge` against SHA-256 of the verifier, which is sealed in \
                `initiated`.
                """,
                """
                `failed.error` is `invalid_grant`, with a text (sealed) that the profile lists \
                for it.
                """,
            ],
            causes: [
                """
                The verifier is another login's: another tab or another instance exchanged the \
                code.
                """,
                "A code of another login was brought into this one.",
                .when(
                    .pushedRequest,
                    "The provider kept another challenge than the one that was pushed."),
            ],
            hint: """
                Finish a login where it began. If that is so, look for a code brought in from \
                elsewhere.
                """),
    ]
}
