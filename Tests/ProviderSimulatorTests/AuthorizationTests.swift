// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import LedgerPrimitives
import ProviderSimulator
import Testing

@Suite("An authorization request to the simulated provider")
struct AuthorizationTests {
    @Test("comes back with a code, the state and the issuer")
    func approved() throws {
        var login = try Login()
        let response = login.authorize()
        #expect(response.status == 303)
        #expect(response.field("Cache-Control") == "no-store")
        let location = try #require(response.field("Location"))
        #expect(location.hasPrefix(Login.redirectURI + "&code="))
        let parameters = Form.decode(query: location)
        #expect(Set(parameters.keys) == ["from", "code", "state", "iss"])
        #expect(parameters["state"] == "st+&é")
        #expect(parameters["iss"] == Login.issuer)
        #expect(parameters["code"]?.utf8.count == 43)
    }

    @Test("may be posted")
    func posted() throws {
        var login = try Login()
        let body = Form.encode(login.authorizationParameters())
        let response = login.answer(
            HTTPRequest(.post, login.provider.url(of: .authorization), body: Array(body.utf8))
        ).response
        #expect(response.status == 303)
        #expect(login.provider.requests(to: .authorization) == 1)
    }

    @Test("sends nobody to an address that is not registered")
    func unregistered() throws {
        var login = try Login()
        let wrongs = [
            ["client_id": "other"], ["client_id": ""], ["redirect_uri": ""],
            ["redirect_uri": "https://rp.example/callback"],
            ["redirect_uri": "http://127.0.0.1:80/done"],
        ]
        for wrong in wrongs {
            let response = login.authorize(wrong)
            #expect(response.status == 400)
            #expect(response.field("Location") == nil)
        }
        let malformed = HTTPRequest(.get, login.provider.url(of: .authorization) + "?client_id=%4")
        #expect(login.answer(malformed).response.status == 400)
    }

    @Test("may name any port of a loopback address that is registered without one")
    func loopback() throws {
        var login = try Login(clientID: "public")
        for uri in ["http://127.0.0.1/done", "http://127.0.0.1:4711/done"] {
            #expect(login.authorize(["redirect_uri": uri]).status == 303)
        }
        let strangers = [
            "http://127.0.0.1:4711/other", "http://127.0.0.1:/done", "http://127.0.0.1:4@x/done",
            "http://localhost:4711/done", "http://127.0.0.1.x:1/done",
        ]
        for uri in strangers {
            #expect(login.authorize(["redirect_uri": uri]).status == 400)
        }
    }

    @Test(
        "that is not in order comes back with an error",
        arguments: [
            (["response_type": ""], "invalid_request"),
            (["response_type": "none"], "unsupported_response_type"),
            (["response_type": "code code"], "unsupported_response_type"),
            (["response_mode": "web_message"], "invalid_request"),
            (["scope": "profile openidx"], "invalid_scope"),
            (["code_challenge_method": "plain"], "invalid_request"),
            (["code_challenge_method": ""], "invalid_request"),
            (["code_challenge": ""], "invalid_request"),
            (["code_challenge": "short"], "invalid_request"),
            (["request": "e30.e30."], "request_not_supported"),
            (["request_uri": "urn:x"], "request_uri_not_supported"),
        ])
    func refused(changes: [String: String], error: String) throws {
        var login = try Login()
        let parameters = try login.callback(changes)
        #expect(parameters["error"] == error)
        #expect(parameters["state"] == "st+&é")
        #expect(parameters["iss"] == Login.issuer)
        #expect(parameters["code"] == nil)
    }

    @Test("with a parameter twice is refused")
    func repetition() throws {
        var login = try Login()
        let query = Form.encode(login.authorizationParameters())
        let url = login.provider.url(of: .authorization) + "?" + query
        let state = login.answer(HTTPRequest(.get, url + "&state=x")).response
        let parameters = Form.decode(query: try #require(state.field("Location")))
        #expect(parameters["error"] == "invalid_request")
        #expect(parameters["state"] == nil)
        #expect(login.answer(HTTPRequest(.get, url + "&client_id=x")).response.status == 400)
    }

    @Test("of a public client needs a challenge, that of another does not")
    func challenge() throws {
        let without = ["code_challenge": "", "code_challenge_method": ""]
        var publicLogin = try Login(clientID: "public")
        #expect(try publicLogin.callback(without)["error"] == "invalid_request")
        var login = try Login()
        let code = try #require(try login.callback(without)["code"])
        let response = login.answer(login.tokenRequest(code, ["code_verifier": ""])).response
        #expect(response.status == 200)
    }

    @Test("logs in whom the login, or else the hint, or else the list says")
    func persons() throws {
        var login = try Login()
        login.provider.prepare(SimulatedLogin(subject: "person-se-1"))
        let wanted = [
            (["login_hint": "person-no-1"], "person-se-1"),
            (["login_hint": "person-se-1"], "person-se-1"),
            (["login_hint": "BIS"], "person-no-1"), ([:], "person-no-1"),
        ]
        for (changes, subject) in wanted {
            let code = try #require(try login.callback(changes)["code"])
            let tokens = login.answer(login.tokenRequest(code)).response.members
            let accessToken = try #require(tokens["access_token"]?.stringValue)
            let person = login.get(
                .userInfo, fields: [HTTPField("Authorization", "Bearer \(accessToken)")]
            ).members
            #expect(person["sub"] == .string(subject))
        }
    }
}
