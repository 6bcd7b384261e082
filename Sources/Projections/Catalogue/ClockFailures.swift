// SPDX-License-Identifier: Apache-2.0

extension FailureCatalogue {
    /// What lies with clocks.
    static let clockFailures: [Entry] = [
        Entry(
            "clock-skew", .clock, .warning, retrySafe: true,
            "The clocks of the provider and of this machine differ more than allowed.",
            evidence: [
                "`authledger.ledger.clock` tells how good this machine's clock was.",
                "The times in the sealed ID token beside the time of `token-issued`.",
            ],
            causes: [
                .when(.timeWentBack, "This machine's clock was set while the login ran."),
                "This machine's clock is not synchronised, or the machine was asleep.",
                "The provider's clock is off.",
            ],
            hint: Hint.setClock),
        Entry(
            "iat-invalid", .clock, .warning, retrySafe: true,
            "The ID token was issued in the future.",
            evidence: [
                "`failed.checks`: iat failed.",
                """
                The time of `token-issued` is the instant of the check; iat is in the sealed ID \
                token.
                """,
            ],
            causes: [
                "This machine's clock is behind the provider's.",
                "The provider's clock is ahead.",
            ],
            hint: Hint.setClock),
        Entry(
            "iat-too-old", .clock, .warning, retrySafe: true,
            "The ID token was issued too long ago.",
            evidence: [
                "`failed.checks`: iat failed.",
                """
                The time of `token-issued` is the instant of the check; iat is in the sealed ID \
                token.
                """,
            ],
            causes: [
                "A cached answer, or an older token, came in place of a fresh one.",
                .when(.slowAnswer, "The answer took long to come."),
                "This machine's clock is far ahead of the provider's.",
            ],
            hint: "Compare the clocks, look for something that caches answers, and try again."),
        Entry(
            "not-yet-valid", .clock, .warning, retrySafe: true,
            "The ID token is not valid yet.",
            evidence: [
                "`failed.checks`: nbf failed.",
                """
                The time of `token-issued` is the instant of the check; nbf is in the sealed ID \
                token.
                """,
            ],
            causes: [
                "This machine's clock is behind the provider's.",
                "The provider dates tokens ahead, or leaves no room for any difference.",
            ],
            hint: Hint.setClock),
        Entry(
            "token-expired", .clock, .warning, retrySafe: true,
            "The ID token had expired when it came.",
            evidence: [
                "`failed.checks`: exp failed.",
                """
                The time of `token-issued` is the instant of the check; exp is in the sealed ID \
                token.
                """,
            ],
            causes: [
                .when(.timeWentBack, "This machine's clock is ahead of the provider's."),
                .when(.slowAnswer, "The answer took so long that the token expired on the way."),
                "The clocks differ by more than the token's lifetime and the tolerance.",
                "An older token came in place of a fresh one.",
            ],
            hint: "Compare the clocks and set yours by NTP; then try again."),
    ]
}
