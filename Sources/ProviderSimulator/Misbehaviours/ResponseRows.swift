// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

extension Misbehaviour {
    /// What is wrong with a signed response.
    static let responseRows: [Misbehaviour: Row] = [
        .jarmMissingResponse: Row(
            "the signed response is missing", .callback, "callback-malformed", ["HX6"],
            needs: [.signedResponse], .callback { $0.hasResponse = false }),
        .jarmPlainCodeBeside: Row(
            "a plain code stands beside the signed response", .callback, "callback-malformed",
            ["HX6"], needs: [.signedResponse],
            .callback { $0.beside.append(("code", "another-code")) }),
        .jarmDowngrade: Row(
            "the response is not signed though that was asked for", .callback,
            "callback-malformed", ["HX6"], needs: [.signedResponse],
            .callback { draft in
                draft.hasResponse = false
                draft.beside = draft.parameters
            }),
        .jarmMalformed: Row(
            "the signed response has two parts", .jarm(.form), "jarm-invalid",
            needs: [.signedResponse],
            .token(.response) { draft in
                draft.editText = { text in
                    Array(text[..<(text.lastIndex(of: UInt8(ascii: ".")) ?? 0)])
                }
            }),
        .jarmBadSignature: Row(
            "a bit of the response's signature is flipped", .jarm(.signature), "jarm-invalid",
            Matrix.fapi2("ensure-jarm-with-invalid-sig-fails"), needs: [.signedResponse],
            .token(.response) { $0.signature = .flipped }),
        .jarmUnsigned: Row(
            "the response is not signed: `alg` is `none`", .jarm(.alg), "jarm-invalid",
            Matrix.fapi2("ensure-jarm-signature-is-not-none"), needs: [.signedResponse],
            .token(.response) { $0.becomeUnsigned() }),
        .jarmHS256: Row(
            "the response is signed with the client secret", .jarm(.alg), "jarm-invalid",
            needs: [.signedResponse], .token(.response) { $0.signWithSecret() }),
        .jarmAlternateAlgorithm: Row(
            "the response is signed in a way that was not agreed on", .jarm(.alg), "jarm-invalid",
            needs: [.signedResponse], .token(.response) { $0.signOtherwise() }, otherKeys),
        .jarmUnknownKeyID: Row(
            "`kid` of the response names no published key", .jarm(.key), "jarm-invalid",
            needs: [.signedResponse], .token(.response) { $0.header.appendOne(to: "kid") }),
        .jarmHeaderJWK: Row(
            "the response brings its key along", .jarm(.header), "jarm-invalid", ["HX13"],
            needs: [.signedResponse],
            .token(.response) { $0.header["jwk"] = .object($0.key.published) }),
        .jarmHeaderCrit: Row(
            "the response demands an extension", .jarm(.header), "jarm-invalid", ["HX13"],
            needs: [.signedResponse], .token(.response) { $0.demandExtension() }),
        .jarmDuplicateClaims: Row(
            "`code` stands twice in the response", .jarm(.claims), "jarm-invalid", ["HX10"],
            needs: [.signedResponse], .token(.response) { $0.repeatClaim("code") }),
        .jarmEscapedDuplicate: Row(
            "`code` stands twice in the response, once with an escape", .jarm(.claims),
            "jarm-invalid", ["HX10"], needs: [.signedResponse],
            .token(.response) { $0.repeatClaim("code", spelled: "\\u0063ode") }),
        .jarmMissingIssuer: Row(
            "the response has no `iss`", .jarm(.iss), "iss-missing",
            Matrix.fapi2("ensure-jarm-without-iss-fails"), needs: [.signedResponse],
            .token(.response) { $0.claims["iss"] = nil }),
        .jarmWrongIssuer: Row(
            "`iss` of the response is another issuer", .jarm(.iss), "iss-mismatch",
            Matrix.fapi2("ensure-jarm-with-invalid-iss-fails"), needs: [.signedResponse],
            .token(.response) { $0.claims.appendOne(to: "iss") }),
        .jarmMissingAudience: Row(
            "the response has no `aud`", .jarm(.aud), "jarm-invalid",
            Matrix.fapi2("ensure-jarm-without-aud-fails"), needs: [.signedResponse],
            .token(.response) { $0.claims["aud"] = nil }),
        .jarmWrongAudience: Row(
            "`aud` of the response is another client", .jarm(.aud), "jarm-invalid",
            Matrix.fapi2("ensure-jarm-with-invalid-aud-fails"), needs: [.signedResponse],
            .token(.response) { $0.claims.appendOne(to: "aud") }),
        .jarmMissingExpiration: Row(
            "the response has no `exp`", .jarm(.exp), "jarm-invalid",
            Matrix.fapi2("ensure-jarm-without-exp-fails"), needs: [.signedResponse],
            .token(.response) { $0.claims["exp"] = nil }),
        .jarmExpired: Row(
            "`exp` of the response is six minutes ago", .jarm(.exp), "jarm-invalid",
            Matrix.fapi2("ensure-jarm-with-expired-exp-fails"), needs: [.signedResponse],
            .token(.response) { $0.expire() }),
        .jarmMissingState: Row(
            "the response has no `state`", .jarm(.state), "state-missing",
            needs: [.signedResponse], .token(.response) { $0.claims["state"] = nil }),
        .jarmWrongState: Row(
            "`state` of the response is another one", .jarm(.state), "state-mismatch",
            needs: [.signedResponse], .token(.response) { $0.claims.appendOne(to: "state") }),
        .jarmStateOutside: Row(
            "`state` stands beside the signed response only", .jarm(.state), "state-missing",
            ["HX8"], needs: [.signedResponse],
            .callback { draft in
                draft.beside.append(("state", draft["state"] ?? ""))
                draft["state"] = nil
            }),
        .jarmEmptyCode: Row(
            "the code in the signed response is empty", .jarm(.code), "callback-malformed",
            ["HX7"], needs: [.signedResponse], .callback { $0["code"] = "" }),
        .jarmCodeAndError: Row(
            "the signed response has a code and an error", .jarm(.code), "access-denied",
            ["HX5"], needs: [.signedResponse], .callback { $0["error"] = "access_denied" }),
    ]

    /// What is wrong with a response that is encrypted.
    static let encryptedResponseRows: [Misbehaviour: Row] = [
        .jarmEncryptedUnsigned: Row(
            "the response is encrypted, but nobody signed it", .jarm(.alg), "jarm-invalid",
            ["HX9"], needs: [.signedResponse, .encryption],
            .token(.response) { $0.becomeUnsigned() }),
        .jarmEncryptedBareClaims: Row(
            "the response is encrypted bare JSON", .jarm(.form), "jarm-invalid", ["HX9"],
            needs: [.signedResponse, .encryption],
            .token(.response) { $0.encryption?.fault = .bareClaims }),
        .jarmEncryptedToOther: Row(
            "the response is encrypted to somebody else", .jarm(.encryption),
            "jwe-decrypt-failed", needs: [.signedResponse, .encryption],
            .token(.response) { $0.encryption?.fault = .otherKey }),
        .jarmEncryptedTampered: Row(
            "the encrypted response was changed", .jarm(.encryption), "jwe-decrypt-failed",
            needs: [.signedResponse, .encryption],
            .token(.response) { $0.encryption?.fault = .flippedTag }),
        .jarmEncryptedRSA15: Row(
            "the response is encrypted in the way of RSA1_5", .jarm(.encryption), "jarm-invalid",
            needs: [.signedResponse, .encryption],
            .token(.response) { $0.encryption?.fault = .rsa15 }),
    ]
}
