// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

/// Logins before and after a real provider replaces its signing key, twice, and drops the old one
/// each time. What proves them later is the archive of key sets in the log, and nothing else.
@Suite("The tokens of a real provider that replaces its keys", .serialized)
struct KeyRotationTests {
    @Test("are verified from the log alone after two rotations, with the provider switched off")
    func fromTheLogAlone() async throws {
        try await RealProvider.run(.glewlwydWithTLS) { provider in
            let ledger = try await provider.ledger()
            let profile = try ledger.profile(provider)
            try await ledger.logIn(provider, profile).expectVerified()
            try await ledger.logIn(provider, profile, flow: "code").expectVerified()
            for _ in 1...2 {
                try await provider.replaceKey()
                try await ledger.logIn(provider, profile).expectVerified()
            }
            let keys = try await ledger.keysOfTokens()
            #expect(keys.count == 4 && keys[0] == "key-1" && keys[1] == "key-1")
            #expect(Set(keys).count == 3)
            try await ledger.expectKeySets(
                ofTokens: [0, 0, 1, 2], fetched: 3, issuer: provider.issuer)

            #expect(try await provider.isListening())
            try await provider.switchOff()
            #expect(try await !provider.isListening())
            let start = try await ledger.run(["start", "--provider", profile])
            start.expectFailed("metadata-unavailable")
            try await ledger.reverify(tokens: 4, verified: 4, failed: 0)
            try await ledger.expectOnlyTheLastKeyIsPublished(keys, issuer: provider.issuer)
            try await ledger.expectArchive(of: keys, issuer: provider.issuer)
        }
    }

    @Test("make the program fetch the key set again, twice, when the key changes under an exchange")
    func underTheExchange() async throws {
        try await RealProvider.run { provider in
            let relay = try #require(provider.relay)
            let ledger = try await provider.ledger()
            let profile = try ledger.profile(provider)
            for _ in 1...2 {
                let login = try await ledger.begin(profile)
                let callback = try await provider.visit(login.url)
                let before = relay.documentAndTokenRequests.count
                try relay.hold("/token")
                let execution = try ledger.start(
                    ["callback", "--session", login.session], input: .text(callback))
                try await execution.untilHeld(by: relay)
                try await provider.replaceKey()
                try await relay.release()
                try await execution.wait().expectVerified()
                let requests = relay.documentAndTokenRequests.dropFirst(before)
                #expect(requests.filter { $0 != "discovery" } == ["jwks", "token", "jwks"])
            }
            let keys = try await ledger.keysOfTokens()
            #expect(Set(keys + ["key-1"]).count == 3)
            // The key set with the first key was fetched as well, and no token came of it.
            try await ledger.expectKeySets(
                ofTokens: [1, 2], fetched: 3, issuer: provider.issuer)

            try await provider.switchOff()
            #expect(try await !provider.isListening())
            try await ledger.reverify(tokens: 2, verified: 2, failed: 0)
            try await ledger.expectOnlyTheLastKeyIsPublished(keys, issuer: provider.issuer)
            try await ledger.expectArchive(of: ["key-1"] + keys, issuer: provider.issuer)
        }
    }
}

extension RealProvider {
    /// A new key signs from now on, and the old one is no longer published.
    fileprivate func replaceKey() async throws {
        try await addKey()
        try await dropOldKeys()
    }

    /// Whether anybody takes connections at its port; only a refusal counts as nobody.
    fileprivate func isListening() async throws -> Bool {
        let source = """
            import socket, sys
            try:
                socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10).close()
                print("taken")
            except ConnectionRefusedError:
                print("refused")
            """
        let run = try await Execution(
            Self.python, ["-S", "-c", source, port], environment: Self.environment,
            files: "\(folder)/connect-\(UUID().uuidString)"
        ).wait()
        switch run.output {
        case "taken\n": return true
        case "refused\n": return false
        default: throw Trouble("connecting to the provider: \(run.text)")
        }
    }
}

extension Relay {
    /// The key sets, discovery documents and tokens that the program asked for, in order.
    fileprivate var documentAndTokenRequests: [String] {
        notes.filter { $0["at"] == "arrived" }.compactMap { note in
            switch note["path"] {
            case let path where path.hasSuffix("/jwks"): "jwks"
            case let path where path.hasSuffix("/token"): "token"
            case let path where path.hasSuffix("/openid-configuration"): "discovery"
            default: nil
            }
        }
    }
}

extension Ledger {
    /// The keys with which the tokens were verified, in order. Of a key that was fetched because of
    /// a token, the token's own event does not yet say that it is one of the provider's.
    fileprivate func keysOfTokens() async throws -> [String] {
        try await allData("verified").compactMap { $0["keyID"]?.stringValue }
    }

