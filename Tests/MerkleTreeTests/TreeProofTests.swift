// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import Testing

@testable import MerkleTree

@Suite("A proof in a tree")
struct TreeProofTests {
    private static let leaves = (0..<600).map { MerkleTree.leafHash(Array("leaf \($0)".utf8)) }

    /// RFC 6962 §2.1, over leaf hashes.
    private static func definedRoot(_ leaves: ArraySlice<Digest>) -> Digest {
        if leaves.isEmpty { return MerkleTree.emptyRoot }
        if leaves.count == 1 { return leaves[leaves.startIndex] }
        let split = split(leaves.count)
        return MerkleTree.nodeHash(
            definedRoot(leaves.prefix(split)), definedRoot(leaves.dropFirst(split)))
    }

    /// RFC 6962 §2.1.1, word for word.
    private static func definedPath(_ index: Int, _ leaves: ArraySlice<Digest>) -> [Digest] {
        if leaves.count == 1 { return [] }
        let split = split(leaves.count)
        let (left, right) = (leaves.prefix(split), leaves.dropFirst(split))
        return index < split
            ? definedPath(index, left) + [definedRoot(right)]
            : definedPath(index - split, right) + [definedRoot(left)]
    }

    /// RFC 6962 §2.1.2, word for word.
    private static func definedSubproof(
        _ oldSize: Int, _ leaves: ArraySlice<Digest>, isKnown: Bool
    ) -> [Digest] {
        if oldSize == leaves.count { return isKnown ? [] : [definedRoot(leaves)] }
        let split = split(leaves.count)
        let (left, right) = (leaves.prefix(split), leaves.dropFirst(split))
        return oldSize <= split
            ? definedSubproof(oldSize, left, isKnown: isKnown) + [definedRoot(right)]
            : definedSubproof(oldSize - split, right, isKnown: false) + [definedRoot(left)]
    }

    private static func split(_ count: Int) -> Int {
        var split = 1
        while split * 2 < count { split *= 2 }
        return split
    }

    private static func root(_ size: Int) -> Digest { definedRoot(leaves.prefix(size)) }

    /// A tree over the first leaves, whose nodes are computed when they are asked for.
    private func tree(_ size: Int) -> TreeReader {
        TreeReader(size: UInt64(size)) { node in
            let width = 1 << node.level
            let first = Int(node.index) * width
            try #require(first + width <= size, "a node that the tree does not have")
            return Self.definedRoot(Self.leaves[first..<first + width])
        }
    }

    @Test("of inclusion is the one that RFC 6962 defines, and is accepted")
    func inclusion() throws {
        for size in Array(1...66) + [255, 256, 257, 511, 513, 600] {
            let tree = tree(size)
            let root = Self.root(size)
            #expect(try tree.root() == root)
            #expect(try tree.frontier().root == root)
            for index in 0..<size where size < 70 || index % 37 == 0 || index == size - 1 {
                let proof = try tree.inclusionProof(of: UInt64(index))
                #expect(proof == Self.definedPath(index, Self.leaves.prefix(size)))
                #expect(
                    MerkleTree.isIncluded(
                        Self.leaves[index], at: UInt64(index), size: UInt64(size), root: root,
                        proof: proof), "\(index) of \(size)")
            }
        }
        #expect(try tree(0).root() == MerkleTree.emptyRoot)
    }

    @Test("of consistency is the one that RFC 6962 defines, and is accepted")
    func consistency() throws {
        for size in Array(1...66) + [256, 257, 513] {
            let tree = tree(size)
            for old in 0...size where size < 70 || old % 23 == 0 || old == 256 {
                let proof = try tree.consistencyProof(from: UInt64(old))
                if old > 0 {
                    #expect(
                        proof
                            == Self.definedSubproof(
                                old, Self.leaves.prefix(size), isKnown: true))
                }
                #expect(
                    MerkleTree.isConsistent(
                        oldSize: UInt64(old), oldRoot: Self.root(old), size: UInt64(size),
                        root: Self.root(size), proof: proof), "\(old) to \(size)")
            }
        }
    }

    /// Proofs with one hash changed, dropped, doubled or moved.
    private func spoiled(_ proof: [Digest]) -> [[Digest]] {
        var others: [[Digest]] = [proof + [Self.leaves[599]]]
        for index in proof.indices {
            var changed = proof
            var bytes = changed[index].array
            bytes[index % 32] ^= 1
            changed[index] = Digest(bytes[...]) ?? MerkleTree.emptyRoot
            others.append(changed)
            others.append(Array(proof[..<index] + proof[(index + 1)...]))
            others.append(Array(proof[...index] + proof[index...]))
            if index > 0 {
                var swapped = proof
                swapped.swapAt(index - 1, index)
                others.append(swapped)
            }
        }
        return others.filter { $0 != proof }
    }

    @Test("of inclusion is refused when anything of it is changed")
    func spoiledInclusion() throws {
        for size in 1...33 {
            let root = Self.root(size)
            for index in 0..<size {
                let proof = try tree(size).inclusionProof(of: UInt64(index))
                func isIncluded(
                    _ leaf: Int? = nil, at place: Int? = nil, size other: Int? = nil,
                    _ hashes: [Digest]
                ) -> Bool {
                    MerkleTree.isIncluded(
                        Self.leaves[leaf ?? index], at: UInt64(place ?? index),
                        size: UInt64(other ?? size), root: root, proof: hashes)
                }
                for other in spoiled(proof) {
                    #expect(!isIncluded(index, other), "\(index) of \(size)")
                }
                #expect(!isIncluded((index + 1) % 600, proof))
                for place in 0...size where place != index {
                    #expect(!isIncluded(at: place, proof), "\(index) at \(place) of \(size)")
                }
                #expect(!isIncluded(size: 0, proof))
                #expect(!isIncluded(size: size * 2 + 1, proof))
            }
        }
    }

    @Test("of consistency is refused when anything of it is changed")
    func spoiledConsistency() throws {
        for size in 1...33 {
            for old in 0...size {
                let proof = try tree(size).consistencyProof(from: UInt64(old))
                func isConsistent(_ old: Int, _ oldRoot: Digest, _ hashes: [Digest]) -> Bool {
                    MerkleTree.isConsistent(
                        oldSize: UInt64(old), oldRoot: oldRoot, size: UInt64(size),
                        root: Self.root(size), proof: hashes)
                }
                for other in spoiled(proof) {
                    #expect(!isConsistent(old, Self.root(old), other), "\(old) to \(size)")
                }
                #expect(!isConsistent(old, Self.leaves[599], proof))
                #expect(!isConsistent(size + 1, Self.root(size + 1), proof))
            }
        }
    }
}
