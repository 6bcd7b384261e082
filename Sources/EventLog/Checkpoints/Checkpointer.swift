// SPDX-License-Identifier: Apache-2.0

internal import LMDB
internal import LedgerPrimitives
internal import MerkleTree
internal import Platform
internal import SignedNote
internal import Synchronization

/// Makes checkpoints: signs what is committed, stores it, and then publishes it.
///
/// The order keeps every published checkpoint true whenever the power goes: the events it covers
/// are on disk before it is signed.
struct Checkpointer: Sendable {
    let environment: LMDBEnvironment
    let tables: LogTables
    let info: LedgerInfo
    let paths: LedgerPaths
    let keyDirectory: KeyDirectory
    let rootKey: RootKey

    /// Locks out other makers of checkpoints, in this process and in others.
    private static let lockOffset: Int64 = 1 << 62

    /// Runs `body` while no other checkpoint is made or published, and no key rotated.
    func alone<Result>(_ body: () throws -> Result) throws -> Result {
        let file = try File(paths.lock, .locking(permissions: 0o600))
        _ = try file.lockByte(at: Self.lockOffset, waits: true)
        return try withExtendedLifetime(file) { try body() }
    }

    /// Signs, stores and publishes a checkpoint.
    ///
    /// - Parameter size: of how many events; by default of all.
    func make(size: UInt64? = nil) throws -> SignedCheckpoint {
        try alone {
            let signer = try keyDirectory.readSigner(rootKey, name: info.origin)
            guard let signer else {
                throw LedgerError.signingKeyMissing(keyDirectory.path + "/signing.key")
            }
            let checkpoint = try sign(size: size, signers: [signer])
            try publish(checkpoint)
            return checkpoint
        }
    }

    /// Signs and stores a checkpoint while no other is at work; see ``alone(_:)``. One that is
    /// stored already with these signatures does.
    func sign(size: UInt64? = nil, signers: [NoteSigner]) throws -> SignedCheckpoint {
        let wanted = try environment.read { transaction in
            try size ?? tables.head(in: transaction).size
        }
        let stored = try environment.read { try tables.checkpoint(of: wanted, in: $0) }
        let keys = signers.map(\.verifierKey)
        if let stored, try stored.note.verified(by: keys).count == keys.count { return stored }
        return try environment.write { try sign(wanted, signers: signers, in: $0) }
    }

    /// A log must not sign what contradicts an earlier checkpoint of its own, so
    /// the newest one is compared with the tree first.
    private func sign(
        _ size: UInt64, signers: [NoteSigner], in transaction: LMDBTransaction
    ) throws -> SignedCheckpoint {
        let head = try tables.head(in: transaction)
        guard size <= head.size else {
            throw LedgerError.beyondEnd(asked: size, size: head.size)
        }
        if let newest = try tables.newestCheckpoint(in: transaction)?.checkpoint {
            let root =
                newest.size <= head.size
                ? try tables.tree(size: newest.size, in: transaction).root() : nil
            guard root == newest.root else {
                throw LedgerError.rolledBack(
                    "the log does not fit the stored checkpoint of \(newest.size) events")
            }
        }
        let root =
            size == head.size ? head.root : try tables.tree(size: size, in: transaction).root()
        let checkpoint = Checkpoint(origin: info.origin, size: size, root: root)
        var signed = try SignedCheckpoint(checkpoint, signers: signers)
        if let stored = try tables.checkpoint(of: size, in: transaction),
            stored.checkpoint == checkpoint
        {
            signed = try stored.adding(signaturesOf: signed)
        }
        try transaction.put(.number(size), signed.encoded, in: tables.checkpoints)
        return signed
    }

    // MARK: - Publishing

