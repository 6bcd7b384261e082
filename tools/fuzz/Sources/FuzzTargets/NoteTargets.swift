// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import MerkleTree
internal import OpenSSL
internal import SignedNote

extension FuzzTarget {
    /// Notes with one signature or several.
    static let signedNote = FuzzTarget("signed-note", seeds: KnownNotes.notes) { input in
        try keyNameCanSign(input)
        try changedNoteIsNotBelieved(input)
        guard let note = try? SignedNote(input) else { return }
        try holds(note.encoded == input, "a note has one spelling")
        try holds((1...SignedNote.signaturesMax).contains(note.signatures.count), "signatures")
        try holds(
            SignedNote(text: note.text, signatures: note.signatures) == note,
            "a note is its text and its signatures")
        guard let believed = try? note.verified(by: KnownNotes.keys), !believed.isEmpty else {
            return
        }
        try holds(
            KnownNotes.texts.contains { $0.isIdentical(to: note.text) },
            "only a text that was signed is believed")
        try holds(Set(believed).count == believed.count, "a key counts once")
    }

    /// Texts of checkpoints, bare or under signatures.
    static let checkpoint = FuzzTarget(
        "checkpoint", seeds: KnownNotes.texts.map { Array($0.utf8) } + KnownNotes.notes
    ) { input in
        let text = String(decoding: input, as: UTF8.self)
        if Array(text.utf8) == input, let checkpoint = Checkpoint(text: text) {
            try holds(checkpoint.text.isIdentical(to: text), "a checkpoint has one spelling")
            try holds(checkpoint.size <= UInt64(Int64.max), "a size has its limit")
            // What is read can be signed, unless it has control characters, and is then read.
            if let signed = try? SignedCheckpoint(checkpoint, signers: [KnownNotes.signers[0]]),
                !input.contains(where: { $0 < 0x20 && $0 != 0x0A })
            {
                try holds(
                    (try? SignedCheckpoint(signed.encoded)) == signed, "what was signed is read")
                try holds(
                    (try? signed.note.verified(by: KnownNotes.keys)) == [KnownNotes.keys[0]],
                    "what was signed is believed")
            }
        }
        guard let signed = try? SignedCheckpoint(input) else { return }
        try holds(signed.encoded == input, "a signed checkpoint has one spelling")
        try holds(
            signed.checkpoint.text.isIdentical(to: signed.note.text),
            "the checkpoint is what was signed")
    }

    /// Proofs of inclusion and of consistency.
    static let proof = FuzzTarget("proof", seeds: KnownNotes.proofs) { input in
        if let proof = InclusionProofText(input) {
            try holds(
                Array(proof.description.utf8) == input, "a proof of inclusion has one spelling")
            try inclusionHolds(proof)
        }
        if let proof = ConsistencyProofText(input) {
            try holds(
                Array(proof.description.utf8) == input, "a proof of consistency has one spelling")
            try consistencyHolds(proof)
        }
    }

    /// What can name a key can sign what is read again.
    private static func keyNameCanSign(_ input: [UInt8]) throws {
        let name = String(decoding: input, as: UTF8.self)
        guard let signer = try NoteSigner(name: name, seed: KnownNotes.seed(9)) else { return }
        let note = SignedNote(text: "text\n", signatures: [try signer.sign("text\n")])
        try holds(
            note.map { (try? SignedNote($0.encoded)) == $0 } == true,
            "a key with a name signs notes that are read")
    }

    /// A note with one signature is not believed when a byte of it is another one; the input says
    /// which.
    private static func changedNoteIsNotBelieved(_ input: [UInt8]) throws {
        guard let first = input.first, let mask = input.last, mask != 0 else { return }
        var note = KnownNotes.notes[0]
        let place = (input.reduce(Int(first)) { $0 &* 31 &+ Int($1) } & .max) % note.count
        note[place] ^= mask
        guard let read = try? SignedNote(note) else { return }
        let believed = (try? read.verified(by: KnownNotes.keys)) ?? []
        try holds(believed.isEmpty, "a changed note is not believed")
    }

