// SPDX-License-Identifier: Apache-2.0

import EventLog
import JOSE
import LedgerPrimitives
import OpenSSL
import Testing

@testable import RelyingParty

/// What a profile asks and a provider announces, and what has to be said of it.
struct AnnouncementCase: Sendable, CustomTestStringConvertible {
    var lines = ""
    var discovery: JSONObject = [:]
    let name: String
    let outcome: Diagnosis.Outcome
    let words: String

    var testDescription: String { "\(name), \(outcome.rawValue): \(words)" }

    init(
        _ name: String, _ outcome: Diagnosis.Outcome, _ words: String, _ lines: String = "",
        _ discovery: JSONObject = [:]
    ) {
        self.name = name
        self.outcome = outcome
        self.words = words
        self.lines = lines
        self.discovery = discovery
    }

    private static func list(_ name: String, _ texts: String...) -> JSONObject {
        [name: .array(texts.map { .string($0) })]
    }

    private static let jarm = "flows: [jarm]\nalgorithms: [ES256]"
    private static let implicit = "flows: [pkce, implicit]\nimplicitResponseType: id_token token"
    private static let types = "response_types_supported"
    private static let modes = "response_modes_supported"
    private static let grants = "grant_types_supported"
    private static let methods = "token_endpoint_auth_methods_supported"
    private static let demand = "require_pushed_authorization_requests"
    private static let tokenAlgorithms = "id_token_signing_alg_values_supported"
    private static let responseAlgorithms = "authorization_signing_alg_values_supported"
    private static let endpoint: JSONObject = [
        "pushed_authorization_request_endpoint": .string(CheckSite.issuer + "/par")
    ]

    static let all = kinds + pushing + client + wishes + answers

    private static let kinds: [AnnouncementCase] = [
        AnnouncementCase(
            "response-types", .problem, "does not have code, but id_token", "",
            list(types, "id_token")),
        AnnouncementCase("response-types", .problem, "does not have id_token token", implicit),
        AnnouncementCase(
            "response-types", .ok, "has code, id_token token", implicit,
            list(types, "code", "token id_token")),
        AnnouncementCase("response-types", .ok, "does not say", "", [types: .null]),
        AnnouncementCase("implicit", .warning, "for debugging only", implicit),
        AnnouncementCase(
            "grant-types", .problem, "does not have implicit, but authorization_code", implicit,
            list(grants, "authorization_code")),
        AnnouncementCase(
            "grant-types", .ok, "authorization_code", "", list(grants, "authorization_code")),
        AnnouncementCase("response-modes", .problem, "does not have jwt", jarm),
        AnnouncementCase(
            "response-modes", .warning, "does not say that it has jwt", jarm, [modes: .null]),
        AnnouncementCase("response-modes", .ok, "query", "", [modes: .null]),
        AnnouncementCase("response-modes", .ok, "has jwt", jarm, list(modes, "jwt")),
        AnnouncementCase(
            "response-modes", .problem, "does not have form_post, but query, fragment",
            "responseMode: form_post", list(modes, "query", "fragment")),
    ]

    private static let pushing: [AnnouncementCase] = [
        AnnouncementCase("pushed-authorization", .ok, "none is needed"),
        AnnouncementCase(
            "pushed-authorization", .problem, "the provider demands it", "", [demand: .bool(true)]),
        AnnouncementCase("pushed-authorization", .ok, "where they have to be", "", endpoint),
        AnnouncementCase(
            "pushed-authorization", .ok, "requests are pushed", "pushedAuthorization: optional",
            endpoint),
        AnnouncementCase(
            "pushed-authorization", .warning, "pushed all the same", "pushedAuthorization: never",
            endpoint.with(demand, .bool(true))),
        AnnouncementCase(
            "pushed-authorization", .ok, "requests are pushed", "",
            endpoint.with(demand, .bool(true))),
    ]

