// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import Testing

@Suite("The token commands")
struct TokenUsageTests {
    @Test("say what is missing or wrong in their arguments")
    func usage() throws {
        let login = try Login()
        let file = try login.folder.write("token", try login.token())
        let wrong: [[String]] = [
            ["verify", file], ["verify", "--jwks", "-"],
            ["verify", file, "--jwks", "-", "--nonce-file", "-"],
            ["verify", file, "--jwks", login.keysPath, "--at", "yesterday"],
            ["verify", file, "--jwks", login.keysPath, "--at", "-2y"],
            ["verify", file, "--jwks", login.keysPath, "--issuer", ""],
            ["verify", file, "--jwks", login.keysPath, "--audience", ""],
            ["verify", file, file, "--jwks", login.keysPath], ["inspect", "--jwks", file],
            ["inspekt", file],
        ]
        for arguments in wrong {
            let run = try Program.token(arguments)
            #expect(run.status == 2, "\(arguments)")
            #expect(run.output == "")
            #expect(run.errors.contains("\nhint: authledger token"), "\(arguments)")
        }
    }

    @Test("say which file cannot be read or used")
    func files() throws {
        let login = try Login()
        let file = try login.folder.write("token", try login.token())
        let empty = try login.folder.write("empty", "\n")
        let secret = try login.folder.write("secret.json", #"{"keys":"secret"}"#)
        let broken: [[String]] = [
            ["inspect", "/nowhere/token"], ["inspect", "/tmp"],
            ["verify", "/nowhere/token", "--jwks", login.keysPath],
            ["verify", file, "--jwks", "/nowhere/keys"], ["verify", file, "--jwks", file],
            ["verify", file, "--jwks", secret],
            ["verify", file, "--jwks", login.keysPath, "--nonce-file", "/nowhere/nonce"],
            ["verify", file, "--jwks", login.keysPath, "--nonce-file", empty],
        ]
        for arguments in broken {
            let run = try Program.token(arguments + ["--json"])
            #expect(run.status == 6, "\(arguments)")
            #expect(run.output == "")
            #expect(run.errors.hasPrefix(#"{"error":{"code":"#))
            #expect(!run.errors.contains("keys\":\"secret"))
        }
    }

    @Test("find no key for a token in an empty set")
    func emptySet() throws {
        let login = try Login()
        let keys = try login.folder.write("empty.json", #"{"keys":[]}"#)
        let run = try login.verify(try login.token(), ["--jwks": keys])
        #expect(run.status == 1)
        #expect(run.checks("failed") == ["key"])
        #expect(run.object["reason"] == .string("kid-unknown"))
    }

    @Test("never take or repeat a token that stands in the arguments")
    func tokenInArguments() throws {
        let login = try Login()
        let token = String(decoding: try login.token(), as: UTF8.self)
        let parts = token.split(separator: ".")
        let wrong: [[String]] = [
            [token], ["inspect", token], ["verify", token, "--jwks", login.keysPath],
            ["verify", "a", token, "--jwks", login.keysPath], ["inspect", "--token=\(token)"],
            ["inspect", "--token", token],
        ]
        for arguments in wrong {
            for options in [[], ["--json"]] {
                let run = try Program.token(arguments + options)
                #expect(run.status == 2)
                #expect(run.output == "")
                for part in parts { #expect(!run.errors.contains(part.prefix(16))) }
            }
        }
    }

    @Test("say how they are used, in 80 columns")
    func help() throws {
        for command in ["inspect", "verify"] {
            let run = try Program.token([command, "--help"])
            #expect(run.status == 0)
            #expect(run.output.contains("Examples:\n"))
            // The parser writes the usage on one line.
            let lines = run.output.split(separator: "\n").filter { !$0.hasPrefix("USAGE") }
            #expect(lines.allSatisfy { $0.count <= 80 })
        }
    }
}

@Suite("token inspect")
struct TokenInspectTests {
    @Test("shows what is written and says that nothing was verified")
    func inspect() throws {
        let login = try Login()
        let file = try login.folder.write("token", try login.token())
        let text = try Program.token(["inspect", file])
        #expect(text.status == 0)
        #expect(text.output.hasPrefix("NOTHING WAS VERIFIED"))
        #expect(text.output.contains("  sub        \"sub-secret\"\n"))
        #expect(text.output.contains("  iat        1700000000  (2023-11-14T22:13:20.000Z)\n"))
        let run = try Program.token(["inspect", file, "--json"])
        #expect(run.object["valid"] == .null)
        #expect(run.object["verified"] == .bool(false))
        #expect(run.object["dangers"] == .array([]))
        #expect(run.object["header"]?.objectValue?["kid"] == .string("k1"))
        #expect(run.object["claims"]?.objectValue?["sub"] == .string("sub-secret"))
        #expect(run.checks("passed") == ["size", "token"])
        #expect(run.checks("failed") == [])
    }

    @Test("points out what is dangerous in a header")
    func dangers() throws {
        let headers: [(String, [String])] = [
            (#"{"alg":"none"}"#, ["alg"]), (#"{"alg":"HS256"}"#, ["alg"]),
            (#"{"alg":"X"}"#, ["alg"]), (#"{"alg":"ES256","jwk":{}}"#, ["jwk"]),
            (#"{"alg":"ES256","jku":"a","x5u":"b"}"#, ["jku", "x5u"]),
            (#"{"alg":"ES256","kid":1,"crit":["b64"],"b64":false}"#, ["b64", "kid", "crit"]),
            (#"{"alg":"ES256","zip":"DEF","x5c":[]}"#, ["zip", "x5c"]),
        ]
        for (header, codes) in headers {
            let token = Login.token(header: header, payload: Array("{}".utf8), signature: [])
            let run = try Program.token(["inspect", "--json"], input: token)
            let dangers = run.object["dangers"]?.arrayValue ?? []
            #expect(run.status == 0)
            #expect(dangers.compactMap { $0.objectValue?["code"]?.stringValue } == codes)
            let text = try Program.token(["inspect"], input: token)
            #expect(text.output.split(separator: "\n").count { $0.hasPrefix("danger: `") } > 0)
        }
    }

    @Test("tells what keeps a payload from being claims")
    func payloads() throws {
        let payload = Array(#"{"sub":"a","\u0073ub":"b"}"#.utf8)
        let token = Login.token(header: #"{"alg":"ES256"}"#, payload: payload, signature: [])
        let run = try Program.token(["inspect", "--json"], input: token)
        #expect(run.status == 0)
        #expect(run.object["claims"] == nil)
        #expect(
            run.object["payload"]?.objectValue?["problem"]
                == .string("a member name stands twice in one object (at byte 11)"))
    }

    @Test("refuses what is no token")
    func malformed() throws {
        let large = [UInt8](repeating: UInt8(ascii: "A"), count: 10 << 20)
        let inputs: [([UInt8], String)] = [
            ([], "token"), (Array("secret".utf8), "token"), (Array("a.b.c".utf8), "token"),
            (large, "size"),
        ]
        for (input, check) in inputs {
            let run = try Program.token(["inspect", "--json"], input: input)
            #expect(run.status == 1)
            #expect(run.isValid == false)
            #expect(run.checks("failed") == [check])
            #expect(run.object["header"] == .null)
            let text = try Program.token(["inspect"], input: input)
            #expect(text.output.hasPrefix("NOT A TOKEN\n  ✗ \(check) "))
            #expect(!text.output.contains("secret"))
        }
    }
}
