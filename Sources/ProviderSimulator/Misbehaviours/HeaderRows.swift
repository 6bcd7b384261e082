// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect

extension Misbehaviour {
    /// Publishes the keys with which tokens are signed in another way than was agreed on.
    static let otherKeys = Fault.answer(.keySet) { draft in
        draft.add(
            [.es256, .edDSA].compactMap {
                (try? StrangerKeys.key(for: $0, keyID: StrangerKeys.keyID))?.published
            })
    }

    /// What is wrong with the signature of the ID token, and with its header.
    static let headerRows: [Misbehaviour: Row] = [
        .badSignature: Row(
            "a bit of the signature is flipped", .idToken(.signature), "sig-invalid",
            Matrix.core("invalid-sig-rs256", "invalid-sig-es256")
                + Matrix.fapi1("invalid-signature") + Matrix.ciba("invalid-signature"),
            .token(.idToken) { $0.signature = .flipped }),
        .algNone: Row(
            "the ID token is not signed: `alg` is `none`", .idToken(.alg), "alg-not-allowed",
            Matrix.core("idtoken-sig-none") + Matrix.fapi("invalid-null-alg")
                + Matrix.ciba("invalid-null-alg"),
            .token(.idToken) { $0.becomeUnsigned() }),
        .algNoneInCapitals: Row(
            "the ID token is not signed: `alg` is `NONE`", .idToken(.alg), "alg-not-allowed",
            .token(.idToken) { $0.becomeUnsigned(saying: "NONE") }),
        .algHS256: Row(
            "the ID token is signed with the client secret", .idToken(.alg), "alg-not-allowed",
            .token(.idToken) { $0.signWithSecret() }),
        .algHS256Corrupted: Row(
            "the ID token is signed with the client secret, and a bit is flipped",
            .idToken(.alg), "alg-not-allowed", Matrix.core("invalid-sig-hs256"),
            .token(.idToken) { $0.signWithSecret(isFlipped: true) }),
        .alternateAlgorithm: Row(
            "the ID token is signed in a way that was not agreed on", .idToken(.alg),
            "alg-not-allowed",
            Matrix.fapi("invalid-alternate-alg") + Matrix.ciba("invalid-alternate-alg"),
            .token(.idToken) { $0.signOtherwise() }, otherKeys),
        .paddedToken: Row(
            "the ID token is written with padding", .idToken(.token), "token-malformed",
            .token(.idToken) { $0.editText = { $0 + Array("==".utf8) } }),
        .unknownKeyID: Row(
            "`kid` names no published key", .idToken(.key), "kid-unknown",
            .token(.idToken) { $0.header.appendOne(to: "kid") }),
        .pathKeyID: keyIDRow("a path", .string("../../../../dev/null")),
        .queryKeyID: keyIDRow("a part of a database query", .string("x' OR '1'='1")),
        .nulKeyID: Row(
            "`kid` has a NUL behind the right name", .idToken(.key), "kid-unknown", ["HX14"],
            .token(.idToken) { $0.header["kid"] = .string($0.key.keyID + "\0") }),
        .longKeyID: keyIDRow(
            "a thousand bytes long", .string(String(repeating: "k", count: 1000)),
            .idToken(.header), "header-refused"),
        .hugeKeyID: keyIDRow(
            "700 kilobytes long", .string(String(repeating: "k", count: 700_000)),
            .idToken(.size), "response-too-large"),
        .listKeyID: keyIDRow(
            "a list", .array([.string("rsa")]), .idToken(.header), "header-refused"),
        .headerJWK: Row(
            "the header brings the key along", .idToken(.header), "header-refused", ["HX13"],
            .token(.idToken) { $0.header["jwk"] = .object($0.key.published) }),
        .headerJKU: Row(
            "the header says where the keys are", .idToken(.header), "header-refused", ["HX13"],
            .token(.idToken) { draft in
                draft.header["jku"] = .string(AnswerDraft.foreignOrigin + "/jwks")
            }),
        .headerX5U: Row(
            "the header says where a certificate is", .idToken(.header), "header-refused",
            ["HX13"],
            .token(.idToken) { draft in
                draft.header["x5u"] = .string(AnswerDraft.foreignOrigin + "/certificate")
            }),
        .headerX5C: Row(
            "a stranger signs, and the header brings a certificate along", .idToken(.signature),
            "sig-invalid", ["HX13"],
            .token(.idToken) { draft in
                draft.header["x5c"] = .array([.string("MIIBAgMEBQYHCAkK")])
                draft.letStrangerSign()
            }),
        .headerCrit: Row(
            "the header demands an extension", .idToken(.crit), "crit-unsupported", ["HX13"],
            .token(.idToken) { $0.demandExtension() }),
        .headerB64: Row(
            "the header says that the payload is not encoded", .idToken(.header),
            "header-refused", ["HX13"], .token(.idToken) { $0.header["b64"] = .bool(false) }),
        .headerZip: Row(
            "the header says that the payload is compressed", .idToken(.header),
            "header-refused", ["HX13"], .token(.idToken) { $0.header["zip"] = .string("DEF") }),
        .headerType: Row(
            "the header says that it is an access token", .idToken(.typ), "header-refused",
            .token(.idToken) { $0.header["typ"] = .string("at+jwt") }),
        .duplicateHeader: Row(
            "`alg` stands twice in the header", .idToken(.token), "token-malformed", ["HX10"],
            .token(.idToken) { $0.repeatAlgorithm() }),
        .kidAbsent: Row(
            "the header has no `kid`, and there is one key", .nowhere,
            Matrix.core("kid-absent-single-jwks"), .token(.idToken) { $0.header["kid"] = nil }),
        .kidAbsentAmongSeveral: Row(
            "the header has no `kid`, and several keys have none either", .idToken(.key),
            "kid-unknown", Matrix.core("kid-absent-multiple-jwks"),
            .token(.idToken) { $0.header["kid"] = nil },
            .answer(.keySet) { draft in
                draft.doubleKeys()
                draft.editKeys { $0["kid"] = nil }
            }),
    ]

