// SPDX-License-Identifier: Apache-2.0

internal import LMDB
public import LedgerPrimitives
internal import MerkleTree

extension LogTables {
    /// The tree over the first events.
    func tree(size: UInt64, in transaction: LMDBTransaction) -> TreeReader {
        TreeReader(size: size) { try node($0, in: transaction) }
    }

    /// The root of a full subtree: stored, or made of what is stored at the kept level below it.
    func node(_ node: TreeNode, in transaction: LMDBTransaction) throws -> Digest {
        if node.level == 0 { return try header(at: node.index, in: transaction).leafHash }
        let keptLevel = node.level / Self.keptLevelStep * Self.keptLevelStep
        if keptLevel == node.level {
            let stored = try transaction.value(Self.nodeKey(node), in: tree)
            guard let digest = stored.flatMap({ Digest($0[...]) }) else {
                throw LedgerError.damaged(
                    "the tree node \(node.level)/\(node.index) is missing", position: nil)
            }
            return digest
        }
        let height = UInt64(node.level - keptLevel)
        var frontier = TreeFrontier()
        for index in node.index << height..<(node.index + 1) << height {
            frontier.append(
                try self.node(TreeNode(level: keptLevel, index: index), in: transaction))
        }
        return frontier.root
    }
}

extension EventLog {
    /// The root of the tree over the first events.
    ///
    /// - Throws: ``LedgerError/beyondEnd(asked:size:)`` when there are fewer.
    public func root(ofFirst size: UInt64) throws -> Digest {
        try environment.read { transaction in
            try existing(size, in: transaction)
            return try tables.tree(size: size, in: transaction).root()
        }
    }

    /// The hashes that lead from an event's leaf to the root of the tree over the first events
    /// (RFC 6962 §2.1.1).
    ///
    /// - Throws: ``LedgerError/beyondEnd(asked:size:)`` when there are fewer events, or the
    ///   position is not among them.
    public func inclusionProof(of position: UInt64, size: UInt64) throws -> [Digest] {
        guard position < size else { throw LedgerError.beyondEnd(asked: position, size: size) }
        return try environment.read { transaction in
            try existing(size, in: transaction)
            return try tables.tree(size: size, in: transaction).inclusionProof(of: position)
        }
    }

    /// The hashes that show that the tree over the first `size` events begins with the one over the
    /// first `oldSize` (RFC 6962 §2.1.2).
    ///
    /// - Throws: ``LedgerError/beyondEnd(asked:size:)`` when there are fewer.
    public func consistencyProof(from oldSize: UInt64, to size: UInt64) throws -> [Digest] {
        guard oldSize <= size else { throw LedgerError.beyondEnd(asked: oldSize, size: size) }
        return try environment.read { transaction in
            try existing(size, in: transaction)
            return try tables.tree(size: size, in: transaction).consistencyProof(from: oldSize)
        }
    }

    private func existing(_ size: UInt64, in transaction: LMDBTransaction) throws {
        let head = try tables.head(in: transaction)
        guard size <= head.size else {
            throw LedgerError.beyondEnd(asked: size, size: head.size)
        }
    }
}
