// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import LedgerPrimitives
import OpenIDConnect
import ProviderSimulator
import Testing

@Suite("A pushed authorization request")
struct PushedRequestTests {
    /// Pushes the parameters of a good request.
    private func push(
        _ login: inout Login, _ changes: [String: String] = [:]
    ) -> HTTPResponse {
        login.answer(
            login.authenticated(.pushedAuthorization, login.authorizationParameters(), changes)
        ).response
    }

    private func visit(_ login: inout Login, _ parameters: [String: String]) -> HTTPResponse {
        let url = login.provider.url(of: .authorization) + "?" + Form.encode(parameters)
        return login.answer(HTTPRequest(.get, url)).response
    }

    @Test("is taken from a client that proves who it is", arguments: Login.clients.map(\.id))
    func accepted(clientID: String) throws {
        var login = try Login(clientID: clientID)
        let response = push(&login)
        #expect(response.status == 201)
        #expect(response.field("Cache-Control") == "no-store")
        #expect(response.members["expires_in"] == .integer(60))
        let uri = try #require(response.members["request_uri"]?.stringValue)
        #expect(uri.hasPrefix("urn:ietf:params:oauth:request_uri:"))
        let back = visit(&login, ["client_id": clientID, "request_uri": uri])
        let parameters = Form.decode(query: try #require(back.field("Location")))
        #expect(parameters["state"] == "st+&é")
        let code = try #require(parameters["code"])
        let tokens = login.answer(login.tokenRequest(code)).response
        let token = try #require(tokens.members["id_token"]?.stringValue)
        #expect(
            try login.verdict(
                Array(token.utf8), accessToken: tokens.members["access_token"]?.stringValue
            ).isAccepted)
        #expect(login.provider.requests(to: .pushedAuthorization) == 1)
    }

    @Test("counts once, for a while, for its client, and alone")
    func limits() throws {
        var login = try Login()
        let uri = try #require(push(&login).members["request_uri"]?.stringValue)
        let good = ["client_id": "urn:rp:basic", "request_uri": uri]
        #expect(visit(&login, good).status == 303)
        #expect(visit(&login, good).status == 400)

        let second = try #require(push(&login).members["request_uri"]?.stringValue)
        #expect(visit(&login, ["client_id": "post", "request_uri": second]).status == 400)

        let third = try #require(push(&login).members["request_uri"]?.stringValue)
        login.now = Login.now.advanced(byMilliseconds: 60_000)
        #expect(visit(&login, ["client_id": "urn:rp:basic", "request_uri": third]).status == 400)
        login.now = Login.now

        let fourth = try #require(push(&login).members["request_uri"]?.stringValue)
        let beside = visit(
            &login,
            [
                "client_id": "urn:rp:basic", "request_uri": fourth, "state": "other",
                "redirect_uri": Login.redirectURI,
            ])
        let parameters = Form.decode(query: try #require(beside.field("Location")))
        #expect(parameters["error"] == "invalid_request")
        #expect(parameters["code"] == nil)
    }

    @Test(
        "that is not in order is refused at once",
        arguments: [
            (["client_secret": "wrong"], "invalid_request"),
            (["redirect_uri": "https://rp.example/other"], "invalid_request"),
            (["client_id": "post"], "invalid_request"),
            (["request_uri": "urn:x"], "invalid_request"),
            (["response_type": ""], "invalid_request"),
            (["scope": "profile"], "invalid_scope"),
            (["code_challenge_method": "plain"], "invalid_request"),
            (["request": "e30.e30."], "request_not_supported"),
        ])
    func refused(changes: [String: String], error: String) throws {
        var login = try Login()
        let response = push(&login, changes)
        #expect(response.status == 400)
        #expect(response.error == error)
        #expect(response.members["request_uri"] == nil)
    }

    @Test("needs the right secret")
    func authentication() throws {
        var login = try Login(clientID: "post")
        let response = push(&login, ["client_secret": "wrong"])
        #expect(response.status == 401)
        #expect(response.error == "invalid_client")
    }

    @Test("may be demanded")
    func demanded() throws {
        var login = try Login()
        login.provider.settings.requiresPushedRequests = true
        #expect(try login.callback()["error"] == "invalid_request")
        #expect(
            login.get(.discovery).members["require_pushed_authorization_requests"] == .bool(true))
        #expect(push(&login).status == 201)
    }
}
