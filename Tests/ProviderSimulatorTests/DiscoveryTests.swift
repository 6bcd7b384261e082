// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import ProviderSimulator
import Testing

@Suite("Discovery at the simulated provider")
struct DiscoveryTests {
    @Test("names the issuer and where everything is")
    func document() throws {
        var login = try Login()
        let response = login.get(.discovery)
        #expect(response.status == 200)
        #expect(response.mediaType == "application/json")
        let members = response.members
        #expect(members["issuer"] == .string(Login.issuer))
        #expect(members["token_endpoint"] == .string(Login.issuer + "/token"))
        #expect(members["jwks_uri"] == .string(Login.issuer + "/jwks"))
        #expect(members["authorization_endpoint"] == .string(Login.issuer + "/authorize"))
        #expect(members["id_token_signing_alg_values_supported"] == .array([.string("RS256")]))
        #expect(members["authorization_response_iss_parameter_supported"] == .bool(true))
        #expect(members["code_challenge_methods_supported"] == .array([.string("S256")]))
    }

    @Test("publishes keys without their private halves")
    func keySet() throws {
        var login = try Login()
        let response = login.get(.keySet)
        let keys = try JSONWebKeySet(parsing: response.body)
        #expect(keys.keys.map(\.keyID) == ["rsa"])
        #expect(keys.keys.allSatisfy { $0.publicKey != nil })
        let key = response.members["keys"]?.arrayValue?.first?.objectValue
        #expect(key?["d"] == nil)
        #expect(key?["use"] == .string("sig"))
    }

    @Test("stands below the issuer's path only")
    func paths() throws {
        var login = try Login()
        let elsewhere = ["/.well-known/openid-configuration", "/realms/test/", "/realms/test/JWKS"]
        for path in elsewhere {
            let request = HTTPRequest(.get, "https://op.example" + path)
            #expect(login.answer(request).response.status == 404)
        }
        let withQuery = HTTPRequest(.get, login.provider.url(of: .discovery) + "?client_id=a://b")
        #expect(login.answer(withQuery).response.status == 200)
        #expect(login.provider.requests(to: .discovery) == 1)
        #expect(login.provider.requests(to: .keySet) == 0)
    }

    @Test("answers only the methods that an endpoint has")
    func methods() throws {
        var login = try Login()
        let post = login.answer(HTTPRequest(.post, login.provider.url(of: .discovery))).response
        #expect(post.status == 405)
        #expect(post.field("Allow") == "GET")
        #expect(login.get(.token).status == 405)
        #expect(login.provider.requests(to: .token) == 1)
    }

    @Test("follows a rotation of keys", arguments: [true, false])
    func rotation(keepingOld: Bool) throws {
        var login = try Login()
        let old = try login.idToken()
        login.provider.rotateKeys(
            to: try ProviderKey(generatingFor: .es256), keepingOld: keepingOld)
        let new = try login.idToken()
        #expect(try login.verdict(new).isAccepted)
        #expect(try login.verdict(old).failures == (keepingOld ? [] : [.key]))
        let keyIDs = try login.publishedKeys().keys.compactMap(\.keyID)
        #expect(keyIDs.count == (keepingOld ? 2 : 1))
        #expect(keyIDs.last?.utf8.count == 43, "the thumbprint names a key that was given no name")
    }
}
