// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import Testing

@Suite("A client that shows who it is")
struct ClientAssertionTests {
    private static let endpoint = "https://op.example/par"
    private static let issuer = "https://op.example"
    private static let now = Instant(millisecondsSince1970: 1_700_000_000_500)

    private static let parameters = [
        FormEncoding.Parameter("client_id", "urn:rp"), FormEncoding.Parameter("state", "s"),
    ]

    private static func form(
        _ method: ClientRegistration.AuthenticationMethod, _ credential: ClientCredential,
        _ change: (inout ClientAuthenticationRules) -> Void = { _ in }
    ) throws -> (form: [String: String], request: HTTPRequest) {
        var rules = ClientAuthenticationRules()
        change(&rules)
        let client = BackchannelClient(
            registration: ClientRegistration(
                clientID: "urn:rp", authentication: method, redirectURI: "https://rp.example/cb",
                scope: "openid"), credential: credential, rules: rules, issuer: issuer,
            limits: HTTPRequest.Limits(), extraFields: [HTTPField("Prefer", "return-trace-id")])
        let request = try client.post(
            Self.parameters, to: endpoint,
            on: RequestOccasion(at: now, uniqueID: "id-1"))
        let pairs = try #require(
            FormEncoding.decode(String(decoding: request.body, as: UTF8.self)))
        #expect(Set(pairs.map(\.name)).count == pairs.count)
        return (Dictionary(uniqueKeysWithValues: pairs.map { ($0.name, $0.value) }), request)
    }

    private static func claims(_ token: String?) throws -> JSONObject {
        let jws = try CompactJWS(parsing: Array(try #require(token).utf8))
        return try #require(
            try JSONReader.read(jws.unverifiedPayload, numbers: .integersOnly).objectValue)
    }

    @Test("with a key signs an assertion for the issuer, once, for a minute")
    func privateKey() throws {
        let key = try PrivateKey(generating: .elliptic(.p256))
        let credential = ClientCredential.key(
            ClientSigningKey(keyID: "c1", algorithm: .es256, key: key))
        let (form, request) = try Self.form(.privateKeyJWT, credential)
        #expect(form["client_id"] == "urn:rp")
        #expect(
            form["client_assertion_type"]
                == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
        let token = try #require(form["client_assertion"])
        #expect(
            try Self.claims(token) == [
                "aud": .string(Self.issuer), "exp": .integer(1_700_000_060),
                "iat": .integer(1_700_000_000), "iss": .string("urn:rp"), "jti": .string("id-1"),
                "sub": .string("urn:rp"),
            ])
        let keys = JSONWebKeySet([
            JSONWebKey(.object(JSONWebKey.members(of: key.publicKey, keyID: "c1", algorithm: nil)))
        ])
        let verified = try CompactJWS(parsing: Array(token.utf8))
            .verified(with: keys, allowing: [.es256])
        #expect(verified.header.type == "JWT")
        #expect(request.fields.contains(HTTPField("Prefer", "return-trace-id")))
        #expect(!request.fields.contains { $0.name == "Authorization" })
    }

    @Test("names the endpoint where a provider wants that, and leaves its id out where it may")
    func rules() throws {
        let key = try PrivateKey(generating: .elliptic(.p256))
        let credential = ClientCredential.key(
            ClientSigningKey(keyID: nil, algorithm: .es256, key: key))
        let (form, _) = try Self.form(.privateKeyJWT, credential) {
            $0.audience = .endpoint
            $0.assertionLifetimeSeconds = 120
        }
        let claims = try Self.claims(form["client_assertion"])
        #expect(claims["aud"] == .string(Self.endpoint))
        #expect(claims["exp"] == .integer(1_700_000_120))
    }

    @Test("with client_secret_jwt authenticates the assertion with the secret")
    func secretJWT() throws {
        let (form, _) = try Self.form(.clientSecretJWT, .secret(ClientSecret("hidden")))
        let token = try #require(form["client_assertion"])
        let parts = token.split(separator: ".").map(String.init)
        let code = hmacSHA256(
            key: SecretBytes(Array("hidden".utf8)), Array("\(parts[0]).\(parts[1])".utf8))
        #expect(Base64URL.encode(code) == parts[2])
        #expect(!form.values.contains("hidden"))
    }

    @Test("uses one method only", arguments: ClientRegistration.AuthenticationMethod.allCases)
    func oneMethod(method: ClientRegistration.AuthenticationMethod) throws {
        let key = ClientSigningKey(
            keyID: nil, algorithm: .es256, key: try PrivateKey(generating: .elliptic(.p256)))
        let credential: ClientCredential =
            method.usesSecret
            ? .secret(ClientSecret("hidden")) : method == .privateKeyJWT ? .key(key) : .none
        let (form, request) = try Self.form(method, credential) { $0.sendsClientID = true }
        let uses = [
            request.fields.contains { $0.name == "Authorization" }, form["client_secret"] != nil,
            form["client_assertion"] != nil,
        ]
        #expect(uses.count { $0 } == (method == .none || method.usesCertificate ? 0 : 1))
        #expect(form["client_id"] == "urn:rp")
    }

    @Test("cannot be made without what its method needs")
    func missing() {
        for method in ClientRegistration.AuthenticationMethod.allCases
        where method.usesSecret || method == .privateKeyJWT {
            #expect(throws: FlowFailure(.clientAuthenticationFailed)) {
                try Self.form(method, .none)
            }
        }
    }
}

