// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

/// What the provider does when it is asked for a login without a redirect (OpenID CIBA, poll mode).
/// AuthLedger takes no part: these tests hold what its own logins may rely on, and where the
/// provider differs from the specification.
@Suite("A real provider that is asked for a login without a redirect", .serialized, .sharedProvider)
struct BackchannelWireTests {
    private static let pollGrant = "urn:openid:params:grant-type:ciba"
    private static let claimPrefix = "urn:openid:params:jwt:claim:"

    let provider: RealProvider
    /// By this the user finds the request of a test.
    let message = "M-" + UUID().uuidString

    init() throws {
        provider = try RealProvider.current()
    }

    private func request(_ changes: [String: String?] = [:]) -> [String: String] {
        let usual: [String: String?] = [
            "scope": "openid", "login_hint": provider.loginHint, "binding_message": message,
        ]
        return usual.merging(changes) { _, new in new }.compactMapValues(\.self)
    }

    /// Asks for a login; its `auth_req_id`.
    private func begin(
        _ client: WireClient, _ changes: [String: String?] = [:]
    ) async throws -> String {
        let answer = try await client.post("/ciba", request(changes))
        #expect(answer.status == 200)
        return try #require(answer["auth_req_id"]?.stringValue)
    }

    private func poll(_ client: WireClient, _ name: String) async throws -> WireClient.Answer {
        try await client.post("/token", ["grant_type": Self.pollGrant, "auth_req_id": name])
    }

    @Test(
        "gives tokens once the user approves, and once only",
        arguments: ["ciba", "ciba-private-key-jwt"])
    func approved(name: String) async throws {
        let client = try WireClient(provider, name)
        let answer = try await client.post("/ciba", request())
        #expect(answer.status == 200)
        #expect(answer["expires_in"] == .integer(120))
        #expect(answer["interval"] == .integer(5))
        let request = try #require(answer["auth_req_id"]?.stringValue)
        // Sooner than the interval, and still no word of `slow_down`.
        for _ in 0..<3 {
            let pending = try await poll(client, request)
            #expect(pending.status == 400)
            #expect(pending.error == "authorization_pending")
        }
        try await provider.phone.approve(bindingMessage: message)
        let tokens = try await poll(client, request)
        #expect(tokens.status == 200)
        #expect(tokens["auth_req_id"]?.stringValue == request)
        #expect(tokens["token_type"]?.stringValue == "bearer")
        #expect(tokens["refresh_token"] != nil)
        let claims = try #require(tokens["id_token"]?.stringValue).tokenPart(1)
        #expect(claims["iss"]?.stringValue == provider.issuer)
        #expect(claims["aud"]?.stringValue == name)
        #expect(claims["nonce"] == nil)
        #expect(claims["at_hash"] != nil)
        #expect(claims[Self.claimPrefix + "auth_req_id"]?.stringValue == request)
        #expect(claims[Self.claimPrefix + "rt_hash"] != nil)
        let again = try await poll(client, request)
        #expect(again.status == 400)
        #expect(again.error == "access_denied")
    }

    @Test("says that the user denied it", arguments: ["ciba", "ciba-private-key-jwt"])
    func denied(name: String) async throws {
        let client = try WireClient(provider, name)
        let request = try await begin(client)
        try await provider.phone.deny(bindingMessage: message)
        let answer = try await poll(client, request)
        #expect(answer.status == 400)
        #expect(answer.error == "access_denied")
    }

    @Test("says that nobody answered in time")
    func expired() async throws {
        let client = try WireClient(provider, "ciba")
        let answer = try await client.post("/ciba", request(["requested_expiry": "1"]))
        #expect(answer["expires_in"] == .integer(1))
        let request = try #require(answer["auth_req_id"]?.stringValue)
        #expect(try await poll(client, request).error == "authorization_pending")
        try await Task.sleep(for: .milliseconds(2100))
        let late = try await poll(client, request)
        #expect(late.status == 400)
        #expect(late.error == "expired_token")
    }

    @Test("forgets a client's request as soon as it makes a newer one for the same user")
    func replaced() async throws {
        let client = try WireClient(provider, "ciba")
        let other = try WireClient(provider, "ciba-private-key-jwt")
        let othersRequest = try await begin(other)
        let older = try await begin(client)
        let newer = try await begin(client, ["binding_message": nil])
        let forgotten = try await poll(client, older)
        #expect(forgotten.status == 400)
        #expect(forgotten.error == "invalid_grant")
        try await provider.phone.approve()
        #expect(try await poll(client, newer).status == 200)
        #expect(try await poll(other, othersRequest).error == "authorization_pending")
        try await provider.phone.deny(bindingMessage: message)
        #expect(try await poll(other, othersRequest).error == "access_denied")
    }

    @Test("refuses what it cannot work with")
    func refused() async throws {
        let client = try WireClient(provider, "ciba")
        let cases: [(changes: [String: String?], status: Int, error: String)] = [
            (["login_hint": "alice"], 400, "invalid_request"),
            (["login_hint": #"{"username":"nobody"}"#], 400, "invalid_request"),
            (["login_hint": nil], 400, "invalid_request"),
            (["requested_expiry": "601"], 400, "invalid_request"),
            (["requested_expiry": "0"], 400, "invalid_request"),
            (
                ["binding_message": String(repeating: "x", count: 300)], 400,
                "invalid_binding_message"
            ),
            (["scope": nil], 403, "invalid_scope"),
        ]
        for item in cases {
            let answer = try await client.post("/ciba", request(item.changes))
            #expect(answer.status == item.status, "\(item.changes)")
            #expect(answer.error == item.error, "\(item.changes)")
        }
        let unknown = try await poll(client, "of-no-request-at-all")
        #expect(unknown.status == 400)
        #expect(unknown.error == "invalid_grant")
    }

    @Test("refuses clients that do not authenticate, and those that may not ask")
    func clients() async throws {
        var stranger = try WireClient(provider, "ciba")
        stranger.secret = "no-secret-of-any-client-here"
        for client in [stranger, try WireClient(provider, "basic")] {
            let answer = try await client.post("/ciba", request())
            #expect(answer.status == 403)
            #expect(answer.error == "invalid_client")
        }
        var misled = try WireClient(provider, "ciba-private-key-jwt")
        for audience in [provider.issuer, provider.issuer + "/token"] {
            misled.audience = audience
            let answer = try await misled.post("/ciba", request())
            #expect(answer.status == 401)
            #expect(answer.object == nil)
        }
    }

    @Test("refuses to be polled with a wrong secret, but not by another client with an assertion")
    func pollers() async throws {
        let client = try WireClient(provider, "ciba")
        let request = try await begin(client)
        var stranger = client
        stranger.secret = "no-secret-of-any-client-here"
        let answer = try await poll(stranger, request)
        #expect(answer.status == 403)
        #expect(answer.error == "unauthorized_client")
        let other = try WireClient(provider, "ciba-private-key-jwt")
        #expect(try await poll(other, request).error == "authorization_pending")
        var misled = other
        misled.audience = provider.issuer + "/ciba"
        #expect(try await poll(misled, request).status != 200)
        try await provider.phone.deny(bindingMessage: message)
    }
}
