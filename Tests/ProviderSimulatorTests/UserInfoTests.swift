// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
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
}
