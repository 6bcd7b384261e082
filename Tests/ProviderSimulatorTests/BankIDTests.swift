// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import ProviderSimulator
import Testing

@Suite("The simulated BankID OIDC of Norway")
struct BankIDTests {
    static func login() throws -> Login {
        try Login(
            at: .bankidNorway,
            RegisteredClient(
                id: "bank-rp", secret: Login.secret, redirectURIs: [Login.redirectURI]))
    }

    private func claims(
        _ login: inout Login, _ changes: [String: String] = ["login_hint": "BIS"]
    ) throws -> JSONObject {
        let token = try #require(try exchange(&login, changes)["id_token"]?.stringValue)
        return try ClientKit.claims(of: token, keys: try login.publishedKeys())
    }

    private func exchange(
        _ login: inout Login, _ changes: [String: String]
    ) throws -> JSONObject {
        let code = try #require(try login.callback(changes)["code"])
        return login.answer(login.tokenRequest(code)).response.members
    }

    @Test("has its endpoints where BankID has them, and says so")
    func discovery() throws {
        var login = try Self.login()
        let response = login.get(.discovery)
        #expect(response.field("Cache-Control") == "no-store")
        let wanted = [
            "authorization_endpoint": "/precheck/auth",
            "token_endpoint": "/protocol/openid-connect/token",
            "jwks_uri": "/protocol/openid-connect/certs",
        ]
        for (name, path) in wanted {
            #expect(response.members[name] == .string(Login.issuer + path))
        }
        #expect(response.members["response_types_supported"] == .array([.string("code")]))
        #expect(
            response.members["response_modes_supported"]
                == .array(["query", "fragment", "form_post"].map(JSONValue.string)))
        for name in ["jwks_uri_enc", "signdoc-baseurl", "aml-baseurl", "release"] {
            #expect(response.members[name] != nil)
        }
    }

    @Test("answers with the members and claims of BankID")
    func tokens() throws {
        var login = try Self.login()
        let tokens = try exchange(&login, ["login_hint": "BIS"])
        #expect(tokens["token_type"] == .string("bearer"))
        for name in ["refresh_expires_in", "not-before-policy", "session_state"] {
            #expect(tokens[name] != nil)
        }
        let claims = try claims(&login)
        #expect(claims["typ"] == .string("ID"))
        #expect(claims["azp"] == .string("bank-rp"))
        #expect(claims["acr"] == .string("urn:bankid:bis;LOA=3"))
        #expect(claims["amr"]?.arrayValue?.contains(.string("bis-hwk")) ?? false)
        #expect(claims["bankid_altsub"]?.stringValue?.hasPrefix("9578-5999-4-") ?? false)
        #expect(claims["nnin_altsub"] == nil)
        let token = Array(
            try #require(try exchange(&login, [:])["id_token"]?.stringValue).utf8)
        var expectations = login.expectations()
        expectations.accessToken.isRequired = false
        let verdict = IDTokenVerifier(expectations)
            .verify(token, keys: try login.publishedKeys(), at: login.now)
        #expect(verdict.isAccepted)
    }

    @Test("says the level that was asked for, and methods as a list or a text")
    func levels() throws {
        var login = try Self.login()
        for changes in [["login_hint": "BID"], ["acr_values": "urn:bankid:bid"]] {
            #expect(try claims(&login, changes)["acr"] == .string("urn:bankid:bid;LOA=4"))
        }
        login.provider.settings.bankID.listsMethods = false
        #expect(try claims(&login)["amr"] == .string("BIS"))
        #expect(try claims(&login, ["login_hint": "BID"])["amr"] == .string("BID"))
    }

    @Test("knows people by their number in the hint, and tells it for a scope")
    func hints() throws {
        var login = try Self.login()
        for hint in ["BIS:199001019802", ":199001019802"] {
            let claims = try claims(
                &login, ["login_hint": hint, "scope": "openid nnin_altsub"])
            #expect(claims["given_name"] == .string("Erik"))
            #expect(claims["nnin_altsub"] == .string("199001019802"))
        }
    }

    @Test("may give somebody another `sub` each time, never another `bankid_altsub`")
    func subjects() throws {
        var login = try Self.login()
        let first = try claims(&login)
        #expect(try claims(&login)["sub"] == first["sub"])
        login.provider.settings.bankID.changesSubjects = true
        let (second, third) = (try claims(&login), try claims(&login))
        #expect(second["sub"] != first["sub"])
        #expect(second["sub"] != third["sub"])
        #expect(second["bankid_altsub"] == first["bankid_altsub"])
    }

    @Test("tells of failures by its own codes")
    func failures() throws {
        var login = try Self.login()
        login.provider.prepare(SimulatedLogin(misbehaviour: .accessDenied))
        let callback = try login.callback()
        #expect(callback["error"] == "access_denied")
        #expect(callback["error_description"] == "bankid_error_codes:C301")
        #expect(callback["iss"] == nil)
    }
}

