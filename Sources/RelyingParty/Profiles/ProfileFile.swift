// SPDX-License-Identifier: Apache-2.0

internal import BuiltInProfiles
public import LedgerPrimitives
internal import Platform
internal import Yams

/// Profiles in files.
public enum ProfileFile {
    /// The largest profile, in bytes.
    private static let bytesMax = 262_144

    /// Reads a profile in YAML.
    ///
    /// - Parameter environment: the environment to use instead of the one that the file names.
    /// - Throws: ``ProfileError``, or an error of the system.
    public static func read(_ path: String, environment: String? = nil) throws -> ProviderProfile {
        let absolute = try Path.absolute(path)
        let bytes = try File(absolute, .reading).readAll(limit: bytesMax)
        return try parse(
            bytes, directory: Path.parent(of: absolute), environment: environment)
    }

    /// Reads a profile's text.
    static func parse(
        _ bytes: [UInt8], directory: String, environment: String? = nil
    ) throws(ProfileError) -> ProviderProfile {
        let members = try ProfileLayers(try Self.members(bytes)).merged(environment: environment)
        return try ProviderProfile(members, relativeTo: directory)
    }

    /// The members of a text in YAML.
    public static func members(_ bytes: [UInt8]) throws(ProfileError) -> JSONObject {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ProfileError("the file is not UTF-8")
        }
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw ProfileError("the file is not YAML")
        }
        var converter = NodeConverter()
        guard let value = node.flatMap({ converter.jsonValue($0, depth: 0) }),
            let members = value.objectValue
        else { throw ProfileError("the file must be a mapping of names to values") }
        return members
    }
}

/// A profile that comes with the program: what is known of a broker, without a client.
public struct ProfileTemplate: Sendable {
    /// Its name.
    public let name: String
    private let layers: ProfileLayers

    /// The template of a name; nil when there is none.
    public init?(_ name: String) {
        guard let text = BuiltInProfiles.text(name), let members = try? ProfileFile.members(text),
            let layers = try? ProfileLayers(members)
        else { return nil }
        self.name = name
        self.layers = layers
    }

    /// Every template.
    public static let all = BuiltInProfiles.names.compactMap(ProfileTemplate.init)

    /// Its members in the environment that it names, as a profile that builds on it gets them.
    public var members: JSONObject { (try? layers.merged()) ?? [:] }

    /// Its members in an environment.
    ///
    /// - Throws: ``ProfileError`` when there is no such environment.
    public func members(environment: String?) throws(ProfileError) -> JSONObject {
        try layers.merged(environment: environment)
    }

    /// The environments that it knows.
    public var environments: [String] { layers.environmentNames }

    /// Flows that it has.
    public var flows: [String] {
        members["flows"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }
}

/// Turns nodes of YAML into JSON values.
private struct NodeConverter {
    /// No honest profile has more nodes. Aliases of aliases make any number out of a few lines.
    private var nodesLeft = 10_000
    /// How YAML writes that there is no value; a text of these letters stands in quotes.
    private static let nothings: Set = ["", "~", "null", "Null", "NULL"]

    /// The value of a node; nil when it is nested too deeply, has a name that is no text, or has
    /// too many nodes in it.
    mutating func jsonValue(_ node: Node, depth: Int) -> JSONValue? {
        nodesLeft -= 1
        guard depth < 16, nodesLeft >= 0 else { return nil }
        switch node {
        case .scalar(let scalar):
            if scalar.style == .plain, Self.nothings.contains(scalar.string) { return .null }
            if let flag = node.bool, scalar.style == .plain { return .bool(flag) }
            if let number = node.int, scalar.style == .plain { return .integer(Int64(number)) }
            return .string(scalar.string)
        case .sequence(let sequence):
            var elements: [JSONValue] = []
            for element in sequence {
                guard let value = jsonValue(element, depth: depth + 1) else { return nil }
                elements.append(value)
            }
            return .array(elements)
        case .mapping(let mapping):
            var object = JSONObject()
            for (key, value) in mapping {
                guard let name = key.string, object[name] == nil,
                    let value = jsonValue(value, depth: depth + 1)
                else { return nil }
                object[name] = value
            }
            return .object(object)
        case .alias:
            return nil
        }
    }
}
