// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import Platform
internal import SignedNote

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write what the ledger holds in forms that others read.",
        discussion: """
            Examples:
              authledger export tiles /srv/mirror
              authledger export har 0198b0f2 -o login.har
            """,
        subcommands: [ExportTilesCommand.self, ExportHARCommand.self])
}

struct ExportTilesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tiles",
        abstract: "Write the whole log as C2SP tlog-tiles: a mirror, and the form to move in.",
        discussion: """
            Examples:
              authledger export tiles /srv/mirror

            Repeated, it adds what is new. Broken off, it leaves what the checkpoint in the \
            directory covers, and is simply repeated. Sealed data stay sealed; the keys are not \
            part of it. `authledger import` makes a ledger of it again; Schemas/tiles.md says what \
            is where.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("Where to; made if it is not there.", valueName: "dir"))
    var directory: String

    func run() throws {
        let (log, checkpoint) = try global.openLedger(withCheckpointOf: nil)
        var progress = Progress("export", isShown: !global.quiet)
        let report = try log.exportTiles(to: directory, checkpoint) { done, total in
            progress.update(done, unit: "events", fraction: Double(done) / Double(max(total, 1)))
        }
        progress.finish()
        let path = try Path.absolute(directory)
        let result: JSONObject = [
            "blobsWritten": .integer(Int64(report.blobsWritten)),
            "checkpoint": .string(checkpoint.note.description),
            "elapsedMs": .integer(Int64(progress.seconds * 1000)),
            "events": .integer(Int64(report.events)),
            "eventsBefore": .integer(Int64(report.eventsBefore)),
            "path": .string(path),
            "root": .string(checkpoint.checkpoint.root.base64),
            "size": .integer(Int64(report.events)),
            "tilesWritten": .integer(Int64(report.tilesWritten)),
        ]
        try global.output.print(result) {
            """
            \(path): \(report.events) events, \(report.events - report.eventsBefore) of them new; \
            \(report.tilesWritten) tiles and \(report.blobsWritten) documents written
            root \(checkpoint.checkpoint.root.base64)
            """
        }
    }
}
