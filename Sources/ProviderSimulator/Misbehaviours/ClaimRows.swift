// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect

extension Misbehaviour {
    /// What the ID token says wrongly about issuer, subject and audience, and how it is written.
    static let partyRows: [Misbehaviour: Row] = [
        .duplicateClaims: duplicateRow("sub"),
        .duplicateIssuer: duplicateRow("iss"),
        .duplicateAudience: duplicateRow("aud"),
        .escapedDuplicate: Row(
            "`sub` stands twice in the payload, once with an escape", .idToken(.claims),
            "token-malformed", ["HX10"],
            .token(.idToken) { $0.repeatClaim("sub", spelled: "\\u0073ub") }),
        .trailingComma: Row(
            "a comma stands behind the last claim", .idToken(.claims), "token-malformed",
            .token(.idToken) { $0.editPayload = { $0.dropLast() + Array(",}".utf8) } }),
        .byteOrderMark: Row(
            "a byte order mark stands before the claims", .idToken(.claims), "token-malformed",
            .token(.idToken) { $0.editPayload = { [0xEF, 0xBB, 0xBF] + $0 } }),
        .wrongIssuer: Row(
            "`iss` is another issuer", .idToken(.iss), "iss-mismatch",
            Matrix.core("invalid-iss") + Matrix.fapi("invalid-iss") + Matrix.ciba("invalid-iss"),
            .token(.idToken) { $0.claims.appendOne(to: "iss") }),
        .missingIssuer: Row(
            "`iss` is missing", .idToken(.iss), "claim-missing",
            Matrix.fapi("invalid-missing-iss") + Matrix.ciba("invalid-missing-iss"),
            .token(.idToken) { $0.claims["iss"] = nil }),
        .issuerOtherForm: Row(
            "`iss` looks the same but has other bytes", .idToken(.iss), "iss-mismatch", ["HX26"],
            .token(.idToken) { $0.claims.useOtherForm(of: "iss") }),
        .missingSubject: Row(
            "`sub` is missing", .idToken(.sub), "claim-missing", Matrix.core("missing-sub"),
            .token(.idToken) { $0.claims["sub"] = nil }),
        .wrongAudience: Row(
            "`aud` is another client", .idToken(.aud), "aud-mismatch",
            Matrix.core("invalid-aud") + Matrix.fapi("invalid-aud") + Matrix.ciba("invalid-aud"),
            .token(.idToken) { $0.claims.appendOne(to: "aud") }),
        .missingAudience: Row(
            "`aud` is missing", .idToken(.aud), "claim-missing",
            Matrix.core("missing-aud") + Matrix.fapi("invalid-missing-aud")
                + Matrix.ciba("invalid-missing-aud"),
            .token(.idToken) { $0.claims["aud"] = nil }),
        .secondAudience: Row(
            "another client stands in `aud` too, and there is no `azp`", .idToken(.aud),
            "aud-mismatch",
            Matrix.fapi("invalid-secondary-aud") + Matrix.ciba("invalid-secondary-aud"),
            alsoFailing: [.azp],
            .token(.idToken) { draft in
                let id = draft.client.id
                draft.claims["aud"] = .array([.string(id), .string(id + "1")])
            }),
        .foreignParty: Row(
            "another client stands in `aud` too, and is the one in `azp`", .idToken(.aud),
            "aud-mismatch", ["HX11"], alsoFailing: [.azp],
            .token(.idToken) { draft in
                let id = draft.client.id
                draft.claims["aud"] = .array([.string(id + "1"), .string(id)])
                draft.claims["azp"] = .string(id + "1")
            }),
        .wrongParty: Row(
            "`azp` is another client", .idToken(.azp), "azp-mismatch", ["HX11"],
            .token(.idToken) { $0.claims["azp"] = .string($0.client.id + "1") }),
        .audienceList: Row(
            "`aud` is a list of one", .nowhere,
            Matrix.fapi("valid-aud-as-array") + Matrix.ciba("valid-aud-as-array"),
            .token(.idToken) { $0.claims["aud"] = .array([.string($0.client.id)]) }),
        .largeToken: Row(
            "the ID token has 150 kilobytes", .nowhere, ["HX25"],
            .token(.idToken) { draft in
                draft.claims["evidence"] = .string(String(repeating: "e", count: 110_000))
            }),
        .hugeToken: Row(
            "the ID token has 900 kilobytes", .idToken(.size), "response-too-large", ["HX25"],
            .token(.idToken) { draft in
                draft.claims["evidence"] = .string(String(repeating: "e", count: 680_000))
            }),
        .changingSubject: Row(
            "`sub` is another one each time, though it is the same person", .nowhere, ["HX23"],
            needs: [.alternativeSubject], .changedSubject),
    ]

    private static func duplicateRow(_ name: String) -> Row {
        Row(
            "`\(name)` stands twice in the payload", .idToken(.claims), "token-malformed",
            ["HX10"], .token(.idToken) { $0.repeatClaim(name) })
    }

