// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import LedgerPrimitives
internal import RelyingParty
internal import SessionEvents

struct ProvidersListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the profiles there are.",
        discussion: """
            Examples:
              authledger providers list
              authledger providers list --json

            The profiles that are built in have no client in them; build on one with `extends`. A \
            file that cannot be read is told on standard error.
            """)

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let lookup = ProfileLookup(global)
        for (name, profile) in try lookup.readable() {
            try print(
                name, issuer: profile.issuer, profile.flows.map(\.rawValue), isBuiltIn: false)
        }
        let names = try lookup.names()
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
            TerminalText.escaped("\(name)  \(issuer ?? "-")  \(flows.joined(separator: " "))")
                + (isBuiltIn ? "  (built in: build on it with `extends`)" : "")
        }
    }
}
