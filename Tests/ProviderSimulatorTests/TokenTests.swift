// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import ProviderSimulator
import Testing

@Suite("A token request to the simulated provider")
struct TokenTests {
    @Test(
        "gives tokens that a careful relying party accepts",
        arguments: Login.clients.map(\.id))
    func accepted(clientID: String) throws {
        var login = try Login(clientID: clientID)
        let response = try login.exchange()
        #expect(response.status == 200)
        #expect(response.field("Cache-Control") == "no-store")
        let tokens = response.members
        #expect(tokens["token_type"] == .string("Bearer"))
        #expect(tokens["expires_in"] == .integer(300))
        let token = try #require(tokens["id_token"]?.stringValue)
        let verdict = try login.verdict(
            Array(token.utf8), accessToken: tokens["access_token"]?.stringValue)
        #expect(verdict.isAccepted)
        for check in [TokenCheck.nonce, .nbf, .acr, .accessTokenHash] {
            #expect(verdict[check] == .passed)
        }
    }

    @Test("gives an ID token with the claims of an eID broker")
    func claims() throws {
        var login = try Login()
        let jws = try CompactJWS(parsing: try login.idToken())
        #expect(
            jws.header.members == [
                "alg": .string("RS256"), "kid": .string("rsa"),
                "typ": .string("JWT"),
            ])
        let claims = try JSONReader.read(jws.unverifiedPayload, numbers: .anyAsText).objectValue
        #expect(
            claims == [
                "iss": .string(Login.issuer), "aud": .string("urn:rp:basic"),
                "sub": .string("person-no-1"), "iat": .integer(1_700_000_000),
                "nbf": .integer(1_700_000_000), "exp": .integer(1_700_000_300),
                "auth_time": .integer(1_700_000_000), "nonce": .string("n-1"),
                "acr": .string("urn:bankid:bis;LOA=3"), "name": .string("Kari Prøvesen"),
                "given_name": .string("Kari"), "family_name": .string("Prøvesen"),
                "socialno": .string("01819010001"),
                "at_hash": .string(
                    LeftHalfHash.encode(
                        Base64URL.encode([UInt8](repeating: 2, count: 32)), algorithm: .rs256)),
            ])
    }

    @Test(
        "is signed with whatever algorithm the key is for",
        arguments: [SignatureAlgorithm.ps256, .es256, .es384, .es512, .edDSA])
    func algorithms(algorithm: SignatureAlgorithm) throws {
        var login = try Login(key: try ProviderKey(generatingFor: algorithm))
        let tokens = try login.exchange().members
        let token = try #require(tokens["id_token"]?.stringValue)
        let verdict = try login.verdict(
            Array(token.utf8), accessToken: tokens["access_token"]?.stringValue)
        #expect(verdict.isAccepted)
        let announced = login.get(.discovery).members["id_token_signing_alg_values_supported"]
        #expect(announced == .array([.string(algorithm.rawValue)]))
    }

    @Test("is refused where the code is not for it")
    func refused() throws {
        let wrongs = [
            ["code_verifier": Login.verifier + "x"], ["code_verifier": ""], ["code": "unknown"],
            ["redirect_uri": "https://rp.example/other"],
        ]
        for wrong in wrongs {
            var login = try Login()
            let response = try login.exchange(wrong)
            #expect(response.status == 400)
            #expect(response.error == "invalid_grant")
        }
    }

    @Test("with a verifier for which there was no challenge is refused")
    func strayVerifier() throws {
        var login = try Login()
        let code = try #require(
            try login.callback(["code_challenge": "", "code_challenge_method": ""])["code"])
        #expect(login.answer(login.tokenRequest(code)).response.error == "invalid_grant")
    }

    @Test("by another client than the one that asked is refused")
    func otherClient() throws {
        var login = try Login()
        let code = try #require(try login.callback()["code"])
        login.clientID = "post"
        #expect(login.answer(login.tokenRequest(code)).response.error == "invalid_grant")
    }

    @Test("uses the code up, and a second one takes the access token back")
    func replay() throws {
        var login = try Login()
        let code = try #require(try login.callback()["code"])
        let first = login.answer(login.tokenRequest(code)).response
        let accessToken = try #require(first.members["access_token"]?.stringValue)
        let bearer = [HTTPField("Authorization", "Bearer \(accessToken)")]
        #expect(login.get(.userInfo, fields: bearer).status == 200)
        #expect(login.answer(login.tokenRequest(code)).response.error == "invalid_grant")
        #expect(login.get(.userInfo, fields: bearer).status == 401)
    }

    @Test("uses the code up even when it fails")
    func burntCode() throws {
        var login = try Login()
        let code = try #require(try login.callback()["code"])
        let wrong = login.tokenRequest(code, ["code_verifier": "wrong"])
        #expect(login.answer(wrong).response.error == "invalid_grant")
        #expect(login.answer(login.tokenRequest(code)).response.error == "invalid_grant")
    }

    @Test("comes too late when the code has expired")
    func expiredCode() throws {
        for (milliseconds, status) in [(Int64(59_999), 200), (60_000, 400)] {
            var login = try Login()
            let code = try #require(try login.callback()["code"])
            login.now = Login.now.advanced(byMilliseconds: milliseconds)
            #expect(login.answer(login.tokenRequest(code)).response.status == status)
        }
    }

    @Test("that is no form is refused")
    func forms() throws {
        var login = try Login()
        let code = try #require(try login.callback()["code"])
        var json = login.tokenRequest(code)
        json.fields[0] = HTTPField("Content-Type", "application/json")
        var malformed = login.tokenRequest(code)
        malformed.body += Array("&x=%FF".utf8)
        var repeated = login.tokenRequest(code)
        repeated.body += Array("&code=x".utf8)
        let missing = login.tokenRequest(code, ["redirect_uri": ""])
        let untyped = login.tokenRequest(code, ["grant_type": ""])
        for request in [json, malformed, repeated, missing, untyped] {
            let response = login.answer(request).response
            #expect(response.status == 400)
            #expect(response.error == "invalid_request")
        }
        let other = login.tokenRequest(code, ["grant_type": "password"])
        #expect(login.answer(other).response.error == "unsupported_grant_type")
        var parameterised = login.tokenRequest(code)
        parameterised.fields[0] = HTTPField(
            "content-type", "application/x-www-form-urlencoded; charset=UTF-8")
        #expect(login.answer(parameterised).response.status == 200)
    }

    @Test("lives by the provider's clock and its lifetime of tokens")
    func clock() throws {
        var login = try Login()
        login.provider.settings.clockOffsetSeconds = -90
        login.provider.settings.tokenLifetimeSeconds = 20
        let jws = try CompactJWS(parsing: try login.idToken())
        let claims = try JSONReader.read(jws.unverifiedPayload, numbers: .anyAsText).objectValue
        #expect(claims?["iat"] == .integer(1_699_999_910))
        #expect(claims?["exp"] == .integer(1_699_999_930))
    }
}