    private static func keyIDRow(
        _ summary: String, _ keyID: JSONValue, _ detection: Detection = .idToken(.key),
        _ reason: String = "kid-unknown"
    ) -> Row {
        Row(
            "`kid` is \(summary)", detection, reason, ["HX14"],
            .token(.idToken) { $0.header["kid"] = keyID })
    }

    /// What is wrong with an ID token that is encrypted.
    static let encryptionRows: [Misbehaviour: Row] = [
        .encryptedUnsigned: Row(
            "the ID token is encrypted, but nobody signed it", .idToken(.alg), "alg-not-allowed",
            ["HX9"], needs: [.encryption], .token(.idToken) { $0.becomeUnsigned() }),
        .encryptedBareClaims: Row(
            "the ID token is encrypted bare JSON", .idToken(.token), "token-malformed", ["HX9"],
            needs: [.encryption], .token(.idToken) { $0.encryption?.fault = .bareClaims }),
        .encryptedToOther: Row(
            "the ID token is encrypted to somebody else", .encryption, "jwe-decrypt-failed",
            needs: [.encryption], .token(.idToken) { $0.encryption?.fault = .otherKey }),
        .encryptedTampered: Row(
            "the encrypted ID token was changed", .encryption, "jwe-decrypt-failed",
            needs: [.encryption], .token(.idToken) { $0.encryption?.fault = .flippedTag }),
        .encryptedRSA15: Row(
            "the ID token is encrypted in the way of RSA1_5", .encryption, "alg-not-allowed",
            Matrix.fapi1("encrypted-idtoken-usingrsa15"), needs: [.encryption],
            .token(.idToken) { $0.encryption?.fault = .rsa15 }),
        .encryptedCompressed: Row(
            "the encrypted ID token says that it is compressed", .encryption, "header-refused",
            ["HX13"], needs: [.encryption],
            .token(.idToken) { $0.encryption?.fault = .compressed }),
    ]
}

extension TokenDraft {
    /// Demands that an extension be understood that nobody knows.
    mutating func demandExtension() {
        header["crit"] = .array([.string("https://op.example/extension")])
        header["https://op.example/extension"] = .bool(true)
    }
}
