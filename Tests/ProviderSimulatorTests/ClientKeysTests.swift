// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import LedgerPrimitives
import ProviderSimulator
import Testing

@Suite("A client with an assertion")
struct ClientAssertionTests {
    static let methods: [ClientAuthentication] = [.clientSecretJWT, .privateKeyJWT]

    private func login(_ method: ClientAuthentication) throws -> Login {
        let client =
            method == .privateKeyJWT
            ? RegisteredClient(
                id: "asserting", keys: try ClientKit.keySet, redirectURIs: [Login.redirectURI])
            : RegisteredClient(
                id: "asserting", secret: Login.secret, authentication: method,
                redirectURIs: [Login.redirectURI])
        return try Login(at: .generic, client)
    }

    private func response(
        _ login: inout Login, _ assertion: String, _ changes: [String: String] = [:]
    ) throws -> HTTPResponse {
        let code = try #require(try login.callback()["code"])
        return login.answer(
            login.tokenRequest(
                code, ["client_assertion": assertion].merging(changes) { $1 })
        ).response
    }

    @Test("is believed once", arguments: methods)
    func accepted(method: ClientAuthentication) throws {
        var login = try login(method)
        #expect(try login.exchange().status == 200)
        #expect(login.provider.tokenRequests.last?.authentication == method)
        #expect(login.provider.tokenRequests.last?.clientID == "asserting")
        let assertion = ClientKit.assertion(
            method, "asserting", audience: Login.issuer, at: login.now)
        #expect(try response(&login, assertion).status == 200)
        #expect(try response(&login, assertion).error == "invalid_client")
        let list = ClientKit.assertion(method, "asserting", audience: "", at: login.now) {
            $0["aud"] = .array([.string(Login.issuer)])
        }
        #expect(try response(&login, list, ["client_id": "asserting"]).status == 200)
    }

    @Test("may have to name the endpoint it asks", arguments: methods)
    func endpointAudience(method: ClientAuthentication) throws {
        var login = try login(method)
        login.provider.settings.assertionAudience = .endpoint
        #expect(try login.exchange().error == "invalid_client")
        let assertion = ClientKit.assertion(
            method, "asserting", audience: login.provider.url(of: .token), at: login.now)
        #expect(try response(&login, assertion).status == 200)
    }

    @Test(
        "that is not the client's, for somebody else, too old or for too long is refused",
        arguments: methods, ["iss", "sub", "aud", "second-aud", "exp", "expired", "long", "jti"])
    func refused(method: ClientAuthentication, fault: String) throws {
        var login = try login(method)
        let now = login.now.millisecondsSince1970 / 1000
        let assertion = ClientKit.assertion(
            method, "asserting", audience: Login.issuer, at: login.now
        ) { claims in
            switch fault {
            case "iss", "sub": claims[fault] = .string("other")
            case "aud": claims["aud"] = .string(Login.issuer + "/")
            case "second-aud":
                claims["aud"] = .array([.string(Login.issuer), .string("https://x.example")])
            case "exp", "jti": claims[fault] = nil
            case "expired": claims["exp"] = .integer(now)
            default: claims["exp"] = .integer(now + 3661)
            }
        }
        let response = try response(&login, assertion)
        #expect(response.status == 401)
        #expect(response.error == "invalid_client")
    }

    @Test("must be signed with the right key")
    func signature() throws {
        var login = try login(.clientSecretJWT)
        let claims = ClientKit.claims("asserting", audience: Login.issuer, at: login.now)
        let wrongSecret = ClientKit.code(claims, secret: "wrong")
        #expect(try response(&login, wrongSecret).error == "invalid_client")
        #expect(try response(&login, try ClientKit.sign(claims)).error == "invalid_client")
        var signing = try self.login(.privateKeyJWT)
        let code = ClientKit.code(claims, secret: Login.secret)
        #expect(try response(&signing, code).error == "invalid_client")
        let otherKey = try ClientKit.sign(claims, keyID: "client-9")
        #expect(try response(&signing, otherKey).error == "invalid_client")
    }

    @Test("must not come with anything else")
    func alone() throws {
        var login = try login(.privateKeyJWT)
        let assertion = ClientKit.assertion(
            .privateKeyJWT, "asserting", audience: Login.issuer, at: login.now)
        let wrongs = [
            (["client_secret": "any"], "invalid_request"),
            (["client_id": "other"], "invalid_client"),
            (["client_assertion_type": "urn:other"], "invalid_client"),
            (["client_assertion": "nonsense"], "invalid_client"),
        ]
        for (changes, error) in wrongs {
            #expect(try response(&login, assertion, changes).error == error)
        }
    }
}

