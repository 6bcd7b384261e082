// SPDX-License-Identifier: Apache-2.0

internal import LMDB
internal import LedgerPrimitives
internal import MerkleTree
internal import Platform
public import SignedNote

extension EventLog {
    /// Signs, stores and publishes a checkpoint.
    ///
    /// It is written to the ledger directory, and to every place on the publish list.
    ///
    /// - Parameter size: of how many events; by default of all.
    /// - Throws: ``LedgerError``. When only publishing failed, the checkpoint is stored all the
    ///   same.
    public func checkpoint(size: UInt64? = nil) throws -> SignedCheckpoint {
        guard let checkpointer else { throw LedgerError.notWritable }
        return try checkpointer.make(size: size)
    }

    /// Publishes a checkpoint to one more place outside of the ledger.
    ///
    /// - Throws: ``LedgerError/publishOccupied(_:)`` when something else is there.
    public func publish(_ checkpoint: SignedCheckpoint, to path: String) throws {
        guard let checkpointer else { throw LedgerError.notWritable }
        try checkpointer.alone { try checkpointer.publish(checkpoint, to: path) }
    }

    /// A checkpoint of so many events that was made before; nil when there is none.
    public func storedCheckpoint(of size: UInt64) throws -> SignedCheckpoint? {
        try environment.read { try tables.checkpoint(of: size, in: $0) }
    }

    /// The newest checkpoint that was made; nil when there is none.
    public func newestCheckpoint() throws -> SignedCheckpoint? {
        try environment.read { try tables.newestCheckpoint(in: $0) }
    }

    /// Where a ledger's configuration names the places outside of it to which the newest
    /// checkpoint is written.
    public var publishListPath: String { keyDirectory.publishListPath }

    // MARK: - Rollback

    /// Refuses a log that is older than a checkpoint of it, or another one than it was made of.
    ///
    /// The copies in the ledger directory must be in order; outside, a file that is not there or
    /// is no checkpoint of this ledger is passed over.
    func refuseRollback() throws {
        for path in [paths.checkpoint, paths.checkpointBesideKeys] where Directory.exists(path) {
            let bytes = try File(path, .reading).readAll(limit: SignedNote.bytesMax)
            guard let checkpoint = try ownCheckpoint(bytes) else {
                throw LedgerError.checkpointInvalid(path)
            }
            try compare(checkpoint, from: path)
        }
        for path in try keyDirectory.readPublishPaths() {
            guard
                let bytes = try? File(path, .reading).readAll(limit: SignedNote.bytesMax),
                let checkpoint = try ownCheckpoint(bytes)
            else { continue }
            try compare(checkpoint, from: path)
        }
    }

    private func compare(_ checkpoint: Checkpoint, from path: String) throws {
        let head = try head()
        guard checkpoint.size <= head.size else {
            throw LedgerError.rolledBack(
                "the log has \(head.size) events, the checkpoint in \(path) covers "
                    + "\(checkpoint.size)")
        }
        let root =
            checkpoint.size == head.size ? head.root : try self.root(ofFirst: checkpoint.size)
        guard root == checkpoint.root else {
            throw LedgerError.rolledBack(
                "the first \(checkpoint.size) events are not those of the checkpoint in \(path)")
        }
    }

    /// A checkpoint, if a key of this ledger signed it.
    private func ownCheckpoint(_ bytes: [UInt8]) throws -> Checkpoint? {
        guard let signed = try? SignedCheckpoint(bytes),
            signed.checkpoint.origin.isIdentical(to: info.origin)
        else { return nil }
        var keys = [info.verifierKey]
        if let checkpointer {
            let signers = try [
                keyDirectory.readSigner(checkpointer.rootKey, name: info.origin),
                keyDirectory.readNextSigner(checkpointer.rootKey, name: info.origin),
            ]
            keys += signers.compactMap { $0?.verifierKey }
        }
        if let found = try? signed.note.verified(by: keys), found.isEmpty {
            keys = try verifierKeys()
        }
        guard let found = try? signed.note.verified(by: keys), !found.isEmpty else { return nil }
        return signed.checkpoint
    }
}
