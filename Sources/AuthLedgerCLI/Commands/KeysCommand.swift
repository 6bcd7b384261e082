// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Capabilities
internal import EventLog
internal import LedgerPrimitives
internal import OpenSSL
internal import SessionEvents
internal import SignedNote

struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "See the keys of providers, and look after the ledger's own.",
        discussion: """
            Examples:
              authledger keys list
              authledger keys show key-2026-11
              authledger keys timeline --issuer https://login.example.org
              authledger keys rotate signing
              authledger keys rotate root
              authledger keys rotate bucket
            """,
        subcommands: [
            KeysListCommand.self, KeysShowCommand.self, KeysTimelineCommand.self,
            KeysRotateCommand.self,
        ])
}

struct KeysRotateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Replace keys by new ones.",
        discussion: """
            Examples:
              authledger keys rotate signing
              authledger keys rotate root
              authledger keys rotate bucket
              authledger keys rotate root --new-root-key-file new.key

              signing  the key that signs checkpoints: the new one is announced by an event,
                       under a checkpoint that both keys sign, so that whoever trusts the old
                       key may trust the new one
              root     the root key, and what is wrapped under it: quick
              bucket   the bucket keys, and the data keys wrapped under them

            Data keys stay, and so does what is sealed. The old root key is written over: copies \
            of keys/ that were made before need a copy of it. Where custody.json names another \
            keeper of the root key, it has to make the new one and to hand it out from then on; \
            --new-root-key-file says what it will be (base64 of 32 bytes; - for standard input).

            For root and bucket nobody else may have the ledger open (exit status 6).
            """)

    /// What can be replaced.
    enum Kind: String, CaseIterable, ExpressibleByArgument {
        case signing
        case root
        case bucket
    }

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("signing, root or bucket.", valueName: "key"))
    var kind: Kind

    @Option(
        help: ArgumentHelp(
            "The new root key, where the ledger does not keep it itself.", valueName: "file"))
    var newRootKeyFile: String?

    @Option(
        help: ArgumentHelp(
            "How many seconds others may take to close the ledger.", valueName: "seconds"))
    var wait: UInt32 = 2

    func validate() throws {
        guard newRootKeyFile == nil || kind == .root else {
            throw ValidationError("--new-root-key-file goes with the root key alone")
        }
        guard wait <= 3600 else { throw ValidationError("--wait is at most 3600") }
    }

    func run() throws {
        if kind == .signing {
            try rotateSigning()
        } else {
            try rotateWrapping()
        }
    }

    private func rotateSigning() throws {
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

    private func rotateWrapping() throws {
        var newRootKey = try newRootKeyFile.map { try InputFile.read($0, bytesMax: 1024) }
        defer {
            if var key = newRootKey {
                newRootKey = nil
                cleanse(&key)
            }
        }
        let custody = try LedgerCustody(
            global.ledgerDirectory(), keyRoot: global.keyRoot(), capabilities: .live,
            waitMilliseconds: wait * 1000)
        let isOurs = try custody.keepsRootKey()
        if kind == .root, isOurs != (newRootKey == nil) {
            throw CommandError(
                .usage, isOurs ? "root-key-own" : "root-key-foreign",
                isOurs
                    ? "the ledger makes its root key itself"
                    : "the root key is kept elsewhere, and has to be made there",
                hint: isOurs ? "leave --new-root-key-file out" : "--new-root-key-file FILE")
        }
        try custody.rotate(
            kind == .root ? .root : .bucket, newRootKey: newRootKey, by: .present)
        let result: JSONObject = ["key": .string(kind.rawValue), "rotated": .bool(true)]
        try global.output.print(result) {
            kind == .root && !isOurs
                ? "rotated: the keeper of the root key has to hand out the new one from now on"
                : "rotated"
        }
    }
}
