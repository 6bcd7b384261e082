// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import ProviderSimulator
import Testing

@Suite("An authorization response")
struct ResponseModeTests {
    /// The response to a good request, as a browser brings it back.
    private func go(
        _ login: Login, _ changes: [String: String]
    ) async throws -> BrowserReturn {
        let shared = SharedProvider(
            login.provider, now: { Login.now }, randomBytes: { randomBytes($0) })
        let query = Form.encode(login.authorizationParameters(changes))
        return try await SimulatedBrowser(send: shared.send)
            .go(login.provider.url(of: .authorization) + "?" + query)
    }

    /// The parameters, and where they stood.
    private func parameters(
        _ back: BrowserReturn
    ) throws -> (place: String, values: [String: String]) {
        switch back {
        case .redirect(let location):
            #expect(location.hasPrefix(Login.redirectURI))
            guard let hash = location.firstIndex(of: "#") else {
                return ("query", Form.decode(query: location))
            }
            #expect(location[..<hash] == Login.redirectURI)
            return ("fragment", Form.decode(location[hash...].dropFirst()))
        case .form(let action, let body):
            #expect(action == Login.redirectURI)
            return ("form_post", Form.decode(body))
        case .stranded:
            return ("nowhere", [:])
        }
    }

    @Test(
        "comes back in the way that was asked for",
        arguments: [
            ("code", "query", "query"), ("code", "fragment", "fragment"),
            ("code", "form_post", "form_post"), ("code", "", "query"),
            ("id_token", "", "fragment"), ("id_token", "form_post", "form_post"),
            ("id_token token", "fragment", "fragment"),
        ])
    func modes(type: String, mode: String, place: String) async throws {
        let back = try await go(
            try Login(), ["response_type": type, "response_mode": mode, "state": "a&\"<'é>"])
        let found = try parameters(back)
        #expect(found.place == place)
        #expect(found.values["state"] == "a&\"<'é>")
        #expect(found.values["iss"] == Login.issuer)
        #expect((found.values["code"] == nil) == (type != "code"))
        #expect((found.values["id_token"] == nil) == (type == "code"))
        #expect((found.values["access_token"] == nil) == (type != "id_token token"))
    }

    @Test(
        "may be one signed token in any place",
        arguments: [
            ("code", "jwt", "query"), ("code", "query.jwt", "query"),
            ("code", "fragment.jwt", "fragment"), ("code", "form_post.jwt", "form_post"),
            ("id_token", "jwt", "fragment"),
        ])
    func signed(type: String, mode: String, place: String) async throws {
        var login = try Login()
        let found = try parameters(
            try await go(login, ["response_type": type, "response_mode": mode]))
        #expect(found.place == place)
        #expect(Set(found.values.keys).subtracting(["from"]) == ["response"])
        let response = try #require(found.values["response"])
        let claims = try ClientKit.claims(of: response, keys: try login.publishedKeys())
        #expect(claims["iss"] == .string(Login.issuer))
        #expect(claims["aud"] == .string("urn:rp:basic"))
        #expect(claims["exp"] == .integer(1_700_000_600))
        #expect(claims["state"] == .string("st+&é"))
        #expect((claims["code"] == nil) == (type != "code"))
        #expect((claims["id_token"] == nil) == (type == "code"))
    }

