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
        let members = try ProfileLayers.merged(try Self.members(bytes), environment: environment)
        return try ProviderProfile(members, relativeTo: directory)
    }

    /// The members of a text in YAML.
    static func members(_ bytes: [UInt8]) throws(ProfileError) -> JSONObject {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ProfileError("the profile is not UTF-8")
        }
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw ProfileError("the profile is not YAML")
        }
        var converter = NodeConverter()
        guard let value = node.flatMap({ converter.jsonValue($0, depth: 0) }),
            let members = value.objectValue
        else { throw ProfileError("the profile must be a mapping of names to values") }
        return members
    }
}

/// A profile that comes with the program: what is known of a broker, without a client.
public struct ProfileTemplate: Sendable {
    /// Its name.
    public let name: String
    private let layers: JSONObject

    /// The template of a name; nil when there is none.
    public init?(_ name: String) {
        guard let text = BuiltInProfiles.text(name), let members = try? ProfileFile.members(text)
        else { return nil }
        self.name = name
        layers = members
    }

    /// Every template.
    public static let all = BuiltInProfiles.names.compactMap(ProfileTemplate.init)

    /// Its members in the environment that it names, as a profile that builds on it gets them.
    public var members: JSONObject { (try? members(environment: nil)) ?? layers }

    /// Its members in an environment.
    ///
    /// - Throws: ``ProfileError`` when there is no such environment.
    public func members(environment: String?) throws(ProfileError) -> JSONObject {
        try ProfileLayers.merged(layers, environment: environment)
    }

    /// Flows that it has.
    public var flows: [String] {
        members["flows"]?.arrayValue?.compactMap(\.stringValue) ?? []
    }
}

/// Puts the layers of a profile on each other: what it builds on, that one's environment, the
/// profile itself, and its own environment.
enum ProfileLayers {
    static func merged(
        _ own: JSONObject, environment: String?
    ) throws(ProfileError) -> JSONObject {
        var base = JSONObject()
        if let name = own["extends"] {
            guard let text = name.stringValue.flatMap(BuiltInProfiles.text) else {
                throw ProfileError(
                    "`extends` must be one of "
                        + BuiltInProfiles.names.joined(separator: ", "))
            }
            base = try ProfileFile.members(text)
        }
        let chosen =
            environment ?? own["environment"]?.stringValue ?? base["environment"]?.stringValue
        var merged = JSONObject()
        var isFound = chosen == nil
        for layer in [base, own] {
            merge(layer, into: &merged)
            guard let chosen, let overlay = layer["environments"] else { continue }
            guard let overlays = overlay.objectValue,
                overlays.members.allSatisfy({ $0.value.objectValue != nil })
            else { throw ProfileError("`environments` must be a mapping of names to mappings") }
            if let found = overlays[chosen]?.objectValue {
                isFound = true
                // What the profile itself says counts more than what it builds on says of an
                // environment; so this layer comes before the next one.
                merge(found, into: &merged)
            }
        }
        let hasEnvironments = base["environments"] != nil || own["environments"] != nil
        guard isFound || environment == nil && !hasEnvironments else {
            throw ProfileError("the profile has no such environment")
        }
        merged["environment"] = chosen.map { .string($0) }
        merged["environments"] = nil
        merged["extends"] = nil
        return merged
    }

    /// Mappings are merged; everything else is replaced.
    private static func merge(_ layer: JSONObject, into merged: inout JSONObject) {
        for member in layer.members {
            if let new = member.value.objectValue, var old = merged[member.name]?.objectValue {
                merge(new, into: &old)
                merged[member.name] = .object(old)
            } else {
                merged[member.name] = member.value
            }
        }
    }
}

/// Turns nodes of YAML into JSON values.
private struct NodeConverter {
    /// No honest profile has more nodes. Aliases of aliases make any number out of a few lines.
    private var nodesLeft = 10_000

    /// The value of a node; nil when it is nested too deeply, has a name that is no text, or has
    /// too many nodes in it.
    mutating func jsonValue(_ node: Node, depth: Int) -> JSONValue? {
        nodesLeft -= 1
        guard depth < 16, nodesLeft >= 0 else { return nil }
        switch node {
        case .scalar(let scalar):
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
