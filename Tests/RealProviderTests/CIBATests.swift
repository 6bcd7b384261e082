// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

/// Logins without a redirect (OpenID CIBA, poll mode) over TLS. A pause between polls is five
/// seconds here, so the two clients go side by side where they can.
@Suite(
    "A login without a redirect at a real provider", .serialized, .sharedProvider(.glewlwydWithTLS))
struct CIBATests {
    let provider: RealProvider

    init() throws {
        provider = try RealProvider.current()
    }

    /// Lets each client do the same at once.
    private func eachClient(
        _ body: @escaping @Sendable (_ client: String) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in BackchannelLogin.clients {
                group.addTask { try await body(client) }
            }
            try await group.waitForAll()
        }
    }

    @Test("waits until the user approves, and is then verified")
    func approved() async throws {
        let provider = provider
        try await eachClient { client in
            let ledger = try await provider.ledger()
            let login = try BackchannelLogin(provider, ledger, client)
            let session = try await login.start()
            let early = try await ledger.run(["poll", session]).expect(0)
            #expect(early.state == "polling")
            #expect(early.object["session"]?.stringValue == session)
            try await login.approve()
            try await ledger.run(["poll", session]).expectVerified()
            #expect(
                try await ledger.sequence(session)
                    == ["initiated", "polled", "polled", "token-issued", "verified"])
            let polled = try await ledger.allData("polled")
            #expect(polled.map { $0["status"] } == [.string("accepted"), .string("pending")])
            #expect(polled[0]["endpoint"] == .string(provider.issuer + "/ciba"))
            #expect(polled[0]["interval"] == .integer(5))
            let issued = try await ledger.onlyData("token-issued")
            #expect(issued["endpoint"] == .string(provider.issuer + "/token"))
            let verified = try await ledger.onlyData("verified")
            // The provider names the request in the token.
            #expect(verified.checks("passed").contains("auth_req_id"))
            #expect(verified.checks("passed").contains("replay"))
            // A hint in JSON names nobody whom a claim could be compared with.
            #expect(verified.checks("not-checked").contains("subject"))
            // With the provider switched off every ledger is checked once more.
            try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
            try ledger.expectNoOutput(with: [provider.loginHint, login.message])
        }
    }

    @Test("runs from start to end in one process while the user approves")
    func wholeLogin() async throws {
        let provider = provider
        try await eachClient { client in
            let ledger = try await provider.ledger()
            let login = try BackchannelLogin(provider, ledger, client)
            let claims = "\(provider.folder)/claims-\(client).json"
            async let approval: Void = login.approve()
            let run = try await ledger.run(["login", "--claims", claims] + login.arguments)
            try await approval
            run.expectVerified()
            let text = try String(contentsOfFile: claims, encoding: .utf8)
            #expect(text.contains(provider.issuer))
            try ledger.expectNoOutput(with: [provider.loginHint, login.message])
        }
    }

    @Test("fails when the user denies it, and when nobody answers in time")
    func notApproved() async throws {
        let ledger = try await provider.ledger()
        let denied = try BackchannelLogin(provider, ledger, "ciba")
        async let denial: Void = denied.deny()
        async let deniedRun = ledger.run(["login"] + denied.arguments)
        let late = try await provider.ledger()
        let unanswered = try BackchannelLogin(provider, late, "ciba-private-key-jwt")
        let run = try await late.run(
            ["login", "--requested-expiry", "6"] + unanswered.arguments)
        run.expectFailed("poll-timeout")
        #expect(try await late.allData("polled").first?["expiresIn"] == .integer(6))
        #expect(try await late.onlyData("failed")["stage"] == .string("polling"))
        try await denial
        try await deniedRun.expectFailed("access-denied")
        let polled = try await ledger.allData("polled")
        #expect(polled.map { $0["status"] } == [.string("accepted"), .string("error")])
        #expect(polled.last?["error"] == .string("access_denied"))
    }

    @Test("is refused to a client that authenticates wrongly, before any user is asked")
    func wrongClient() async throws {
        let ledger = try await provider.ledger()
        let secret = "no-secret-of-any-client-here-at-all"
        let cases: [(client: String, changes: ProfileChanges, status: Int64)] = [
            ("ciba", ProfileChanges(secret: secret), 403),
            (
                "ciba-private-key-jwt", ProfileChanges(authentication: ["audience": "issuer"]),
                401
            ),
        ]
        for item in cases {
            let login = try BackchannelLogin(provider, ledger, item.client, item.changes)
            try await ledger.run(["start"] + login.arguments).expectFailed("client-auth-failed")
            let failed = try await ledger.allData("failed").last ?? [:]
            #expect(failed["stage"] == .string("authorization-request"))
            #expect(failed.exchanges("purpose") == [.string("backchannel")])
            #expect(failed.exchanges("endpoint") == [.string(provider.issuer + "/ciba")])
            #expect(failed.exchanges("status") == [.integer(item.status)])
        }
        try ledger.expectNoOutput(with: [secret])
    }

    @Test("is refused for a user who is not there, and for longer than the provider waits")
    func unwelcome() async throws {
        let ledger = try await provider.ledger()
        let stranger = try BackchannelLogin(
            provider, ledger, "ciba", hint: #"{"username":"nobody-of-this-name"}"#)
        let patient = try BackchannelLogin(provider, ledger, "ciba")
        for arguments in [
            stranger.arguments, patient.arguments + ["--requested-expiry", "601"],
        ] {
            try await ledger.run(["login"] + arguments).expectFailed("broker-error")
        }
        for failed in try await ledger.allData("failed") {
            #expect(failed["stage"] == .string("authorization-request"))
            #expect(failed["error"] == .string("invalid_request"))
        }
        try ledger.expectNoOutput(with: ["nobody-of-this-name"])
    }
}
