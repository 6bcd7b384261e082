// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

/// A login without a redirect (CIBA) by one of the provider's two clients for it: of each there may
/// be one at a time, or else the provider forgets the older one.
struct BackchannelLogin: Sendable {
    /// The clients: one with a secret, one with an assertion.
    static let clients = ["ciba", "ciba-private-key-jwt"]

    let provider: RealProvider
    let ledger: Ledger
    let profile: String
    /// By this the user finds the request.
    let message = "M-" + UUID().uuidString
    private let hintFile: String

    /// - Parameter hint: in place of the one that the provider knows its user by.
    init(
        _ provider: RealProvider, _ ledger: Ledger, _ client: String,
        _ changes: ProfileChanges = ProfileChanges(), hint: String? = nil
    ) throws {
        self.provider = provider
        self.ledger = ledger
        var changes = changes
        changes.members["flows"] = "[ciba]"
        profile = try ledger.profile(provider, client, changes)
        hintFile = ledger.newProfile("hint")
        try Data("\(hint ?? provider.loginHint)\n".utf8).write(to: URL(filePath: hintFile))
    }

    /// What `start` and `login` are told.
    var arguments: [String] {
        [
            "--provider", profile, "--flow", "ciba", "--login-hint-file", hintFile,
            "--binding-message", message,
        ]
    }

    /// `start`; the session, which waits for the user then.
    func start() async throws -> String {
        let run = try await ledger.run(["start"] + arguments).expect(0)
        #expect(run.state == "polling")
        #expect(run.object["authorizationURL"] == nil)
        return try #require(run.object["session"]?.stringValue)
    }

    /// The user approves it, once it is there.
    func approve() async throws {
        try await provider.phone.approve(bindingMessage: message)
    }

    /// The user denies it, once it is there.
    func deny() async throws {
        try await provider.phone.deny(bindingMessage: message)
    }
}

/// The polls of a session, as they are recorded.
struct RecordedPolls {
    /// Of each poll that was recorded, its number: one that brought tokens among them.
    private(set) var attempts: [Int] = []
    /// The numbers of those before which one may be missing.
    private(set) var gaps: [Int] = []

    /// How many polls were sent, as far as the ledger knows, and are not recorded.
    var lost: Int { (attempts.last ?? 0) - attempts.count }

    /// Whether just those are marked before which one is missing.
    var areGapsTrue: Bool {
        let jumps = zip(attempts, [0] + attempts).filter { $0 != $1 + 1 }.map(\.0)
        return jumps == gaps
    }

    /// - Parameter events: the session's events, in order.
    init(_ events: [JSONObject]) {
        for data in events.compactMap({ $0["data"]?.objectValue }) {
            guard let attempt = data["attempt"]?.integerValue.map(Int.init), attempt > 0
            else { continue }
            attempts.append(attempt)
            if data["gap"] == .bool(true) { gaps.append(attempt) }
        }
    }
}

extension Ledger {
    /// The polls of a session.
    func polls(_ session: String) async throws -> RecordedPolls {
        let lines = try await run(["log", "--session", session]).expect(0).lines
        return RecordedPolls(lines.compactMap { $0["event"]?.objectValue })
    }
}
