// SPDX-License-Identifier: Apache-2.0

import JOSE
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import Testing

@Suite("An ID token")
struct IDTokenVerifierTests {
    @Test("in order is accepted, and only then given out")
    func accepted() throws {
        let login = try Login()
        let verifier = IDTokenVerifier(login.expectations)
        let good = verifier.examine(try login.token(), keys: login.keys, at: Login.now)
        #expect(good.verdict.isAccepted)
        #expect(good.verdict.reason == nil)
        #expect(good.token?.subject == .value("a"))
        let bad = verifier.examine(
            try login.token(Login.payload(["nonce": #""other""#])), keys: login.keys,
            at: Login.now)
        #expect(!bad.verdict.isAccepted)
        #expect(bad.token == nil)
    }

    @Test("is judged claim by claim", arguments: Vector.load("claims.json"))
    func claims(vector: Vector) throws {
        var login = try Login()
        let changes = (vector.members["claims"]?.objectValue?.members ?? [])
            .map { ($0.name, $0.value.stringValue ?? "") }
        switch vector["check"] {
        case "acr":
            login.expectations.assuranceLevelMin = 3
            login.expectations.assuranceLevels = [
                AssuranceLevel(acr: "urn:bankid:bis", level: 3),
                AssuranceLevel(acr: "urn:example:low", level: 1),
            ]
        case "auth_time":
            login.expectations.authenticationAgeSecondsMax = 600
        case "at_hash":
            login.expectations.accessToken = HashExpectation(.value("access"), isRequired: true)
        case "c_hash":
            login.expectations.code = HashExpectation(.value("code"), isRequired: true)
        case "s_hash":
            login.expectations.state = HashExpectation(.value("state"), isRequired: true)
        default:
            break
        }
        let check = try #require(TokenCheck(rawValue: vector["check"]))
        let verdict = try login.verdict(Dictionary(uniqueKeysWithValues: changes))
        #expect(verdict[check].code == vector["want"])
        let isFailure = TokenFailureReason(rawValue: vector["want"]) != nil
        #expect(verdict.isAccepted == !isFailure)
    }

    @Test("is judged by the form of its payload", arguments: Vector.load("payloads.json"))
    func payloads(vector: Vector) throws {
        let login = try Login()
        let verdict = login.verdict(on: try login.token(Array(vector["payload"].utf8)))
        #expect(verdict[.signature] == .passed)
        #expect(verdict[.claims].code == vector["want"])
        #expect(verdict.isAccepted == (vector["want"] == "passed"))
    }

    @Test("with bad UTF-8 in its payload is refused")
    func badUTF8() throws {
        let login = try Login()
        let spellings: [[UInt8]] = [
            [0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80],
        ]
        for bytes in spellings {
            let payload = Array(Login.payload().dropLast()) + Array(#","x":""#.utf8)
            let token = try login.token(payload + bytes + Array("\"}".utf8))
            let verdict = login.verdict(on: token)
            #expect(verdict[.claims].code == "token-malformed")
        }
    }

    @Test("of a real provider is judged rightly", arguments: Vector.load("glewlwyd.json"))
    func captured(vector: Vector) throws {
        var expectations = IDTokenExpectations(
            issuer: "https://localhost:4593/api/oidc", clientID: vector["clientID"],
            algorithms: SignatureAlgorithm.allCases)
        expectations.nonceRule = try #require(NonceRule(rawValue: vector["nonceRule"]))
        expectations.nonce = vector.members["nonce"]?.stringValue
        expectations.accessToken = HashExpectation(.value(vector["accessToken"]))
        expectations.code = HashExpectation(
            vector.members["code"]?.stringValue.map(HashExpectation.Original.value))
        expectations.state = HashExpectation(
            vector.members["state"]?.stringValue.map(HashExpectation.Original.value))
        let seconds = try #require(vector.members["at"]?.integerValue)
        let verdict = IDTokenVerifier(expectations).verify(
            Array(vector["token"].utf8),
            keys: try JSONWebKeySet(parsing: Array(vector["keySet"].utf8)),
            at: Instant(millisecondsSince1970: seconds * 1000))
        #expect(verdict.reason?.rawValue ?? "accepted" == vector["want"])
        if verdict.isAccepted {
            #expect(verdict[.accessTokenHash] == .passed)
            #expect(verdict[.azp] == .passed)
        }
    }

    @Test("larger than the policy allows is not looked at")
    func size() throws {
        var login = try Login()
        let large = [UInt8](repeating: UInt8(ascii: "A"), count: 10 << 20)
        let verdict = login.verdict(on: large)
        #expect(verdict[.size].code == "response-too-large")
        #expect(verdict.checks.filter { $0.outcome == .notChecked }.count == 21)
        let token = try login.token()
        login.expectations.tokenBytesMax = token.count
        #expect(login.verdict(on: token).isAccepted)
        login.expectations.tokenBytesMax = token.count - 1
        #expect(login.verdict(on: token)[.size].code == "response-too-large")
    }

    @Test("is not verified when any bit of it is flipped")
    func mutations() throws {
        let login = try Login()
        let token = try login.token(header: ["kid": .string("k1"), "typ": .string("JWT")])
        #expect(login.verdict(on: token).isAccepted)
        for bit in 0..<(token.count * 8) {
            var changed = token
            changed[bit / 8] ^= 1 << (bit % 8)
            let verdict = login.verdict(on: changed)
            #expect(!verdict.isAccepted, "bit \(bit)")
            #expect(verdict[.iss] == .notChecked, "bit \(bit)")
        }
    }

    @Test("is refused when its header says that it is something else")
    func headerType() throws {
        let login = try Login()
        for type in ["JWT", "jwt", "application/jwt", "APPLICATION/JWT"] {
            let token = try login.token(header: ["typ": .string(type)])
            #expect(login.verdict(on: token)[.typ] == .passed)
        }
        for type in ["at+jwt", "logout+jwt", "secevent+jwt", "", "JWT ", "text/jwt", "JOSE"] {
            let verdict = login.verdict(on: try login.token(header: ["typ": .string(type)]))
            #expect(verdict[.typ].code == "header-refused")
            #expect(!verdict.isAccepted)
        }
    }
}