    private static let client: [AnnouncementCase] = [
        AnnouncementCase(
            "client-authentication", .problem, "client_secret_basic, but tls_client_auth", "",
            list(methods, "tls_client_auth")),
        AnnouncementCase(
            "client-authentication", .ok, "has client_secret_basic", "", [methods: .null]),
        AnnouncementCase(
            "client-authentication", .warning, "does not say that it has client_secret_post",
            "clientAuthentication: {method: client_secret_post, secretFile: secret.txt}",
            [methods: .null]),
        AnnouncementCase(
            "client-authentication", .warning, "does not have none",
            "clientAuthentication: {method: none}"),
        AnnouncementCase(
            "client-authentication", .problem, "does not have HS256, but RS256",
            "clientAuthentication: {method: client_secret_jwt, secretFile: secret.txt}",
            list("token_endpoint_auth_signing_alg_values_supported", "RS256")),
        AnnouncementCase(
            "client-authentication", .problem, "does not have ES256, but RS256",
            "clientAuthentication: {method: private_key_jwt, privateKeyFile: p256.pem}",
            list("token_endpoint_auth_signing_alg_values_supported", "RS256")),
        AnnouncementCase(
            "pkce", .problem, "does not have S256, but plain", "",
            list("code_challenge_methods_supported", "plain")),
        AnnouncementCase(
            "pkce", .warning, "does not announce PKCE", "",
            ["code_challenge_methods_supported": .null]),
        AnnouncementCase(
            "pkce", .warning, "does not announce PKCE", jarm,
            ["code_challenge_methods_supported": .null]),
        AnnouncementCase(
            "request-object", .problem, "demands signed requests", "",
            ["require_signed_request_object": .bool(true)]),
        AnnouncementCase(
            "request-object", .problem, "does not have ES256, but PS256",
            "requestObject: { privateKeyFile: p256.pem }",
            list("request_object_signing_alg_values_supported", "PS256")),
        AnnouncementCase(
            "request-object", .warning, "takes no signed requests",
            "requestObject: { privateKeyFile: p256.pem }",
            ["request_parameter_supported": .bool(false)]),
    ]

    private static let wishes: [AnnouncementCase] = [
        AnnouncementCase(
            "scope", .warning, "does not have payments, but openid", "scope: openid payments",
            list("scopes_supported", "openid")),
        AnnouncementCase("scope", .ok, "openid", "", list("scopes_supported", "openid")),
        AnnouncementCase(
            "acr", .warning, "does not have high, but low", "acrValues: low high",
            list("acr_values_supported", "low")),
    ]

    private static let answers: [AnnouncementCase] = [
        AnnouncementCase("id-token-algorithms", .ok, "ES256", "algorithms: [PS256, ES256]"),
        AnnouncementCase(
            "id-token-algorithms", .problem,
            "signs ID tokens with ES256, RS256, which the profile does not take",
            "algorithms: [PS256]"),
        AnnouncementCase(
            "id-token-algorithms", .problem, "RS256 counts", "algorithms: [ES256]",
            [tokenAlgorithms: .null]),
        AnnouncementCase(
            "id-token-algorithms", .problem, "with HS256, none", "",
            list(tokenAlgorithms, "HS256", "none")),
        AnnouncementCase(
            "algorithms", .warning, "never taken: HS256, RS265", "algorithms: [HS256, RS265, ES256]"
        ),
        AnnouncementCase("response-algorithms", .ok, "ES256", jarm),
        AnnouncementCase(
            "response-algorithms", .problem, "signs responses with RS256", jarm,
            list(responseAlgorithms, "RS256")),
        AnnouncementCase(
            "response-algorithms", .problem, "signs responses with RS256",
            "flows: [jarm]\njarmAlgorithms: [ES256]", list(responseAlgorithms, "RS256")),
        AnnouncementCase(
            "decryption", .warning, "does not say that it encrypts",
            "decryption: [{ privateKeyFile: rsa.pem }]"),
        AnnouncementCase(
            "decryption", .problem, "`id_token_encryption_alg_values_supported` has none",
            "decryption: [{ privateKeyFile: rsa.pem }]",
            list("id_token_encryption_alg_values_supported", "RSA1_5", "ECDH-ES")),
        AnnouncementCase(
            "decryption", .problem, "`id_token_encryption_enc_values_supported` has none",
            "decryption: [{ privateKeyFile: rsa.pem }]",
            list("id_token_encryption_alg_values_supported", "RSA-OAEP")
                .with(
                    "id_token_encryption_enc_values_supported", .array([.string("XC20P")]))),
        AnnouncementCase(
            "decryption", .ok, "can encrypt", "decryption: [{ privateKeyFile: rsa.pem }]",
            list("id_token_encryption_alg_values_supported", "RSA-OAEP")),
    ]
}

extension JSONObject {
    fileprivate func with(_ name: String, _ value: JSONValue) -> JSONObject {
        var object = self
        object[name] = value
        return object
    }
}

