// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives

struct UpgradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Bring a ledger to the format that this program writes.",
        discussion: """
            Examples:
              authledger upgrade
              authledger upgrade --ledger /srv/logins --json

            A ledger of an older format can be read as it is; to append to it, upgrade it. Events \
            and their hashes stay as they are. Older programs cannot read it afterwards, so make \
            a backup first. Nobody else may have the ledger open meanwhile.
            """)

    @OptionGroup var global: GlobalOptions

    func run() throws {
        let done = try EventLog.upgrade(global.ledgerDirectory())
        let result: JSONObject = [
            "from": .integer(done.from), "to": .integer(done.to),
            "upgraded": .bool(done.from != done.to),
        ]
        try global.output.print(result) {
            done.from == done.to
                ? "format \(done.to): nothing to do" : "format \(done.from) is now \(done.to)"
        }
    }
}
