// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

extension Misbehaviour {
    /// What happens around the tokens.
    static let flowRows: [Misbehaviour: Row] = [
        .none: Row("nothing is wrong", .nowhere),
        .discoveryIssuerMismatch: Row(
            "discovery names another issuer", .discovery,
            .answer(.discovery) { $0.members["issuer"] = .string($0.issuer + "1") }),
        .accessDenied: Row(
            "the user declines: `access_denied` and no code", .callback, .refusal),
        .stateMismatch: Row(
            "the callback has another `state`", .callback,
            .callback { $0["state"] = ($0["state"] ?? "") + "1" }),
        .wrongCallbackIssuer: Row(
            "the callback has another `iss`", .callback,
            .callback { $0["iss"] = ($0["iss"] ?? "https://op.example") + "1" }),
        .missingCallbackIssuer: Row(
            "the callback has no `iss`, though promised", .callback, .callback { $0["iss"] = nil }),
        .slowToken: Row(
            "the token endpoint takes its time", .tokenResponse,
            .answer(.token) { $0.delayMilliseconds = $0.slowMilliseconds }),
        .tokenError: Row(
            "the code is refused: `invalid_grant`", .tokenResponse,
            .answer(.token) { $0.become(OAuthError(.invalidGrant, "the code does not count")) }),
        .tokenServerError: Row(
            "the token endpoint answers 503 with a page", .tokenResponse,
            .answer(.token) { $0.becomePage("Come back later.", status: 503) }),
        .missingIDToken: Row(
            "the token response has no ID token", .tokenResponse,
            .answer(.token) { $0.members["id_token"] = nil }),
    ]
}
