// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

extension Misbehaviour {
    /// What is wrong with the account selector, and with permissions.
    static let selectorRows: [Misbehaviour: Row] = [
        .selectorForeignIssuer: Row(
            "the account selector names an issuer that nobody agreed on", .accountSelector,
            "iss-not-allowed", needs: [.accountSelector],
            .selection { $0["iss"] = AnswerDraft.foreignOrigin }),
        .selectorMissingIssuer: Row(
            "the account selector names no issuer", .accountSelector, "iss-missing",
            needs: [.accountSelector], .selection { $0["iss"] = nil }),
        .selectorDuplicateIssuer: Row(
            "the account selector names two issuers", .accountSelector, "callback-malformed",
            needs: [.accountSelector],
            .selection { $0.parameters.append(("iss", AnswerDraft.foreignOrigin)) }),
        .selectorOtherVisitor: Row(
            "the account selector brings another visitor back", .accountSelector,
            "state-mismatch", needs: [.accountSelector],
            .selection { $0["visitor_id"] = ($0["visitor_id"] ?? "") + "1" }),
        .permissionRefused: Row(
            "the permission is not registered", .permission, "permission-refused",
            needs: [.permission],
            .answer(.permissions) { $0.become(OAuthError(.invalidRequest, "not like this")) }),
        .grantBadSignature: Row(
            "a bit of the grant's signature is flipped", .permission, "permission-refused",
            needs: [.permission], .token(.grant) { $0.signature = .flipped }),
        .grantOtherPermission: Row(
            "the grant is for another permission", .permission, "permission-refused",
            needs: [.permission], .token(.grant) { $0.claims.appendOne(to: "permissionId") }),
    ]

    /// What is wrong with the answer to a pushed authorization request.
    static let pushedRequestRows: [Misbehaviour: Row] = [
        .parRefused: Row(
            "the pushed request is refused: `invalid_request`", .authorizationRequest,
            "par-refused", needs: [.pushedRequest],
            .answer(.pushedAuthorization) {
                $0.become(OAuthError(.invalidRequest, "not like this"))
            }),
        .parClientRefused: Row(
            "the pushed request is refused: `invalid_client`", .authorizationRequest,
            "client-auth-failed", needs: [.pushedRequest],
            .answer(.pushedAuthorization) { $0.become(OAuthError(.invalidClient, "not you")) }),
        .parUnauthorized: Row(
            "the pushed request is refused with 401 and no error", .authorizationRequest,
            "client-auth-failed", needs: [.pushedRequest],
            .answer(.pushedAuthorization) { $0.becomePage("Who are you?", status: 401) }),
        .parForbidden: Row(
            "the pushed request is refused with 403 and no error", .authorizationRequest,
            "par-refused", needs: [.pushedRequest],
            .answer(.pushedAuthorization) { $0.becomePage("Not so.", status: 403) }),
        .parOutage: Row(
            "the endpoint for pushed requests answers 503", .authorizationRequest,
            "provider-outage", needs: [.pushedRequest],
            .answer(.pushedAuthorization) { $0.becomePage("Come back later.", status: 503) }),
        .parPage: Row(
            "the endpoint for pushed requests answers with a page", .authorizationRequest,
            "response-malformed", needs: [.pushedRequest],
            .answer(.pushedAuthorization) { $0.becomePage("Welcome.", status: 201) }),
        .parWithoutURI: Row(
            "the pushed request gets no `request_uri`", .authorizationRequest,
            "response-malformed", needs: [.pushedRequest],
            .answer(.pushedAuthorization) { $0.members["request_uri"] = nil }),
    ]
}
