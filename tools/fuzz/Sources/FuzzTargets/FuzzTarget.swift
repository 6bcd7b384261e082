// SPDX-License-Identifier: Apache-2.0

/// Code that reads bytes from outside, with what must hold whatever the bytes are.
public struct FuzzTarget: Sendable {
    /// How it is named on the command line and in `corpus/`.
    public let name: String
    /// Inputs to begin with, besides those in `corpus/`.
    public let seeds: [[UInt8]]
    private let check: @Sendable ([UInt8]) throws -> Void

    init(
        _ name: String, seeds: [[UInt8]], check: @escaping @Sendable ([UInt8]) throws -> Void
    ) {
        self.name = name
        self.seeds = seeds
        self.check = check
    }

    /// What does not hold for an input; nil when all does.
    public func violation(_ input: [UInt8]) -> String? {
        do {
            try check(input)
            return nil
        } catch {
            return "\(name): \(error)"
        }
    }

    /// All targets.
    public static let all: [FuzzTarget] = [
        .checkpoint, .encodings, .frame, .json, .jwe, .jws, .leaf, .note, .packing, .proof,
        .reported, .signedNote,
    ]

    /// The target of a name.
    public static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// Something that should hold and does not.
struct Violation: Error, CustomStringConvertible {
    let description: String
}

/// Throws unless the condition holds.
func holds(_ condition: Bool, _ text: String) throws {
    if !condition { throw Violation(description: text) }
}
