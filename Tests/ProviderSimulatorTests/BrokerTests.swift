// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import ProviderSimulator
import Testing

@Suite("The simulated Idura Verify")
struct IduraTests {
    private func login(_ client: RegisteredClient? = nil) throws -> Login {
        try Login(
            at: .idura,
            client
                ?? RegisteredClient(
                    id: "urn:my:application", secret: Login.secret,
                    redirectURIs: [Login.redirectURI]),
            key: try ProviderKey(generatingFor: .rs256))
    }

    @Test("has its endpoints where Idura has them, and says so")
    func discovery() throws {
        var login = try login()
        let members = login.get(.discovery).members
        let wanted = [
            "authorization_endpoint": "/oauth2/authorize", "token_endpoint": "/oauth2/token",
            "pushed_authorization_request_endpoint": "/oauth2/par",
            "jwks_uri": "/.well-known/jwks", "end_session_endpoint": "/oauth2/logout",
        ]
        for (name, path) in wanted { #expect(members[name] == .string(Login.issuer + path)) }
        #expect(members["id_token_signing_alg_values_supported"] == .array([.string("RS256")]))
        #expect(members["authorization_response_iss_parameter_supported"] == nil)
        #expect(members["mtls_endpoint_aliases"] == nil)
        #expect(members["acr_values_supported"] != nil)
        let path = Login.issuer + "/.well-known/openid-configuration?client_id=urn:x"
        #expect(login.answer(HTTPRequest(.get, path)).response.status == 200)
    }

    @Test("names its keys by 40 hexadecimal digits in capitals")
    func keyID() throws {
        var login = try login()
        let keyID = try #require(try login.publishedKeys().keys.first?.keyID)
        #expect(keyID.utf8.count == 40)
        #expect(keyID.allSatisfy { "0123456789ABCDEF".contains($0) })
        let jws = try CompactJWS(parsing: try login.idToken())
        #expect(jws.header.keyID == keyID)
    }

    @Test("gives ID tokens with the claims that Idura documents, and without those that it lacks")
    func idToken() throws {
        var login = try login()
        let callback = try login.callback(["acr_values": "urn:grn:authn:no:bankid:high"])
        #expect(callback["iss"] == nil)
        let code = try #require(callback["code"])
        let response = login.answer(login.tokenRequest(code)).response
        let token = Array(try #require(response.members["id_token"]?.stringValue).utf8)
        let jws = try CompactJWS(parsing: token)
        let value = try JSONReader.read(jws.unverifiedPayload, numbers: .anyAsText)
        let claims = try #require(value.objectValue)
        for absent in ["acr", "auth_time", "azp", "at_hash"] { #expect(claims[absent] == nil) }
        let subject = try #require(claims["sub"]?.stringValue)
        #expect(subject.hasPrefix("{") && subject.hasSuffix("}") && subject.utf8.count == 38)
        #expect(claims["nameidentifier"]?.stringValue?.utf8.count == 32)
        #expect(claims["authenticationtype"] == .string("urn:grn:authn:no:bankid:high"))
        #expect(claims["authenticationinstant"] == .string("2023-11-14T22:13:20.250Z"))
        #expect(claims["identityscheme"] == .string("nobankid-oidc"))
        #expect(claims["nbf"] == claims["iat"])
        #expect(claims["exp"] == .integer(1_700_001_200))
        #expect(claims["socialno"] == .string("01819010001"))
        #expect(claims["address"] == .null)
        #expect(claims["given_name"] == claims["givenname"])
        var expectations = login.expectations()
        expectations.assuranceLevelMin = nil
        expectations.accessToken.isRequired = false
        let verdict = IDTokenVerifier(expectations)
            .verify(token, keys: try login.publishedKeys(), at: login.now)
        #expect(verdict.isAccepted)
        let userInfo = login.get(
            .userInfo,
            fields: [
                HTTPField(
                    "Authorization",
                    "Bearer \(response.members["access_token"]?.stringValue ?? "")")
            ])
        #expect(userInfo.members["sub"] == .string(subject))
    }

    @Test("names an exchange when it is asked to")
    func traceID() throws {
        var login = try login()
        let code = try #require(try login.callback()["code"])
        var request = login.tokenRequest(code)
        request.fields.append(HTTPField("Prefer", "return-trace-id"))
        let traced = login.answer(request).response
        #expect(traced.field("Trace-Id")?.utf8.count == 32)
        #expect(login.get(.keySet).field("Trace-Id") == nil)
    }

    @Test("takes assertions for the issuer, valid for five minutes at most, without `jti`")
    func assertion() throws {
        var login = try login(
            RegisteredClient(
                id: "urn:my:application", keys: try ClientKit.keySet,
                redirectURIs: [Login.redirectURI]))
        let now = login.now.millisecondsSince1970 / 1000
        for (lifetime, status) in [(Int64(300), 200), (361, 401)] {
            let code = try #require(try login.callback()["code"])
            let assertion = ClientKit.assertion(
                .privateKeyJWT, login.clientID, audience: Login.issuer, at: login.now
            ) { claims in
                claims["jti"] = nil
                claims["exp"] = .integer(now + lifetime)
            }
            let request = login.tokenRequest(code, ["client_assertion": assertion])
            #expect(login.answer(request).response.status == status)
            #expect(login.answer(request).response.status >= 400, "it counts once")
        }
    }

    @Test("takes Basic credentials as the settings say")
    func basic() throws {
        var login = try login()
        login.provider.settings.basicCredentials = .verbatim
        #expect(try login.exchange().error == "invalid_client")
        let code = try #require(try login.callback()["code"])
        var request = login.tokenRequest(code)
        request.fields.removeAll { $0.name == "Authorization" }
        let pair = Base64.encode(Array("\(login.clientID):\(Login.secret)".utf8))
        request.fields.append(HTTPField("Authorization", "Basic \(pair)"))
        // The colon in the id ends it: this is what the encoding is for.
        #expect(login.answer(request).response.error == "invalid_client")
        var plain = try self.login(
            RegisteredClient(
                id: "plain", secret: Login.secret, redirectURIs: [Login.redirectURI]))
        plain.provider.settings.basicCredentials = .verbatim
        var plainRequest = plain.tokenRequest(try #require(try plain.callback()["code"]))
        plainRequest.fields.removeAll { $0.name == "Authorization" }
        let plainPair = Base64.encode(Array("plain:\(Login.secret)".utf8))
        plainRequest.fields.append(HTTPField("Authorization", "Basic \(plainPair)"))
        #expect(plain.answer(plainRequest).response.status == 200)
    }
}

@Suite("The simulated IDPartner")
struct IDPartnerTests {
    private static let returnURI = "https://rp.example/selected"

    private func login(isEncrypted: Bool = false) throws -> Login {
        var client = RegisteredClient(
            id: "partner", secret: Login.secret, redirectURIs: [Login.redirectURI])
        client.selectorReturnURI = Self.returnURI
        if isEncrypted { client.encryptionKey = try ClientKit.encryptionKey }
        return try Login(at: .idpartner, client)
    }

    /// Goes to the account selector and gives what comes back from it.
    private func select(
        _ login: inout Login, _ changes: [String: String] = [:]
    ) throws -> [String: String] {
        let parameters = ["client_id": "partner", "visitor_id": "v-1", "scope": "openid"]
            .merging(changes) { $1 }.filter { !$0.value.isEmpty }
        let url = login.provider.url(of: .accountSelector) + "?" + Form.encode(parameters)
        let response = login.answer(HTTPRequest(.get, url)).response
        guard response.status == 303 else { return [:] }
        let location = try #require(response.field("Location"))
        #expect(location.hasPrefix(Self.returnURI + "?"))
        return Form.decode(query: location)
    }

    /// A whole login up to the response, which is a signed token.
    private func response(
        _ login: inout Login, token: String?, _ changes: [String: String] = [:]
    ) throws -> (status: Int, response: String?) {
        var parameters = login.authorizationParameters(changes)
        parameters["idpartner_token"] = token
        parameters["identity_provider_id"] = "simulated-bank"
        parameters["response_mode"] = "jwt"
        let pushed = login.answer(login.authenticated(.pushedAuthorization, parameters)).response
        guard let uri = pushed.members["request_uri"]?.stringValue else {
            return (pushed.status, nil)
        }
        let query = Form.encode(["client_id": login.clientID, "request_uri": uri])
        let back = login.answer(
            HTTPRequest(.get, login.provider.url(of: .authorization) + "?" + query)
        ).response
        return (pushed.status, Form.decode(query: back.field("Location") ?? "")["response"])
    }

    @Test("lets the user choose a bank and brings everything back")
    func selector() throws {
        var login = try login()
        let selected = try select(&login)
        #expect(
            Set(selected.keys) == ["iss", "idp_id", "idpartner_token", "client_id", "visitor_id"])
        #expect(selected["iss"] == Login.issuer)
        #expect(selected["visitor_id"] == "v-1")
        #expect(selected["idp_id"] == "simulated-bank")
        #expect(login.provider.requests(to: .accountSelector) == 1)
        for wrong in [["client_id": "other"], ["visitor_id": ""]] {
            #expect(try select(&login, wrong).isEmpty)
        }
    }

    @Test("wants the token of the selector in the pushed request, once")
    func selectorToken() throws {
        var login = try login()
        let token = try #require(try select(&login)["idpartner_token"])
        #expect(try response(&login, token: nil).status == 400)
        #expect(try response(&login, token: "invented").status == 400)
        #expect(try response(&login, token: token).response != nil)
        #expect(try response(&login, token: token).status == 400)
        login.provider.settings.idPartner.usesSelectorToken = false
        #expect(try select(&login)["idpartner_token"] == nil)
        #expect(try response(&login, token: nil).response != nil)
    }

    @Test("answers with signed tokens and takes only what was pushed")
    func wholeLogin() throws {
        var login = try login()
        #expect(login.get(.discovery).members["token_endpoint"] == .string(Login.issuer + "/token"))
        #expect(try login.callback(["response_mode": "jwt"])["response"] != nil)
        let token = try #require(try select(&login)["idpartner_token"])
        let answer = try #require(try response(&login, token: token).response)
        let keys = try login.publishedKeys()
        let claims = try ClientKit.claims(of: answer, keys: keys)
        #expect(claims["exp"] == .integer(1_700_000_060))
        let code = try #require(claims["code"]?.stringValue)
        let tokens = login.answer(login.tokenRequest(code)).response.members
        let idToken = try #require(tokens["id_token"]?.stringValue)
        let jws = try CompactJWS(parsing: Array(idToken.utf8))
        #expect(jws.header.algorithmName == "PS256")
        let idClaims = try ClientKit.claims(of: idToken, keys: keys)
        #expect(idClaims["exp"] == .integer(1_700_000_060))
        #expect(idClaims["nonce"] == .string("n-1"))
        #expect(idClaims["at_hash"] != nil)
        #expect(tokens["payment_details"]?.objectValue?["currency"] == .string("EUR"))
    }

    @Test("tells of an error inside of a signed token")
    func unpushed() throws {
        var login = try login()
        let answer = try #require(try login.callback()["response"])
        let claims = try ClientKit.claims(of: answer, keys: try login.publishedKeys())
        #expect(claims["error"] == .string("invalid_request"))
    }

    @Test("encrypts to clients with a key")
    func encrypted() throws {
        var login = try login(isEncrypted: true)
        let token = try #require(try select(&login)["idpartner_token"])
        let answer = try #require(try response(&login, token: token).response)
        let inner = try ClientKit.decrypt(answer)
        let code = try #require(
            try ClientKit.claims(of: inner, keys: try login.publishedKeys())["code"]?.stringValue)
        let tokens = login.answer(login.tokenRequest(code)).response.members
        let idToken = try ClientKit.decrypt(try #require(tokens["id_token"]?.stringValue))
        #expect(
            try ClientKit.claims(of: idToken, keys: try login.publishedKeys())["sub"]
                == .string("person-no-1"))
    }
}
