// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import LedgerPrimitives

/// What the outside world gives: the time, randomness and HTTP, as values that are passed in.
///
/// The live ones are made at the edge. Whoever holds no `Capabilities` cannot know the time.
public struct Capabilities: Sendable {
    /// The wall clock.
    public let now: @Sendable () -> Instant
    /// So many bytes from a cryptographic random number generator.
    public let randomBytes: @Sendable (_ count: Int) -> [UInt8]
    /// Sends a request and answers with the response. Failures are ``HTTPFailure``.
    public let send: @Sendable (HTTPRequest) async throws -> HTTPResponse

    /// What lets time pass.
    public let timer: SteadyTimer
    /// What tells how good the wall clock is; nil where nobody asks.
    public let clock: ClockInstruments?

    /// A set of capabilities. Without `send` there is no network: every request is refused. Without
    /// `timer` nobody can wait.
    public init(
        now: @escaping @Sendable () -> Instant,
        randomBytes: @escaping @Sendable (_ count: Int) -> [UInt8],
        send: @escaping @Sendable (HTTPRequest) async throws -> HTTPResponse = { _ in
            throw HTTPFailure(.refused, mayHaveBeenSent: false)
        },
        timer: SteadyTimer? = nil, clock: ClockInstruments? = nil
    ) {
        self.now = now
        self.randomBytes = randomBytes
        self.send = send
        self.timer = timer ?? .none(now)
        self.clock = clock
    }

    /// A new id of the present instant.
    public func makeUUIDv7() -> UUIDv7 {
        UUIDv7(at: now(), random: randomBytes(10))
    }
}
