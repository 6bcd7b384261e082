// SPDX-License-Identifier: Apache-2.0

extension FailureCatalogue {
    /// What lies between the provider and this program.
    static let networkFailures: [Entry] = [
        Entry(
            "callback-malformed", .network, .info, retrySafe: true,
            "What came back through the browser cannot be read, or lacks the code.",
            evidence: [
                "`callback.responseMode` is how it came; what came is sealed in `callback`.",
                "`authledger.callback.refused`, if it could be tied to no session.",
            ],
            causes: [
                .when(
                    .otherResponseMode,
                    "The provider answered in another response mode than asked for."),
                "A proxy, a firewall or an app cut the address off or wrote it anew.",
                "Somebody made the address by hand: a parameter twice, or code and error together.",
            ],
            hint: "Check the redirect URI and anything between browser and application.",
            asked: [.redirectURI, .responseMode]),
        Entry(
            "exchange-interrupted", .network, .warning, retrySafe: true,
            "The code was sent, or may have been, and no answer came.",
            evidence: [
                "`failed.stage` is token: no `token-issued` follows `callback`.",
                """
                `failed.exchanges`: the request without a status, if this program was still \
                there.
                """,
            ],
            causes: [
                .when(
                    .unanswered,
                    "The connection broke, or the provider took longer than this program waits."),
                .when(
                    .lateEnd,
                    "This program ended while it waited; the session was found so later."),
                "The network, or this program, failed between the request and its answer.",
            ],
            hint: "A code is never sent twice. A new login is safe."),
        Entry(
            "metadata-unavailable", .network, .warning, retrySafe: true,
            "Discovery document or key set could not be fetched.",
            evidence: [
                "`failed.stage` is discovery; `failed.exchanges` has the request, if it was made.",
                "`authledger.provider.discovery-fetched` tells when it was there last.",
            ],
            causes: [
                .when(.unanswered, "No answer came: name resolution, the way out, or a firewall."),
                .when(.serverError, "The provider is down."),
                """
                The provider's certificate is not trusted here: a private CA, or a proxy that \
                opens TLS.
                """,
                "The issuer in the profile is not where the provider is.",
            ],
            hint: "Check name resolution, the way out and TLS; try again."),
    ]
}
