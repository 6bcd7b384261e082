// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import Platform

struct BackupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Copy the ledger while it is in use.",
        discussion: """
            Examples:
              authledger backup /mnt/backups/logins-2026-11-21
              authledger backup /mnt/backups/logins-2026-11-21 --with-keys --json

            Makes the directory, which must not be there. It is there whole or not at all. \
            Without --with-keys sealed data in the copy can be opened by nobody, also after \
            people were erased in the ledger; restored over a damaged ledger, it uses that \
            ledger's keys. The root key is never in a backup: keep a copy of it elsewhere.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("The directory to make.", valueName: "dir"))
    var directory: String

    @Flag(help: "Copy the data keys as well; they are wrapped by the root key.")
    var withKeys = false

    func run() throws {
        let log = try global.openLedger(.reading)
        var progress = Progress("backup", isShown: !global.quiet)
        let manifest = try log.backup(to: directory, withKeys: withKeys) { done, total in
            progress.update(
                UInt64(done) >> 20, unit: "MiB", fraction: Double(done) / Double(max(total, 1)))
        }
        progress.finish()
        let path = try Path.absolute(directory)
        let result: JSONObject = [
            "bytes": .integer(Int64(manifest.bytes)), "path": .string(path),
            "root": .string(manifest.root.base64), "size": .integer(Int64(manifest.size)),
            "withCheckpoint": .bool(manifest.hasCheckpoint), "withKeys": .bool(manifest.hasKeys),
        ]
        try global.output.print(result) {
            """
            backup        \(path)
            events        \(manifest.size)
            root          \(manifest.root.base64)
            bytes         \(manifest.bytes)
            data keys     \(manifest.hasKeys ? "in it, wrapped by the root key" : "not in it")
            """
        }
    }
}
