// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import SessionEvents

/// What became of one stored ID token when it was checked again.
public struct TokenOutcome: Equatable, Sendable {
    /// The result of the check.
    public enum Result: String, CaseIterable, Sendable {
        case verified
        case failed
        /// The data key was destroyed by an erasure that the log attests.
        case erased
        /// Key set, policy or token are not there to check with.
        case inconclusive
    }

    /// The session.
    public let session: String
    /// The event with the token.
    public let position: UInt64
    /// The profile's name.
    public let provider: String?
    /// The algorithm that the token names, as it stands in the clear.
    public let algorithm: String?
    /// The key that the token names, as it stands in the clear.
    public let keyID: String?
    /// The result.
    public let result: Result
    /// Why the token failed now, if it did.
    public let reason: FailureReason?
    /// The names of the checks that failed now.
    public let failedChecks: [String]
    /// Whether the recorded verdict was that it is good; nil when none was recorded.
    public let verdictThen: Bool?
    /// Whether it was checked with something else than what was recorded.
    public let isHypothetical: Bool

    /// Whether today's verdict differs from the recorded one.
    public var differs: Bool {
        switch (result, verdictThen) {
        case (.verified, false?), (.failed, true?): true
        default: false
        }
    }

    /// Whether the record is contradicted: the verdict differs although nothing was changed of what
    /// it was made from.
    public var isMismatch: Bool { differs && !isHypothetical }
}

/// What a re-verification puts in the place of what was recorded.
public struct ReverificationChanges: Sendable {
    /// Settings in the place of those of the recorded policies.
    public var policySettings: JSONObject?
    /// Whether the newest key set that the log has of an issuer counts.
    public var usesNewestKeys = false
    /// The instant of the checks.
    public var instant: Instant?

    /// No change.
    public init() {}

    /// Whether nothing is changed.
    public var isEmpty: Bool { policySettings == nil && !usesNewestKeys && instant == nil }
}