    /// A proof under a checkpoint that is believed leads from a leaf of that tree alone, at its
    /// own place.
    private static func inclusionHolds(_ proof: InclusionProofText) throws {
        guard isBelieved(proof.checkpoint) else { return }
        let checkpoint = proof.checkpoint.checkpoint
        for (index, leaf) in KnownNotes.leaves.enumerated() {
            let isIncluded = MerkleTree.isIncluded(
                leaf, at: proof.index, size: checkpoint.size, root: checkpoint.root,
                proof: proof.hashes)
            guard isIncluded else { continue }
            try holds(proof.index == UInt64(index), "a leaf has one place")
            try holds(proof.index < checkpoint.size, "a place lies in its tree")
        }
    }

    /// A proof under a checkpoint that is believed continues the tree of its older size alone.
    private static func consistencyHolds(_ proof: ConsistencyProofText) throws {
        guard isBelieved(proof.checkpoint) else { return }
        let checkpoint = proof.checkpoint.checkpoint
        for (size, root) in KnownNotes.roots.enumerated() {
            let isConsistent = MerkleTree.isConsistent(
                oldSize: proof.oldSize, oldRoot: root, size: checkpoint.size,
                root: checkpoint.root, proof: proof.hashes)
            if isConsistent {
                try holds(proof.oldSize == UInt64(size), "an older tree has one size")
            }
        }
    }

    private static func isBelieved(_ checkpoint: SignedCheckpoint) -> Bool {
        ((try? checkpoint.note.verified(by: KnownNotes.keys)) ?? []).isEmpty == false
    }
}

/// Checkpoints and proofs of a small tree, signed by known keys.
private enum KnownNotes {
    static func seed(_ byte: UInt8) -> SecretBytes {
        SecretBytes([UInt8](repeating: byte, count: 32))
    }

    static let signers: [NoteSigner] = ["example.org/logins", "witness.example", "ü/✓"]
        .enumerated().compactMap { number, name in
            try? NoteSigner(name: name, seed: seed(UInt8(number + 1)))
        }

    static let keys = signers.map(\.verifierKey)

    /// The leaves of the tree, as hashes.
    static let leaves = (0..<13).map { MerkleTree.leafHash([UInt8($0)]) }

    /// The root of the tree over the first leaves, for each size.
    static let roots: [Digest] = {
        var frontier = TreeFrontier()
        return [frontier.root]
            + leaves.map {
                frontier.append($0)
                return frontier.root
            }
    }()

    private static func tree(_ size: Int) -> TreeReader {
        TreeReader(size: UInt64(size)) { node in
            var frontier = TreeFrontier()
            let start = Int(node.index) << node.level
            for leaf in leaves[start..<start + 1 << node.level] { frontier.append(leaf) }
            return frontier.root
        }
    }

    private static func checkpoint(_ size: Int) -> Checkpoint {
        Checkpoint(origin: "example.org/logins", size: UInt64(size), root: roots[size])
    }

    /// One of each number of signatures.
    private static let signed: [SignedCheckpoint] = [(13, 1), (8, 2), (0, 3)]
        .compactMap { size, count in
            try? SignedCheckpoint(checkpoint(size), signers: Array(signers.prefix(count)))
        }

    private static let otherTexts = [
        "line\n\nanother\n", "\n", checkpoint(5).text + "extension\n",
        "a\n9223372036854775807\n\(roots[0].base64)\n",
    ]

    static let texts = signed.map(\.note.text) + otherTexts

    static let notes: [[UInt8]] =
        signed.map(\.encoded)
        + otherTexts.compactMap { text in
            SignedNote(text: text, signatures: signers.compactMap { try? $0.sign(text) })?.encoded
        }

    static let proofs: [[UInt8]] =
        [(0, 13, 0), (7, 13, 0), (12, 13, 0), (3, 8, 1)].compactMap { index, size, under in
            (try? tree(size).inclusionProof(of: UInt64(index))).map {
                Array(
                    InclusionProofText(
                        index: UInt64(index), hashes: $0, checkpoint: signed[under]
                    ).description.utf8)
            }
        }
        + [(0, 13, 0), (4, 13, 0), (7, 13, 0), (13, 13, 0), (6, 8, 1)].compactMap {
            oldSize, size, under in
            (try? tree(size).consistencyProof(from: UInt64(oldSize))).map {
                Array(
                    ConsistencyProofText(
                        oldSize: UInt64(oldSize), hashes: $0, checkpoint: signed[under]
                    ).description.utf8)
            }
        }
}
