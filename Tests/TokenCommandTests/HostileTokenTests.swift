// SPDX-License-Identifier: Apache-2.0

import Foundation
import JOSE
import LedgerPrimitives
import OpenSSL
import Testing

/// A token that must be refused, and what must be said about it.
struct HostileToken: Sendable, CustomStringConvertible {
    let description: String
    /// The name of the check that fails first.
    let check: String
    let reason: String
    let make: @Sendable (Login) throws -> [UInt8]

    init(
        _ description: String, _ check: String, _ reason: String,
        make: @escaping @Sendable (Login) throws -> [UInt8]
    ) {
        self.description = description
        self.check = check
        self.reason = reason
        self.make = make
    }

    /// A good signature over good claims, under this header.
    static func header(
        _ header: String, _ check: String, _ reason: String
    ) -> HostileToken {
        HostileToken("the header \(header.prefix(80))", check, reason) {
            try $0.token(header: header)
        }
    }

    /// A good signature over the claims of a good login but for this one.
    static func claim(_ name: String, _ text: String, _ reason: String) -> HostileToken {
        HostileToken("\(name) \(text.prefix(60))", name, reason) {
            try $0.token(Login.payload([name: text]))
        }
    }

    /// A good signature over a payload that is no strict JSON.
    static func payload(
        _ description: String, _ make: @escaping @Sendable (String) -> [UInt8]
    ) -> HostileToken {
        HostileToken("a payload with \(description)", "claims", "token-malformed") {
            try $0.token(make(String(decoding: Login.payload(), as: UTF8.self)))
        }
    }

    /// A good token with one of its parts spelt otherwise.
    static func spelling(
        _ description: String, _ change: @escaping @Sendable ([String]) -> String
    ) -> HostileToken {
        HostileToken(description, "token", "token-malformed") {
            let token = String(decoding: try $0.token(), as: UTF8.self)
            return Array(change(token.split(separator: ".").map(String.init)).utf8)
        }
    }
}

@Suite("A hostile token")
struct HostileTokenTests {
    @Test("is refused by its header", arguments: HostileToken.headers)
    func headers(hostile: HostileToken) throws { try refuses(hostile) }

    @Test("is refused by how it is spelt", arguments: HostileToken.spellings)
    func spellings(hostile: HostileToken) throws { try refuses(hostile) }

    @Test("is refused by its signature", arguments: HostileToken.signatures)
    func signatures(hostile: HostileToken) throws { try refuses(hostile) }

    @Test("is refused by its payload", arguments: HostileToken.payloads)
    func payloads(hostile: HostileToken) throws { try refuses(hostile) }

    @Test("is refused by a claim", arguments: HostileToken.claims)
    func claims(hostile: HostileToken) throws { try refuses(hostile) }

    @Test("differs from a good one, which is valid")
    func goodToken() throws {
        let login = try Login()
        let run = try login.verify(try login.token())
        #expect(run.status == 0)
        #expect(run.isValid == true)
        #expect(run.checks("failed") == [])
        #expect(run.checks("not-checked") == [])
        #expect(run.object["claims"]?.objectValue?["sub"] == .string("sub-secret"))
        #expect(
            run.object["instants"]?.objectValue?["exp"] == .string("2023-11-14T22:18:20.000Z"))
    }

    private func refuses(_ hostile: HostileToken) throws {
        let login = try Login()
        let token = try hostile.make(login)
        let run = try login.verify(token)
        #expect(run.status == 1)
        #expect(run.isValid == false)
        #expect(run.checks("failed") == [hostile.check])
        #expect(run.object["reason"] == .string(hostile.reason))
        #expect(run.object["claims"] == nil)
        #expect(run.errors == "")
        let text = try login.verify(token, json: false)
        #expect(text.status == 1)
        #expect(text.output.hasPrefix("NOT VALID: \(hostile.reason)\n"))
        #expect(text.output.contains("✗ \(hostile.check) "))
        #expect(text.errors == "")
        for secret in Login.secrets {
            #expect(!run.output.contains(secret))
            #expect(!text.output.contains(secret))
        }
    }
}

// MARK: - The table

