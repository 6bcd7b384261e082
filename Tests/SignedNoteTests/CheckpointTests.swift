// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import Testing

@testable import SignedNote

@Suite("A checkpoint")
struct CheckpointTests {
    private static let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="

    private static func digest(_ byte: UInt8) -> Digest {
        Digest(InlineArray(repeating: byte))
    }

    @Test("of the C2SP text is read, and written the same")
    func readsExample() throws {
        let text = "example.com/behind-the-sofa\n20852163\n\(Self.root)\n"
        let checkpoint = try #require(Checkpoint(text: text))
        #expect(checkpoint.origin == "example.com/behind-the-sofa")
        #expect(checkpoint.size == 20_852_163)
        #expect(checkpoint.root.base64 == Self.root)
        #expect(checkpoint.extensions == [])
        #expect(checkpoint.text == text)
    }

    @Test("keeps further lines")
    func keepsExtensions() throws {
        let text = "o\n0\n\(Self.root)\none\n two \n"
        let checkpoint = try #require(Checkpoint(text: text))
        #expect(checkpoint.extensions == ["one", " two "])
        #expect(checkpoint.text == text)
    }

    @Test(
        "is refused when a line is not what it should be",
        arguments: [
            "", "\n", "o\n1\n", "o\n1\n\(root)", "\n1\n\(root)\n", "o\n01\n\(root)\n",
            "o\n-1\n\(root)\n", "o\n+1\n\(root)\n", "o\n 1\n\(root)\n", "o\n\n\(root)\n",
            "o\n9223372036854775808\n\(root)\n", "o\n99999999999999999999\n\(root)\n",
            "o\n1\n\(root)\n\n", "o\n1\n\(root)\n\nx\n", "o\n1\nAAAA\n",
            "o\n1\n\(root.dropLast())\n", "o\n1\n\(root)x\n", "o\n１\n\(root)\n",
        ])
    func refuses(text: String) {
        #expect(Checkpoint(text: text) == nil)
    }

    @Test("is signed by several keys, and read back whole")
    func signs() throws {
        let (one, two) = (try signer(1), try signer(2))
        let checkpoint = Checkpoint(origin: "example.org/logins", size: 7, root: Self.digest(3))
        let signed = try SignedCheckpoint(checkpoint, signers: [one, two])
        let read = try SignedCheckpoint(signed.encoded)
        #expect(read == signed)
        #expect(read.checkpoint == checkpoint)
        let keys = [one.verifierKey, two.verifierKey]
        #expect(try read.note.verified(by: keys) == keys)
    }

    @Test("is told from other notes")
    func refusesNote() throws {
        let key = try signer()
        let note = try #require(SignedNote(text: "x\n", signatures: [try key.sign("x\n")]))
        #expect(throws: NoteError.notACheckpoint) { try SignedCheckpoint(note.encoded) }
    }

    // MARK: - Proofs

    private func signed() throws -> SignedCheckpoint {
        try SignedCheckpoint(
            Checkpoint(origin: "example.org/logins", size: 7, root: Self.digest(3)),
            signers: [try signer()])
    }

    @Test("stands at the end of a proof of inclusion")
    func inclusionText() throws {
        let checkpoint = try signed()
        for count in [0, 1, 3, 64] {
            let proof = InclusionProofText(
                index: 5, hashes: (0..<count).map { Self.digest(UInt8($0)) },
                checkpoint: checkpoint)
            let text = proof.description
            #expect(text.hasPrefix("c2sp.org/tlog-proof@v1\nindex 5\n"))
            #expect(text.hasSuffix("\n\n" + checkpoint.note.description))
            #expect(InclusionProofText(Array(text.utf8)) == proof)
        }
        let whole = InclusionProofText(index: 0, hashes: [], checkpoint: checkpoint).description
        let extra = whole.replacing("@v1\n", with: "@v1\nextra AAEC\n")
        #expect(InclusionProofText(Array(extra.utf8))?.extra == [0, 1, 2])
        #expect(InclusionProofText(Array(extra.utf8))?.description == extra)
        for (old, new) in [
            ("@v1", "@v2"), ("index 0", "index 00"), ("index 0", "index  0"), ("index 0", "old 0"),
            ("index 0\n", "index 0\nAAAA\n"), ("@v1\n", "@v1\nextra AAE\n"), ("index 0\n", ""),
            ("\n\n", "\n"), ("@v1\n", "@v1\n\n"),
        ] {
            let other = whole.replacing(old, with: new, maxReplacements: 1)
            #expect(InclusionProofText(Array(other.utf8)) == nil, "\(new)")
        }
        let many = InclusionProofText(
            index: 5, hashes: (0..<65).map { Self.digest($0) }, checkpoint: checkpoint)
        #expect(InclusionProofText(Array(many.description.utf8)) == nil)
    }

    @Test("stands at the end of a proof of consistency")
    func consistencyText() throws {
        let proof = ConsistencyProofText(
            oldSize: 5, hashes: [Self.digest(1), Self.digest(2)], checkpoint: try signed())
        let text = proof.description
        #expect(text.hasPrefix("old 5\n\(Self.digest(1).base64)\n"))
        #expect(ConsistencyProofText(Array(text.utf8)) == proof)
        let other = text.replacing("old 5", with: "old 05")
        #expect(ConsistencyProofText(Array(other.utf8)) == nil)
    }
}