    /// Writes a checkpoint to the ledger directory, twice, and to the places on the publish list.
    ///
    /// - Throws: the first error of all, after every place has been tried.
    func publish(_ checkpoint: SignedCheckpoint) throws {
        try publish(checkpoint, to: paths.checkpoint, isInside: true)
        try publish(checkpoint, to: paths.checkpointBesideKeys, isInside: true)
        var failure: (any Error)?
        for path in try keyDirectory.readPublishPaths() {
            do {
                try publish(checkpoint, to: path)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    /// Writes a checkpoint to one place, unless a newer one of this ledger is there.
    ///
    /// - Throws: ``LedgerError/publishOccupied(_:)`` when what is there outside of the ledger is no
    ///   checkpoint of it.
    func publish(
        _ checkpoint: SignedCheckpoint, to path: String, isInside: Bool = false
    ) throws {
        if Directory.exists(path) {
            let bytes = try File(path, .reading).readAll(limit: SignedNote.bytesMax)
            let found = try? SignedCheckpoint(bytes)
            if let found, found.checkpoint.origin.isIdentical(to: info.origin) {
                if found.checkpoint.size > checkpoint.checkpoint.size || found == checkpoint {
                    return
                }
            } else if !isInside, !bytes.isEmpty {
                throw LedgerError.publishOccupied(path)
            }
        }
        try DurableFile.write(
            checkpoint.encoded, to: path, permissions: isInside ? 0o600 : 0o644)
    }
}

extension SignedCheckpoint {
    /// This checkpoint with the signatures of another over the same text that it does not have.
    fileprivate func adding(signaturesOf other: SignedCheckpoint) throws -> SignedCheckpoint {
        let missing = other.note.signatures.filter { !note.signatures.contains($0) }
        return try SignedCheckpoint(missing.reduce(note) { $0.adding($1) }.encoded)
    }
}

extension LogTables {
    /// The stored checkpoint of so many events; nil when there is none.
    func checkpoint(
        of size: UInt64, in transaction: LMDBTransaction
    ) throws -> SignedCheckpoint? {
        try transaction.value(.number(size), in: checkpoints).map { bytes in
            guard let signed = try? SignedCheckpoint(bytes), signed.checkpoint.size == size else {
                throw LedgerError.damaged("a stored checkpoint is malformed", position: nil)
            }
            return signed
        }
    }

    /// The stored checkpoint of the most events; nil when there is none.
    func newestCheckpoint(in transaction: LMDBTransaction) throws -> SignedCheckpoint? {
        let size = try transaction.withCursor(checkpoints) { cursor in
            try cursor.move(.last) { key, _ in key.bigEndianNumber }
        }
        guard let size else { return nil }
        guard let size else {
            throw LedgerError.damaged("a stored checkpoint is malformed", position: nil)
        }
        return try checkpoint(of: size, in: transaction)
    }
}

/// Makes checkpoints as the log grows: at most one a second, and one when it is closed.
final class AutomaticCheckpoints: Sendable {
    private static let pauseNanoseconds: UInt64 = 1_000_000_000

    private struct State {
        var isBehind = false
        var last: UInt64
    }

    private let checkpointer: Checkpointer
    private let failed: @Sendable (any Error) -> Void
    private let state: Mutex<State>

    init(_ checkpointer: Checkpointer, failed: @escaping @Sendable (any Error) -> Void) {
        self.checkpointer = checkpointer
        self.failed = failed
        state = Mutex(State(last: ProcessControl.monotonicNanoseconds))
    }

    /// Events were committed.
    func logGrew() {
        let now = ProcessControl.monotonicNanoseconds
        let isDue = state.withLock { state in
            state.isBehind = now - state.last < Self.pauseNanoseconds
            if !state.isBehind { state.last = now }
            return !state.isBehind
        }
        if isDue { make() }
    }

    /// No more events will come.
    func logCloses() {
        if state.withLock({ $0.isBehind }) { make() }
    }

    private func make() {
        do {
            _ = try checkpointer.make()
        } catch {
            failed(error)
        }
    }
}
