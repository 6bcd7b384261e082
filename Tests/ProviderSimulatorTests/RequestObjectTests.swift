// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import JOSE
import LedgerPrimitives
import ProviderSimulator
import Testing

@Suite("A signed authorization request")
struct RequestObjectTests {
    private static let type = "oauth-authz-req+jwt"

    private func login() throws -> Login {
        var client = RegisteredClient(
            id: "signer", secret: Login.secret, redirectURIs: [Login.redirectURI])
        client.keys = try ClientKit.keySet
        client.requiresRequestObject = true
        return try Login(at: .generic, client)
    }

    /// The claims of a good request object.
    private func claims(_ login: Login) -> JSONObject {
        var claims = ClientKit.claims(login.clientID, audience: Login.issuer, at: login.now)
        for (name, value) in login.authorizationParameters() { claims[name] = .string(value) }
        return claims
    }

    private func visit(_ login: inout Login, request: String) throws -> [String: String] {
        let parameters = [
            "client_id": "signer", "request": request, "redirect_uri": Login.redirectURI,
            "state": "outer",
        ]
        let url = login.provider.url(of: .authorization) + "?" + Form.encode(parameters)
        let location = login.answer(HTTPRequest(.get, url)).response.field("Location")
        return Form.decode(query: try #require(location))
    }

    @Test("counts instead of what stands beside it")
    func accepted() throws {
        var login = try login()
        let request = try ClientKit.sign(claims(login), type: Self.type)
        let callback = try visit(&login, request: request)
        #expect(callback["code"] != nil)
        #expect(callback["state"] == "st+&é")
        // It counts once.
        #expect(try visit(&login, request: request)["error"] == "invalid_request_object")
    }

    @Test("may be pushed")
    func pushed() throws {
        var login = try login()
        let request = try ClientKit.sign(claims(login), type: Self.type)
        let response = login.answer(
            login.authenticated(.pushedAuthorization, ["request": request])
        ).response
        #expect(response.status == 201)
        let uri = try #require(response.members["request_uri"]?.stringValue)
        let query = Form.encode(["client_id": "signer", "request_uri": uri])
        let back = login.answer(
            HTTPRequest(.get, login.provider.url(of: .authorization) + "?" + query)
        ).response
        #expect(Form.decode(query: try #require(back.field("Location")))["state"] == "st+&é")
    }

    @Test("is demanded of clients that are registered so")
    func demanded() throws {
        var login = try login()
        #expect(try login.callback()["error"] == "invalid_request")
    }

    @Test(
        "that is not the client's, not for this provider or not of today is refused",
        arguments: [
            "iss", "aud", "client_id", "exp", "expired", "too-long", "nbf", "typ", "kid",
            "unsigned", "nested",
        ])
    func refused(fault: String) throws {
        var login = try login()
        var claims = claims(login)
        let now = login.now.millisecondsSince1970 / 1000
        switch fault {
        case "iss", "aud", "client_id": claims[fault] = .string("https://other.example")
        case "exp": claims["exp"] = nil
        case "expired": claims["exp"] = .integer(now)
        case "too-long": claims["exp"] = .integer(now + 3661)
        case "nbf": claims["nbf"] = .integer(now + 61)
        case "nested": claims["request"] = .string("e30.e30.")
        default: break
        }
        var request = try ClientKit.sign(
            claims, type: fault == "typ" ? "JWT" : Self.type,
            keyID: fault == "kid" ? "client-2" : "client-1")
        if fault == "unsigned" {
            let header = Base64URL.encode(
                Array(#"{"alg":"none","typ":"oauth-authz-req+jwt"}"#.utf8))
            request = "\(header).\(Base64URL.encode(CanonicalJSON.encode(claims)))."
        }
        let callback = try visit(&login, request: request)
        #expect(callback["error"] == "invalid_request_object")
        #expect(callback["code"] == nil)
    }
}
