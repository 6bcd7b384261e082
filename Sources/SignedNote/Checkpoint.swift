// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// What a log says of its tree at one size: the text of a C2SP tlog-checkpoint.
public struct Checkpoint: Equatable, Sendable {
    /// The log's name.
    public let origin: String
    /// How many leaves the tree had.
    public let size: UInt64
    /// The root of the tree.
    public let root: Digest
    /// Further lines, which we do not write and keep where they are.
    public let extensions: [String]

    /// A checkpoint without further lines.
    public init(origin: String, size: UInt64, root: Digest) {
        self.origin = origin
        self.size = size
        self.root = root
        extensions = []
    }

    /// Reads the text of a note; nil when it is not that of a checkpoint.
    public init?(text: String) {
        guard text.utf8.last == 0x0A else { return nil }
        let lines = text.utf8.dropLast().split(separator: 0x0A, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard lines.count >= 3, !lines.contains(where: \.isEmpty),
            let size = Self.size(lines[1]),
            let root = Base64.decode(lines[2]).flatMap({ Digest($0[...]) })
        else { return nil }
        origin = lines[0]
        self.size = size
        self.root = root
        extensions = Array(lines[3...])
    }

    /// The text to sign.
    public var text: String {
        ([origin, String(size), root.base64] + extensions).map { $0 + "\n" }.joined()
    }

    /// Reads a size: decimal digits, without zeros in front; nil for anything else.
    public static func size(_ text: String) -> UInt64? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let size = UInt64(text),
            String(size).isIdentical(to: text), size <= UInt64(Int64.max)
        else { return nil }
        return size
    }
}

/// A checkpoint with the note that it was read from, signatures and all.
public struct SignedCheckpoint: Equatable, Sendable {
    /// The largest number of hashes that a proof beside a checkpoint may have.
    static let proofHashesMax = 64

    /// What is signed.
    public let checkpoint: Checkpoint
    /// The note.
    public let note: SignedNote

    /// Reads a signed checkpoint.
    ///
    /// - Throws: ``NoteError``. Signatures are not verified: ask ``SignedNote/verified(by:)``.
    public init(_ bytes: [UInt8]) throws(NoteError) {
        let note = try SignedNote(bytes)
        guard let checkpoint = Checkpoint(text: note.text) else { throw .notACheckpoint }
        self.checkpoint = checkpoint
        self.note = note
    }

    /// Signs a checkpoint with one key or several.
    public init(_ checkpoint: Checkpoint, signers: [NoteSigner]) throws {
        let text = checkpoint.text
        let signatures = try signers.map { try $0.sign(text) }
        guard let note = SignedNote(text: text, signatures: signatures) else {
            throw NoteError.malformedText
        }
        self.checkpoint = checkpoint
        self.note = note
    }

    /// The note as it is stored and sent.
    public var encoded: [UInt8] { note.encoded }
}