@Suite("A permission at the simulated BankID")
struct PermissionTests {
    private func clientToken(
        _ login: inout Login, scope: String = "openid permissions/client"
    ) -> HTTPResponse {
        login.answer(
            login.authenticated(.token, ["grant_type": "client_credentials", "scope": scope])
        ).response
    }

    private func statement(at now: Instant) -> JSONObject {
        let seconds = now.millisecondsSince1970 / 1000
        let permission: JSONObject = ["amount": .string("100.00"), "currency": .string("NOK")]
        return [
            "type": .string("payment.v1"), "loa": .string("substantial"),
            "iat": .integer(seconds), "exp": .integer(seconds + 600),
            "intents": .array([.string("payment")]),
            "permission": .string(Base64URL.encode(CanonicalJSON.encode(permission))),
            "loginHint": .array([
                .object(["scheme": .string("nnin"), "value": .string("01819010001")])
            ]),
        ]
    }

    private func register(
        _ login: inout Login, _ statement: JSONObject, token: String
    ) -> HTTPResponse {
        login.answer(
            HTTPRequest(
                .post, login.provider.url(of: .permissions),
                fields: [
                    HTTPField("Authorization", "Bearer \(token)"),
                    HTTPField("Content-Type", "application/json"),
                ], body: CanonicalJSON.encode(statement))
        ).response
    }

    private func grant(_ login: inout Login, id: String, token: String) -> HTTPResponse {
        let url = login.provider.url(of: .permissionGrant)
            .replacing("{id}", with: id)
        return login.answer(
            HTTPRequest(.get, url, fields: [HTTPField("Authorization", "Bearer \(token)")])
        ).response
    }

    @Test("is registered, given in a login, and proved by a signed grant")
    func wholeFlow() throws {
        var login = try BankIDTests.login()
        let tokens = clientToken(&login)
        #expect(tokens.status == 200)
        #expect(tokens.members["id_token"] == nil)
        let token = try #require(tokens.members["access_token"]?.stringValue)
        let document = login.get(.permissionDiscovery).members
        #expect(document["issuer"] == .string(login.provider.permissionIssuer))
        #expect(
            document["permissions_endpoint"] == .string(login.provider.url(of: .permissions)))

        let registered = register(&login, statement(at: login.now), token: token)
        #expect(registered.status == 200)
        let id = try #require(registered.members["permissionId"]?.stringValue)
        let permission = try #require(registered.members["permissionToken"]?.stringValue)
        #expect(registered.members["bindingMessage"] != nil)
        #expect(grant(&login, id: id, token: token).error == "invalid_grant")

