// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect
internal import OpenSSL

extension Misbehaviour {
    /// What is wrong with the discovery document. It knows neither client nor login: these are set
    /// for the provider as a whole.
    static let discoveryRows: [Misbehaviour: Row] = [
        .discoveryIssuerMismatch: Row(
            "discovery names another issuer", .discovery, "discovery-issuer-mismatch",
            Matrix.core("discovery-issuer-mismatch") + Matrix.fapi("discovery-issuer-mismatch"),
            .answer(.discovery) { $0.members.appendOne(to: "issuer") }),
        .discoveryTrailingSlash: Row(
            "the issuer in discovery ends in a slash", .discovery, "discovery-issuer-mismatch",
            ["HX18"], .answer(.discovery) { $0.members["issuer"] = .string($0.issuer + "/") }),
        .discoveryCapitalHost: Row(
            "the issuer in discovery has its host in capitals", .discovery,
            "discovery-issuer-mismatch", ["HX18"],
            .answer(.discovery) { $0.members["issuer"] = .string($0.issuerInCapitals) }),
        .discoveryDefaultPort: Row(
            "the issuer in discovery says its port", .discovery, "discovery-issuer-mismatch",
            ["HX18"],
            .answer(.discovery) { $0.members["issuer"] = .string($0.issuerWithPort) }),
        .discoveryRedirect: Row(
            "discovery sends on to an address inside of a cloud", .discovery,
            "metadata-unavailable", ["HX17"],
            .answer(.discovery) { $0.becomeRedirect(to: AnswerDraft.privateOrigin + "/latest") }),
        .discoveryPage: Row(
            "discovery is a page for people", .discovery, "metadata-unavailable", ["HX16"],
            .answer(.discovery) { $0.becomePage("We are at lunch.", status: 200) }),
        .discoveryOutage: Row(
            "discovery answers 503", .discovery, "metadata-unavailable", ["HX16"],
            .answer(.discovery) { $0.becomePage("Come back later.", status: 503) }),
        .foreignTokenEndpoint: Row(
            "the token endpoint is on somebody else's host", .discovery, "host-refused", ["HX17"],
            .answer(.discovery) { $0.move("token_endpoint", to: AnswerDraft.foreignOrigin) }),
        .privateTokenEndpoint: Row(
            "the token endpoint is at an address inside of a cloud", .discovery, "host-refused",
            ["HX17"],
            .answer(.discovery) { $0.move("token_endpoint", to: AnswerDraft.privateOrigin) }),
        .localTokenEndpoint: Row(
            "the token endpoint is on `localhost`", .discovery, "host-refused", ["HX17"],
            .answer(.discovery) { $0.move("token_endpoint", to: "https://localhost") }),
        .plainTokenEndpoint: Row(
            "the token endpoint is asked without TLS", .discovery, "host-refused", ["HX17"],
            .answer(.discovery) { $0.move("token_endpoint", to: "http://op.example") }),
        .foreignKeySetURL: Row(
            "the keys are on somebody else's host", .discovery, "host-refused", ["HX17"],
            .answer(.discovery) { $0.move("jwks_uri", to: AnswerDraft.foreignOrigin) }),
        .movingKeySet: Row(
            "the keys are somewhere else than usual", .nowhere,
            Matrix.core("discovery-jwks-uri-keys"),
            .answer(.discovery) { draft in
                let url = draft.members["jwks_uri"]?.stringValue ?? ""
                draft.members["jwks_uri"] = .string(url + "?generation=7")
            }),
    ]

