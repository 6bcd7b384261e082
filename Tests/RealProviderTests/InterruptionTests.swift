// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

/// What is left when the program is killed at some moment.
extension RealProviderTests {
    @Test("finishes a login whose `login` was killed while it waited", arguments: [true, false])
    func killedWaiting(listens: Bool) async throws {
        let ledger = try await provider.ledger()
        let login = try ledger.start(
            ["login", "--provider", try ledger.profile(provider)]
                + (listens ? [] : ["--callback-file", "-"]), input: .pipe)
        let url = try await login.authorizationURL()
        try await login.killAndWait()
        let sessions = try await ledger.run(["sessions"]).expect(0).lines
        #expect(sessions.map(\.state) == ["redirected"])
        let callback = try await provider.visit(url)
        let before = relay.tokenRequests.count
        try await ledger.callback(callback, session: sessions[0]["session"]?.stringValue)
            .expectVerified()
        #expect(relay.tokenRequests.count == before + 1)
    }

    @Test("is not asked again by a login that was killed before it knew where to go")
    func killedInDiscovery() async throws {
        let ledger = try await provider.ledger()
        try relay.hold("/openid-configuration")
        let login = try ledger.start(["start", "--provider", try ledger.profile(provider)])
        try await login.untilHeld(by: relay, "/openid-configuration")
        try await login.killAndWait()
        try await relay.release()
        let sessions = try await ledger.run(["sessions"]).expect(0).lines
        #expect(sessions.map(\.state) == ["initiated"])
        #expect(login.output == "")
    }

    @Test(
        "never gets a code again from a login that was killed",
        arguments: [("/jwks", "before", 0), ("/token", "before", 1), ("/token", "after", 1)])
    func killedInExchange(path: String, moment: String, tokenRequests: Int) async throws {
        let ledger = try await provider.ledger()
        let login = try ledger.start(
            ["login", "--provider", try ledger.profile(provider), "--callback-file", "-"],
            input: .pipe)
        let callback = try await provider.visit(try await login.authorizationURL())
        let before = relay.tokenRequests.count
        try relay.hold(path, moment)
        try login.write(callback)
        try login.closeInput()
        try await login.untilHeld(by: relay, path)
        try await login.killAndWait()
        try await relay.release()
        #expect(relay.tokenRequests.count == before + tokenRequests)

        let session = try await ledger.run(["sessions"]).expect(0).lines[0]
        #expect(session.state == "callback-received")
        let name = session["session"]?.stringValue
        try await ledger.callback(callback, session: name).expectFailed("exchange-interrupted")
        try await ledger.callback(callback, session: name).expectRefused("callback-replayed")
        try await ledger.callback(callback).expectRefused("callback-replayed")
        #expect(relay.tokenRequests.count == before + tokenRequests)
    }

    @Test("is not asked for a token again when one was recorded before the kill")
    func killedBeforeVerdict() async throws {
        let ledger = try await provider.ledger()
        let login = try await ledger.begin(try ledger.profile(provider))
        let callback = try await provider.visit(login.url)
        let before = relay.tokenRequests.count
        try relay.hold("/token")
        let execution = try ledger.start(
            ["callback", "--session", login.session], input: .text(callback))
        try await execution.untilHeld(by: relay)
        // A new key makes the program look for it once more, after it recorded the token.
        try await provider.addKey()
        try relay.hold("/jwks")
        try await execution.untilHeld(by: relay, "/jwks")
        try await execution.killAndWait()
        try await relay.release()
        #expect(try await ledger.session(login.session).state == "token-issued")
        try await ledger.callback(callback, session: login.session).expectVerified()
        #expect(relay.tokenRequests.count == before + 1)
        try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
    }

    @Test("sees no secret among the arguments of any process")
    func arguments() async throws {
        let ledger = try await provider.ledger()
        let login = try ledger.start(
            ["login", "--provider", try ledger.profile(provider, "post"), "--callback-file", "-"],
            input: .pipe)
        let callback = try await provider.visit(try await login.authorizationURL())
        try relay.hold("/token")
        try login.write(callback)
        try login.closeInput()
        try await login.untilHeld(by: relay)
        let running = ProcessArguments.ofAll()
        let form = try #require(relay.tokenRequests.last).parameters("body")
        let secrets = ["code", "code_verifier", "client_secret"].compactMap { form[$0] }
        #expect(secrets.count == 3)
        #expect(running.contains { $0.contains(Ledger.program) })
        for secret in secrets {
            #expect(!running.contains { $0.contains(secret) })
        }
        try await relay.release()
        try await login.wait().expectVerified()
    }
}

/// What everybody on this machine can see of every program that runs.
enum ProcessArguments {
    /// The arguments of each process.
    static func ofAll() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.filter { Int($0) != nil }.compactMap {
            try? String(contentsOfFile: "/proc/\($0)/cmdline", encoding: .utf8)
        }
    }
}
