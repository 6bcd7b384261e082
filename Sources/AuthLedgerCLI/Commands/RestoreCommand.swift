// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Capabilities
internal import EventLog
internal import LedgerPrimitives
internal import Platform
internal import SignedNote

struct RestoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Bring a backup back as a ledger.",
        discussion: """
            Examples:
              authledger restore /mnt/backups/logins-2026-11-21 --ledger /srv/logins
              authledger restore /mnt/backups/logins-2026-11-21 --replace
              authledger restore /mnt/backups/logins --checkpoint /mnt/usb/checkpoint

            Copies the backup beside the ledger's place, holds every byte against the manifest, \
            checks the copy as `authledger verify` does, and only then puts it into that place. \
            A ledger that is there is refused without --replace, and kept beside with it. A \
            backup is as old as it is: what was recorded since is not in it, and a ledger older \
            than a checkpoint on its publish list takes no more events. With --checkpoint an older \
            or another backup is refused (exit status 5).
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("The directory of the backup.", valueName: "dir"))
    var directory: String

    @Flag(help: "Replace the ledger that is there; it is kept under another name.")
    var replace = false

    @Flag(
        help:
            "Leave the backup's data keys out, as when the root key has changed since it was made.")
    var withoutKeys = false

    @Option(
        help: ArgumentHelp(
            "A checkpoint that was kept elsewhere and that the backup must fit; may be repeated.",
            valueName: "file"))
    var checkpoint: [String] = []

    @Option(help: ArgumentHelp("The key to believe, as `init` printed it.", valueName: "vkey"))
    var key: String?

    /// Set for the process that reads.
    @Flag(help: .hidden)
    var inProcess = false

    /// The end of the unfinished copy's name, for the process that reads.
    @Option(help: .hidden)
    var suffix: String?

    func run() throws {
        let restore = try LedgerRestore(
            directory, to: global.ledgerDirectory(), keyRoot: global.keyRoot(),
            capabilities: .live, takesKeys: !withoutKeys)
        guard inProcess, let suffix else {
            let suffix = LedgerRestore.makeSuffix(.live)
            return try ReadingChild.run("restore", ["--suffix=\(suffix)"]) { message in
                restore.removeUnfinished(suffix)
                throw CommandError(
                    .integrity, "storage-damaged", "the backup: \(message)",
                    hint: "use another backup")
            }
        }
        var progress = Progress("restore", isShown: !global.quiet)
        let done = try run(restore, suffix: suffix, &progress)
        progress.finish()
        try report(done)
    }

    private func run(
        _ restore: LedgerRestore, suffix: String, _ progress: inout Progress
    ) throws -> RestoreResult {
        do {
            return try restore.run(
                replacing: replace, suffix: suffix, inputs: try inputs()
            ) { step, done, total in
                let isCopy = step == "copy"
                progress.update(
                    isCopy ? done >> 20 : done, unit: isCopy ? "MiB copied" : "events checked",
                    fraction: Double(done) / Double(max(total, 1)))
            }
        } catch LedgerError.alreadyExists(let path) where !replace {
            throw CommandError(
                .usage, "ledger-exists", "\(path) is taken; nothing was changed",
                hint: "name another directory with --ledger, or replace the ledger with --replace")
        }
    }

    private func inputs() throws -> CheckInputs {
        CheckInputs(
            key: try key.map { try VerifierKey(argument: $0) },
            checkpoints: try checkpoint.map { path in
                CheckInputs.HandedIn(
                    name: path,
                    bytes: try InputFile.read(
                        path, bytesMax: SignedNote.bytesMax, keepsNewline: true))
            })
    }

    private func report(_ done: RestoreResult) throws {
        let path = try Path.absolute(global.ledgerDirectory())
        var result: JSONObject = [
            "ledger": .string(path), "ledgerID": .string(done.manifest.ledgerID.description),
            "root": .string(done.manifest.root.base64),
            "size": .integer(Int64(done.manifest.size)), "withKeys": .bool(done.hasKeys),
        ]
        if let replaced = done.replaced { result["replaced"] = .string(replaced) }
        try global.output.print(result) {
            """
            ledger        \(path)
            id            \(done.manifest.ledgerID)
            events        \(done.manifest.size), checked
            root          \(done.manifest.root.base64)
            data keys     \(done.hasKeys ? "there" : "none: what is sealed cannot be opened")
            """
        }
        if let replaced = done.replaced {
            global.notices.say("The ledger that was there is now \(replaced).")
        }
    }
}