    @Test("is signed with what the client chose, if there is a key for it")
    func algorithm() async throws {
        var login = try Login()
        login.provider.rotateKeys(
            to: try ProviderKey(generatingFor: .es256, keyID: "es"), keepingOld: true)
        login.provider.rotateKeys(
            to: try ProviderKey(generatingFor: .edDSA, keyID: "ed"), keepingOld: true)
        for (chosen, expected) in [(SignatureAlgorithm.es256, "ES256"), (.ps512, "EdDSA")] {
            login.provider.settings.clients[0].responseAlgorithm = chosen
            let found = try parameters(try await go(login, ["response_mode": "jwt"]))
            let jws = try CompactJWS(parsing: Array(try #require(found.values["response"]).utf8))
            #expect(jws.header.algorithmName == expected)
        }
    }

    @Test("is encrypted to a client that has a key for it, with the signed token inside")
    func encrypted() async throws {
        var login = try Login()
        login.provider.settings.clients[0].encryptionKey = try ClientKit.encryptionKey
        let found = try parameters(try await go(login, ["response_mode": "jwt"]))
        let response = try #require(found.values["response"])
        let jwe = try CompactJWE(parsing: Array(response.utf8))
        #expect(jwe.algorithmName == "RSA-OAEP")
        #expect(jwe.encryptionName == "A256CBC-HS512")
        let claims = try ClientKit.claims(
            of: try ClientKit.decrypt(response), keys: try login.publishedKeys())
        #expect(claims["code"] != nil)
        let tokens = try login.exchange().members
        let inner = try ClientKit.decrypt(try #require(tokens["id_token"]?.stringValue))
        #expect(
            try login.verdict(
                Array(inner.utf8), accessToken: tokens["access_token"]?.stringValue
            ).isAccepted)
    }

    @Test("tells of errors in the same way", arguments: ["fragment", "form_post", "jwt"])
    func errors(mode: String) async throws {
        var login = try Login()
        login.provider.prepare(SimulatedLogin(misbehaviour: .accessDenied))
        let found = try parameters(try await go(login, ["response_mode": mode]))
        guard mode == "jwt" else {
            #expect(found.place == mode)
            #expect(found.values["error"] == "access_denied")
            return
        }
        let claims = try ClientKit.claims(
            of: try #require(found.values["response"]), keys: try login.publishedKeys())
        #expect(claims["error"] == .string("access_denied"))
        #expect(claims["state"] == .string("st+&é"))
        #expect(claims["code"] == nil)
    }

    @Test("never comes when the user is stranded")
    func stranded() async throws {
        var login = try Login()
        login.provider.prepare(SimulatedLogin(returns: false))
        #expect(try await go(login, [:]) == .stranded)
    }

    @Test(
        "never puts a token into a query",
        arguments: [("id_token", "query"), ("id_token token", "query.jwt")])
    func noTokenInQuery(type: String, mode: String) async throws {
        let back = try await go(try Login(), ["response_type": type, "response_mode": mode])
        let values = try parameters(back).values
        if mode == "query" { #expect(values["error"] == "invalid_request") }
        #expect(values["id_token"] == nil)
    }
}

@Suite("An ID token through the browser")
struct FrontChannelTests {
    private func fragment(_ login: inout Login, _ type: String) throws -> [String: String] {
        let location = login.authorize(["response_type": type]).field("Location") ?? ""
        let hash = try #require(location.firstIndex(of: "#"))
        return Form.decode(location[hash...].dropFirst())
    }

    @Test("is one that a careful relying party accepts")
    func accepted() throws {
        var login = try Login(clientID: "public")
        let alone = try fragment(&login, "id_token")
        var expectations = login.expectations()
        expectations.accessToken.isRequired = false
        let keys = try login.publishedKeys()
        let token = Array(try #require(alone["id_token"]).utf8)
        #expect(IDTokenVerifier(expectations).verify(token, keys: keys, at: login.now).isAccepted)

        let both = try fragment(&login, "token id_token")
        #expect(both["token_type"] == "Bearer")
        #expect(both["expires_in"] == "300")
        let second = Array(try #require(both["id_token"]).utf8)
        let verdict = try login.verdict(second, accessToken: both["access_token"])
        #expect(verdict.isAccepted)
        #expect(verdict[.accessTokenHash] == .passed)
        let bearer = [HTTPField("Authorization", "Bearer \(try #require(both["access_token"]))")]
        #expect(login.get(.userInfo, fields: bearer).members["sub"] == .string("person-no-1"))
        #expect(login.provider.requests(to: .token) == 0)
    }

    @Test("tells what UserInfo cannot tell when there is no access token")
    func scopes() throws {
        var login = try Login()
        let query = ["response_type": "id_token", "scope": "openid email phone address"]
        let location = try #require(login.authorize(query).field("Location"))
        let hash = try #require(location.firstIndex(of: "#"))
        let token = try #require(Form.decode(location[hash...].dropFirst())["id_token"])
        let claims = try ClientKit.claims(of: token, keys: try login.publishedKeys())
        #expect(claims["email"] == .string("kari@example.org"))
        #expect(claims["phone_number"] == .string("+4700000001"))
        #expect(claims["address"]?.objectValue?["formatted"] != nil)
    }

    @Test("needs a nonce, and comes with a code only where that is allowed")
    func refused() throws {
        var login = try Login()
        let withoutNonce = login.authorize(["response_type": "id_token", "nonce": ""])
        #expect(withoutNonce.field("Location")?.contains("error=invalid_request") ?? false)
        for type in ["code id_token", "code token", "code id_token token"] {
            #expect(try fragment(&login, type)["error"] == "unsupported_response_type")
        }
        login.provider.settings.allowsHybrid = true
        let hybrid = try fragment(&login, "code id_token token")
        var expectations = login.expectations(accessToken: hybrid["access_token"])
        expectations.code = HashExpectation(
            hybrid["code"].map(HashExpectation.Original.value), isRequired: true)
        expectations.state = HashExpectation(.value("st+&é"), isRequired: true)
        let token = Array(try #require(hybrid["id_token"]).utf8)
        let verdict = IDTokenVerifier(expectations)
            .verify(token, keys: try login.publishedKeys(), at: login.now)
        #expect(verdict.isAccepted)
        let code = try #require(hybrid["code"])
        #expect(login.answer(login.tokenRequest(code)).response.status == 200)
    }
}
