// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import Testing

/// Algorithms of ID tokens.
@Suite("A real provider's ID token", .serialized, .sharedProvider)
struct AlgorithmTests {
    let provider: RealProvider

    init() throws {
        provider = try RealProvider.current()
    }

    @Test("is verified with the key of its algorithm", arguments: ["ES256", "PS256"])
    func otherAlgorithms(algorithm: String) async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(
            provider, algorithm.lowercased(),
            ProfileChanges(members: ["algorithms": "[\(algorithm)]"]))
        try await ledger.logIn(provider, profile).expectVerified()
        let issued = try await ledger.onlyData("token-issued")
        #expect(issued["algorithm"] == .string(algorithm))
        #expect(issued["keyID"] == .string("key-\(algorithm.lowercased())"))
        try await ledger.reverify(tokens: 1, verified: 1, failed: 0)
    }

    @Test("is refused when its algorithm is not the one that its key is published for")
    func mislabelled() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(
            provider, "ps256-mislabelled", ProfileChanges(members: ["algorithms": "[PS256]"]))
        try await ledger.logIn(provider, profile).expectFailed("key-unsuitable")
        try await ledger.reverify(tokens: 1, verified: 0, failed: 1)
    }

    @Test("is refused when the profile does not list its algorithm")
    func notListed() async throws {
        let ledger = try await provider.ledger()
        let profile = try ledger.profile(
            provider, "es256", ProfileChanges(members: ["algorithms": "[RS256, PS256]"]))
        try await ledger.logIn(provider, profile).expectFailed("alg-not-allowed")
        try await ledger.reverify(tokens: 1, verified: 0, failed: 1)
    }
}
