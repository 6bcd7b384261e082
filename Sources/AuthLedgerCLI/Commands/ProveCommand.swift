// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import EventLog
internal import LedgerPrimitives
internal import Platform
internal import SignedNote

struct ProveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove",
        abstract: "Prove that an event or a session is in the ledger, or that it only grew.",
        discussion: """
            Examples:
              authledger prove 17 > event-17.tlog-proof
              authledger prove --session 0198b0f2 > session.json
              authledger prove --old 1000 > growth.txt

            A proof can be checked by anyone who has the ledger's verifier key, without the \
            ledger; Schemas/checkpoints-and-proofs.md says how. For an event it is a C2SP \
            tlog-proof. For a session it is JSON with every event and its hashes: it shows that \
            none of them was changed and that none is missing between them. --old gives the hashes \
            by which the present checkpoint continues the one of so many events.

            Every proof ends in a checkpoint. A stored one of the right size is taken; otherwise \
            one is signed, which needs the ledger's keys.
            """)

    @OptionGroup var global: GlobalOptions

    @Argument(help: ArgumentHelp("The position of an event.", valueName: "position"))
    var position: UInt64?

    @Option(help: ArgumentHelp("All events of a session.", valueName: "session"))
    var session: String?

    @Option(help: ArgumentHelp("That the first so many events are still there.", valueName: "n"))
    var old: UInt64?

    @Option(
        help: ArgumentHelp(
            "Prove it in the tree of so many events; by default of all.",
            valueName: "n"))
    var size: UInt64?

    func validate() throws {
        let given = [position != nil, session != nil, old != nil].count { $0 }
        if given != 1 {
            throw ValidationError("Give one of a position, --session and --old.")
        }
    }

    func run() throws {
        let (log, checkpoint) = try global.openLedger(withCheckpointOf: size)
        if let position {
            let proof = try log.proof(of: position, under: checkpoint)
            try print(proof.description, proof.object)
        } else if let old {
            let proof = try log.proof(from: old, under: checkpoint)
            try print(proof.description, proof.object)
        } else if let session {
            let proof = try log.proof(of: log.session(withPrefix: session), under: checkpoint)
            try Output(isJSON: true).print(proof.object) { "" }
            if !proof.isGapFree { throw CommandEnd(status: .integrity) }
        }
    }

    private func print(_ text: String, _ object: JSONObject) throws {
        if global.json {
            try global.output.print(object) { "" }
        } else {
            try File.standardOutput.write(Array(text.utf8))
        }
    }
}

extension InclusionProofText {
    /// The members of `prove POSITION --json`.
    var object: JSONObject {
        [
            "checkpoint": .string(checkpoint.note.description),
            "position": .integer(Int64(index)),
            "proof": .array(hashes.map { .string($0.base64) }),
            "size": .integer(Int64(checkpoint.checkpoint.size)),
        ]
    }
}

extension ConsistencyProofText {
    /// The members of `prove --old --json`.
    var object: JSONObject {
        [
            "checkpoint": .string(checkpoint.note.description),
            "old": .integer(Int64(oldSize)),
            "proof": .array(hashes.map { .string($0.base64) }),
            "size": .integer(Int64(checkpoint.checkpoint.size)),
        ]
    }
}

extension SessionProof {
    /// The members of `prove --session`.
    var object: JSONObject {
        [
            "checkpoint": .string(checkpoint.note.description),
            "events": .array(
                entries.map { entry in
                    .object([
                        "leaf": .string(String(decoding: entry.event.leaf, as: UTF8.self)),
                        "leafHash": .string(entry.event.leafHash.base64URL),
                        "position": .integer(Int64(entry.event.position)),
                        "proof": .array(entry.hashes.map { .string($0.base64) }),
                    ])
                }),
            "gapFree": .bool(isGapFree),
            "notProven": .array(Self.notProven.map { .string($0) }),
            "session": .string(session),
        ]
    }
}
