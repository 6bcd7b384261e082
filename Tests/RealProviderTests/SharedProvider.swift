// SPDX-License-Identifier: Apache-2.0

import Testing

/// Starts the provider that the tests of a suite share, and stops it after the last one.
struct SharedProvider: SuiteTrait, TestScoping {
    let kind: RealProvider.Kind

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        try await RealProvider.run(kind) { provider in
            try await RealProvider.$shared.withValue(provider) { try await function() }
        }
    }
}

extension Trait where Self == SharedProvider {
    /// The suite's tests share a provider.
    static var sharedProvider: Self { Self(kind: .glewlwyd) }

    /// The suite's tests share a provider of some kind.
    static func sharedProvider(_ kind: RealProvider.Kind) -> Self { Self(kind: kind) }
}
