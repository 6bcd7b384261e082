// SPDX-License-Identifier: Apache-2.0

internal import SessionEvents

extension FailureCatalogue {
    /// What an attack looks like, whether it is one or not.
    static let attackFailures: [Entry] = [
        Entry(
            "alg-not-allowed", .attack, .incident, retrySafe: false,
            "The ID token is signed with an algorithm that is not allowed.",
            evidence: [
                "`failed.checks`: alg failed.",
                """
                `token-issued.algorithm` is the token's; `token-issued.policyDigest` names those \
                allowed.
                """,
            ],
            causes: [
                .when(
                    .unsignedToken,
                    "Somebody took the signature off: the token says that it has none."),
                "The provider signs for this client with another algorithm than the profile lists.",
                "Somebody tries to have the token verified in a weaker way.",
            ],
            hint: """
                Do not accept the login. Compare `algorithms` in the profile with what the \
                provider announces.
                """),
        Entry(
            "at-hash-mismatch", .attack, .incident, retrySafe: false,
            "The access token does not belong to the ID token.",
            evidence: [
                "`failed.checks`: at_hash failed.",
                "The hash of the access token, and the ID token, are sealed in `token-issued`.",
            ],
            causes: [
                "One of the two tokens was put in place of another.",
                "The provider computes the hash with another algorithm than that of the signature.",
            ],
            hint: Hint.treatAsAttack),
        Entry(
            "azp-mismatch", .attack, .incident, retrySafe: false,
            "The ID token authorises another client.",
            evidence: [
                "`failed.checks`: azp failed.",
                "`initiated.clientID` is this client; the other one is in the sealed ID token.",
            ],
            causes: [
                "A token of another client was brought into this login.",
                "The client id in the profile is another client's.",
            ],
            hint: Hint.treatAsAttack),
        Entry(
            "c-hash-mismatch", .attack, .incident, retrySafe: false,
            "The code does not belong to the ID token.",
            evidence: [
                "`failed.checks`: c_hash failed.",
                "The code is sealed in `callback`, the ID token in `callback` or `token-issued`.",
            ],
            causes: [
                "The code was put in place of another one.",
                "The provider computes the hash with another algorithm than that of the signature.",
            ],
            hint: Hint.treatAsAttack),
        Entry(
            "callback-replayed", .attack, .warning, retrySafe: false,
            "A callback came for a session that does not wait for one.",
            evidence: [
                "`authledger.callback.refused` names the session, and how many came.",
                "The session has its `callback` already.",
            ],
            causes: [
                "The user loaded the page again or went back in the browser.",
                "A proxy or an app sent the same address twice.",
                "Somebody else has the address, from a log or a referrer.",
            ],
            hint: "What was exchanged stays as it is. Find out who else can have the address."),
        Entry(
            "cert-binding-mismatch", .attack, .incident, retrySafe: false,
            "The access token is not bound to the client's certificate.",
            evidence: [
                "`failed.stage` is token or userinfo; `failed.exchanges` has the requests.",
                "The thumbprint that came is sealed.",
            ],
            causes: [
                "The provider does not bind tokens for this client, or knows an older certificate.",
                "A proxy on the way uses a certificate of its own.",
                "The token was made for somebody else.",
            ],
            hint: Hint.treatAsAttack),
        Entry(
            "header-refused", .attack, .incident, retrySafe: false,
            """
            The ID token's header has a member that would let it choose its own key, or is of \
            another type.
            """,
            evidence: [
                "`failed.checks`: header or typ failed.",
                "The header is in the sealed ID token of `token-issued`.",
            ],
            causes: [
                "Somebody tries to have the token verified with a key of their own.",
                "A token of another kind, such as a logout token, came in place of an ID token.",
                "The provider puts a key or a certificate into the header without need.",
            ],
            hint: Hint.treatAsAttack),
        Entry(
            "iss-mismatch", .attack, .incident, retrySafe: false,
            "An answer or an ID token names another issuer than the one that was asked.",
            evidence: [
                "`initiated.issuer` is the one that was asked.",
                "The other one is sealed in `callback` or in the ID token of `token-issued`.",
            ],
            causes: [
                .when(
                    .stage(.callback),
                    "An answer of another provider was brought into this login (mix-up)."),
                "Test and production are mixed, or the provider has a new name.",
                "The profile's issuer differs by a final slash, a capital letter or a path.",
                .when(
                    .severalFailedChecks,
                    "A token of another provider was brought into this login."),
            ],
            hint: Hint.treatAsAttack),
        Entry(
            "iss-missing", .attack, .incident, retrySafe: false,
            "The provider promises to name itself in every answer, and did not.",
            evidence: [
                "`redirected.discoveryDigest` names the document with the promise.",
                "What came is sealed in `callback`: there is no iss.",
            ],
            causes: [
                "The provider announces more than it does, for instance not in errors.",
                "Something on the way dropped the parameter.",
                "An answer of another provider was brought into this login (mix-up).",
            ],
            hint: Hint.treatAsAttack),
        Entry(
            "jarm-invalid", .attack, .incident, retrySafe: false,
            "The signed answer (JARM) did not pass its checks.",
            evidence: [
                "`failed.checks` of the answer: the one that failed, and `failed.keySetDigest`.",
                "The answer is sealed in `callback`; no request was made after it.",
            ],
            causes: [
                .when(.slowReturn, "The answer was too old when it came."),
                "The answer was changed, or is of another provider, client or login.",
                "The provider signs with another algorithm or a newer key than this client knows.",
            ],
            hint: Hint.treatAsAttack,
            asked: [.responseMode]),
        Entry(
            "nonce-mismatch", .attack, .incident, retrySafe: false,
            "The ID token's nonce is not the one that this session sent.",
            evidence: [
                "`failed.checks`: nonce failed.",
                """
                The nonce sent is sealed in `initiated`, the other one in the ID token of \
                `token-issued`.
                """,
            ],
            causes: [
                .when(
                    .severalFailedChecks,
                    "A token made for something else was brought into this login."),
                "A cached callback, or a login of the same user in another tab.",
                "A token of another login was brought into this one.",
            ],
            hint: """
                Do not accept the login. Without an explanation from its time, treat it as an \
                attack.
                """),
        Entry(
            "s-hash-mismatch", .attack, .incident, retrySafe: false,
            "The state does not belong to the ID token.",
            evidence: [
                "`failed.checks`: s_hash failed.",
                "The state is sealed in `initiated`, the ID token in `callback` or `token-issued`.",
            ],
            causes: [
                "The ID token is of another answer than the state.",
                "The provider computes the hash with another algorithm than that of the signature.",
            ],
            hint: Hint.treatAsAttack),
        Entry(
            "sig-invalid", .attack, .incident, retrySafe: false,
            "The ID token's signature is not the provider's.",
            evidence: [
                "`failed.checks`: signature failed.",
                """
                `token-issued.algorithm`, `token-issued.keyID`, and the keys of \
                `token-issued.keySetDigest`.
                """,
            ],
            causes: [
                .when(
                    .reportedKeySet,
                    "The key set that was reported with the token is not the provider's."),
                "The token was changed on its way, or made by somebody else.",
                "The provider replaced a key and kept its id.",
            ],
            hint: Hint.treatAsAttack),
        Entry(
            "state-mismatch", .attack, .warning, retrySafe: false,
            "The callback's state is not the one that this session sent.",
            evidence: [
                """
                `callback.stateMatched` is false; `callback.stateBinding` says who tied it to the \
                session.
                """,
                "The state sent is sealed in `initiated`, the one that came in `callback`.",
            ],
            causes: [
                .when(
                    .boundState,
                    "The user had two tabs open, and the answer of the other one came here."),
                "After a switch to an app another browser came back, or the cookie was lost.",
                .when(
                    .unboundState,
                    "The callback is of another login, and nothing shows whose browser it was."),
                "Somebody tries to bring a login of their own into the user's browser.",
            ],
            hint: """
                Compare user agent and address of both ends where they are recorded (sealed); if \
                they differ, treat it as an attack.
                """),
        Entry(
            "state-missing", .attack, .warning, retrySafe: false,
            "The callback has no state.",
            evidence: [
                "`callback.stateMatched` is absent; what came is sealed in `callback`.",
                "`authledger.callback.refused`, if it could be tied to no session.",
            ],
            causes: [
                "The address was called by hand or by a program that follows links.",
                "A proxy or the provider lost the parameter.",
                "Somebody tries to bring a login of their own into the user's browser.",
            ],
            hint: Hint.treatAsAttack),
        Entry(
            "subject-mismatch", .attack, .warning, retrySafe: false,
            "Another person authenticated than the one who was asked for.",
            evidence: [
                "The hint is sealed in `initiated`.",
                "The subject is in the sealed ID token of `token-issued`.",
            ],
            causes: [
                "Somebody else used the device, or the user has two identities.",
                "The hint was another person's.",
                """
                The provider's identifier of a person is of another kind than the hint, or has \
                changed.
                """,
                "Somebody tries to log in for another person.",
            ],
            hint: """
                Do not accept the login. Ask the user which person was meant; check for fraud if \
                it repeats.
                """),
        Entry(
            "token-replayed", .attack, .incident, retrySafe: false,
            "The ID token was presented before.",
            evidence: [
                "An earlier `token-issued` has the same token or id (sealed)."
            ],
            causes: [
                .when(
                    .reported,
                    "The program that reports the steps sent one token for two logins."),
                "Something on the way answered twice with the same response.",
                "Somebody has the token and uses it again.",
            ],
            hint: "Do not accept the login, and look at the session that had the token first."),
        Entry(
            "userinfo-subject-mismatch", .attack, .incident, retrySafe: false,
            "UserInfo is about another subject than the ID token.",
            evidence: [
                """
                `failed.stage` is userinfo; `failed.exchanges` has the request, its status and \
                trace id.
                """,
                """
                One subject is sealed in the ID token of `token-issued`, the other one in \
                `failed`.
                """,
            ],
            causes: [
                "The access token was put in place of another one.",
                "The provider has other subjects at UserInfo than in ID tokens.",
            ],
            hint: Hint.treatAsAttack),
    ]
}
