// SPDX-License-Identifier: Apache-2.0

internal import BuiltInProfiles
internal import LedgerPrimitives

/// Puts the layers of a profile on each other: what it builds on, that one's environment, the
/// profile itself, and its own environment. So what a profile says goes before all that it builds
/// on, and its environment before everything.
struct ProfileLayers {
    /// The members that choose and hold layers; they stand at the top and nowhere else.
    private static let structure = ["environment", "environments", "extends"]

    /// What is built on, and the profile itself.
    private let layers: [JSONObject]
    /// The environments of each layer.
    private let environments: [[JSONObject.Member]]

    /// The layers of a profile, before an environment is chosen.
    init(_ own: JSONObject) throws(ProfileError) {
        layers = [try Self.base(of: own), own]
        environments = [try Self.environments(of: layers[0]), try Self.environments(of: own)]
    }

    /// The names of the environments there are, in the order they stand.
    var environmentNames: [String] {
        environments.joined().map(\.name).reduce(into: []) { names, name in
            if !names.contains(where: { $0.isIdentical(to: name) }) { names.append(name) }
        }
    }

    /// The members of the profile as a whole.
    ///
    /// - Parameter environment: the environment instead of the one that the profile names.
    /// - Throws: ``ProfileError`` when there is no such environment, or none is chosen of several.
    func merged(environment: String? = nil) throws(ProfileError) -> JSONObject {
        let chosen = try chosen(environment)
        var merged = JSONObject()
        for (layer, overlays) in zip(layers, environments) {
            Self.merge(layer, into: &merged)
            let overlay = chosen.flatMap { name in
                overlays.first { $0.name.isIdentical(to: name) }?.value.objectValue
            }
            if let overlay { Self.merge(overlay, into: &merged) }
        }
        for name in Self.structure { merged[name] = nil }
        merged["environment"] = chosen.map { .string($0) }
        return merged
    }

    private func chosen(_ environment: String?) throws(ProfileError) -> String? {
        var named: String?
        for layer in layers {
            guard let member = layer["environment"] else { continue }
            guard let name = member.stringValue else {
                throw ProfileError("`environment` must be a text")
            }
            named = name
        }
        let names = environmentNames
        if names.isEmpty {
            // A profile of one environment may say which one it is.
            guard let environment else { return named }
            guard named?.isIdentical(to: environment) ?? false else {
                throw ProfileError("the profile has no such environment")
            }
            return named
        }
        guard let chosen = environment ?? named else {
            throw ProfileError(
                "`environment` must say which one of the environments counts: "
                    + names.joined(separator: ", "))
        }
        guard names.contains(where: { $0.isIdentical(to: chosen) }) else {
            throw ProfileError(
                "the profile has no such environment, but " + names.joined(separator: ", "))
        }
        return chosen
    }

    private static func base(of own: JSONObject) throws(ProfileError) -> JSONObject {
        guard let name = own["extends"] else { return JSONObject() }
        guard let text = name.stringValue.flatMap(BuiltInProfiles.text) else {
            throw ProfileError(
                "`extends` must be one of " + BuiltInProfiles.names.joined(separator: ", "))
        }
        return try ProfileFile.members(text)
    }

    private static func environments(
        of layer: JSONObject
    ) throws(ProfileError) -> [JSONObject.Member] {
        guard let member = layer["environments"] else { return [] }
        guard let environments = member.objectValue,
            environments.members.allSatisfy({
                ProviderProfile.isName($0.name) && $0.value.objectValue != nil
            })
        else { throw ProfileError("`environments` must be a mapping of names to mappings") }
        for environment in environments.members {
            let misplaced = structure.first { environment.value.objectValue?[$0] != nil }
            if let misplaced {
                throw ProfileError("`\(misplaced)` must not stand in an environment")
            }
        }
        return environments.members
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
