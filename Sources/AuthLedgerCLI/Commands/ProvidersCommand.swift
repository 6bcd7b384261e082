// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

struct ProvidersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "providers",
        abstract: "List, show and check provider profiles.",
        discussion: """
            Examples:
              authledger providers list
              authledger providers show my-provider
              authledger providers check my-provider

            A profile is a file NAME.yaml in the folder `providers` of the ledger or of \
            $XDG_CONFIG_HOME/authledger. Secrets are never shown: a profile only says where they \
            are.
            """,
        subcommands: [
            ProvidersListCommand.self, ProvidersShowCommand.self, ProvidersCheckCommand.self,
            ProvidersCSRCommand.self,
        ])
}
