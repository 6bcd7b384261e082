// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// Roots and proofs of a tree whose nodes lie somewhere else.
///
/// All of it is computed from the roots of full subtrees, which a closure gives; nothing is kept.
public struct TreeReader {
    /// How many leaves the tree has.
    public let size: UInt64

    private let node: (TreeNode) throws -> Digest

    /// A tree of this size.
    ///
    /// - Parameter node: gives the root of a full subtree; asked only for those that the tree has.
    public init(size: UInt64, node: @escaping (TreeNode) throws -> Digest) {
        self.size = size
        self.node = node
    }

    /// The right edge of the tree.
    public func frontier() throws -> TreeFrontier {
        let roots = try Self.fullSubtrees(of: 0..<size).map { try node($0) }
        guard let frontier = TreeFrontier(size: size, subtreeRoots: roots) else {
            preconditionFailure("a tree has one full subtree for each bit of its size")
        }
        return frontier
    }

    /// The root of the tree (RFC 6962 §2.1, MTH).
    public func root() throws -> Digest {
        try hash(of: 0..<size)
    }

    /// The hashes that lead from a leaf to the root, the leaf's sibling first
    /// (RFC 6962 §2.1.1, PATH). The index must lie in the tree.
    public func inclusionProof(of index: UInt64) throws -> [Digest] {
        precondition(index < size, "the leaf lies in the tree")
        var siblings: [Range<UInt64>] = []
        var range = 0..<size
        while range.count > 1 {
            let split = range.lowerBound + Self.split(UInt64(range.count))
            let (left, right) = (range.lowerBound..<split, split..<range.upperBound)
            siblings.append(index < split ? right : left)
            range = index < split ? left : right
        }
        return try siblings.reversed().map { try hash(of: $0) }
    }

    /// The hashes that show that this tree begins with the leaves of an older one
    /// (RFC 6962 §2.1.2, PROOF); empty when the older tree is empty or this very tree.
    public func consistencyProof(from oldSize: UInt64) throws -> [Digest] {
        precondition(oldSize <= size, "the older tree is not larger")
        if oldSize == 0 || oldSize == size { return [] }
        var hashed: [Range<UInt64>] = []
        var range = 0..<size
        while oldSize != range.upperBound {
            let split = range.lowerBound + Self.split(UInt64(range.count))
            if oldSize <= split {
                hashed.append(split..<range.upperBound)
                range = range.lowerBound..<split
            } else {
                hashed.append(range.lowerBound..<split)
                range = split..<range.upperBound
            }
        }
        // What is left is the last full part of the older tree; if that is the whole of it, the
        // verifier knows its root.
        if range.lowerBound != 0 { hashed.append(range) }
        return try hashed.reversed().map { try hash(of: $0) }
    }

    /// The hash over the leaves of a range that begins where a subtree of its size may.
    private func hash(of range: Range<UInt64>) throws -> Digest {
        let roots = try Self.fullSubtrees(of: range).map { try node($0) }
        guard var root = roots.last else { return MerkleTree.emptyRoot }
        for left in roots.dropLast().reversed() {
            root = MerkleTree.nodeHash(left, root)
        }
        return root
    }

    /// The largest power of two that is smaller than `count` (RFC 6962 §2.1, k).
    private static func split(_ count: UInt64) -> UInt64 {
        1 << UInt64(63 - (count - 1).leadingZeroBitCount)
    }

    /// The full subtrees that make up a range, from the left.
    private static func fullSubtrees(of range: Range<UInt64>) -> [TreeNode] {
        var nodes: [TreeNode] = []
        var start = range.lowerBound
        while start < range.upperBound {
            let level = 63 - (range.upperBound - start).leadingZeroBitCount
            nodes.append(TreeNode(level: level, index: start >> UInt64(level)))
            start += 1 << UInt64(level)
        }
        return nodes
    }
}
