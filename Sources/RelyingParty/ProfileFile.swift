// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenIDConnect
internal import OpenSSL
internal import Platform
internal import Yams

/// Profiles in files, and the secrets that they point to.
public enum ProfileFile {
    /// The largest profile, in bytes.
    private static let bytesMax = 262_144

    /// Reads a profile in YAML.
    ///
    /// - Throws: ``ProfileError``, or an error of the system.
    public static func read(_ path: String) throws -> ProviderProfile {
        let absolute = try Path.absolute(path)
        let bytes = try File(absolute, .reading).readAll(limit: bytesMax)
        return try parse(bytes, directory: Path.parent(of: absolute))
    }

    /// Reads a profile's text.
    static func parse(_ bytes: [UInt8], directory: String) throws -> ProviderProfile {
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
        return try ProviderProfile(members, relativeTo: directory)
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

extension ProviderProfile {
    /// Reads the client's secret from where the profile says it is.
    ///
    /// - Throws: ``ProfileError``, or an error of the system.
    func readSecret() throws -> ClientSecret? {
        switch secret {
        case nil:
            return nil
        case .environment(let name):
            guard let value = ProcessControl.environment(name) else {
                throw ProfileError("the variable with the client's secret is not set")
            }
            return ClientSecret(value)
        case .file(let path):
            var bytes = try File(path, .reading).readAll(limit: 65_536)
            defer { cleanse(&bytes) }
            let line = bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]
            guard let text = String(validating: line, as: UTF8.self) else {
                throw ProfileError("the file with the client's secret is not UTF-8")
            }
            return ClientSecret(text)
        }
    }
}
