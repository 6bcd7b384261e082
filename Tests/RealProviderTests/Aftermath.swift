// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

extension RealProvider {
    /// Checks every ledger that was used, with the provider switched off, and looks for secrets in
    /// everything that the program printed about it.
    func checkLedgers() async throws {
        let root = folder + "/ledgers"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let secrets = secretsSeen()
        for name in names {
            let ledger = try Ledger(folder: "\(root)/\(name)")
            let raw = try await ledger.run(["log", "--raw"], json: false).expect(0)
            for secret in secrets.kept + secrets.handedOut where raw.output.contains(secret) {
                Issue.record("`log --raw` shows a secret: \(secret.prefix(6))…")
            }
            let sessions = try await ledger.run(["sessions", "--verbose"]).expect(0).lines
            // Where the login failed for want of UserInfo, the token was good.
            try await ledger.check(
                sessions, issued: raw.lines.count { $0.isTokenIssued },
                goodButFailed: raw.lines.count { $0.failedAtUserInfo })
            try await ledger.tellEverything(of: sessions)
            try ledger.expectNoOutput(with: secrets.kept)
        }
        if !names.isEmpty { try await expectNoFile(with: secrets.kept + secrets.handedOut) }
    }

    /// No file of a ledger holds one of these as it is. What is compressed there has been looked at
    /// above, as far as it is hashed.
    private func expectNoFile(with secrets: [String]) async throws {
        let list = folder + "/secrets"
        try Data(secrets.joined(separator: "\n").utf8).write(to: URL(filePath: list))
        let root = folder + "/ledgers"
        let ledgers = try FileManager.default.contentsOfDirectory(atPath: root)
            .map { "\(root)/\($0)/ledger" }
        let run = try await Execution(
            "/usr/bin/grep", ["-rlaF", "-f", list] + ledgers, environment: ["LC_ALL": "C"],
            files: folder + "/grep"
        ).wait()
        // 0 means that something was found, 2 that a file could not be read.
        #expect(run.status == 1, "secrets in files: \(run.text)")
    }

    /// What must stay out of sight. State and nonce, or the name of a pushed request, are handed
    /// out in the authorization URL.
    private func secretsSeen() -> (kept: [String], handedOut: [String]) {
        var kept = clientSecrets
        var handedOut: [String] = []
        for note in relay?.notes ?? [] {
            let query = note.parameters("query")
            handedOut += ["state", "nonce", "request_uri"].compactMap { query[$0] }
            let form = note.parameters("body")
            handedOut += ["state", "nonce"].compactMap { form[$0] }
            kept += ["code", "code_verifier", "auth_req_id", "binding_message"].compactMap {
                form[$0]
            }
            kept += Self.forms(ofHint: form["login_hint"])
            kept += Self.secretParts(of: form["client_assertion"])
            kept += note["authorization"].split(separator: " ").dropFirst().map(String.init)
            let place = note["location"]
            for name in place.hasPrefix(redirectURI) ? Self.secretsOfCallbacks : [] {
                kept += Self.secretParts(of: place.parameter(name))
            }
            let answer = note.answerMembers
            kept += [answer["auth_req_id"]?.stringValue].compactMap(\.self)
            for token in ["id_token", "access_token", "refresh_token"] {
                kept += Self.secretParts(of: answer[token]?.stringValue)
            }
        }
        #expect((kept + handedOut).allSatisfy { $0.count >= 20 })
        return (kept, handedOut)
    }

    private static let secretsOfCallbacks = ["code", "response", "id_token", "access_token"]

    /// A hint of whom a login is about, as it is and as it stands within JSON. Only one that is
    /// JSON names somebody here.
    private static func forms(ofHint hint: String?) -> [String] {
        guard let hint, hint.hasPrefix("{") else { return [] }
        return [hint, hint.replacingOccurrences(of: "\"", with: "\\\"")]
    }

    /// All of a token but its header, which holds nothing secret.
    private static func secretParts(of token: String?) -> [String] {
        let parts = (token ?? "").split(separator: ".")
        return (parts.count == 3 ? parts.dropFirst() : parts[...]).map(String.init)
    }
}

extension Ledger {
    /// The ledger is whole, and every token gets the verdict again that it got then.
    func check(_ sessions: [JSONObject], issued: Int, goodButFailed: Int) async throws {
        let verify = try await run(["verify", "--level", "all"]).expect(0)
        #expect(verify.object["ok"] == .bool(true))
        #expect(verify.object["findings"] == .array([]))
        let verified = sessions.count { $0.state == "verified" } + goodButFailed
        #expect(!sessions.contains { $0.state == "token-issued" })
        try await reverify(tokens: issued, verified: verified, failed: issued - verified)
    }

    /// `reverify` counts these, finds no verdict changed and misses nothing.
    func reverify(tokens: Int, verified: Int, failed: Int) async throws {
        let counts = try await run(["reverify"]).expect(0).object
        let expected = [
            "tokens": tokens, "verified": verified, "failed": failed, "erased": 0,
            "inconclusive": 0, "mismatches": 0, "withoutVerdict": 0,
        ]
        for (name, count) in expected {
            #expect(counts[name] == .integer(Int64(count)), "\(name)")
        }
    }

    /// Runs the commands that tell of sessions, for the outputs they leave.
    func tellEverything(of sessions: [JSONObject]) async throws {
        try await run(["log", "--verbose"], json: false).expect(0)
        for session in sessions {
            guard let name = session["session"]?.stringValue else { continue }
            try await run(["show", name, "--verbose"]).expect(0)
            // There is nothing to explain of a login that succeeded.
            if session.state == "verified" { continue }
            try await run(["explain", name, "--verbose"], json: false).expect(0)
        }
    }
}

extension JSONObject {
    /// Whether this is an event with a token.
    fileprivate var isTokenIssued: Bool {
        self["type"]?.stringValue?.hasSuffix(".token-issued") ?? false
    }

    /// Whether this is the end of a login whose token was good, but not what came after it.
    fileprivate var failedAtUserInfo: Bool {
        guard self["type"]?.stringValue?.hasSuffix(".failed") ?? false else { return false }
        return self["data"]?.objectValue?["stage"] == .string("userinfo")
    }
}
