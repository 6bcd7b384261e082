// SPDX-License-Identifier: Apache-2.0

/// Why a line of input was not recorded.
public struct LineRejection: Error, Equatable, Sendable {
    /// What kind of problem it is.
    public enum Code: String, CaseIterable, Sendable {
        case jsonMalformed = "json-malformed"
        case lineTooLong = "line-too-long"
        case memberMissing = "member-missing"
        case memberUnknown = "member-unknown"
        case memberMalformed = "member-malformed"
        case typeUnknown = "type-unknown"
        case versionUnknown = "version-unknown"
        case sourceRefused = "source-refused"
        case transitionRefused = "transition-refused"
        case revisionMismatch = "revision-mismatch"
        case idConflict = "id-conflict"
        case eventTooLarge = "event-too-large"
        case sessionErased = "session-erased"
    }

    /// What kind of problem it is.
    public let code: Code
    /// What is wrong and what to do, without any value of the input.
    public let message: String

    /// A reason to refuse a line.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
