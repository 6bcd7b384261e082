// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// What the outside world gives: the time and randomness, as values that are passed in.
///
/// The live ones are made at the edge. Whoever holds no `Capabilities` cannot know the time.
public struct Capabilities: Sendable {
    /// The wall clock.
    public let now: @Sendable () -> Instant
    /// So many bytes from a cryptographic random number generator.
    public let randomBytes: @Sendable (_ count: Int) -> [UInt8]

    /// A set of capabilities.
    public init(
        now: @escaping @Sendable () -> Instant,
        randomBytes: @escaping @Sendable (_ count: Int) -> [UInt8]
    ) {
        self.now = now
        self.randomBytes = randomBytes
    }

    /// A new id of the present instant.
    public func makeUUIDv7() -> UUIDv7 {
        UUIDv7(at: now(), random: randomBytes(10))
    }
}
