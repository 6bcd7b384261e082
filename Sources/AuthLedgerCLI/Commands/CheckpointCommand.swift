// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import MerkleTree
internal import Platform
internal import SignedNote

struct CheckpointCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Sign what the ledger holds, or verify what was signed.",
        discussion: """
            Examples:
              authledger checkpoint
              authledger checkpoint --publish /mnt/elsewhere/logins.checkpoint
              authledger checkpoint verify logins.checkpoint --key example.org/l+95a0668e+AcCD…

            A checkpoint is the ledger's name, the number of its events and the root of the tree \
            over them, signed. Kept where the operator of the ledger cannot change it, it shows \
            later that no event was changed or removed since. It is also made by itself, at most \
            once a second while events come in and when the command that records them ends.
            """,
        subcommands: [CheckpointSignCommand.self, CheckpointVerifyCommand.self],
        defaultSubcommand: CheckpointSignCommand.self)
}

struct CheckpointSignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Sign, store, publish and print the current checkpoint.",
        discussion: """
            Examples:
              authledger checkpoint sign
              authledger checkpoint sign --out latest.checkpoint
              authledger checkpoint --publish /mnt/elsewhere/logins.checkpoint

            The word `sign` may be left out. The checkpoint is also written to the ledger \
            directory, and to every path in the file `publish` beside the ledger's keys (one \
            absolute path a line). --publish replaces only an older checkpoint of this ledger; \
            --out replaces any file.
            """)

    @OptionGroup var global: GlobalOptions

    @Option(help: ArgumentHelp("Write the checkpoint to this file.", valueName: "file"))
    var out: String?

    @Option(
        help: ArgumentHelp(
            "Publish the checkpoint at this path, too; may be repeated.", valueName: "file"))
    var publish: [String] = []

    func run() throws {
        let log = try global.openLedger(.appending)
        let checkpoint = try log.checkpoint()
        for path in publish {
            try log.publish(checkpoint, to: Path.absolute(path))
        }
        if let out {
            try DurableFile.write(
                checkpoint.encoded, to: Path.absolute(out), permissions: 0o644)
        }
        if global.json {
            try global.output.print(checkpoint.object) { "" }
        } else {
            try File.standardOutput.write(checkpoint.encoded)
        }
    }
}

