// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// What is true of one request beside itself: when and how it came, and the dice for its answer.
struct Moment {
    /// The time by the provider's clock.
    let now: Instant
    /// The hash of the certificate that the client presented; nil when it presented none.
    let certificate: Digest?
    /// Whether it came to an endpoint for clients with certificates.
    let isOverMutualTLS: Bool
    /// Gives so many random bytes.
    let randomBytes: (Int) -> [UInt8]

    /// A text that nobody can guess.
    func token() -> String { Base64URL.encode(randomBytes(32)) }

    /// The time so many seconds from now.
    func after(seconds: Int) -> Instant { now.advanced(byMilliseconds: Int64(seconds) * 1000) }
}