@Suite("A signed authorization request")
struct RequestObjectTests {
    @Test("holds every parameter, names the issuer, and repeats outside only what it must")
    func whole() throws {
        let key = try PrivateKey(generating: .rsa(bits: 2048))
        let parameters = try RequestObject.parameters(
            signing: [
                .init("response_type", "code"), .init("client_id", "rp"), .init("scope", "openid"),
                .init("state", "s"), .init("claims", #"{"id_token":{"acr":null}}"#),
            ], with: ClientSigningKey(keyID: "c1", algorithm: .ps256, key: key), clientID: "rp",
            issuer: "https://op.example",
            on: RequestOccasion(
                at: Instant(millisecondsSince1970: 1_700_000_000_000), uniqueID: "id-1"))
        #expect(parameters.map(\.name) == ["response_type", "client_id", "scope", "request"])
        let token = try CompactJWS(parsing: Array(parameters[3].value.utf8))
        #expect(token.header.type == "oauth-authz-req+jwt")
        #expect(token.header.algorithmName == "PS256")
        let claims = try JSONReader.read(token.unverifiedPayload, numbers: .integersOnly)
        let object = try #require(claims.objectValue)
        #expect(object["state"] == .string("s"))
        #expect(object["aud"] == .string("https://op.example"))
        #expect(object["exp"] == .integer(1_700_000_300))
        #expect(object["jti"] == .string("id-1"))
        #expect(object["claims"]?.objectValue?["id_token"] != nil)
    }
}

@Suite("A pushed authorization request")
struct PushedAuthorizationTests {
    private static func outcome(_ status: Int, _ body: String) -> String {
        do throws(FlowFailure) {
            let receipt = try PushedAuthorization.process(
                HTTPResponse(status: status, body: Array(body.utf8)))
            return "\(receipt.requestURI) \(receipt.expiresInSeconds)"
        } catch {
            return error.reason.rawValue
        }
    }

    @Test(
        "is taken or refused for what the provider says",
        arguments: [
            (201, #"{"request_uri":"urn:x","expires_in":60}"#, "urn:x 60"),
            (200, #"{"request_uri":"urn:x","expires_in":"60"}"#, "urn:x 60"),
            (201, #"{"request_uri":"urn:x"}"#, "response-malformed"),
            (201, #"{"request_uri":"urn:x","expires_in":0}"#, "response-malformed"),
            (201, #"{"request_uri":"","expires_in":60}"#, "response-malformed"),
            (201, "<html>", "response-malformed"), (500, "{}", "provider-outage"),
            (400, #"{"error":"invalid_request"}"#, "par-refused"),
            (400, #"{"error":"invalid_redirect_uri"}"#, "redirect-uri-mismatch"),
            (401, #"{"error":"invalid_client"}"#, "client-auth-failed"),
            (403, #"{"error":"unauthorized_client"}"#, "client-auth-failed"),
            (401, "", "client-auth-failed"), (403, "", "par-refused"), (400, "", "par-refused"),
            (
                201, #"{"error":"invalid_request","request_uri":"urn:x","expires_in":60}"#,
                "par-refused"
            ),
        ])
    func process(status: Int, body: String, expected: String) {
        #expect(Self.outcome(status, body) == expected)
    }
}
