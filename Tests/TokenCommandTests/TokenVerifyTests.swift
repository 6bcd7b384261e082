// SPDX-License-Identifier: Apache-2.0

import Foundation
import JOSE
import LedgerPrimitives
import OpenSSL
import Testing

/// An example of a standard with the answer that `--signature-only` must give.
struct StandardExample: Sendable, CustomStringConvertible {
    let members: JSONObject

    /// The examples that JOSE is tested with.
    static let all: [StandardExample] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent()
            .appending(components: "JOSETests", "Vectors", "rfc.json")
        guard let data = try? Data(contentsOf: file),
            let value = try? JSONReader.read(Array(data), numbers: .anyAsText)
        else { fatalError("rfc.json cannot be read") }
        return (value.arrayValue ?? []).compactMap(\.objectValue).map(StandardExample.init)
    }()

    var description: String { members["desc"]?.stringValue ?? "" }
    var token: String { members["token"]?.stringValue ?? "" }
    var keys: JSONValue { members["keys"] ?? .null }

    /// The one failing check; nil when the signature is good.
    var failingCheck: String? {
        switch members["want"]?.stringValue {
        case "verified": nil
        case "alg-not-allowed": "alg"
        case "crit-unsupported": "crit"
        case "sig-invalid": "signature"
        default: "key"
        }
    }
}

