// SPDX-License-Identifier: Apache-2.0

internal import SessionEvents

/// Counts of many outcomes.
public struct ReverificationSummary: Equatable, Sendable {
    /// What tokens have in common that are counted together.
    public struct Group: Hashable, Sendable {
        /// The profile's name.
        public let provider: String?
        /// The algorithm that the tokens name.
        public let algorithm: String?
        /// The key that they name.
        public let keyID: String?
        /// What became of them.
        public let result: TokenOutcome.Result
        /// The code of the reason why they failed now.
        public let reason: String?

        /// A group.
        public init(
            provider: String?, algorithm: String?, keyID: String?, result: TokenOutcome.Result,
            reason: String?
        ) {
            self.provider = provider
            self.algorithm = algorithm
            self.keyID = keyID
            self.result = result
            self.reason = reason
        }

        /// There are few, so that two of the five tell nearly all of them apart.
        public func hash(into hasher: inout Hasher) {
            hasher.combine(keyID)
            hasher.combine(result)
        }
    }

    /// How many tokens of each group there are.
    public private(set) var groups: [Group: Int] = [:]
    /// All tokens.
    public private(set) var tokens = 0
    /// Those whose verdict differs from the recorded one.
    public private(set) var mismatches = 0
    /// Those whose verdict would be another one with what was changed.
    public private(set) var differing = 0
    /// Those for which no verdict was recorded.
    public private(set) var withoutVerdict = 0

    /// Those that verified.
    public var verified: Int { count(of: .verified) }
    /// Those that failed.
    public var failed: Int { count(of: .failed) }
    /// Those whose key was erased.
    public var erased: Int { count(of: .erased) }
    /// Those that could not be checked.
    public var inconclusive: Int { count(of: .inconclusive) }

    /// No tokens yet.
    public init() {}

    /// Goes on with what was counted before.
    public init(
        groups: [Group: Int], mismatches: Int, differing: Int, withoutVerdict: Int
    ) {
        self.groups = groups
        tokens = groups.values.reduce(0, +)
        self.mismatches = mismatches
        self.differing = differing
        self.withoutVerdict = withoutVerdict
    }

    /// Counts an outcome.
    public mutating func count(_ outcome: TokenOutcome) {
        tokens += 1
        let group = Group(
            provider: outcome.provider, algorithm: outcome.algorithm, keyID: outcome.keyID,
            result: outcome.result, reason: outcome.reason?.code)
        groups[group, default: 0] += 1
        mismatches += outcome.isMismatch ? 1 : 0
        differing += outcome.differs && outcome.isHypothetical ? 1 : 0
        withoutVerdict += outcome.verdictThen == nil ? 1 : 0
    }

    /// Adds what was counted elsewhere.
    public mutating func add(_ other: ReverificationSummary) {
        tokens += other.tokens
        groups.merge(other.groups, uniquingKeysWith: +)
        mismatches += other.mismatches
        differing += other.differing
        withoutVerdict += other.withoutVerdict
    }

    private func count(of result: TokenOutcome.Result) -> Int {
        groups.reduce(0) { $0 + ($1.key.result == result ? $1.value : 0) }
    }
}