        let code = try login.callback(["login_hint_token": permission])["code"]
        #expect(login.answer(login.tokenRequest(try #require(code))).response.status == 200)
        // A permission is asked for once.
        #expect(
            try login.callback(["login_hint_token": permission])["error"] == "invalid_request")

        let answer = grant(&login, id: id, token: token)
        #expect(answer.mediaType == "application/jwt")
        let keys = try JSONWebKeySet(parsing: login.get(.grantKeySet).body)
        let text = String(decoding: answer.body, as: UTF8.self)
        let claims = try ClientKit.claims(of: text, keys: keys)
        #expect(claims["iss"] == .string(login.provider.permissionIssuer))
        #expect(claims["aud"] == .string("bank-rp"))
        #expect(claims["permissionId"] == .string(id))
        #expect(claims["permission"] == statement(at: login.now)["permission"])
        #expect(throws: (any Error).self) {
            try ClientKit.claims(of: text, keys: try login.publishedKeys())
        }
        for endpoint in [ProviderEndpoint.permissions, .permissionDiscovery, .grantKeySet] {
            #expect(login.provider.requests(to: endpoint) == 1)
        }
        #expect(login.provider.requests(to: .permissionGrant) == 2)
    }

    @Test("needs an access token of its own")
    func accessTokens() throws {
        var login = try BankIDTests.login()
        #expect(clientToken(&login, scope: "openid").error == "invalid_scope")
        let tokens = try login.exchange().members
        let personal = try #require(tokens["access_token"]?.stringValue)
        for token in [personal, "invented"] {
            let response = register(&login, statement(at: login.now), token: token)
            #expect(response.status == 401)
            #expect(response.error == "invalid_token")
            #expect(grant(&login, id: "x", token: token).status == 401)
        }
        var generic = try Login()
        let request = generic.authenticated(
            .token, ["grant_type": "client_credentials", "scope": "openid permissions/client"])
        #expect(generic.answer(request).response.error == "unsupported_grant_type")
        #expect(generic.get(.permissionDiscovery).status == 404)
    }

    @Test(
        "that is not whole is refused",
        arguments: ["type", "loa", "iat", "exp", "intents", "permission", "loginHint"])
    func malformed(member: String) throws {
        var login = try BankIDTests.login()
        let token = try #require(
            clientToken(&login).members["access_token"]?.stringValue)
        var statement = statement(at: login.now)
        statement[member] = .string("")
        let response = register(&login, statement, token: token)
        #expect(response.status == (member == "loa" ? 200 : 400))
        statement[member] = nil
        #expect(
            register(&login, statement, token: token).status == (member == "loginHint" ? 200 : 400))
    }

    @Test("expires, and is its client's alone")
    func limits() throws {
        var login = try BankIDTests.login()
        let token = try #require(clientToken(&login).members["access_token"]?.stringValue)
        let registered = register(&login, statement(at: login.now), token: token).members
        let permission = try #require(registered["permissionToken"]?.stringValue)
        login.provider.settings.clients.append(
            RegisteredClient(
                id: "other", secret: Login.secret, redirectURIs: [Login.redirectURI]))
        login.clientID = "other"
        #expect(
            try login.callback(["login_hint_token": permission])["error"] == "invalid_request")
        let id = try #require(registered["permissionId"]?.stringValue)
        let others = try #require(clientToken(&login).members["access_token"]?.stringValue)
        #expect(grant(&login, id: id, token: others).status == 404)
        login.clientID = "bank-rp"
        #expect(try login.callback(["login_hint_token": "invented"])["error"] == "invalid_request")
        login.now = login.now.advanced(byMilliseconds: 600_000)
        #expect(
            try login.callback(["login_hint_token": permission])["error"] == "invalid_request")
    }

    @Test("may come in another parameter")
    func parameter() throws {
        var login = try BankIDTests.login()
        login.provider.settings.bankID.permissionParameter = "permission_token"
        #expect(try login.callback(["login_hint_token": "anything"])["code"] != nil)
        #expect(try login.callback(["permission_token": "anything"])["error"] != nil)
    }
}
