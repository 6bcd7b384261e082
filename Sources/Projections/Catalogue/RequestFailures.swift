// SPDX-License-Identifier: Apache-2.0

extension FailureCatalogue {
    /// What lies with the settings of one side and shows before the tokens are there.
    static let requestFailures: [Entry] = [
        Entry(
            "binding-message-refused", .configuration, .warning, retrySafe: false,
            "The provider refused the binding message.",
            evidence: [
                "`polled.error` or `failed.error` is `invalid_binding_message`.",
                "The message is sealed in `initiated`.",
            ],
            causes: [
                "It is too long, or has characters that the provider does not show.",
                "The provider makes the message itself and takes none.",
            ],
            hint: """
                Make it shorter and of plain letters, or leave it out where the provider makes \
                its own.
                """),
        Entry(
            "certificate-expired", .configuration, .incident, retrySafe: false,
            "The client's certificate is not valid any more.",
            evidence: [
                "`failed.stage`; no request with this certificate was sent.",
                "`initiated.profileDigest` names the profile with the certificate's file.",
            ],
            causes: [
                "Nobody renewed it in time.",
                "It was renewed, and the profile still names the old file.",
                .when(.timeWentBack, "This machine's clock is off."),
            ],
            hint: """
                Renew it (`authledger providers csr`), register it with the provider, name it in \
                the profile.
                """),
        Entry(
            "client-auth-failed", .configuration, .warning, retrySafe: false,
            "The provider did not accept the client's credentials.",
            evidence: [
                """
                `failed.error` is `invalid_client` or `unauthorized_client`; without one, the \
                answer's status is 401.
                """,
                "`initiated.profileDigest` names the profile with client id and method.",
            ],
            causes: [
                "The secret is wrong, or was replaced at the provider.",
                "The provider expects another method, or id and secret form-encoded in Basic.",
                "The assertion has another audience, or a key that the provider does not know.",
                .when(
                    .error(["unauthorized_client"]),
                    "The client may not use this flow or grant."),
                .when(
                    .timeWentBack,
                    "This machine's clock is off, and the assertion was expired or early."),
            ],
            hint: "Check client id, secret and authentication method in the profile."),
        Entry(
            "discovery-issuer-mismatch", .configuration, .warning, retrySafe: false,
            "The provider's discovery document names another issuer than the profile.",
            evidence: [
                "`initiated.issuer` is the profile's.",
                "`failed.stage` is discovery: nothing of the login was sent.",
            ],
            causes: [
                "The profile's issuer differs by a final slash, a capital letter or a path.",
                "The provider has a new name.",
                "Another server than the provider's answered.",
            ],
            hint: """
                Correct the issuer in the profile, to the letter: host, path and final slash.
                """),
        Entry(
            "flow-unsupported", .configuration, .warning, retrySafe: false,
            "The provider does not announce what the profile asks for.",
            evidence: [
                """
                `initiated.flow`, `initiated.responseMode` and the profile are what was asked \
                for.
                """,
                """
                `failed.discoveryDigest` or `authledger.provider.discovery-fetched` is what is \
                announced.
                """,
            ],
            causes: [
                """
                The profile asks for a flow, mode, method or algorithm that this provider does \
                not have.
                """,
                "The other environment of the provider has it, and this one does not.",
                "The provider announces something else since lately.",
            ],
            hint: "Compare both with `authledger providers check`, and correct the profile.",
            asked: [.responseMode]),
        Entry(
            "hint-refused", .configuration, .warning, retrySafe: false,
            "The provider refused the login hint.",
            evidence: [
                "`polled.error` or `failed.error`, for instance `expired_login_hint_token`.",
                "The hint is sealed in `initiated`.",
            ],
            causes: [
                "The hint has another form than the provider documents.",
                .when(
                    .error(["expired_login_hint_token"]),
                    "The hint token was made too long before it was used."),
                "The client may not send this kind of hint, or not with this flow.",
            ],
            hint: """
                Send the hint as the provider documents it, and make hint tokens for each login \
                anew.
                """),
        Entry(
            "host-refused", .configuration, .warning, retrySafe: false,
            "An address is not one that may be asked.",
            evidence: [
                "`failed.stage` says for which step; no request was sent to that address.",
                "`authledger.provider.discovery-fetched` names the document with the addresses.",
            ],
            causes: [
                "The provider has an endpoint on a host that the profile does not list.",
                "An endpoint is plain http, or leads to a private or link-local address.",
                "Somebody changed the document to have requests sent elsewhere.",
            ],
            hint: "Endpoints must be https; plain http to loopback needs `allowLoopbackHTTP`."),
        Entry(
            "iss-not-allowed", .configuration, .warning, retrySafe: false,
            "The account selector named an issuer that the profile does not list.",
            evidence: [
                "`callback.from` is account-selector; the issuer that came is sealed there.",
                "Nothing was sent to that issuer: no `redirected` follows.",
            ],
            causes: [
                "The selector offers an identity provider that the profile does not list.",
                "Test and production are mixed.",
                "Somebody changed the address on its way through the browser.",
            ],
            hint: """
                List the issuer in the profile only if you trust it; otherwise treat it as an \
                attack.
                """),
        Entry(
            "par-refused", .configuration, .warning, retrySafe: false,
            "The provider refused the pushed authorization request.",
            evidence: [
                "`failed.exchanges`: the request with the purpose par, its status and trace id.",
                "`failed.error`; the text that the provider gave with it is sealed.",
            ],
            causes: [
                .when(.error(["invalid_scope"]), "A scope is not one that the client may ask for."),
                .when(
                    .error(["invalid_request_object"]),
                    """
                    The signed request has another key, algorithm or audience than the provider \
                    expects.
                    """),
                .when(
                    .error(["invalid_client", "unauthorized_client"]),
                    "The client did not authenticate as the provider expects."),
                "A parameter has a value that the provider does not take from this client.",
            ],
            hint: """
                Compare the profile with the client's registration; give the trace id to the \
                provider.
                """,
            asked: [.scope, .acr, .redirectURI]),
        Entry(
            "permission-refused", .configuration, .warning, retrySafe: false,
            "The provider refused the permission that was asked for.",
            evidence: [
                "`failed.exchanges`: the request for the permission, its status and trace id.",
                "What was asked for is sealed in `initiated`.",
            ],
            causes: [
                "The client has no right to permissions or payments of this kind.",
                "The permission's content, intent or time is not one that the provider takes.",
                "The user refused it.",
            ],
            hint: """
                Compare the request with the provider's documentation, and give it the trace id.
                """),
        Entry(
            "poll-too-fast", .configuration, .warning, retrySafe: true,
            "The provider was polled more often than it allows.",
            evidence: [
                "`polled.status` is slow-down, or `failed.error` is `slow_down`.",
                "`polled.interval` beside the times of the `polled` events.",
            ],
            causes: [
                .when(.hurriedPolls, "The pause between two polls was shorter than the interval."),
                .when(.gap, "The program was started anew and polled at once."),
                "Two processes polled for the same request.",
                "The pause was not made longer after the provider had asked for it.",
            ],
            hint: """
                Keep the interval, add five seconds for each slow-down, and poll from one process \
                alone.
                """),
        Entry(
            "redirect-uri-mismatch", .configuration, .warning, retrySafe: false,
            "The redirect URI is not one that the provider has for this client.",
            evidence: [
                "`initiated.redirectURI` is the one that was sent, without its query.",
                "`failed.error`, and the text that the provider gave with it, which is sealed.",
            ],
            causes: [
                "It differs from the registered one by a letter, a slash, the port or the scheme.",
                "It is registered for another client, or in the other environment.",
                "It was registered lately, and the provider has not taken it over yet.",
            ],
            hint: """
                Hold the redirect URI of the profile against the registered one, to the letter.
                """,
            asked: [.redirectURI]),
    ]
}