    /// What is wrong with the dates of the ID token.
    static let dateRows: [Misbehaviour: Row] = [
        .expired: Row(
            "`exp` is six minutes ago", .idToken(.exp), "token-expired",
            Matrix.fapi("invalid-expired-exp") + Matrix.ciba("invalid-expired-exp"),
            .token(.idToken) { $0.expire() }),
        .missingExpiration: Row(
            "`exp` is missing", .idToken(.exp), "claim-missing",
            Matrix.fapi("invalid-missing-exp") + Matrix.ciba("invalid-missing-exp"),
            .token(.idToken) { $0.claims["exp"] = nil }),
        .expirationText: Row(
            "`exp` is a text", .idToken(.exp), "claim-malformed", ["HX12"],
            .token(.idToken) { draft in
                let seconds = draft.claims["exp"]?.integerValue ?? 0
                draft.claims["exp"] = .string("\(seconds)")
            }),
        .expirationNegative: expirationRow("negative", .integer(-1)),
        .expirationTooLarge: expirationRow("2^63", .number("9223372036854775808")),
        .expirationBoolean: expirationRow("`true`", .bool(true)),
        .expirationFraction: Row(
            "`exp` has a fraction", .nowhere, ["HX12"],
            .token(.idToken) { draft in
                let seconds = draft.claims["exp"]?.integerValue ?? 0
                draft.claims["exp"] = .number("\(seconds).5")
            }),
        .expirationExponent: Row(
            "`exp` is written `1e10`", .nowhere, ["HX12"],
            .token(.idToken) { $0.claims["exp"] = .number("1e10") }),
        .notYetValid: Row(
            "`nbf` is an hour ahead", .idToken(.nbf), "not-yet-valid",
            .token(.idToken) { $0.beginLater() }),
        .issuedInFuture: Row(
            "`iat` is an hour ahead", .idToken(.iat), "iat-invalid",
            .token(.idToken) { $0.issueInFuture() }),
        .issuedWeekAgo: Row(
            "`iat` is a week ago", .idToken(.iat), "iat-too-old",
            Matrix.fapi1("iat-is-week-in-past") + Matrix.ciba("invalid-iat-is-week-in-past"),
            .token(.idToken) { $0.issueWeekAgo() }),
        .missingIssuedAt: Row(
            "`iat` is missing", .idToken(.iat), "claim-missing", Matrix.core("missing-iat"),
            .token(.idToken) { $0.claims["iat"] = nil }),
    ]

    private static func expirationRow(_ summary: String, _ value: JSONValue) -> Row {
        Row(
            "`exp` is \(summary)", .idToken(.exp), "claim-malformed", ["HX12"],
            .token(.idToken) { $0.claims["exp"] = value })
    }

    /// What binds the ID token to something else than what was sent or given.
    static let bindingRows: [Misbehaviour: Row] = [
        .wrongNonce: Row(
            "`nonce` is another one", .idToken(.nonce), "nonce-mismatch",
            Matrix.core("nonce-invalid") + Matrix.fapi("invalid-nonce"),
            .token(.idToken) { $0.claims.appendOne(to: "nonce") }),
        .missingNonce: Row(
            "`nonce` is missing", .idToken(.nonce), "claim-missing",
            Matrix.fapi("invalid-missing-nonce"), .token(.idToken) { $0.claims["nonce"] = nil }),
        .nonceOtherForm: Row(
            "`nonce` looks the same but has other bytes", .idToken(.nonce), "nonce-mismatch",
            ["HX26"], .token(.idToken) { $0.claims.useOtherForm(of: "nonce") }),
        .wrongAccessTokenHash: Row(
            "`at_hash` is that of another access token", .idToken(.accessTokenHash),
            "at-hash-mismatch", Matrix.core("invalid-athash"),
            .token(.idToken) { $0.bindToOther("at_hash") }),
        .missingAccessTokenHash: Row(
            "`at_hash` is missing though the access token comes along",
            .idToken(.accessTokenHash), "claim-missing", Matrix.core("missing-athash"),
            needs: [.frontChannelTokens], .token(.idToken) { $0.claims["at_hash"] = nil }),
        .withoutAccessTokenHash: Row(
            "`at_hash` is left out where it may be", .nowhere, Matrix.fapi1("missing-athash"),
            .token(.idToken) { $0.claims["at_hash"] = nil }),
        .wrongCodeHash: Row(
            "`c_hash` is that of another code", .idToken(.codeHash), "c-hash-mismatch",
            Matrix.fapi1("invalid-chash"), .token(.idToken) { $0.bindToOther("c_hash") }),
        .wrongStateHash: Row(
            "`s_hash` is that of another state", .idToken(.stateHash), "s-hash-mismatch",
            Matrix.fapi1("invalid-shash"), .token(.idToken) { $0.bindToOther("s_hash") }),
    ]

    /// What is wrong with the level of assurance.
    static let levelRows: [Misbehaviour: Row] = [
        .levelMissing: levelRow("without a level", "urn:bankid:bis"),
        .levelTooLow: levelRow("one of level 2", "urn:bankid:bis;LOA=2"),
        .levelThirty: levelRow("one of level 30", "urn:bankid:bis;LOA=30"),
        .levelTwice: levelRow("one of two levels", "urn:bankid:bis;LOA=2;LOA=4"),
        .duplicateLevel: Row(
            "`acr` stands twice in the payload", .idToken(.claims), "token-malformed", ["HX22"],
            needs: [.levelOfAssurance], .token(.idToken) { $0.repeatClaim("acr") }),
        .missingLevel: Row(
            "`acr` is missing", .idToken(.acr), "claim-missing", ["HX22"],
            needs: [.levelOfAssurance], .token(.idToken) { $0.claims["acr"] = nil }),
        .levelHigher: Row(
            "`acr` is one of a higher level", .nowhere, ["HX22"], needs: [.levelOfAssurance],
            .token(.idToken) { $0.claims["acr"] = .string("urn:bankid:bid;LOA=4") }),
    ]

    private static func levelRow(_ summary: String, _ context: String) -> Row {
        Row(
            "`acr` is \(summary)", .idToken(.acr), "acr-too-low", ["HX22"],
            needs: [.levelOfAssurance], .token(.idToken) { $0.claims["acr"] = .string(context) })
    }
}

extension TokenDraft {
    /// Puts the hash of something else into a claim.
    mutating func bindToOther(_ name: String) {
        claims[name] = .string(LeftHalfHash.encode("something else", algorithm: key.algorithm))
    }
}