@Suite("token verify")
struct TokenVerifyTests {
    @Test("answers rightly on the examples of the standards", arguments: StandardExample.all)
    func standards(example: StandardExample) throws {
        let folder = try Folder()
        let keys = try folder.write("keys.json", CanonicalJSON.encode(["keys": example.keys]))
        let arguments = ["verify", "--jwks", keys, "--signature-only", "--json"]
        let run = try Program.token(arguments, input: Array("\(example.token)\n".utf8))
        #expect(run.status == (example.failingCheck == nil ? 0 : 1))
        #expect(run.isValid == (example.failingCheck == nil))
        #expect(run.checks("failed") == [example.failingCheck].compactMap(\.self))
        #expect(run.errors == "")
        let signatureChecks = ["signature", "alg", "key", "crit", "size", "token", "header"]
        if run.isValid == true { #expect(run.checks("passed") == signatureChecks) }
    }

    @Test("is asked for all the examples of RFC 7515, 7520 and 8037")
    func examplesAreThere() {
        let names = StandardExample.all.map { example in
            example.description.prefix { $0 != ":" } + (example.failingCheck == nil ? " +" : " -")
        }
        for name in [
            "RFC 7515 A.1 -", "RFC 7515 A.2 +", "RFC 7515 A.3 +", "RFC 7515 A.5 -",
            "RFC 7520 4.1 +", "RFC 7520 4.2 +", "RFC 7520 4.3 +", "RFC 7520 4.4 -",
            "RFC 8037 A.4 +",
        ] {
            #expect(names.contains { $0 == name })
        }
    }

    @Test("takes a token in any of the usual forms")
    func goodForms() throws {
        let login = try Login()
        let payloads = [
            Login.payload(["exp": "1700000300.5"]), Login.payload(["exp": "1.7000003e9"]),
            Login.payload(["aud": #"["client-secret"]"#]),
            Login.payload(["name": #""\u00c5se""#]), Login.payload(["exp": "1699999941"]),
        ]
        for payload in payloads {
            #expect(try login.verify(try login.token(payload)).status == 0)
        }
        let headers = [
            #"{"alg":"ES256"}"#, #"{"alg":"ES256","kid":"k1","typ":"JWT"}"#,
            #"{"alg":"ES256","x5c":["MIIB"]}"#,
        ]
        for header in headers {
            #expect(try login.verify(try login.token(header: header)).status == 0)
        }
        for newline in ["\n", "\r\n"] {
            let run = try login.verify(try login.token() + Array(newline.utf8))
            #expect(run.status == 0)
        }
    }

    @Test("shows the claims of a valid token, with instants")
    func text() throws {
        let login = try Login()
        let run = try login.verify(
            try login.token(Login.payload(["x": #""\u001b[2J\u202e\u009b""#])), json: false)
        #expect(run.status == 0)
        #expect(run.output.hasPrefix("VALID at 2023-11-14T22:13:20.000Z\n  ✓ signature\n"))
        #expect(run.output.contains("  exp        1700000300  (2023-11-14T22:18:20.000Z)\n"))
        #expect(run.output.contains("  x          \"\\u001b[2J\\u{202e}\\u{9b}\"\n"))
        #expect(run.output.contains("  – azp        not applicable\n"))
    }

    @Test("judges at the instant that was asked for")
    func instants() throws {
        let login = try Login()
        let token = try login.token()
        for (at, status) in [
            ("2023-11-14T22:19:19Z", 0), ("2023-11-14T22:19:20Z", 1),
            ("2023-11-14T23:13:20+01:00", 0), ("2023-11-14", 1), ("-2h", 1),
        ] {
            #expect(try login.verify(token, ["--at": at]).status == Int32(status), "\(at)")
        }
        #expect(try login.verify(token, ["--at": nil]).status == 1)
        let now = Int(Date().timeIntervalSince1970)
        let payload = Login.payload(["exp": "\(now + 300)", "iat": "\(now - 60)"])
        let fresh = try login.token(payload)
        #expect(try login.verify(fresh, ["--at": nil]).status == 0)
        #expect(try login.verify(fresh, ["--at": "-10s"]).status == 0)
        #expect(try login.verify(fresh, ["--at": "-2h"]).checks("failed") == ["iat"])
    }

    @Test("cannot tell without an issuer and an audience")
    func inconclusive() throws {
        let login = try Login()
        let token = try login.token(Login.payload(["azp": #""client-secret""#]))
        for (option, checks) in [("--issuer", ["iss"]), ("--audience", ["aud", "azp"])] {
            let run = try login.verify(token, [option: nil])
            #expect(run.status == 3)
            #expect(run.isValid == false)
            #expect(run.checks("failed") == [])
            #expect(run.checks("not-checked") == checks)
            #expect(run.object["claims"] == nil)
            #expect(run.errors == "hint: give --issuer and --audience, or --signature-only\n")
            let text = try login.verify(token, [option: nil], json: false)
            #expect(text.output.hasPrefix("INCONCLUSIVE: "))
            #expect(text.output.contains("not checked: no \(option) given\n"))
            for secret in Login.secrets { #expect(!text.output.contains(secret)) }
        }
        let bare = try login.token(Login.payload(["iss": ""]))
        #expect(try login.verify(bare, ["--issuer": nil]).checks("failed") == ["iss"])
        let expired = try login.verify(token, ["--issuer": nil, "--at": "-1h"])
        #expect(expired.status == 1)
    }

    @Test("says that a nonce was not checked when none is given")
    func nonce() throws {
        let login = try Login()
        let run = try login.verify(try login.token(), ["--nonce-file": nil])
        #expect(run.status == 0)
        #expect(run.checks("not-checked") == ["nonce"])
    }

    @Test("takes only the algorithms that are asked for")
    func algorithms() throws {
        let login = try Login()
        let token = try login.token()
        #expect(try login.verify(token, ["--alg": "ES256"]).status == 0)
        #expect(try login.verify(token, ["--alg": "RS256,ES256"]).status == 0)
        #expect(try login.verify(token, ["--alg": "RS256"]).checks("failed") == ["alg"])
        for name in ["HS256", "hs512", "none", "None", "es256", "ES256K", "", "ES256,"] {
            let run = try login.verify(token, ["--alg": name])
            #expect(run.status == 2, "\(name)")
            #expect(run.output == "")
            #expect(run.errors.contains(#""code":"alg-unknown","hint":"use one of RS256"#))
        }
    }

    @Test("does not look at claims with --signature-only")
    func signatureOnly() throws {
        let login = try Login()
        let file = try login.folder.write("token", try login.token(Login.payload(["exp": "1"])))
        let arguments = ["verify", file, "--jwks", login.keysPath, "--signature-only"]
        let run = try Program.token(arguments)
        #expect(run.status == 0)
        #expect(run.output.hasPrefix("VALID SIGNATURE: no claim was looked at\n"))
        #expect(!run.output.contains("iss\n"))
        let refused = try Program.token(arguments + ["--issuer", "a"])
        #expect(refused.status == 2)
        let bytes = try login.folder.write("bytes", try login.token([0xFF, 0x00]))
        let binary = try Program.token(
            ["verify", bytes, "--jwks", login.keysPath, "--signature-only", "--json"])
        #expect(binary.status == 0)
        #expect(binary.object["payload"]?.objectValue?["bytes"] == .integer(2))
        #expect(binary.object["claims"] == nil)
    }
}
