// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import JOSE
import LedgerPrimitives
import ProviderSimulator
import Testing

@Suite("UserInfo at the simulated provider")
struct UserInfoTests {
    @Test("tells who logged in, as long as the access token is valid")
    func person() throws {
        var login = try Login()
        let tokens = try login.exchange().members
        let accessToken = try #require(tokens["access_token"]?.stringValue)
        let bearer = [HTTPField("Authorization", "Bearer \(accessToken)")]
        let person = login.get(.userInfo, fields: bearer)
        #expect(person.status == 200)
        #expect(person.members["sub"] == .string("person-no-1"))
        #expect(person.members["family_name"] == .string("Prøvesen"))
        login.now = Login.now.advanced(byMilliseconds: 300_000)
        #expect(login.get(.userInfo, fields: bearer).status == 401)
    }

    @Test("tells nothing for anything else")
    func refused() throws {
        var login = try Login()
        for value in [nil, "Bearer", "Bearer x", "Basic YTpi"] {
            let fields = value.map { [HTTPField("Authorization", $0)] } ?? []
            let response = login.get(.userInfo, fields: fields)
            #expect(response.status == 401)
            #expect(response.field("WWW-Authenticate")?.hasPrefix("Bearer") == true)
        }
    }

    @Test("takes the access token in a form too, and tells what the scopes are for")
    func form() throws {
        var login = try Login()
        let tokens = try login.exchange().members
        #expect(tokens["scope"] == .string("openid profile"))
        let query = ["scope": "openid profile email phone address"]
        let code = try #require(try login.callback(query)["code"])
        let members = login.answer(login.tokenRequest(code)).response.members
        let accessToken = try #require(members["access_token"]?.stringValue)
        let request = HTTPRequest(
            .post, login.provider.url(of: .userInfo),
            fields: [HTTPField("Content-Type", "application/x-www-form-urlencoded")],
            body: Array("access_token=\(accessToken)".utf8))
        let person = login.answer(request).response.members
        #expect(person["email"] == .string("kari@example.org"))
        #expect(person["phone_number_verified"] == .bool(true))
        #expect(person["birthdate"] == .string("1990-01-01"))
        #expect(person["address"]?.objectValue?["formatted"] != nil)
    }

    @Test("is signed for clients that want it so")
    func signed() throws {
        var login = try Login()
        login.provider.settings.clients[0].userInfoAlgorithm = .rs256
        let tokens = try login.exchange().members
        let accessToken = try #require(tokens["access_token"]?.stringValue)
        let response = login.get(
            .userInfo, fields: [HTTPField("Authorization", "Bearer \(accessToken)")])
        #expect(response.mediaType == "application/jwt")
        let claims = try ClientKit.claims(
            of: String(decoding: response.body, as: UTF8.self), keys: try login.publishedKeys())
        #expect(claims["iss"] == .string(Login.issuer))
        #expect(claims["aud"] == .string("urn:rp:basic"))
        #expect(claims["sub"] == .string("person-no-1"))
    }
}
