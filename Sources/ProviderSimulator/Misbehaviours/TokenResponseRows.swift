// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

extension Misbehaviour {
    /// What is wrong with the answer of the token endpoint.
    static let tokenResponseRows: [Misbehaviour: Row] = [
        .slowToken: Row(
            "the token endpoint takes its time", .tokenResponse, "exchange-interrupted",
            .answer(.token) { $0.delayMilliseconds = $0.slowMilliseconds }),
        .tokenError: Row(
            "the code is refused: `invalid_grant`", .tokenResponse, "code-refused",
            .answer(.token) { $0.become(OAuthError(.invalidGrant, "the code does not count")) }),
        .tokenServerError: Row(
            "the token endpoint answers 503 with a page", .tokenResponse, "provider-outage",
            .answer(.token) { $0.becomePage("Come back later.", status: 503) }),
        .missingIDToken: Row(
            "the token response has no ID token", .tokenResponse, "id-token-missing",
            .answer(.token) { $0.members["id_token"] = nil }),
        .tokenPage: Row(
            "the token response says that it is a page", .tokenResponse,
            "token-response-malformed", ["HX19"],
            .answer(.token) { $0.mediaType = "text/html" }),
        .tokenNotJSON: Row(
            "the token response breaks off", .tokenResponse, "token-response-malformed",
            .answer(.token) { $0.text = CanonicalJSON.encode($0.members).dropLast() }),
        .tokenRedirect: Row(
            "the token endpoint sends on to somebody else's", .tokenResponse,
            "token-response-malformed",
            .answer(.token) { $0.becomeRedirect(to: AnswerDraft.foreignOrigin + "/token") }),
        .tokenUnauthorized: Row(
            "the token endpoint answers 401 and no error", .tokenResponse, "client-auth-failed",
            .answer(.token) { $0.becomePage("Who are you?", status: 401) }),
        .tokenErrorWithStatus200: Row(
            "the code is refused with status 200", .tokenResponse, "code-refused", ["HX19"],
            .answer(.token) { draft in
                draft.become(OAuthError(.invalidGrant, "the code does not count"))
                draft.status = 200
            }),
        .missingTokenType: Row(
            "the token response has no `token_type`", .tokenResponse, "token-response-malformed",
            ["HX19"], .answer(.token) { $0.members["token_type"] = nil }),
        .negativeLifetime: Row(
            "`expires_in` is negative", .tokenResponse, "token-response-malformed", ["HX19"],
            .answer(.token) { $0.members["expires_in"] = .integer(-1) }),
        .duplicateIDToken: Row(
            "`id_token` stands twice", .tokenResponse, "token-response-malformed", ["HX10"],
            .answer(.token) { $0.repeatMember("id_token") }),
        .otherCertificateBound: Row(
            "the access token is bound to somebody else's certificate", .tokenResponse,
            "cert-binding-mismatch", needs: [.certificate],
            .token(.accessToken) { draft in
                let other = Base64URL.encode([UInt8](repeating: 7, count: 32))
                draft.claims["cnf"] = .object(["x5t#S256": .string(other)])
            }),
        .missingCertificateBinding: Row(
            "the access token is bound to no certificate", .tokenResponse,
            "cert-binding-mismatch", needs: [.certificate],
            .token(.accessToken) { $0.claims["cnf"] = nil }),
        .stringLifetime: Row(
            "`expires_in` is a text", .nowhere, ["HX19"],
            .answer(.token) { draft in
                let seconds = draft.members["expires_in"]?.integerValue ?? 0
                draft.members["expires_in"] = .string("\(seconds)")
            }),
        .bareTokenResponse: Row(
            "the token response has neither `scope` nor `expires_in`", .nowhere,
            Matrix.fapi1("no-scope-in-token-endpoint-response")
                + Matrix.fapi2("token-endpoint-response-without-expires_in")
                + Matrix.ciba("no-scope-in-token-endpoint-response"),
            .answer(.token) { draft in
                draft.members["scope"] = nil
                draft.members["expires_in"] = nil
            }),
        .tokenTypeInOtherCase: Row(
            "`token_type` has small and large letters exchanged", .nowhere,
            Matrix.fapi2("token-type-case-insensitivity"),
            .answer(.token) { $0.members["token_type"] = .string("bEARER") }),
    ]

    /// What is wrong with UserInfo.
    static let userInfoRows: [Misbehaviour: Row] = [
        .userInfoOtherSubject: Row(
            "UserInfo is about somebody else", .userInfo, "userinfo-subject-mismatch",
            Matrix.core("userinfo-invalid-sub") + ["HX24"], needs: [.userInfo],
            .answer(.userInfo) { $0.members.appendOne(to: "sub") },
            .token(.userInfo) { $0.claims.appendOne(to: "sub") }),
        .userInfoMissingSubject: Row(
            "UserInfo does not say about whom it is", .userInfo, "userinfo-invalid",
            needs: [.userInfo], .answer(.userInfo) { $0.members["sub"] = nil },
            .token(.userInfo) { $0.claims["sub"] = nil }),
        .userInfoPage: Row(
            "UserInfo is a page for people", .userInfo, "userinfo-invalid", needs: [.userInfo],
            .answer(.userInfo) { $0.becomePage("We are at lunch.", status: 200) }),
        .userInfoDuplicateSubject: Row(
            "`sub` stands twice in UserInfo", .userInfo, "userinfo-invalid", ["HX10"],
            needs: [.userInfo], .answer(.userInfo) { if $0.text == nil { $0.repeatMember("sub") } },
            .token(.userInfo) { $0.repeatClaim("sub") }),
        .userInfoBadSignature: Row(
            "a bit of the signature of UserInfo is flipped", .userInfo, "userinfo-invalid",
            needs: [.signedUserInfo], .token(.userInfo) { $0.signature = .flipped }),
        .userInfoUnsigned: Row(
            "UserInfo is not signed: `alg` is `none`", .userInfo, "userinfo-invalid",
            needs: [.signedUserInfo], .token(.userInfo) { $0.becomeUnsigned() }),
        .userInfoWrongIssuer: Row(
            "`iss` of UserInfo is another issuer", .userInfo, "userinfo-invalid",
            needs: [.signedUserInfo], .token(.userInfo) { $0.claims.appendOne(to: "iss") }),
        .userInfoWrongAudience: Row(
            "`aud` of UserInfo is another client", .userInfo, "userinfo-invalid",
            needs: [.signedUserInfo], .token(.userInfo) { $0.claims.appendOne(to: "aud") }),
    ]
}
