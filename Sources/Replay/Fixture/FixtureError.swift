// SPDX-License-Identifier: Apache-2.0

/// Why a fixture cannot be made or read. No value of a session is in any of them.
public enum FixtureError: Error, Equatable, Sendable {
    /// The session's data key was destroyed: there is nothing to make a fixture from.
    case erased
    /// The session has no event.
    case empty
    /// A key of the session cannot be replaced by one with which the same goes wrong.
    case keyDiffers(then: String, now: String)
    /// A key of the session is so large that making another one takes too long.
    case keyTooLarge(bits: Int)
    /// The fixture would not come to what the session comes to.
    case outcomeDiffers(String)
    /// The number of recorded values that would still be in the fixture.
    case valuesLeft(Int)
    /// A file is not there.
    case missing(file: String)
    /// A file has more bytes than a fixture may have, or the fixture has more files.
    case tooLarge(file: String)
    /// A file is not what it has to be.
    case malformed(file: String, problem: String)
    /// A document is not the one after whose digest it is named.
    case documentChanged(file: String)
    /// Where the fixture is to be written there is something already.
    case notEmpty
}

extension FixtureError: CustomStringConvertible {
    /// What is wrong, and where.
    public var description: String {
        switch self {
        case .erased: "the session was erased; there is nothing to make a fixture from"
        case .empty: "the session has no event"
        case .keyDiffers(let then, let now):
            "a key of the session, \(then), would have a counterpart that is \(now)"
        case .keyTooLarge(let bits): "a key of the session has \(bits) bits, more than 8192"
        case .outcomeDiffers(let place):
            "the fixture would not come to what the session comes to: \(place)"
        case .valuesLeft(let count):
            "\(count) recorded \(count == 1 ? "value" : "values") would be left in the fixture"
        case .missing(let file): "\(file) is not in the fixture"
        case .tooLarge(let file): "\(file) is larger than a fixture may be"
        case .malformed(let file, let problem): "\(file): \(problem)"
        case .documentChanged(let file):
            "\(file) is not the document after whose digest it is named"
        case .notEmpty: "the directory is there already, and not empty"
        }
    }
}