@Suite("What a profile asks")
struct ProviderCheckRequestTests {
    @Test("is held against what the provider announces", arguments: AnnouncementCase.all)
    func announcement(item: AnnouncementCase) async throws {
        let site = try CheckSite()
        try site.write(CheckSite.key(.es256).pem(), to: "p256.pem")
        try site.write(CheckSite.key(.rs256).pem(), to: "rsa.pem")
        site.serveDiscovery(item.discovery)
        let found = try await site.check(item.lines)
        #expect(found.has(item.name, item.outcome, item.words), "\(found)")
        #expect(found.allSatisfy { $0.outcome == .ok || $0.hint != nil })
    }

    @Test("is not answered with what the provider wrote, unless it is a short word")
    func foreignWords() async throws {
        let site = try CheckSite()
        let odd = ["\u{1B}[31m", "a\nb", String(repeating: "x", count: 65), "\u{202E}PLANTED", ""]
        site.serveDiscovery(["response_types_supported": .array(odd.map { .string($0) })])
        let found = try await site.check()
        #expect(found.has("response-types", .problem, "but nothing that is known"))
        site.serveDiscovery([
            "response_types_supported": .array(
                (odd + (0..<20).map { "t\($0)" }).map { .string($0) })
        ])
        #expect(try await site.check().has("response-types", .problem, "t10, t11 and 13 more"))
    }
}

@Suite("The keys of a provider")
struct ProviderCheckKeyTests {
    private static func weak() throws -> JSONObject {
        try JSONWebKey.members(
            of: PrivateKey(generating: .rsa(bits: 1024)).publicKey, keyID: "weak", algorithm: .rs256
        )
    }

    @Test("that cannot be used are named with the reason")
    func unusable() async throws {
        let site = try CheckSite()
        let good = try CheckSite.publicKey(.es256)
        var encrypting = try CheckSite.publicKey(.rs256, "enc")
        encrypting["use"] = .string("enc")
        var leaked = good
        leaked["d"] = .string("AAAA")
        leaked["kid"] = .string("leaked")
        let shared: JSONObject = ["kty": .string("oct"), "k": .string("AAAA")]
        let foreign: JSONObject = ["kty": .string("AKP"), "kid": .string("\u{1B}[31m")]
        let keys = [good, encrypting, leaked, shared, try Self.weak(), foreign]
        site.serveKeys(keys)
        let found = try await site.check()
        #expect(found.has("key-set", .ok, "1 of its 6 keys usable"))
        #expect(found.has("key", .ok, "key 2, enc: not used, as it is not for signatures"))
        #expect(found.has("key", .problem, "key 3, leaked: its private half is published"))
        #expect(found.has("key", .problem, "key 4: a shared secret"))
        #expect(found.has("key", .warning, "key 5, weak: weak, as its modulus has too few bits"))
        #expect(found.has("key", .ok, "key 6: not used, as its type"))
        #expect(found.has("key-set", .ok, "keys for ID tokens under ES256"))
        site.serveKeys([try CheckSite.publicKey(.rs256)])
        let strict = try await site.check("rsaBitsMin: 3072\nalgorithms: [RS256]")
        #expect(strict.has("key-set", .problem, "none of its 1 keys is usable"))
    }

    @Test("are all there is to a set that no login can use")
    func nothing() async throws {
        let site = try CheckSite()
        for (body, words) in [
            (#"{"keys":[]}"#, "none of its 0 keys"), ("{}", "no list of keys"),
            ("<html>", "not strict JSON"),
            (#"{"keys":[\#((0..<257).map { _ in "{}" }.joined(separator: ","))]}"#, "256 keys"),
        ] {
            site.serve(Array(body.utf8), at: CheckSite.keySetURL)
            #expect(try await site.check().has("key-set", .problem, words), "\(words)")
        }
        site.serveKeys([JSONObject](repeating: [:], count: 40))
        let many = try await site.check()
        #expect(many.has("key", .warning, "24 more keys"))
        #expect(many.filter { $0.name == "key" }.count == 17)
    }

    @Test("must have one for an algorithm that may be used")
    func coverage() async throws {
        let site = try CheckSite()
        site.serveKeys([try CheckSite.publicKey(.edDSA)])
        #expect(
            try await site.check().has(
                "key-set", .problem, "no key for ID tokens under RS256, ES256"))
        site.serveDiscovery([
            "id_token_signing_alg_values_supported": .array([.string("EdDSA"), .string("ES256")]),
            "response_modes_supported": .array([.string("jwt")]),
        ])
        let found = try await site.check("flows: [jarm]\njarmAlgorithms: [ES256]")
        #expect(found.has("key-set", .ok, "ID tokens under EdDSA"))
        #expect(found.has("key-set", .problem, "responses under ES256"))
    }
}
