// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import OpenSSL
import Testing

@testable import MerkleTree

@Suite("A tree's frontier")
struct TreeFrontierTests {
    /// The definition of RFC 6962 §2.1, word for word and slow.
    private func definedRoot(_ leaves: ArraySlice<[UInt8]>) -> Digest {
        if leaves.isEmpty { return Digest(SHA256.hash([])) }
        if leaves.count == 1 { return Digest(SHA256.hash([0x00] + leaves[leaves.startIndex])) }
        var split = 1
        while split * 2 < leaves.count { split *= 2 }
        let left = definedRoot(leaves.prefix(split))
        let right = definedRoot(leaves.dropFirst(split))
        return Digest(SHA256.hash([0x01] + left.array + right.array))
    }

    @Test("has the root that RFC 6962 defines, at every size up to 300")
    func rootMatchesDefinition() {
        let leaves = (0..<300).map { Array("leaf \($0)".utf8) }
        var frontier = TreeFrontier()
        #expect(frontier.root == definedRoot([]))
        for count in 1...leaves.count {
            frontier.append(MerkleTree.leafHash(leaves[count - 1]))
            #expect(frontier.size == UInt64(count))
            #expect(frontier.root == definedRoot(leaves.prefix(count)), "size \(count)")
        }
    }

    @Test("reports every subtree once, when its last leaf comes")
    func reportsSubtrees() {
        let leaves = (0..<64).map { Array("\($0)".utf8) }
        var frontier = TreeFrontier()
        var nodes: [TreeNode: Digest] = [:]
        for leaf in leaves {
            frontier.append(MerkleTree.leafHash(leaf)) { node, digest in
                #expect(nodes[node] == nil)
                nodes[node] = digest
            }
        }
        #expect(nodes.count == 63)
        for (node, digest) in nodes {
            let width = 1 << node.level
            let first = Int(node.index) * width
            #expect(digest == definedRoot(leaves[first..<first + width]))
        }
    }

    @Test("is restored from its parts, and from nothing else")
    func restores() throws {
        var frontier = TreeFrontier()
        for index in 0..<13 {
            frontier.append(MerkleTree.leafHash([UInt8(index)]))
        }
        let restored = TreeFrontier(size: 13, subtreeRoots: frontier.subtreeRoots)
        #expect(restored == frontier)
        #expect(TreeFrontier(size: 12, subtreeRoots: frontier.subtreeRoots) == nil)
    }

    @Test("of a tree without leaves has the hash of nothing")
    func emptyRoot() {
        #expect(TreeFrontier().root.base64 == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    }
}
