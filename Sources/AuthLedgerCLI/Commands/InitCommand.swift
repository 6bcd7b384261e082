// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Capabilities
internal import EventLog
internal import LedgerPrimitives
internal import Platform
internal import SessionEvents
internal import SignedNote

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a ledger and its keys.",
        discussion: """
            Examples:
              authledger init
              authledger init --ledger /srv/logins --origin example.org/logins

            The root key and the signing key are put under $XDG_CONFIG_HOME/authledger/keys (else \
            ~/.config/authledger/keys), outside the ledger. Keep a copy of the root key somewhere \
            safe: without it nothing that is sealed can be read again. With --custody the root key \
            is one that is kept elsewhere: the file is JSON and says where it comes from, \
            {"rootKey":{"command":["/usr/bin/pass","show","authledger"]}}, or {"environment":NAME} \
            or {"file":PATH}; the key is the base64 of 32 random bytes. Where a ledger is already, \
            nothing is changed (exit status 2).
            """)

    @OptionGroup var global: GlobalOptions

    @Option(
        help: ArgumentHelp(
            "The name under which the ledger signs; by default one made from its id.",
            valueName: "name"))
    var origin: String?

    @Option(
        help: ArgumentHelp(
            "A JSON file that says where the root key comes from.", valueName: "file"))
    var custody: String?

    func run() throws {
        let directory = try Path.absolute(global.ledgerDirectory())
        let info = try EventLog.create(
            directory, origin: origin, keyRoot: global.keyRoot(),
            custody: custody.map { try InputFile.read($0, bytesMax: 65_536) },
            samples: SyntheticSamples.events.map {
                SampleEvent(envelope: $0.envelope, data: $0.data)
            }, capabilities: .live)
        let keys = try Path.absolute(global.keyRoot()) + "/\(info.ledgerID)"
        let result: JSONObject = [
            "formatVersion": .integer(LedgerFormat.version),
            "keys": .string(keys),
            "ledger": .string(directory),
            "ledgerID": .string(info.ledgerID.description),
            "origin": .string(info.origin),
            "verifierKey": .string(info.verifierKey.description),
        ]
        try global.output.print(result) {
            """
            ledger        \(directory)
            id            \(info.ledgerID)
            origin        \(info.origin)
            verifier key  \(info.verifierKey)
            keys          \(keys)
            """
        }
        global.notices.say("Keep a copy of the keys outside this machine.")
    }
}
