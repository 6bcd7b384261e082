// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import LedgerPrimitives

struct ProvidersShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one profile.",
        discussion: """
            Examples:
              authledger providers show my-provider
              authledger providers show ./my-provider.yaml --json
              authledger providers show idura --environment production

            Shows what counts: with everything that the profile builds on, and with the defaults. \
            Of one that is built in, what it has.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(
        help: ArgumentHelp(
            "The environment, instead of the one that the profile names.", valueName: "name"))
    var environment: String?

    @Argument(help: ArgumentHelp("A profile's name or file.", valueName: "name|file"))
    var name: String

    func run() throws {
        let members = try ProfileLookup(global).members(name, environment: environment)
        try global.output.print(members) {
            members.members.sorted { $0.name < $1.name }.map { member in
                "\(TerminalText.escaped(member.name)): \(TerminalText.json(member.value))"
            }.joined(separator: "\n")
        }
    }
}
