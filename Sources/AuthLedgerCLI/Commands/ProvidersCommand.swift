// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import LedgerPrimitives
internal import Platform
internal import RelyingParty
internal import SessionEvents

struct ProvidersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "providers",
        abstract: "List and show provider profiles.",
        discussion: """
            Examples:
              authledger providers list
              authledger providers show my-provider

            A profile is a file NAME.yaml in the folder `providers` of the ledger or of
            $XDG_CONFIG_HOME/authledger. Secrets are never shown: a profile only says where they
            are.
            """,
        subcommands: [ProvidersListCommand.self, ProvidersShowCommand.self])
}

struct ProvidersListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the profiles there are.",
        discussion: """
            Examples:
              authledger providers list
              authledger providers list --json
            """)

    @OptionGroup var global: GlobalOptions

    func run() throws {
        for name in try ProfileLookup(global).names() {
            let profile = try ProfileLookup(global).profile(name)
            let flows = profile.flows.map(\.rawValue)
            let line: JSONObject = [
                "flows": .array(flows.map { .string($0) }), "issuer": .string(profile.issuer),
                "name": .string(profile.name),
            ]
            try global.output.print(line) {
                "\(profile.name)  \(profile.issuer)  \(flows.joined(separator: " "))"
            }
        }
    }
}

struct ProvidersShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one profile.",
        discussion: """
            Examples:
              authledger providers show my-provider
              authledger providers show ./my-provider.yaml --json
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("A profile's name or file.", valueName: "name"))
    var name: String

    func run() throws {
        let profile = try ProfileLookup(global).profile(name)
        try global.output.print(profile.object) {
            profile.object.members.sorted { $0.name < $1.name }.map { member in
                let value = String(decoding: CanonicalJSON.encode(member.value), as: UTF8.self)
                return "\(member.name): \(value)"
            }.joined(separator: "\n")
        }
    }
}

/// Finds profiles by name or file.
struct ProfileLookup {
    private let global: GlobalOptions

    init(_ global: GlobalOptions) {
        self.global = global
    }

    private func folders() throws -> [String] {
        [
            try global.ledgerDirectory() + "/providers",
            try Path.parent(of: global.keyRoot()) + "/providers",
        ]
    }

    /// The names of the profiles in both folders.
    func names() throws -> [String] {
        var names: Set<String> = []
        for folder in try folders() where Directory.exists(folder) {
            for entry in try Directory.entries(of: folder) where entry.hasSuffix(".yaml") {
                names.insert(String(entry.dropLast(5)))
            }
        }
        return names.sorted()
    }

    /// The profile in a file, or of a name.
    func profile(_ nameOrFile: String) throws -> ProviderProfile {
        if nameOrFile.contains("/") || nameOrFile.hasSuffix(".yaml") {
            return try ProfileFile.read(nameOrFile)
        }
        for folder in try folders() {
            let path = folder + "/" + nameOrFile + ".yaml"
            if Directory.exists(path) { return try ProfileFile.read(path) }
        }
        throw CommandError(
            .usage, "provider-unknown", "there is no profile of this name",
            hint: "authledger providers list")
    }
}
