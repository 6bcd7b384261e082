// SPDX-License-Identifier: Apache-2.0

import JOSE
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import Testing

@Suite("A verdict")
struct VerdictTests {
    @Test("has every check once, in the fixed order")
    func order() throws {
        let names = [
            "signature", "alg", "key", "typ", "crit", "iss", "sub", "aud", "azp", "exp", "nbf",
            "iat", "nonce", "acr", "at_hash", "c_hash", "s_hash", "auth_time", "size", "token",
            "header", "claims",
        ]
        let login = try Login()
        for token in [[], try login.token()] {
            #expect(login.verdict(on: token).checks.map(\.check.rawValue) == names)
        }
    }

    @Test("of the same input is the same for ever")
    func pure() throws {
        let login = try Login()
        let token = try login.token(Login.payload(["exp": "1699999000", "aud": #""other""#]))
        let verdict = login.verdict(on: token)
        #expect(login.verdict(on: token) == verdict)
        #expect(verdict.reason == .audienceMismatch)
        #expect(verdict[.exp].code == "token-expired")
    }

    @Test("stops where nothing can be trusted any more")
    func stops() throws {
        let login = try Login()
        let header: JSONObject = ["kid": .string("k2")]
        let verdict = login.verdict(on: try login.token(header: header))
        let passed: [TokenCheck] = [.alg, .crit, .size, .token, .header]
        for result in verdict.checks {
            if result.check == .key {
                #expect(result.outcome.code == "kid-unknown")
            } else {
                let want = passed.contains(result.check) ? "passed" : "not-checked"
                #expect(result.outcome.code == want)
            }
        }
    }

    @Test("names the check and the reason of every refused header")
    func headers() throws {
        let login = try Login()
        let headers: [(String, TokenCheck, String)] = [
            (#"{"alg":"none"}"#, .alg, "alg-not-allowed"),
            (#"{"alg":"HS256"}"#, .alg, "alg-not-allowed"),
            (#"{"alg":"RS256"}"#, .alg, "alg-not-allowed"),
            (#"{"alg":"ES256","crit":["exp"]}"#, .crit, "crit-unsupported"),
            (#"{"alg":"ES256","b64":false}"#, .header, "header-refused"),
            (#"{"alg":"ES256","jwk":{}}"#, .header, "header-refused"),
            (#"{"alg":"ES256","jku":"https://x.example"}"#, .header, "header-refused"),
            (#"{"alg":"ES256","x5u":"https://x.example"}"#, .header, "header-refused"),
            (#"{"alg":"ES256","zip":"DEF"}"#, .header, "header-refused"),
            (#"{"alg":"ES256","kid":["k1"]}"#, .header, "header-refused"),
            (#"{"alg":"ES256","kid":"k1\u0000"}"#, .key, "kid-unknown"),
            (#"{"alg":"ES256","alg":"none"}"#, .token, "token-malformed"),
            (#"{"typ":"JWT"}"#, .token, "token-malformed"),
        ]
        for (header, check, want) in headers {
            let token = try CompactJWS.sign(
                Login.payload(), headerBytes: Array(header.utf8), scheme: .ecdsa(.sha256),
                key: login.key)
            let verdict = login.verdict(on: token)
            #expect(verdict[check].code == want, "\(header)")
            #expect(verdict.reason?.rawValue == want, "\(header)")
            #expect(verdict[.iss] == .notChecked)
        }
    }

    @Test("tells weak keys from unsuitable ones")
    func keys() throws {
        var login = try Login()
        login.expectations.algorithms = [.rs256]
        let weak = try PrivateKey(generating: .rsa(bits: 1024))
        var members = JSONWebKey.members(of: weak.publicKey, keyID: "k1", algorithm: .rs256)
        let token = try CompactJWS.sign(
            Login.payload(), header: ["kid": .string("k1")], algorithm: .rs256, key: weak)
        let verdict = { (members: JSONObject) in
            IDTokenVerifier(login.expectations).verify(
                token, keys: JSONWebKeySet([JSONWebKey(.object(members))]), at: Login.now)
        }
        #expect(verdict(members)[.key].code == "key-weak")
        members["use"] = .string("enc")
        #expect(verdict(members)[.key].code == "key-unsuitable")
    }

    @Test("tells an encrypted token and one of two parts from others")
    func parts() throws {
        let login = try Login()
        for text in ["a.b.c.d.e", "a.b", "", "....", "{}"] {
            let verdict = login.verdict(on: Array(text.utf8))
            #expect(verdict[.token].code == "token-malformed")
            #expect(verdict[.size] == .passed)
        }
    }

    @Test("shows nothing of the token in its details")
    func details() throws {
        var login = try Login()
        login.expectations.assuranceLevelMin = 3
        login.expectations.code = HashExpectation(.value("code"))
        let secret = "11223344556"
        let verdict = try login.verdict([
            "iss": "\"\(secret)\"", "aud": "\"\(secret)\"", "azp": "\"\(secret)\"",
            "nonce": "\"\(secret)\"", "acr": "\"\(secret)\"", "c_hash": "\"\(secret)\"",
            "sub": "\(secret)",
        ])
        var failures = 0
        for result in verdict.checks {
            guard case .failed(_, let detail) = result.outcome else { continue }
            failures += 1
            #expect(!detail.contains(secret))
            #expect(!detail.isEmpty)
        }
        #expect(failures == 7)
    }
}
