// SPDX-License-Identifier: Apache-2.0

import Foundation
import ProviderSimulator
import Testing

/// A simulated Idura Verify at which users log in without a browser, and a ledger with a profile of
/// a client there. Polls are a second apart.
struct BackchannelSite: Sendable {
    /// The one whom the hint is about, and the address of whose device is told.
    static let personNumber = "01819010001"
    static let address = "203.0.113.7"

    let workspace: Workspace
    let server: ProviderServer
    /// The profile's file.
    let profile: String

    /// Runs a provider whose users follow these scripts in turn.
    static func run(
        _ scripts: BackchannelScript..., body: (BackchannelSite) async throws -> Void
    ) async throws {
        let workspace = try await Workspace.withLedger()
        var settings = ProviderSettings(
            clients: [
                RegisteredClient(
                    id: "rp", secret: "a-secret", redirectURIs: ["http://127.0.0.1/callback"]),
                RegisteredClient(publicID: "open", redirectURIs: []),
            ], broker: .idura)
        settings.backchannel.intervalSeconds = 1
        if !scripts.isEmpty { settings.backchannel.scripts = scripts }
        try await ProviderServer.runLive(settings) { server in
            try workspace.write("a-secret", "secret.txt")
            try workspace.write("sub:ssn:\(personNumber)\n", "hint.txt")
            try workspace.write("\(address)\n", "address.txt")
            let profile = try workspace.write(
                """
                name: test
                extends: idura
                issuer: \(server.issuer)
                allowLoopbackHTTP: true
                flows: [ciba, headless, pkce]
                clientID: rp
                clientAuthentication: { method: client_secret_basic, secretFile: secret.txt }
                redirectURI: http://127.0.0.1/callback
                headless: { pollSeconds: 1 }
                """, "test.yaml")
            try await body(
                BackchannelSite(workspace: workspace, server: server, profile: profile))
        }
    }

    /// Lets clients poll when they want. The answer to a request for Headless names no pause, and
    /// the provider takes polls for early that come sooner than after five seconds.
    func allowHaste() {
        server.provider.withProvider { $0.settings.backchannel.slowsHaste = false }
    }

    /// What `start` and `login` are told for a flow.
    func arguments(_ flow: String) -> [String] {
        ["--provider", profile, "--flow", flow]
            + (flow == "headless"
                ? ["--end-user-ip-file", "address.txt"] : ["--login-hint-file", "hint.txt"])
    }

    /// `start`, which has to succeed.
    @discardableResult
    func start(_ flow: String, _ more: String...) async throws -> LoginReport {
        let outcome = try await workspace.start(
            ["start", "--json"] + arguments(flow) + more
        ).end()
        guard outcome.status == 0 else { throw TestFailure(outcome.description) }
        return try outcome.json()
    }

    /// The polls of a session, as they are recorded, those that brought tokens among them.
    func polls(_ session: String) async throws -> RecordedPolls {
        RecordedPolls(
            try await workspace.succeed("log", "--session", session, "--json").jsonLines())
    }

    /// Every session as `sessions` lists it.
    func sessions() async throws -> [LoginSummary] {
        try await workspace.succeed("sessions", "--json").jsonLines()
    }
}

/// What `login`, `start` and `poll` tell of a session.
struct LoginReport: Decodable {
    let session: String
    let state: String
    let reason: String?
    let events: Int
    let authorizationURL: String?
    let acrData: [String: String]?
    let bindingMessage: String?
    let hint: String?
}

/// A line of `sessions`.
struct LoginSummary: Decodable {
    let session: String
    let state: String
    let reason: String?
}

/// The polls of a session by their numbers.
struct RecordedPolls {
    /// The numbers of those that are recorded.
    let attempts: [Int]
    /// The numbers of those before which one may be missing.
    let gaps: [Int]

    /// How many polls were sent, as far as the ledger knows, and are not recorded.
    var lost: Int { (attempts.last ?? 0) - attempts.count }

    /// Whether just those are marked before which one is missing.
    var areGapsTrue: Bool {
        zip(attempts, [0] + attempts).filter { $0 != $1 + 1 }.map(\.0) == gaps
    }

    fileprivate init(_ lines: [PollLine]) {
        let polls = lines.map(\.event.data).filter { ($0.attempt ?? 0) > 0 }
        attempts = polls.compactMap(\.attempt)
        gaps = polls.filter { $0.gap == true }.compactMap(\.attempt)
    }
}

/// A line of `log`, as far as it is about polls.
private struct PollLine: Decodable {
    struct Event: Decodable {
        let data: Members
    }

    struct Members: Decodable {
        let attempt: Int?
        let gap: Bool?
    }

    let event: Event
}
