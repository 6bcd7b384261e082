// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// That an entry is in a log, for reading anywhere: a C2SP tlog-proof.
public struct InclusionProofText: Equatable, Sendable {
    private static let firstLine = "c2sp.org/tlog-proof@v1"

    /// The entry's position in the log, from 0.
    public let index: UInt64
    /// The entry's sibling first.
    public let hashes: [Digest]
    /// The checkpoint of the tree that the hashes lead to.
    public let checkpoint: SignedCheckpoint
    /// What the proof carries along, unproven.
    public let extra: [UInt8]?

    /// A proof without extra data.
    public init(index: UInt64, hashes: [Digest], checkpoint: SignedCheckpoint) {
        self.index = index
        self.hashes = hashes
        self.checkpoint = checkpoint
        extra = nil
    }

    /// Reads a proof; nil when it is malformed. Nothing of it is verified.
    public init?(_ bytes: [UInt8]) {
        guard let (found, checkpoint) = ProofLines.split(bytes)
        else { return nil }
        var lines = found
        guard lines.popFirst()?.isIdentical(to: Self.firstLine) == true
        else { return nil }
        var extra: [UInt8]?
        if let line = lines.first, line.utf8.starts(with: "extra ".utf8) {
            extra = Base64.decode(String(line.unicodeScalars.dropFirst(6)))
            if extra == nil { return nil }
            lines.removeFirst()
        }
        guard let line = lines.popFirst(),
            let index = ProofLines.number(after: "index ", in: line),
            let hashes = ProofLines.hashes(lines)
        else { return nil }
        self.index = index
        self.hashes = hashes
        self.checkpoint = checkpoint
        self.extra = extra
    }

    /// The text, with a newline at its end.
    public var description: String {
        var lines = [Self.firstLine]
        if let extra { lines.append("extra \(Base64.encode(extra))") }
        lines.append("index \(index)")
        return ProofLines.text(lines, hashes, checkpoint)
    }
}

/// That a log only grew: what C2SP tlog-witness has a witness asked with.
public struct ConsistencyProofText: Equatable, Sendable {
    /// The size of the older tree.
    public let oldSize: UInt64
    /// The proof, as RFC 6962 §2.1.2 orders it.
    public let hashes: [Digest]
    /// The checkpoint of the newer tree.
    public let checkpoint: SignedCheckpoint

    /// A proof.
    public init(oldSize: UInt64, hashes: [Digest], checkpoint: SignedCheckpoint) {
        self.oldSize = oldSize
        self.hashes = hashes
        self.checkpoint = checkpoint
    }

    /// Reads a proof; nil when it is malformed. Nothing of it is verified.
    public init?(_ bytes: [UInt8]) {
        guard let (found, checkpoint) = ProofLines.split(bytes)
        else { return nil }
        guard let line = found.first,
            let oldSize = ProofLines.number(after: "old ", in: line),
            let hashes = ProofLines.hashes(found.dropFirst())
        else { return nil }
        self.oldSize = oldSize
        self.hashes = hashes
        self.checkpoint = checkpoint
    }

    /// The text, with a newline at its end.
    public var description: String {
        ProofLines.text(["old \(oldSize)"], hashes, checkpoint)
    }
}

extension InclusionProofText: CustomStringConvertible {}
extension ConsistencyProofText: CustomStringConvertible {}

/// What both kinds have in common: lines, hashes, an empty line, a checkpoint.
private enum ProofLines {
    static func text(
        _ lines: [String], _ hashes: [Digest], _ checkpoint: SignedCheckpoint
    ) -> String {
        (lines + hashes.map(\.base64) + [""]).map { $0 + "\n" }.joined()
            + checkpoint.note.description
    }

    static func split(_ bytes: [UInt8]) -> (ArraySlice<String>, SignedCheckpoint)? {
        guard bytes.count <= SignedNote.bytesMax + 8192,
            let blank = bytes.indices.dropFirst().first(where: {
                bytes[$0] == 0x0A && bytes[$0 - 1] == 0x0A
            }),
            let head = String(validating: bytes[..<(blank - 1)], as: UTF8.self),
            let checkpoint = try? SignedCheckpoint(Array(bytes[(blank + 1)...]))
        else { return nil }
        let lines = head.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
        return (lines.map { String(decoding: $0, as: UTF8.self) }[...], checkpoint)
    }

    static func number(after word: String, in line: String) -> UInt64? {
        guard line.utf8.starts(with: word.utf8) else { return nil }
        return Checkpoint.size(String(line.unicodeScalars.dropFirst(word.utf8.count)))
    }

    static func hashes(_ lines: ArraySlice<String>) -> [Digest]? {
        guard lines.count <= SignedCheckpoint.proofHashesMax else { return nil }
        let hashes = lines.compactMap { Base64.decode($0).flatMap { Digest($0[...]) } }
        return hashes.count == lines.count ? hashes : nil
    }
}
