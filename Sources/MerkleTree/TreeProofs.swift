// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

extension MerkleTree {
    /// A proof in a tree of any size has at most so many hashes.
    public static let proofHashesMax = 64

    /// Whether a proof leads from a leaf to a root (RFC 9162 §2.1.3.2).
    ///
    /// - Parameters:
    ///   - leafHash: the hash of the leaf.
    ///   - index: where it is said to stand, from 0.
    ///   - size: how many leaves the tree has.
    ///   - proof: the leaf's sibling first.
    public static func isIncluded(
        _ leafHash: Digest, at index: UInt64, size: UInt64, root: Digest, proof: [Digest]
    ) -> Bool {
        guard index < size else { return false }
        var (position, last) = (index, size - 1)
        var hash = leafHash
        for sibling in proof {
            if last == 0 { return false }
            if position & 1 == 1 || position == last {
                hash = nodeHash(sibling, hash)
                while position & 1 == 0, position != 0 {
                    position >>= 1
                    last >>= 1
                }
            } else {
                hash = nodeHash(hash, sibling)
            }
            position >>= 1
            last >>= 1
        }
        return last == 0 && hash == root
    }

    /// Whether a proof shows that a tree begins with the leaves of an older one
    /// (RFC 9162 §2.1.4.2). For an older tree without leaves, or of the same size, the proof must
    /// be empty.
    public static func isConsistent(
        oldSize: UInt64, oldRoot: Digest, size: UInt64, root: Digest, proof: [Digest]
    ) -> Bool {
        if oldSize == 0 { return oldRoot == emptyRoot && proof.isEmpty }
        if oldSize == size { return oldRoot == root && proof.isEmpty }
        guard oldSize < size, !proof.isEmpty else { return false }
        // A full older tree is itself the first hash.
        let path = oldSize & (oldSize - 1) == 0 ? [oldRoot] + proof : proof
        var (position, last) = (oldSize - 1, size - 1)
        while position & 1 == 1 {
            position >>= 1
            last >>= 1
        }
        var (oldHash, hash) = (path[0], path[0])
        for sibling in path.dropFirst() {
            if last == 0 { return false }
            if position & 1 == 1 || position == last {
                oldHash = nodeHash(sibling, oldHash)
                hash = nodeHash(sibling, hash)
                while position & 1 == 0, position != 0 {
                    position >>= 1
                    last >>= 1
                }
            } else {
                hash = nodeHash(hash, sibling)
            }
            position >>= 1
            last >>= 1
        }
        return last == 0 && oldHash == oldRoot && hash == root
    }
}
