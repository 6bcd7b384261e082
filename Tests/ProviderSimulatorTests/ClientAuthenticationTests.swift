// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPMessages
import LedgerPrimitives
import ProviderSimulator
import Testing

@Suite("A client at the simulated provider")
struct ClientAuthenticationTests {
    /// Exchanges a new code with another Authorization header, and more in the body.
    private func response(
        _ header: HTTPField?, _ changes: [String: String] = [:], clientID: String = "urn:rp:basic"
    ) throws -> HTTPResponse {
        var login = try Login(clientID: clientID)
        let code = try #require(try login.callback()["code"])
        var request = login.tokenRequest(code, changes)
        request.fields.removeAll { $0.name == "Authorization" }
        if let header { request.fields.append(header) }
        return login.answer(request).response
    }

    @Test("has to know its secret")
    func wrongSecret() throws {
        for header in [Form.basic("urn:rp:basic", "wrong"), Form.basic("other", Login.secret)] {
            let response = try response(header)
            #expect(response.status == 401)
            #expect(response.error == "invalid_client")
            #expect(response.field("WWW-Authenticate")?.hasPrefix("Basic") == true)
        }
        #expect(
            try response(nil, ["client_secret": "wrong"], clientID: "post").error
                == "invalid_client")
    }

    @Test("has to encode id and secret before it joins them")
    func unencoded() throws {
        let raw = Data("urn:rp:basic:\(Login.secret)".utf8).base64EncodedString()
        #expect(
            try response(HTTPField("Authorization", "Basic \(raw)")).error == "invalid_client")
        let plus = Form.encode(Login.secret).replacingOccurrences(of: "%20", with: "+")
        let encoded = Data("urn%3arp%3abasic:\(plus)".utf8).base64EncodedString()
        #expect(try response(HTTPField("authorization", "basic \(encoded)")).status == 200)
    }

    @Test("has to use the way it is registered with")
    func otherWay() throws {
        let inBody = ["client_id": "urn:rp:basic", "client_secret": Login.secret]
        #expect(try response(nil, inBody).error == "invalid_client")
        #expect(
            try response(
                Form.basic("post", Login.secret), ["client_id": "", "client_secret": ""],
                clientID: "post"
            ).error == "invalid_client")
        #expect(
            try response(nil, ["client_secret": "any"], clientID: "public").error
                == "invalid_client")
        #expect(try response(nil).error == "invalid_client")
    }

    @Test("must not use two ways at once, but may repeat its id in the body")
    func twoWays() throws {
        let header = Form.basic("urn:rp:basic", Login.secret)
        #expect(try response(header, ["client_id": "urn:rp:basic"]).status == 200)
        #expect(try response(header, ["client_id": "post"]).error == "invalid_request")
        #expect(try response(header, ["client_secret": "any"]).error == "invalid_request")
    }

    @Test("sends nothing that a malformed header could stand for")
    func malformedHeader() throws {
        for value in ["Basic", "Basic !", "Basic YQ==", "Bearer YTpi", "Basic JTQ6Yg=="] {
            #expect(try response(HTTPField("Authorization", value)).error == "invalid_client")
        }
    }

    @Test("leaves requests that can be looked at, without secrets in any description")
    func received() throws {
        var login = try Login()
        let code = try #require(try login.callback()["code"])
        _ = login.answer(login.tokenRequest(code))
        _ = login.answer(login.tokenRequest(code))
        let requests = login.provider.tokenRequests
        #expect(login.provider.requests(to: .token) == 2)
        #expect(requests.map(\.status) == [200, 400])
        #expect(requests.map(\.error) == [nil, "invalid_grant"])
        #expect(requests.allSatisfy { $0.code == code && $0.codeVerifier == Login.verifier })
        #expect(requests[0].authentication == .clientSecretBasic)
        #expect(requests[0].receivedAt == Login.now)
        #expect(String(describing: requests[0]) == "urn:rp:basic (client_secret_basic): 200")
        var shown = ""
        dump(requests, to: &shown)
        dump(login.provider.settings, to: &shown)
        shown += "\(requests) \(String(reflecting: requests)) \(login.provider.settings)"
        for secret in [code, Login.verifier, Login.secret] {
            #expect(!shown.contains(secret))
        }
    }
}
