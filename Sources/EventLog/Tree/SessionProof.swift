// SPDX-License-Identifier: Apache-2.0

internal import LMDB
public import LedgerPrimitives
internal import MerkleTree
public import SignedNote

/// That the events of a stream are in the log, and that none is missing between them.
public struct SessionProof: Sendable {
    /// One event with its way to the root.
    public struct Entry: Sendable {
        /// The event.
        public let event: RecordedEvent
        /// The hashes that lead from its leaf to the checkpoint's root.
        public let hashes: [Digest]
    }

    /// The stream.
    public let session: String
    /// The checkpoint that the hashes lead to.
    public let checkpoint: SignedCheckpoint
    /// The events, in order.
    public let entries: [Entry]

    /// Whether the events are numbered 1, 2, 3 … and each names the one before it.
    public var isGapFree: Bool { StreamChain.isGapFree(entries.map(\.event)) }

    /// Fixed codes of what such a proof does not show. That no second chain exists under the same
    /// name only a reading of all leaves shows.
    public static let notProven = [
        "event-times", "fork", "key-set-origin", "rollback", "sealed-not-opened",
        "stream-uniqueness", "unrecorded-events",
    ]
}

/// The events of one stream as a chain.
public enum StreamChain {
    /// Whether these are the first events of one stream, none missing: revisions 1, 2, 3 …, each
    /// with the leaf hash of the one before, computed from its very leaf, at rising positions.
    public static func isGapFree(_ events: [RecordedEvent]) -> Bool {
        var previous: RecordedEvent?
        for (index, event) in events.enumerated() {
            let envelope = event.envelope
            guard envelope.revision == index + 1,
                envelope.previous == previous.map({ MerkleTree.leafHash($0.leaf) }),
                previous.map({ $0.position < event.position }) ?? true,
                previous.map({ $0.envelope.subject.isIdentical(to: envelope.subject) }) ?? true
            else { return false }
            previous = event
        }
        return !events.isEmpty
    }
}

extension EventLog {
    /// The events of a stream that a checkpoint covers, each with its proof, which is checked.
    ///
    /// - Throws: ``LedgerError/damaged(_:position:)`` when an event does not lead to the root.
    public func proof(
        of session: String, under checkpoint: SignedCheckpoint
    ) throws -> SessionProof {
        let (size, root) = (checkpoint.checkpoint.size, checkpoint.checkpoint.root)
        let entries = try stream(session).filter { $0.position < size }.map { event in
            let hashes = try inclusionProof(of: event.position, size: size)
            guard
                MerkleTree.isIncluded(
                    event.leafHash, at: event.position, size: size, root: root, proof: hashes)
            else {
                throw LedgerError.damaged(
                    "the event does not lead to the checkpoint's root", position: event.position)
            }
            return SessionProof.Entry(event: event, hashes: hashes)
        }
        return SessionProof(session: session, checkpoint: checkpoint, entries: entries)
    }

    /// The proof that an event is in the log, under a checkpoint, which is checked.
    ///
    /// - Throws: ``LedgerError/beyondEnd(asked:size:)``, or ``LedgerError/damaged(_:position:)``
    ///   when the event does not lead to the root.
    public func proof(
        of position: UInt64, under checkpoint: SignedCheckpoint
    ) throws -> InclusionProofText {
        let (size, root) = (checkpoint.checkpoint.size, checkpoint.checkpoint.root)
        let hashes = try inclusionProof(of: position, size: size)
        let leafHash = try environment.read {
            try tables.header(at: position, in: $0).leafHash
        }
        guard
            MerkleTree.isIncluded(leafHash, at: position, size: size, root: root, proof: hashes)
        else {
            throw LedgerError.damaged(
                "the event does not lead to the checkpoint's root", position: position)
        }
        return InclusionProofText(index: position, hashes: hashes, checkpoint: checkpoint)
    }

    /// The proof that the log of a checkpoint begins with its first `oldSize` events, which is
    /// checked.
    ///
    /// - Throws: ``LedgerError/beyondEnd(asked:size:)``, or ``LedgerError/damaged(_:position:)``.
    public func proof(
        from oldSize: UInt64, under checkpoint: SignedCheckpoint
    ) throws -> ConsistencyProofText {
        let size = checkpoint.checkpoint.size
        let hashes = try consistencyProof(from: oldSize, to: size)
        guard
            MerkleTree.isConsistent(
                oldSize: oldSize, oldRoot: try root(ofFirst: oldSize), size: size,
                root: checkpoint.checkpoint.root, proof: hashes)
        else {
            throw LedgerError.damaged("the tree is not the checkpoint's", position: nil)
        }
        return ConsistencyProofText(oldSize: oldSize, hashes: hashes, checkpoint: checkpoint)
    }
}