    /// What is wrong with the key set as a whole. It knows neither client nor login either.
    static let keySetRows: [Misbehaviour: Row] = [
        .keySetOutage: Row(
            "the key set answers 503", .keySet, "metadata-unavailable", ["HX16"],
            .answer(.keySet) { $0.becomePage("Come back later.", status: 503) }),
        .keySetPage: Row(
            "the key set is a page for people", .keySet, "key-set-invalid", ["HX16"],
            .answer(.keySet) { $0.becomePage("We are at lunch.", status: 200) }),
        .keySetRedirect: Row(
            "the key set sends on to somebody else's", .keySet, "metadata-unavailable", ["HX16"],
            .answer(.keySet) { $0.becomeRedirect(to: AnswerDraft.foreignOrigin + "/jwks") }),
        .keySetSlow: Row(
            "the key set takes its time", .keySet, "metadata-unavailable", ["HX16"],
            .answer(.keySet) { $0.delayMilliseconds = $0.slowMilliseconds }),
        .keySetHuge: Row(
            "the key set has ten megabytes", .keySet, "response-too-large", ["HX16"],
            .answer(.keySet) { draft in
                draft.members["padding"] = .string(String(repeating: " ", count: 10_000_000))
            }),
        .keySetManyKeys: Row(
            "the key set has ten thousand keys more", .keySet, "key-set-invalid", ["HX15"],
            .answer(.keySet) { $0.add(BadKey.crowd) }),
        .keyWithdrawn: Row(
            "the key that signed is not published any more", .idToken(.key), "kid-unknown",
            ["HX20"],
            .answer(.keySet) { draft in
                draft.doubleKeys()
                let keys = draft.members["keys"]?.arrayValue ?? []
                draft.members["keys"] = .array(Array(keys.suffix(keys.count / 2)))
                draft.editKeys { $0.appendOne(to: "kid") }
            }),
        .keyRotation: Row(
            "the keys change before the login", .nowhere, Matrix.core("signing-key-rotation"),
            .rotation(.authorization)),
        .keyRotationBeforeSigning: Row(
            "the keys change after everybody fetched them", .nowhere,
            Matrix.core("signing-key-rotation-just-before-signing"), .rotation(.signing)),
    ]

    /// What is wrong with the key that signs, as it is published.
    static let keyRows: [Misbehaviour: Row] = [
        .keyShort: Row(
            "the RSA key has 1024 bits", .idToken(.key), "key-weak", ["HX15"],
            .token(.idToken) { $0.signWithShortKey() },
            .answer(.keySet) { draft in
                guard case .success(let key) = StrangerKeys.weakRSA,
                    case .rsa(let short, _) = key.publicKey.parameters
                else { return }
                draft.replaceKeys { modulus, _ in modulus = short }
            }),
        .keyExponentOne: Row(
            "the exponent of the RSA key is 1", .idToken(.key), "key-weak", ["HX15"],
            .answer(.keySet) { $0.replaceKeys { _, exponent in exponent = [1] } }),
        .keyEvenModulus: Row(
            "the modulus of the RSA key is even", .idToken(.key), "key-weak", ["HX15"],
            .answer(.keySet) { draft in
                draft.replaceKeys { modulus, _ in modulus[modulus.count - 1] &= 0xFE }
            }),
        .keyROCA: Row(
            "the RSA key was made by the generator of CVE-2017-15361", .idToken(.key), "key-weak",
            ["HX15"],
            .answer(.keySet) { $0.replaceKeys { modulus, _ in modulus = BadKey.rocaModulus } }),
        .keyOffCurve: Row(
            "the point of the key is not on its curve", .idToken(.key), "key-weak", ["HX15"],
            .answer(.keySet) { $0.replaceKeys(with: BadKey.offCurve) }),
        .keyPrivate: Row(
            "the private half stands beside the public one", .idToken(.key), "key-unsuitable",
            ["HX15"],
            .answer(.keySet) { draft in
                let half = Base64URL.encode([UInt8](repeating: 7, count: 32))
                draft.editKeys { $0["d"] = .string(half) }
            }),
        .keySymmetric: Row(
            "the key is a shared secret that everybody can read", .idToken(.key),
            "key-unsuitable", ["HX15"],
            .answer(.keySet) { draft in
                let secret = Base64URL.encode([UInt8](repeating: 7, count: 32))
                draft.replaceKeys(with: ["kty": .string("oct"), "k": .string(secret)])
            }),
        .keyDuplicateID: Row(
            "two keys have the same `kid`", .idToken(.key), "key-unsuitable", ["HX15"],
            .answer(.keySet) { $0.doubleKeys() }),
        .keyForEncryption: Row(
            "the key is published for encryption", .idToken(.key), "key-unsuitable", ["HX15"],
            .answer(.keySet) { $0.editKeys { $0["use"] = .string("enc") } }),
    ]
}
