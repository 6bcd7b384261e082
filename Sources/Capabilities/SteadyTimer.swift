// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// What lets time pass, for those who have to wait.
public struct SteadyTimer: Sendable {
    /// Milliseconds by a clock that nobody sets, and that goes on while the machine sleeps.
    public let steadyMilliseconds: @Sendable () -> Int64
    /// Returns so many milliseconds later, or throws when the task is cancelled.
    public let wait: @Sendable (_ milliseconds: Int64) async throws -> Void

    /// A timer.
    public init(
        steadyMilliseconds: @escaping @Sendable () -> Int64,
        wait: @escaping @Sendable (_ milliseconds: Int64) async throws -> Void
    ) {
        self.steadyMilliseconds = steadyMilliseconds
        self.wait = wait
    }

    /// One for those who have only a wall clock and never wait: waiting is refused.
    static func none(_ now: @escaping @Sendable () -> Instant) -> SteadyTimer {
        SteadyTimer(
            steadyMilliseconds: { now().millisecondsSince1970 },
            wait: { _ in throw NoTimer() })
    }
}

/// Somebody waits who was given no timer.
public struct NoTimer: Error, Equatable {}