@Suite("A client with a certificate")
struct ClientCertificateTests {
    static let methods: [ClientAuthentication] = [.tlsClientAuth, .selfSignedTLSClientAuth]

    private func login(_ method: ClientAuthentication) throws -> Login {
        try Login(
            at: .generic,
            RegisteredClient(
                id: "mtls", certificateThumbprint: ClientKit.thumbprint, authentication: method,
                redirectURIs: [Login.redirectURI]))
    }

    @Test("is believed at the alias endpoints, and its access token is bound", arguments: methods)
    func accepted(method: ClientAuthentication) throws {
        var login = try login(method)
        let tokens = try login.exchange()
        #expect(tokens.status == 200)
        #expect(login.provider.tokenRequests.last?.authentication == method)
        let accessToken = try #require(tokens.members["access_token"]?.stringValue)
        let claims = try ClientKit.claims(
            of: accessToken, keys: try login.publishedKeys(), type: "at+jwt")
        #expect(
            claims["cnf"]
                == .object(["x5t#S256": .string(ClientKit.thumbprint.base64URL)]))
        #expect(claims["client_id"] == .string("mtls"))
        let aliases = login.get(.discovery).members["mtls_endpoint_aliases"]?.objectValue
        let userInfo = try #require(aliases?["userinfo_endpoint"]?.stringValue)
        let request = HTTPRequest(
            .get, userInfo, fields: [HTTPField("Authorization", "Bearer \(accessToken)")])
        #expect(login.answer(request).response.members["sub"] == .string("person-no-1"))
        login.certificate = nil
        #expect(login.answer(request).response.status == 401)
        #expect(
            login.get(.userInfo, fields: request.fields).status == 401,
            "a bound token is worth nothing elsewhere")
    }

    @Test("may push its requests")
    func pushed() throws {
        var login = try login(.tlsClientAuth)
        let response = login.answer(
            login.authenticated(.pushedAuthorization, login.authorizationParameters())
        ).response
        #expect(response.status == 201)
        #expect(login.provider.requests(to: .pushedAuthorization) == 1)
    }

    @Test("needs that certificate, at that endpoint", arguments: methods)
    func refused(method: ClientAuthentication) throws {
        var login = try login(method)
        let code = try #require(try login.callback()["code"])
        let good = login.tokenRequest(code)
        for certificate in [nil, Digest(base64URL: String(repeating: "A", count: 43))] {
            login.certificate = certificate
            #expect(login.answer(good).response.error == "invalid_client")
        }
        login.certificate = ClientKit.thumbprint
        var elsewhere = good
        elsewhere.url = login.provider.url(of: .token)
        #expect(login.answer(elsewhere).response.error == "invalid_client")
        #expect(login.answer(good).response.status == 200)
    }

    @Test("is seen by whoever shares the provider")
    func shared() async throws {
        let login = try login(.tlsClientAuth)
        let provider = SharedProvider(
            login.provider, now: { Login.now }, randomBytes: { [UInt8](repeating: 7, count: $0) },
            presentedCertificate: { $0.url.contains("/mtls") ? ClientKit.thumbprint : nil })
        let url = login.provider.url(of: .authorization) + "?"
        let callback = try await SimulatedBrowser(send: provider.send)
            .visit(url + Form.encode(login.authorizationParameters()))
        let code = try #require(Form.decode(query: callback)["code"])
        #expect(try await provider.send(login.tokenRequest(code)).status == 200)
    }

    @Test("finds its endpoints where the settings put them")
    func base() throws {
        var login = try login(.tlsClientAuth)
        login.provider.settings.mutualTLSBaseURL = "https://mtls.op.example/x"
        let aliases = login.get(.discovery).members["mtls_endpoint_aliases"]?.objectValue
        #expect(aliases?["token_endpoint"] == .string("https://mtls.op.example/x/token"))
        #expect(login.provider.endpoint(at: "https://mtls.op.example/x/token") == .token)
        #expect(login.provider.endpoint(at: Login.issuer + "/mtls/token") == nil)
        #expect(login.provider.endpoint(at: Login.issuer + "/token?a=b") == .token)
    }
}
