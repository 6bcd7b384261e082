// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Capabilities
internal import EventLog
internal import LedgerPrimitives
internal import Platform
internal import SessionEvents
internal import SignedNote

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Make a ledger of an export of tiles, once its root is computed anew.",
        discussion: """
            Examples:
              authledger import /srv/mirror --ledger /srv/logins
              authledger import /srv/mirror --ledger /srv/logins --keys /media/copy/keys
              authledger import /srv/mirror --ledger /tmp/look --key example.org/l+95a0668e+AcC…

            The ledger has the same name, leaves and root. Nothing appears in its place unless \
            every entry, document and checkpoint is in order.

            --keys takes a copy of the `keys` directory of the ledger; without it what is sealed \
            cannot be opened. The key directory of the ledger (root.key, signing.key) is used if \
            it is where it belongs; without it the ledger can be read and verified, not written. \
            Of two ledgers of one name only one may go on recording.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("The export.", valueName: "dir"))
    var directory: String

    @Option(
        help: ArgumentHelp("Take over the data keys of this directory.", valueName: "dir"))
    var keys: String?

    @Option(help: ArgumentHelp("The key to believe, as `init` printed it.", valueName: "vkey"))
    var key: String?

    func run() throws {
        let source = TileImportSource(
            directory: directory, keysDirectory: keys,
            key: try key.map { try VerifierKey(argument: $0) })
        let ledger = try Path.absolute(global.ledgerDirectory())
        var progress = Progress("import", isShown: !global.quiet)
        let report = try EventLog.importTiles(
            source, to: ledger, keyRoot: global.keyRoot(),
            samples: SyntheticSamples.events.map {
                SampleEvent(envelope: $0.envelope, data: $0.data)
            }, capabilities: .live
        ) { done, total in
            progress.update(done, unit: "events", fraction: Double(done) / Double(max(total, 1)))
        }
        progress.finish()
        let check = report.check
        let result: JSONObject = [
            "blobs": .integer(Int64(report.blobs)),
            "elapsedMs": .integer(Int64(progress.seconds * 1000)),
            "events": .integer(Int64(check.events)),
            "keys": .bool(report.hasKeys),
            "ledger": .string(ledger),
            "ledgerID": .string(report.info.ledgerID.description),
            "notProven": .array(check.notProven.map { .string($0) }),
            "origin": .string(report.info.origin),
            "root": .string(check.root.base64),
            "verifierKey": .string(report.info.verifierKey.description),
        ]
        try global.output.print(result) {
            """
            ledger        \(ledger)
            id            \(report.info.ledgerID)
            origin        \(report.info.origin)
            verifier key  \(report.info.verifierKey)
            events        \(check.events)
            root          \(check.root.base64)
            data keys     \(report.hasKeys ? "taken over" : "none")
            """
        }
    }
}
