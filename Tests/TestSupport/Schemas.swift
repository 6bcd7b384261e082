// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// The JSON Schemas of the project.
public enum Schemas {
    /// Where they are, below the root of the repository.
    public static let directory = "Schemas"

    /// Something to hold against a schema.
    public struct Case: Sendable {
        /// The schema's path below ``directory``.
        public let schema: String
        /// What should fit it, or should not.
        public let instance: JSONValue

        /// Something to hold against a schema.
        public init(_ schema: String, _ instance: JSONValue) {
            self.schema = schema
            self.instance = instance
        }
    }

    /// What an independent validator says of a case.
    public struct Verdict: Sendable, CustomStringConvertible {
        /// What it printed.
        public let description: String

        /// Whether the instance fits the schema.
        public var isValid: Bool { description == "valid" }
    }

    /// Why there are no verdicts.
    public struct Failure: Error {
        /// What the validator said.
        public let text: String
    }

    /// Has an independent validator check all schemas, and then the cases.
    public static func verdicts(on cases: [Case]) throws -> [Verdict] {
        var input: [UInt8] = []
        for item in cases {
            CanonicalJSON.append(
                ["instance": item.instance, "schema": .string(item.schema)], to: &input)
            input.append(UInt8(ascii: "\n"))
        }
        let outcome = try Python.run(
            "validate_schemas.py", ["\(Repository.root)/\(directory)"], input: input)
        let lines = outcome.lines
        guard outcome.status == 0, lines.count == cases.count else {
            throw Failure(text: "status \(outcome.status): \(outcome.errors)")
        }
        return lines.map { Verdict(description: String(decoding: $0, as: UTF8.self)) }
    }

    /// A schema as an object.
    public static func read(_ path: String) throws -> JSONObject {
        let value = try JSONReader.read(
            try Repository.read("\(directory)/\(path)"), numbers: .integersOnly)
        guard let object = value.objectValue else { throw Failure(text: "\(path) is no object") }
        return object
    }
}
