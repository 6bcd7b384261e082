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

            A profile is a file NAME.yaml in the folder `providers` of the ledger or of \
            $XDG_CONFIG_HOME/authledger. Secrets are never shown: a profile only says where they \
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
        let names = try ProfileLookup(global).names()
        for name in names {
            let profile = try ProfileLookup(global).profile(name)
            try print(
                profile.name, issuer: profile.issuer, profile.flows.map(\.rawValue),
                isBuiltIn: false)
        }
        for template in ProfileTemplate.all where !names.contains(template.name) {
            try print(
                template.name, issuer: template.members["issuer"]?.stringValue, template.flows,
                isBuiltIn: true)
        }
    }

    private func print(
        _ name: String, issuer: String?, _ flows: [String], isBuiltIn: Bool
    ) throws {
        let line: JSONObject = [
            "builtIn": .bool(isBuiltIn), "flows": .array(flows.map { .string($0) }),
            "issuer": issuer.map { .string($0) } ?? .null, "name": .string(name),
        ]
        try global.output.print(line) {
            "\(name)  \(issuer ?? "-")  \(flows.joined(separator: " "))"
                + (isBuiltIn ? "  (built in: build on it with `extends`)" : "")
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
              authledger providers show idura
            """)

    @OptionGroup var global: GlobalOptions

    @Option(
        help: ArgumentHelp(
            "The environment, instead of the one that the profile names.", valueName: "name"))
    var environment: String?

    @Argument(help: ArgumentHelp("A profile's name or file.", valueName: "name"))
    var name: String

    func run() throws {
        let members = try ProfileLookup(global).members(name, environment: environment)
        try global.output.print(members) {
            members.members.sorted { $0.name < $1.name }.map { member in
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
    func profile(_ nameOrFile: String, environment: String? = nil) throws -> ProviderProfile {
        if let path = try path(of: nameOrFile) {
            return try ProfileFile.read(path, environment: environment)
        }
        if ProfileTemplate(nameOrFile) != nil {
            throw CommandError(
                .usage, "profile-incomplete", "this built-in profile has no client of yours in it",
                hint: "write a profile with `extends: \(nameOrFile)`, `clientID` and `redirectURI`")
        }
        throw unknown
    }

    /// The members of a profile in a file or of a name, or of one that is built in.
    func members(_ nameOrFile: String, environment: String? = nil) throws -> JSONObject {
        if let path = try path(of: nameOrFile) {
            return try ProfileFile.read(path, environment: environment).object
        }
        guard let template = ProfileTemplate(nameOrFile) else { throw unknown }
        return try template.members(environment: environment)
    }

    private func path(of nameOrFile: String) throws -> String? {
        if nameOrFile.contains("/") || nameOrFile.hasSuffix(".yaml") { return nameOrFile }
        return try folders().map { $0 + "/" + nameOrFile + ".yaml" }.first(
            where: Directory.exists)
    }

    private var unknown: CommandError {
        CommandError(
            .usage, "provider-unknown", "there is no profile of this name",
            hint: "authledger providers list")
    }
}