struct CheckpointVerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Verify the signature of a checkpoint, and that the ledger only grew.",
        discussion: """
            Examples:
              authledger checkpoint verify latest.checkpoint --key example.org/l+95a0668e+AcC…
              authledger checkpoint verify latest.checkpoint --old last-year.checkpoint

            With --key and without --old no ledger is needed. --old takes an older checkpoint, and \
            the ledger shows that what the newer one covers begins with what the older one did; \
            without --key the ledger's own word counts for which keys are its.

            Exit status: 0 valid · 1 not signed by the key, or no checkpoint · 5 a signed \
            checkpoint does not fit the ledger.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("A checkpoint; - for standard input.", valueName: "file"))
    var file: String

    @Option(
        help: ArgumentHelp(
            "The key to believe, as `init` printed it; may be repeated.", valueName: "vkey"))
    var key: [String] = []

    @Option(help: ArgumentHelp("An older checkpoint to compare with.", valueName: "file"))
    var old: String?

    func run() throws {
        let bytes = try InputFile.read(file, bytesMax: SignedNote.bytesMax, keepsNewline: true)
        let oldBytes = try old.map {
            try InputFile.read($0, bytesMax: SignedNote.bytesMax, keepsNewline: true)
        }
        let givenKeys = try key.map { try VerifierKey(argument: $0) }
        let log = givenKeys.isEmpty || old != nil ? try global.openLedger(.reading) : nil
        let keys = givenKeys.isEmpty ? try log?.verifierKeys() ?? [] : givenKeys
        var result = CheckpointVerdict(isKeyGiven: !givenKeys.isEmpty)
        let checkpoint = result.read(bytes, name: file, keys: keys)
        if let log, let checkpoint {
            let older = oldBytes.flatMap { result.read($0, name: old ?? "", keys: keys) }
            if older != nil || old == nil {
                try result.compare(checkpoint, with: older, in: log)
            }
        }
        try global.output.print(result.object(checkpoint)) { result.text(checkpoint) }
        if result.status != .success { throw CommandEnd(status: result.status) }
    }
}

/// What is found out about a checkpoint, and about an older one beside it.
private struct CheckpointVerdict {
    let isKeyGiven: Bool
    private(set) var status = ExitStatus.success
    private var findings: [JSONObject] = []
    private var signedBy: [VerifierKey] = []
    private var unknownSignatures = 0
    private var comparisons: [String] = []
    private var isConsistent: Bool?

    init(isKeyGiven: Bool) {
        self.isKeyGiven = isKeyGiven
    }

    private mutating func add(_ status: ExitStatus, _ code: String, _ message: String) {
        if self.status != .integrity { self.status = status }
        findings.append(["code": .string(code), "message": .string(message)])
    }

    /// Reads a checkpoint; nil unless one of the keys signed it.
    mutating func read(
        _ bytes: [UInt8], name: String, keys: [VerifierKey]
    ) -> SignedCheckpoint? {
        do throws(NoteError) {
            let signed = try SignedCheckpoint(bytes)
            let found = try signed.note.verified(by: keys)
            guard !found.isEmpty else {
                add(.findings, "key-unknown", "\(name) is signed by none of the keys")
                return nil
            }
            if !found.contains(where: { $0.name.isIdentical(to: signed.checkpoint.origin) }) {
                add(
                    .findings, "origin-mismatch",
                    "\(name) speaks for a log of another name than its key")
                return nil
            }
            if signedBy.isEmpty {
                signedBy = found
                unknownSignatures = signed.note.signatures.count { signature in
                    !found.contains { signature.keyHash == $0.keyHash }
                }
            }
            return signed
        } catch {
            let code: String =
                if case .wrongSignature = error { "signature" } else { "malformed" }
            add(.findings, code, "\(name): \(error.message)")
            return nil
        }
    }

    /// Holds a checkpoint, and an older one, against the ledger's tree.
    mutating func compare(
        _ signed: SignedCheckpoint, with older: SignedCheckpoint?, in log: EventLog
    ) throws {
        let size = try log.head().size
        for checkpoint in [signed.checkpoint, older?.checkpoint].compactMap({ $0 }) {
            if !checkpoint.origin.isIdentical(to: log.info.origin) {
                add(.findings, "foreign", "the checkpoint is one of another log")
            } else if checkpoint.size > size {
                add(
                    .integrity, "rolled-back",
                    "the ledger has \(size) events, the checkpoint covers \(checkpoint.size)")
            } else if try log.root(ofFirst: checkpoint.size) != checkpoint.root {
                add(
                    .integrity, "inconsistent",
                    "the ledger's first \(checkpoint.size) events are not those of the checkpoint")
            } else {
                comparisons.append("the ledger begins with the \(checkpoint.size) events of it")
            }
        }
        if let older {
            isConsistent = try isGrown(signed, from: older, in: log, size)
            if isConsistent == false, status == .success {
                add(.integrity, "inconsistent", "the one checkpoint does not continue the other")
            }
        }
    }

    private func isGrown(
        _ signed: SignedCheckpoint, from older: SignedCheckpoint, in log: EventLog, _ size: UInt64
    ) throws -> Bool {
        let (new, old) = (signed.checkpoint, older.checkpoint)
        guard status == .success, old.size <= new.size, new.size <= size else { return false }
        let proof = try log.consistencyProof(from: old.size, to: new.size)
        return MerkleTree.isConsistent(
            oldSize: old.size, oldRoot: old.root, size: new.size, root: new.root, proof: proof)
    }

    func object(_ signed: SignedCheckpoint?) -> JSONObject {
        var object: JSONObject = [
            "findings": .array(findings.map { .object($0) }),
            "keyGiven": .bool(isKeyGiven),
            "ok": .bool(status == .success),
            "signedBy": .array(signedBy.map { .string($0.description) }),
            "unknownSignatures": .integer(Int64(unknownSignatures)),
        ]
        if let checkpoint = signed?.checkpoint {
            object["origin"] = .string(checkpoint.origin)
            object["size"] = .integer(Int64(checkpoint.size))
            object["root"] = .string(checkpoint.root.base64)
        }
        if let isConsistent { object["consistent"] = .bool(isConsistent) }
        return object
    }

    func text(_ signed: SignedCheckpoint?) -> String {
        var lines = [status == .success ? "valid" : "NOT VALID"]
        if let checkpoint = signed?.checkpoint {
            lines[0] += ": \(checkpoint.origin), \(checkpoint.size) events"
            lines.append("root \(checkpoint.root.base64)")
        }
        lines += signedBy.map {
            "signed by \($0)" + (isKeyGiven ? "" : " (the ledger's own word for its key)")
        }
        lines += comparisons
        if isConsistent == true { lines.append("it continues the older checkpoint") }
        for finding in findings {
            let code = finding["code"]?.stringValue ?? ""
            lines.append("finding: \(finding["message"]?.stringValue ?? "") (\(code))")
        }
        return lines.joined(separator: "\n")
    }
}

extension SignedCheckpoint {
    /// The members of `checkpoint --json`.
    var object: JSONObject {
        [
            "note": .string(note.description),
            "origin": .string(checkpoint.origin),
            "root": .string(checkpoint.root.base64),
            "size": .integer(Int64(checkpoint.size)),
        ]
    }
}

extension VerifierKey {
    /// Reads a key of the command line.
    init(argument: String) throws {
        guard let key = VerifierKey(argument) else {
            throw CommandError(
                .usage, "key-malformed", "--key is no verifier key",
                hint: "give it as `authledger init` printed it: name+hash+key")
        }
        self = key
    }
}
