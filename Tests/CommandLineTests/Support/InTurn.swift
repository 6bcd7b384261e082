// SPDX-License-Identifier: Apache-2.0

import Testing

/// Lets only a few test cases run at once. Each of them starts programs; all of them together
/// would make a machine so busy that times mean nothing any more.
struct InTurn: SuiteTrait, TestTrait, TestScoping {
    private static let turnstile = Turnstile(places: 3)

    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        await Self.turnstile.enter()
        do {
            try await function()
            await Self.turnstile.leave()
        } catch {
            await Self.turnstile.leave()
            throw error
        }
    }
}

extension Trait where Self == InTurn {
    /// Runs the test cases of a suite a few at a time.
    static var inTurn: InTurn { InTurn() }
}

private actor Turnstile {
    private var places: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(places: Int) {
        self.places = places
    }

    func enter() async {
        if places > 0 {
            places -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func leave() {
        if waiting.isEmpty {
            places += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
