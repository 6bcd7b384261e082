// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import SignedNote

struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Look after the ledger's keys.",
        discussion: """
            Examples:
              authledger keys rotate signing
            """,
        subcommands: [KeysRotateCommand.self])
}

struct KeysRotateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Put a new key in the place of an old one.",
        discussion: """
            Examples:
              authledger keys rotate signing

            signing: the new key is announced by an event, under a checkpoint that both keys sign, \
            so that whoever trusts the old key may trust the new one.
            """)

    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case signing
    }

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("Which key.", valueName: "signing"))
    var kind: Kind

    func run() throws {
        let log = try global.openLedger(.appending)
        let (rotated, checkpoint) = try log.rotateSigningKey()
        let result: JSONObject = [
            "checkpoint": .string(checkpoint.note.description),
            "previousVerifierKey": .string(rotated.previousVerifierKey.description),
            "verifierKey": .string(rotated.verifierKey.description),
        ]
        try global.output.print(result) {
            """
            verifier key  \(rotated.verifierKey)
            until now     \(rotated.previousVerifierKey)
            """
        }
        global.notices.say("Keep a copy of the keys outside this machine.")
    }
}
