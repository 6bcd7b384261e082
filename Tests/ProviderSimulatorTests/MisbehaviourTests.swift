// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import ProviderSimulator
import Testing

@Suite("A misbehaviour of the simulated provider")
struct MisbehaviourTests {
    /// What a careful relying party finds in a whole login, everything and not only the first.
    private func findings(_ login: inout Login) throws -> [Misbehaviour.Detection] {
        var findings: [Misbehaviour.Detection] = []
        if login.get(.discovery).members["issuer"] != .string(Login.issuer) {
            findings.append(.discovery)
        }
        let callback = try login.callback()
        if callback["state"] != "st+&é" || callback["iss"] != Login.issuer
            || callback["error"] != nil
        {
            findings.append(.callback)
        }
        guard let code = callback["code"] else { return findings }
        let answer = login.answer(login.tokenRequest(code))
        let tokens = answer.response.members
        guard answer.response.status == 200, let token = tokens["id_token"]?.stringValue else {
            return findings + [.tokenResponse]
        }
        if answer.delayMilliseconds > 0 { findings.append(.tokenResponse) }
        let verdict = try login.verdict(
            Array(token.utf8), accessToken: tokens["access_token"]?.stringValue)
        #expect(verdict.isAccepted == verdict.failures.isEmpty)
        return findings + verdict.failures.map(Misbehaviour.Detection.idToken)
    }

    @Test("is noticed in its own place and nowhere else", arguments: Misbehaviour.allCases)
    func detection(misbehaviour: Misbehaviour) throws {
        var login = try Login(misbehaviour: misbehaviour)
        let wanted = misbehaviour == .none ? [] : [misbehaviour.detection]
        #expect(try findings(&login) == wanted)
        #expect(Misbehaviour(name: misbehaviour.rawValue) == misbehaviour)
        #expect(!misbehaviour.summary.isEmpty)
    }

    @Test("changes nothing in the ID token but what it names", arguments: Misbehaviour.allCases)
    func oneThing(misbehaviour: Misbehaviour) throws {
        guard case .idToken = misbehaviour.detection, misbehaviour != .duplicateClaims else {
            return
        }
        var login = try Login(misbehaviour: misbehaviour)
        var soundLogin = try Login()
        let token = try CompactJWS(parsing: try login.idToken())
        let sound = try CompactJWS(parsing: try soundLogin.idToken())
        let wanted: [Misbehaviour: [String]] = [
            .algNone: ["alg"], .algHS256: ["alg"], .unknownKeyID: ["kid"], .headerJWK: ["jwk"],
            .wrongIssuer: ["iss"], .missingSubject: ["sub"], .wrongAudience: ["aud"],
            .expired: ["auth_time", "exp", "iat", "nbf"], .issuedInFuture: ["exp", "iat"],
            .wrongNonce: ["nonce"],
        ]
        let changes =
            differences(token.header.members, sound.header.members)
            + differences(
                try #require(
                    try JSONReader.read(token.unverifiedPayload, numbers: .anyAsText).objectValue),
                try #require(
                    try JSONReader.read(sound.unverifiedPayload, numbers: .anyAsText).objectValue))
        #expect(changes == wanted[misbehaviour] ?? [])
    }

    private func differences(_ left: JSONObject, _ right: JSONObject) -> [String] {
        Set((left.members + right.members).map(\.name)).filter { left[$0] != right[$0] }.sorted()
    }

    @Test("is chosen by the login, or else the client, or else the settings")
    func choice() throws {
        var login = try Login(misbehaviour: .stateMismatch)
        login.provider.settings.clients[0].misbehaviour = .wrongCallbackIssuer
        login.provider.prepare(SimulatedLogin(misbehaviour: .accessDenied))
        login.provider.prepare(SimulatedLogin(misbehaviour: Misbehaviour.none))
        let denied = try login.callback()
        #expect(denied["error"] == "access_denied")
        #expect(denied["state"] == "st+&é")
        #expect(denied["iss"] == Login.issuer)
        let sound = try login.callback()
        #expect(sound["state"] == "st+&é")
        #expect(sound["iss"] == Login.issuer)
        #expect(try login.callback()["iss"] == Login.issuer + "1")
        login.provider.settings.clients[0].misbehaviour = nil
        #expect(try login.callback()["state"] == "st+&é1")
    }

    @Test("stays with the login that it was chosen for")
    func bound() throws {
        var login = try Login(misbehaviour: .wrongNonce)
        let code = try #require(try login.callback()["code"])
        login.provider.settings.misbehaviour = .none
        let tokens = login.answer(login.tokenRequest(code)).response.members
        let token = Array(try #require(tokens["id_token"]?.stringValue).utf8)
        #expect(try login.verdict(token).failures == [.nonce])
    }

    @Test("with HS256 signs with the client secret")
    func clientSecretSignature() throws {
        var login = try Login(misbehaviour: .algHS256)
        let parts = try login.idToken().split(separator: UInt8(ascii: "."))
        let text = Array(parts[0]) + [UInt8(ascii: ".")] + Array(parts[1])
        let code = hmacSHA256(key: SecretBytes(Array(Login.secret.utf8)), text)
        #expect(Base64URL.decode(parts[2]) == code)
    }

    @Test("with two subjects leaves both in the text")
    func duplicates() throws {
        var login = try Login(misbehaviour: .duplicateClaims)
        let payload = try CompactJWS(parsing: try login.idToken()).unverifiedPayload
        let text = String(decoding: payload, as: UTF8.self)
        #expect(text.contains(#""sub":"person-no-1""#))
        #expect(text.hasSuffix(#","sub":"person-no-11"}"#))
    }

    @Test("of the token endpoint uses the code up and is seen in the received requests")
    func tokenEndpoint() throws {
        let wanted: [(Misbehaviour, Int, String?)] = [
            (.tokenError, 400, "invalid_grant"), (.tokenServerError, 503, nil),
            (.slowToken, 200, nil), (.missingIDToken, 200, nil),
        ]
        for (misbehaviour, status, error) in wanted {
            var login = try Login(misbehaviour: misbehaviour)
            let code = try #require(try login.callback()["code"])
            let answer = login.answer(login.tokenRequest(code))
            #expect(answer.response.status == status)
            #expect(answer.response.error == error)
            #expect(answer.delayMilliseconds == (misbehaviour == .slowToken ? 20_000 : 0))
            #expect(login.provider.tokenRequests.map(\.status) == [status])
            #expect(login.provider.tokenRequests.map(\.error) == [error])
            #expect(login.answer(login.tokenRequest(code)).response.error == "invalid_grant")
        }
    }
}
