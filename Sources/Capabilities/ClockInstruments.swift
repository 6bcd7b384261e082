// SPDX-License-Identifier: Apache-2.0

/// How good the wall clock is, by the word of whoever runs it.
public struct ClockQuality: Equatable, Sendable {
    /// Where the time comes from: the kernel's name for its source.
    public let source: String
    /// Whether something keeps the clock in step with others.
    public let isSynchronized: Bool
    /// How far off it may be at most, in milliseconds; nil when nobody can say.
    public let maximumErrorMilliseconds: Int64?

    /// What is known of a clock.
    public init(source: String, isSynchronized: Bool, maximumErrorMilliseconds: Int64?) {
        self.source = source
        self.isSynchronized = isSynchronized
        self.maximumErrorMilliseconds = maximumErrorMilliseconds
    }
}

/// What tells how good the wall clock is.
public struct ClockInstruments: Sendable {
    /// Milliseconds by a clock that nobody sets; it goes on while the machine sleeps.
    public let steadyMilliseconds: @Sendable () -> Int64
    /// The quality of the wall clock now; nil when it cannot be told.
    public let quality: @Sendable () -> ClockQuality?

    /// A set of instruments.
    public init(
        steadyMilliseconds: @escaping @Sendable () -> Int64,
        quality: @escaping @Sendable () -> ClockQuality?
    ) {
        self.steadyMilliseconds = steadyMilliseconds
        self.quality = quality
    }
}