extension HostileToken {
    static let headers: [HostileToken] = [
        .header(#"{"alg":"none","kid":"k1"}"#, "alg", "alg-not-allowed"),
        .header(#"{"alg":"nOnE","kid":"k1"}"#, "alg", "alg-not-allowed"),
        .header(#"{"alg":"HS256","kid":"k1"}"#, "alg", "alg-not-allowed"),
        .header(#"{"alg":"ES256 ","kid":"k1"}"#, "alg", "alg-not-allowed"),
        .header(#"{"alg":"RS256","kid":"k1"}"#, "key", "key-unsuitable"),
        .header(#"{"alg":"ES256","kid":"k2"}"#, "key", "kid-unknown"),
        .header(#"{"alg":"ES256","kid":"../k1"}"#, "key", "kid-unknown"),
        .header(#"{"alg":"ES256","kid":["k1"]}"#, "header", "header-refused"),
        .header(#"{"alg":"ES256","kid":"k1","jwk":{"kty":"EC"}}"#, "header", "header-refused"),
        .header(#"{"alg":"ES256","kid":"k1","\u006awk":{}}"#, "header", "header-refused"),
        .header(
            #"{"alg":"ES256","kid":"k1","jku":"https://a.example"}"#, "header", "header-refused"),
        .header(
            #"{"alg":"ES256","kid":"k1","x5u":"https://a.example"}"#, "header", "header-refused"),
        .header(#"{"alg":"ES256","kid":"k1","b64":false}"#, "header", "header-refused"),
        .header(#"{"alg":"ES256","kid":"k1","zip":"DEF"}"#, "header", "header-refused"),
        .header(#"{"alg":"ES256","kid":"k1","crit":["exp"],"exp":1}"#, "crit", "crit-unsupported"),
        .header(#"{"alg":"ES256","kid":"k1","crit":[]}"#, "crit", "crit-unsupported"),
        .header(#"{"alg":"ES256","kid":"k1","typ":"at+jwt"}"#, "typ", "header-refused"),
        .header(#"{"alg":"ES256","kid":"k1","alg":"none"}"#, "token", "token-malformed"),
        .header(#"{"alg":"ES256","kid":"k1","\u0061lg":"none"}"#, "token", "token-malformed"),
        .header(#"{"alg":"ES256","kid":"k1",}"#, "token", "token-malformed"),
        .header("\u{FEFF}{\"alg\":\"ES256\",\"kid\":\"k1\"}", "token", "token-malformed"),
        .header(#"{"kid":"k1"}"#, "token", "token-malformed"),
        .header(#"{"alg":"ES256","x":\#(nested(10_000))}"#, "token", "token-malformed"),
        HostileToken("a header with bad UTF-8", "token", "token-malformed") {
            let header = Array(#"{"alg":"ES256","x":""#.utf8) + [0xC0, 0xAF] + Array("\"}".utf8)
            return try $0.token(Login.payload(), headerBytes: header)
        },
    ]

    static let spellings: [HostileToken] = [
        .spelling("padding behind the signature") { "\($0[0]).\($0[1]).\($0[2])=" },
        .spelling("padding behind the header") { "\($0[0])=.\($0[1]).\($0[2])" },
        .spelling("a space in front") { " \($0[0]).\($0[1]).\($0[2])" },
        .spelling("two newlines behind") { "\($0[0]).\($0[1]).\($0[2])\n\n" },
        .spelling("a NUL in the payload") { "\($0[0]).\($0[1])\u{0}.\($0[2])" },
        .spelling("the alphabet of base64") { "\($0[0]).\($0[1]).+/\($0[2].dropFirst(2))" },
        .spelling("spare bits that are not zero") { parts in
            // The last of 86 characters has four spare bits.
            let characters = Array(
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
            let value = parts[2].last.flatMap { characters.firstIndex(of: $0) } ?? 0
            return "\(parts[0]).\(parts[1]).\(parts[2].dropLast())\(characters[value | 1])"
        },
        .spelling("two parts") { "\($0[0]).\($0[1])" },
        .spelling("four parts") { "\($0[0]).\($0[1]).\($0[2])." },
        .spelling("five parts, as if encrypted") { "\($0[0]).\($0[1]).\($0[2]).." },
        .spelling("nothing at all") { _ in "" },
        .spelling("a JWS in JSON") {
            #"{"protected":"\#($0[0])","payload":"\#($0[1])","signature":"\#($0[2])"}"#
        },
        HostileToken("ten megabytes", "size", "response-too-large") {
            try $0.token(Login.payload(["x": "\"\(String(repeating: "x", count: 10 << 20))\""]))
        },
    ]

    static let signatures: [HostileToken] = [
        HostileToken("no signature under none", "alg", "alg-not-allowed") { _ in
            Login.token(header: #"{"alg":"none"}"#, payload: Login.payload(), signature: [])
        },
        HostileToken("no signature", "signature", "sig-invalid") { _ in
            Login.token(header: #"{"alg":"ES256"}"#, payload: Login.payload(), signature: [])
        },
        HostileToken("a signature of zeros", "signature", "sig-invalid") { _ in
            Login.token(
                header: #"{"alg":"ES256"}"#, payload: Login.payload(),
                signature: [UInt8](repeating: 0, count: 64))
        },
        HostileToken("HS256 with the public key set as the secret", "alg", "alg-not-allowed") {
            let secret = try Data(contentsOf: URL(filePath: $0.keysPath))
            let signed = Login.token(
                header: #"{"alg":"HS256","kid":"k1"}"#, payload: Login.payload(), signature: []
            ).dropLast()
            let tag = hmacSHA256(key: SecretBytes(Array(secret)), Array(signed))
            return Array(signed) + Array(".\(Base64URL.encode(tag))".utf8)
        },
        HostileToken("an ECDSA signature in DER", "signature", "sig-invalid") {
            let parts = String(decoding: try $0.token(), as: UTF8.self).split(separator: ".")
            let raw = Base64URL.decode(String(parts[2])) ?? []
            let content = [raw[..<32], raw[32...]].flatMap { [0x02, 0x21, 0x00] + $0 }
            let signature = Base64URL.encode([0x30, UInt8(content.count)] + content)
            return Array("\(parts[0]).\(parts[1]).\(signature)".utf8)
        },
        HostileToken("another key under the same kid", "signature", "sig-invalid") { _ in
            try Login().token()
        },
        HostileToken("a payload exchanged for another", "signature", "sig-invalid") {
            let parts = String(decoding: try $0.token(), as: UTF8.self).split(separator: ".")
            let payload = Base64URL.encode(Login.payload(["sub": #""other""#]))
            return Array("\(parts[0]).\(payload).\(parts[2])".utf8)
        },
    ]

    static let payloads: [HostileToken] = [
        .payload("a member twice") { Array("\($0.dropLast()),\"sub\":\"other\"}".utf8) },
        .payload("a member twice, once escaped") {
            Array("\($0.dropLast()),\"\\u0073ub\":\"other\"}".utf8)
        },
        .payload("a member twice inside another") {
            Array("\($0.dropLast()),\"x\":{\"a\":1,\"\\u0061\":2}}".utf8)
        },
        .payload("a byte order mark") { Array("\u{FEFF}\($0)".utf8) },
        .payload("a trailing comma") { Array("\($0.dropLast()),}".utf8) },
        .payload("something behind it") { Array("\($0){}".utf8) },
        .payload("half a surrogate pair") { Array("\($0.dropLast()),\"x\":\"\\ud800\"}".utf8) },
        .payload("bad UTF-8") {
            Array("\($0.dropLast()),\"x\":\"".utf8) + [0xFF] + Array("\"}".utf8)
        },
        .payload("an overlong spelling") {
            Array("\($0.dropLast()),\"x\":\"".utf8) + [0xC0, 0xAF] + Array("\"}".utf8)
        },
        .payload("arrays nested 10,000 deep") {
            Array("\($0.dropLast()),\"x\":\(nested(10_000))}".utf8)
        },
        .payload("an array around it") { Array("[\($0)]".utf8) },
        .payload("no JSON") { _ in Array("secret text".utf8) },
        .payload("nothing in it") { _ in [] },
    ]

    static let claims: [HostileToken] = [
        .claim("exp", #""1700000300""#, "claim-malformed"),
        .claim("exp", "true", "claim-malformed"),
        .claim("exp", "1e400", "claim-malformed"),
        .claim("exp", "9007199254740993", "claim-malformed"),
        .claim("exp", "-1", "claim-malformed"),
        .claim("exp", "null", "claim-malformed"),
        .claim("exp", "[1700000300]", "claim-malformed"),
        .claim("exp", "", "claim-missing"),
        .claim("exp", "1699999940", "token-expired"),
        .claim("exp", "1699999939.5", "token-expired"),
        .claim("nbf", "1700000061", "not-yet-valid"),
        .claim("iat", "1700000061", "iat-invalid"),
        .claim("iat", "", "claim-missing"),
        .claim("iss", #""https://op-secret.example/""#, "iss-mismatch"),
        .claim("iss", #""https://other-secret.example""#, "iss-mismatch"),
        .claim("iss", #"["https://op-secret.example"]"#, "claim-malformed"),
        .claim("aud", #""other-secret""#, "aud-mismatch"),
        .claim("aud", #"[]"#, "claim-malformed"),
        .claim("aud", #"["client-secret",7]"#, "claim-malformed"),
        .claim("azp", #""other-secret""#, "azp-mismatch"),
        .claim("nonce", #""other-secret""#, "nonce-mismatch"),
        .claim("nonce", #""nonce-secret\n""#, "nonce-mismatch"),
        .claim("nonce", "", "claim-missing"),
        .claim("sub", #""""#, "claim-malformed"),
        .claim("sub", "", "claim-missing"),
        HostileToken("an extra audience", "aud", "aud-mismatch") {
            try $0.token(
                Login.payload([
                    "aud": #"["client-secret","other-secret"]"#, "azp": #""client-secret""#,
                ]))
        },
    ]

    private static func nested(_ depth: Int) -> String {
        String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
}
