// SPDX-License-Identifier: Apache-2.0

/// Why a key of a set is not used to verify. The raw values are for reports and never change.
public enum UnusableKeyReason: String, Error, Sendable, Hashable, CaseIterable {
    // MARK: It is not a key for this purpose.

    /// A member is missing, has the wrong type, or is not strict base64url of the right length.
    case malformed
    /// A key type that we do not know.
    case typeUnknown = "type-unknown"
    /// A shared secret; nobody publishes one.
    case symmetric
    /// The private half stands beside the public one: whoever read the set can sign.
    case privateMember = "private-member"
    /// A curve that none of our algorithms uses.
    case curveUnknown = "curve-unknown"
    /// `use` says something other than `sig`.
    case useNotSignature = "use-not-signature"
    /// `key_ops` does not hold `verify`.
    case operationsWithoutVerify = "operations-without-verify"
    /// `alg` names an algorithm that is none of ours, or not one for this type of key.
    case algorithmMisfit = "algorithm-misfit"
    /// Another usable key of the set has the same `kid`.
    case duplicateKeyID = "duplicate-key-id"

    // MARK: It is weak.

    /// Fewer bits than the limit.
    case modulusTooSmall = "modulus-too-small"
    /// More bits than the limit: verifying would cost too much.
    case modulusTooLarge = "modulus-too-large"
    /// An even modulus, or one with another small factor.
    case modulusFactored = "modulus-factored"
    /// Even, below 3, or longer than 64 bits.
    case exponentUnsuitable = "exponent-unsuitable"
    /// Made by the flawed generator of CVE-2017-15361 (ROCA), so its factors can be found.
    case rocaFingerprint = "roca-fingerprint"
    /// The point does not lie on its curve.
    case pointNotOnCurve = "point-not-on-curve"
    /// A point of small order, under which anyone can sign.
    case pointOfSmallOrder = "point-of-small-order"

    /// Whether the key itself is weak, rather than meant for something else or written wrongly.
    public var isWeakness: Bool {
        switch self {
        case .modulusTooSmall, .modulusTooLarge, .modulusFactored, .exponentUnsuitable,
            .rocaFingerprint, .pointNotOnCurve, .pointOfSmallOrder:
            true
        case .malformed, .typeUnknown, .symmetric, .privateMember, .curveUnknown,
            .useNotSignature, .operationsWithoutVerify, .algorithmMisfit, .duplicateKeyID:
            false
        }
    }
}

/// What a key set may hold. The values are part of a verification policy.
public struct JSONWebKeyLimits: Sendable, Hashable {
    /// The shortest RSA modulus, in bits.
    public var rsaModulusBitsMin = 2048
    /// The longest RSA modulus, in bits.
    public var rsaModulusBitsMax = 8192
    /// The most keys in a set.
    public var keysMax = 256
    /// The most bytes of a set.
    public var setBytesMax = 1 << 20

    /// The usual limits.
    public init() {}
}
