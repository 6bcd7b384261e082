// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import OpenSSL
import ProviderSimulator

extension ProviderServer {
    /// Runs a simulated provider by the time and the dice of this machine.
    static func runLive<Result: Sendable>(
        _ settings: ProviderSettings, body: (ProviderServer) async throws -> Result
    ) async throws -> Result {
        try await run(
            settings,
            now: { Instant(millisecondsSince1970: Int64(Date().timeIntervalSince1970 * 1000)) },
            randomBytes: { OpenSSL.randomBytes($0) }, body: body)
    }

    /// An address on loopback at which the program can wait for a callback: below the ports of
    /// outgoing connections, where nobody listens by chance.
    static func callbackURL() -> String {
        "http://127.0.0.1:\(Int.random(in: 20_000..<32_000))/callback"
    }
}
