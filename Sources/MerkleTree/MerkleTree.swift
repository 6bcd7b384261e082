// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
internal import OpenSSL

/// The hashes of a Merkle tree over the log (RFC 6962 §2.1).
public enum MerkleTree {
    /// The root of a tree without leaves: the hash of nothing.
    public static let emptyRoot = Digest(SHA256.hash([]))

    /// SHA-256(0x00 ‖ leaf).
    public static func leafHash(_ leaf: [UInt8]) -> Digest {
        var hash = SHA256()
        hash.update(0x00)
        hash.update(leaf)
        return Digest(hash.finalize())
    }

    /// SHA-256(0x01 ‖ left ‖ right).
    public static func nodeHash(_ left: Digest, _ right: Digest) -> Digest {
        var hash = SHA256()
        hash.update(0x01)
        hash.update(left.bytes)
        hash.update(right.bytes)
        return Digest(hash.finalize())
    }
}

/// A node of the tree: the root of a full subtree with 2^level leaves.
public struct TreeNode: Hashable, Sendable {
    /// Height above the leaves, which have level 0.
    public let level: Int
    /// Place among the nodes of its level, from the left, from 0.
    public let index: UInt64

    /// Names a node.
    public init(level: Int, index: UInt64) {
        self.level = level
        self.index = index
    }
}

/// The right edge of a growing tree: the roots of the full subtrees that its leaves make up.
///
/// This is all that must be remembered to add a leaf or to know the root.
public struct TreeFrontier: Equatable, Sendable {
    /// How many leaves the tree has.
    public private(set) var size: UInt64
    /// Roots of the full subtrees, one for each bit that is set in `size`, the largest first.
    public private(set) var subtreeRoots: [Digest]

    /// The frontier of a tree without leaves.
    public init() {
        size = 0
        subtreeRoots = []
    }

    /// The frontier of a tree of this size; nil unless there is a root for each bit set in it.
    public init?(size: UInt64, subtreeRoots: [Digest]) {
        guard subtreeRoots.count == size.nonzeroBitCount else { return nil }
        self.size = size
        self.subtreeRoots = subtreeRoots
    }

    /// Adds a leaf.
    public mutating func append(_ leafHash: Digest) {
        append(leafHash) { _, _ in }
    }

    /// Adds a leaf.
    ///
    /// - Parameter completed: called for each subtree of two or more leaves that this leaf fills.
    public mutating func append(_ leafHash: Digest, completed: (TreeNode, Digest) -> Void) {
        var root = leafHash
        var roots = subtreeRoots
        for level in 0..<size.trailingOneBitCount {
            root = MerkleTree.nodeHash(roots.removeLast(), root)
            completed(TreeNode(level: level + 1, index: size >> UInt64(level + 1)), root)
        }
        roots.append(root)
        subtreeRoots = roots
        size += 1
    }

    /// The root of the tree (RFC 6962 §2.1, MTH).
    public var root: Digest {
        guard var root = subtreeRoots.last else { return MerkleTree.emptyRoot }
        for left in subtreeRoots.dropLast().reversed() {
            root = MerkleTree.nodeHash(left, root)
        }
        return root
    }
}

extension UInt64 {
    fileprivate var trailingOneBitCount: Int { (~self).trailingZeroBitCount }
}
