// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Random numbers that come out the same for the same seed (SplitMix64).
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator for a seed.
    public init(seed: UInt64) {
        state = seed
    }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// So many random bytes.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}

/// The seeds that property tests run with.
public enum Seeds {
    /// A few fixed seeds, or the one in `AUTHLEDGER_SEED`.
    public static let all: [UInt64] = {
        if let text = ProcessInfo.processInfo.environment["AUTHLEDGER_SEED"],
            let seed = UInt64(text)
        {
            return [seed]
        }
        return [1, 2, 20_261_120]
    }()

    /// What to set in the environment to see a failure again.
    public static func hint(_ seed: UInt64) -> String { "AUTHLEDGER_SEED=\(seed)" }
}
