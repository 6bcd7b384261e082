// SPDX-License-Identifier: Apache-2.0

extension FailureCatalogue {
    /// What lies with the user.
    static let userFailures: [Entry] = [
        Entry(
            "abandoned", .user, .info, retrySafe: true,
            "No answer came within the time that a login has.",
            evidence: [
                "No `callback` follows the last `redirected`, or nothing follows `initiated`.",
                "The time of `failed` lies well behind that of the event before it.",
            ],
            causes: [
                "The user closed the page or did not finish at the provider.",
                "After a switch to an app the way back into the browser was lost.",
                "The provider ended on a page of its own and never sent the user back.",
                .when(.choosingAccount, "The user chose no account in the account selector."),
            ],
            hint: """
                Nothing for one session. Many at once: try the way back to the redirect URI on \
                such a device.
                """,
            asked: [.redirectURI]),
        Entry(
            "access-denied", .user, .info, retrySafe: true,
            "The provider says that access was denied.",
            evidence: [
                "`callback.error`, `polled.error` or `failed.error` is `access_denied`.",
                "What the provider says beside it is sealed in the same event.",
            ],
            causes: [
                "The user said no.",
                "The user may not use this service, or the eID behind the provider refused.",
                "The text or the words shown to the user were not the ones they expected.",
                .when(
                    .quickReturn,
                    "The provider refused by itself: the user had hardly time to answer."),
            ],
            hint: """
                Nothing for one session. Many at once: look at the text shown to users, and for \
                phishing.
                """),
        Entry(
            "consent-denied", .user, .info, retrySafe: true,
            "The provider says that the user's consent is missing.",
            evidence: [
                """
                `callback.error` or `failed.error` is `consent_required`, or a text that the \
                profile lists.
                """,
                "`initiated.scope` is what was asked for.",
            ],
            causes: [
                "The user did not agree to a scope that was asked for.",
                "A login without interaction was asked for, and the user has not agreed before.",
                "The client may not ask for a scope, such as one for national id numbers.",
            ],
            hint: "Ask for fewer scopes, or say what they are for.",
            asked: [.scope]),
        Entry(
            "login-required", .user, .info, retrySafe: true,
            "The provider wants the user to log in or to choose.",
            evidence: [
                """
                `callback.error` is `login_required`, `interaction_required` or \
                `account_selection_required`.
                """
            ],
            causes: [
                """
                A login without interaction was asked for, and the user has no session at the \
                provider.
                """,
                "The user's session at the provider ended in the meantime.",
            ],
            hint: """
                Expected where a login without interaction was asked for; otherwise try again.
                """),
        Entry(
            "poll-timeout", .user, .info, retrySafe: true,
            "The request ran out before the user answered.",
            evidence: [
                """
                `polled.expiresIn` of the accepted request is the time it had; the later ones are \
                pending.
                """,
                "`polled.error` is `expired_token`, or `failed` lies behind that time.",
            ],
            causes: [
                .when(.neverAnswered, "The user never opened the app."),
                "The message did not reach the user: wrong person, no app, or no network.",
                "The time that the request has is too short for this user.",
            ],
            hint: "Tell the user what to do in the app while you wait, and begin a new login."),
        Entry(
            "state-expired", .user, .info, retrySafe: true,
            "The callback came after the time for which its state is good.",
            evidence: [
                """
                The time of `callback` lies behind that of `redirected` by more than the profile \
                allows.
                """,
                """
                `authledger.callback.refused` names the session, if the callback was refused \
                outside of it.
                """,
            ],
            causes: [
                .when(.slowReturn, "The user needed longer than a state is good for."),
                "The page was opened again from the browser's history.",
                "The user had to install or renew something on the way.",
            ],
            hint: """
                Begin a new login; raise the lifetime to that of the provider's page if it \
                happens often.
                """),
        Entry(
            "unknown-user", .user, .info, retrySafe: false,
            "The provider knows no user of the hint that was sent.",
            evidence: [
                "`polled.error` or `failed.error` is `unknown_user_id`.",
                "The hint is sealed in `initiated`.",
            ],
            causes: [
                """
                The identifier has a typing error, or is of another kind than the provider \
                expects.
                """,
                "The user has no eID with this provider.",
                "An identifier for tests was used in production, or the other way round.",
            ],
            hint: "Check the identifier and its form, or let the user log in in another way."),
        Entry(
            "user-cancelled", .user, .info, retrySafe: true,
            "The user cancelled the login, as the provider's text or code says.",
            evidence: [
                """
                `callback.error`, `polled.error` or `failed.error`, with a text that the profile \
                lists for it.
                """,
                "What the provider says beside it is sealed in the same event.",
            ],
            causes: [
                "The user changed their mind, or lacked the means to go on.",
                "The text or the words shown to the user were not the ones they expected.",
                "Somebody else began the login, and the user was right to refuse.",
            ],
            hint: """
                Nothing for one session. Many at once: look at the text shown to users, and for \
                phishing.
                """),
    ]
}
