// SPDX-License-Identifier: Apache-2.0

/// The profiles that come with the program, as the text of the files beside this one. A profile of
/// one's own builds on one of them with `extends`.
public enum BuiltInProfiles {
    /// Their names, in the order they are listed.
    public static let names = ["generic", "idura", "idpartner", "bankid-no"]

    /// The YAML text of a profile; nil when there is none of this name.
    public static func text(_ name: String) -> [UInt8]? {
        switch name {
        case "generic": PackageResources.generic_yaml
        case "idura": PackageResources.idura_yaml
        case "idpartner": PackageResources.idpartner_yaml
        case "bankid-no": PackageResources.bankid_no_yaml
        default: nil
        }
    }
}
