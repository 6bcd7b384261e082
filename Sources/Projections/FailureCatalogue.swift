// SPDX-License-Identifier: Apache-2.0

public import SessionEvents

/// What each reason code means and what to do about it.
public enum FailureCatalogue {
    /// What is said of a code.
    public struct Entry: Equatable, Sendable {
        /// The code in a sentence.
        public let title: String
        /// What to do.
        public let hint: String
        /// Whether the user may simply try again.
        public let retrySafe: Bool

        init(_ title: String, _ hint: String, retry: Bool = true) {
            self.title = title
            self.hint = hint
            retrySafe = retry
        }
    }

    /// What is said of a code.
    public static func entry(_ reason: FailureReason) -> Entry {
        entries[reason.code]
            ?? Entry(
                "The login failed: \(reason.code).",
                "Look at the events of the session with `authledger show`.", retry: false)
    }

    private static let incident =
        "Treat it as an attack until you know better; do not accept the login."
    private static let providerDefect = "Report it to the provider with the time and the trace id."

    /// The codes that a login can end with today.
    static let entries: [String: Entry] =
        flowEntries.merging(tokenEntries) { first, _ in first }

    private static let flowEntries: [String: Entry] = [
        "access-denied": Entry(
            "The provider says that access was denied.",
            "Usually the user said no. Many at once: look at the text shown to users."),
        "broker-error": Entry(
            "The provider answered with an error of its own.", providerDefect),
        "callback-malformed": Entry(
            "What came back through the browser cannot be read, or lacks the code.",
            "Check the redirect URI and anything between browser and application."),
        "callback-replayed": Entry(
            "A callback came for a session that does not wait for one.",
            "A page was loaded again, or someone has the URL. What was exchanged stays as it is.",
            retry: false),
        "client-auth-failed": Entry(
            "The provider did not accept the client's credentials.",
            "Check client id, secret and authentication method in the profile.", retry: false),
        "code-refused": Entry(
            "The provider refused the authorization code.",
            "The code was used before, is too old, or belongs to another client or verifier."),
        "consent-denied": Entry(
            "The user did not consent.", "Ask for fewer scopes, or say what they are for."),
        "discovery-issuer-mismatch": Entry(
            "The provider's discovery document names another issuer than the profile.",
            "Correct the issuer in the profile, to the letter: host, path and final slash.",
            retry: false),
        "exchange-interrupted": Entry(
            "The code was sent, or may have been, and no answer came.",
            "A code is never sent twice. A new login is safe."),
        "host-refused": Entry(
            "An address is not one that may be asked.",
            "Endpoints must be https; plain http to loopback needs `allowLoopbackHTTP`.",
            retry: false),
        "id-token-missing": Entry(
            "The token response has no ID token.",
            "Ask for the scope `openid`; check the client's settings at the provider."),
        "iss-mismatch": Entry(
            "An answer came from another issuer than the one that was asked.", incident,
            retry: false),
        "iss-missing": Entry(
            "The provider promises to name itself in every answer, and did not.", incident,
            retry: false),
        "key-set-invalid": Entry(
            "The provider's key set cannot be read.", providerDefect),
        "login-required": Entry(
            "The provider wants the user to log in or to choose.",
            "Expected where a login without interaction was asked for; otherwise try again."),
        "metadata-unavailable": Entry(
            "Discovery document or key set could not be fetched.",
            "Check name resolution, the way out and TLS; try again."),
        "provider-outage": Entry(
            "The provider could not be reached or answered with a server error.",
            "Wait and try again; see whether other logins fail at the same time."),
        "response-malformed": Entry(
            "An answer of the provider cannot be read.", providerDefect),
        "response-too-large": Entry(
            "An answer is larger than allowed.", providerDefect, retry: false),
        "state-mismatch": Entry(
            "The callback's state is not the one that this session sent.",
            "Two tabs, another browser after an app switch, or a lost cookie; or an attack.",
            retry: false),
        "state-missing": Entry(
            "The callback has no state.", incident, retry: false),
        "token-response-malformed": Entry(
            "The answer of the token endpoint cannot be read.", providerDefect),
    ]

    private static let tokenEntries: [String: Entry] = [
        "acr-too-low": Entry(
            "The login reached a lower level of assurance than demanded.",
            "Ask for the level with `acrValues`, or lower the policy knowingly."),
        "alg-not-allowed": Entry(
            "The ID token is signed with an algorithm that is not allowed.",
            "Compare `algorithms` in the profile with what the provider announces.",
            retry: false),
        "at-hash-mismatch": Entry(
            "The access token does not belong to the ID token.", incident, retry: false),
        "aud-mismatch": Entry(
            "The ID token is meant for another client, or for others beside this one.",
            "Check the client id; test and production may be mixed.", retry: false),
        "auth-time-stale": Entry(
            "The user was authenticated longer ago than asked for.", "Ask for a new login."),
        "azp-mismatch": Entry(
            "The ID token authorises another client.", incident, retry: false),
        "c-hash-mismatch": Entry(
            "The code does not belong to the ID token.", incident, retry: false),
        "claim-malformed": Entry(
            "A claim of the ID token has a wrong form.", providerDefect, retry: false),
        "claim-missing": Entry(
            "The ID token lacks a claim that it must have.", providerDefect, retry: false),
        "crit-unsupported": Entry(
            "The ID token demands an extension that is not known.", providerDefect, retry: false),
        "header-refused": Entry(
            "The ID token's header has a member that would let it choose its own key, or is of "
                + "another type.", incident, retry: false),
        "iat-invalid": Entry(
            "The ID token was issued in the future.",
            "Compare the clocks; set yours by NTP rather than widening the tolerance."),
        "iat-too-old": Entry(
            "The ID token was issued too long ago.",
            "A cached answer, or a clock that is far off; try again."),
        "iss-mismatch": Entry(
            "The ID token is of another issuer.", incident, retry: false),
        "key-unsuitable": Entry(
            "The key that the ID token names is not one for its algorithm.", providerDefect,
            retry: false),
        "key-weak": Entry(
            "The key that the ID token names is too weak.", providerDefect, retry: false),
        "kid-unknown": Entry(
            "The provider's key set does not have the key that the ID token names.",
            "After a key change the provider may publish late; try again in a minute."),
        "nonce-mismatch": Entry(
            "The ID token's nonce is not the one that this session sent.",
            "A cached callback or a parallel login; otherwise a token injected from elsewhere.",
            retry: false),
        "not-yet-valid": Entry(
            "The ID token is not valid yet.",
            "Compare the clocks; set yours by NTP rather than widening the tolerance."),
        "s-hash-mismatch": Entry(
            "The state does not belong to the ID token.", incident, retry: false),
        "sig-invalid": Entry(
            "The ID token's signature is not the provider's.", incident, retry: false),
        "token-expired": Entry(
            "The ID token had expired when it came.",
            "Compare the clocks; otherwise the answer took too long. Try again."),
        "token-malformed": Entry(
            "The ID token cannot be read.", providerDefect, retry: false),
    ]
}