    /// So many different key sets were fetched from the issuer, and the verdict on each token names
    /// the one with this number.
    fileprivate func expectKeySets(
        ofTokens numbers: [Int], fetched count: Int, issuer: String
    ) async throws {
        let fetched = try await events("authledger.provider.key-set-fetched")
            .filter { $0["subject"] == .string(issuer) }
            .compactMap { $0["data"]?.objectValue?["documentDigest"]?.stringValue }
        try #require(fetched.count == count)
        #expect(Set(fetched).count == count)
        let used = try await allData("verified").map { $0["keySetDigest"]?.stringValue }
        #expect(used == numbers.map { fetched[$0] })
    }

    /// With the newest recorded key set, the tokens of the keys that are gone are refused, and only
    /// those of the last key pass: it is the archive that proves them.
    fileprivate func expectOnlyTheLastKeyIsPublished(
        _ keys: [String], issuer: String
    ) async throws {
        let last = try #require(keys.last)
        let current = keys.count { $0 == last }
        let report = newProfile("report") + ".jsonl"
        let run = try await run(["reverify", "--keys", "now", "--report", report]).expect(0)
        let counts = [
            "tokens": keys.count, "verified": current, "failed": keys.count - current,
            "differing": keys.count - current, "mismatches": 0, "erased": 0, "inconclusive": 0,
        ]
        for (name, count) in counts {
            #expect(run.object[name] == .integer(Int64(count)), "\(name)")
        }
        let outcomes = try String(contentsOfFile: report, encoding: .utf8)
            .split(separator: "\n").map {
                try JSONReader.read(Array($0.utf8), numbers: .integersOnly).objectValue ?? [:]
            }
        let sessions = try await events("verified").map { $0["subject"] }
        #expect(outcomes.count == keys.count && sessions.count == keys.count)
        for (session, key) in zip(sessions, keys) {
            let outcome = try #require(outcomes.first { $0["session"] == session })
            let isPublished = key == last
            #expect(outcome["verdictThen"] == .string("verified"))
            #expect(outcome["keyID"] == .string(key))
            #expect(outcome["result"] == .string(isPublished ? "verified" : "failed"))
            #expect(outcome.reason == (isPublished ? nil : "kid-unknown"))
            #expect(outcome["differs"] == .bool(!isPublished))
        }
    }

    /// `keys list`, `show` and `timeline` have all keys, and say when the older ones went.
    fileprivate func expectArchive(of keys: [String], issuer: String) async throws {
        let order: [String] = keys.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
        let listed = try await run(["keys", "list", "--issuer", issuer]).expect(0).lines
        let lives = order.compactMap { key in listed.first { $0["keyID"] == .string(key) } }
        try #require(lives.count == 3)
        for (index, life) in lives.enumerated() {
            #expect(life["algorithm"] == .string("RS256"))
            #expect(life["sources"] == .array([.string("own")]))
            #expect(life["flaw"] == nil)
            #expect(life["failed"] == .integer(0))
            // It was gone when the next one was there, and not seen after that.
            let next = index < 2 ? lives[index + 1]["firstSeen"] : nil
            #expect(life["withdrawnAt"] == next)
            let times = ["firstSeen", "lastSeen"].compactMap { life[$0]?.stringValue }
            try #require(times.count == 2)
            #expect(times[0] <= times[1])
            if let gone = next?.stringValue { #expect(times[1] < gone) }
        }
        try await expectUses(of: order, tokens: try await keysOfTokens(), issuer: issuer)
        let changes = try await run(["keys", "timeline", "--issuer", issuer]).expect(0).lines
        try #require(changes.count == 3)
        // The keys of other algorithms were there before and stayed.
        #expect(changes[0].names("added").contains(order[0]))
        #expect(changes[0].names("withdrawn").isEmpty)
        for index in 1...2 {
            #expect(changes[index].names("added") == [order[index]])
            #expect(changes[index].names("withdrawn") == [order[index - 1]])
        }
    }

    /// `keys show` names the logins of each key.
    private func expectUses(
        of keys: [String], tokens: [String], issuer: String
    ) async throws {
        let sessions = try await events("verified").map { $0["subject"] }
        for key in keys {
            let shown = try await run(["keys", "show", key, "--issuer", issuer]).expect(0).object
            let own = zip(tokens, sessions).filter { $0.0 == key }.compactMap(\.1)
            #expect(shown["verified"] == .integer(Int64(own.count)))
            let named = shown["sessions"]?.arrayValue?.compactMap(\.stringValue) ?? []
            #expect(Set(named) == Set(own.compactMap(\.stringValue)))
            #expect(named.count == own.count)
        }
    }
}

extension JSONObject {
    /// A member that is a list of names.
    fileprivate func names(_ member: String) -> [String] {
        (self[member]?.arrayValue ?? []).compactMap(\.stringValue)
    }
}
