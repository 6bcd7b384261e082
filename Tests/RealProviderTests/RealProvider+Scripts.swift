// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives

/// What the provider's users and its operator do.
extension RealProvider {
    /// Stops the provider before the end of a test.
    func switchOff() async throws {
        _ = try await script("down", [])
    }

    /// The authorization URL of a session at the first issuer, sent to another one, which does not
    /// know better.
    func misled(_ url: String, to other: Issuer) -> String {
        url.replacingOccurrences(of: issuer + "/", with: issuer(other) + "/")
    }

    /// The user logs in; the callback URL or, if the provider lets the browser post a form, the
    /// body that is posted.
    func visit(_ url: String) async throws -> String {
        try await script("browser", ["--body"], input: url)
    }

    /// The user logs in and refuses to consent; the callback URL.
    func visitAndRefuse(_ url: String) async throws -> String {
        try await script("browser", ["--refuse"], input: url)
    }

    /// The user logs in, and the browser goes to the callback URL or posts to it; the status there.
    func visitAndFollow(_ url: String) async throws -> String {
        try await script("browser", ["--follow"], input: url)
    }

    /// Lets a new key sign; the old ones stay published.
    func addKey() async throws {
        _ = try await script("rotate-keys", ["add"])
    }

    /// Withdraws all RS256 keys but the one that signs.
    func dropOldKeys() async throws {
        let list = try await script("rotate-keys", ["list"])
        let keys = try JSONReader.read(Array(list.utf8), numbers: .integersOnly).arrayValue ?? []
        for key in keys.dropFirst().compactMap(\.stringValue) {
            _ = try await script("rotate-keys", ["drop", key])
        }
    }

    /// Runs a script on the provider; what it printed.
    func script(
        _ name: String, _ arguments: [String], input: String = ""
    ) async throws -> String {
        let files = "\(folder)/script-\(UUID().uuidString)"
        let execution = try Execution(
            // The scripts need nothing but the standard library, which starts sooner alone.
            Self.python, ["-S", Self.tools + name, directory] + arguments,
            environment: Self.environment, input: .text(input), files: files)
        let run = try await execution.wait()
        guard run.status == 0 else { throw Trouble("\(name): \(run.text)") }
        return run.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
