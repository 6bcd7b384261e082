// SPDX-License-Identifier: Apache-2.0

import LMDB
import LedgerPrimitives
import MerkleTree
import SignedNote
import Testing

@testable import EventLog

/// Adds so many events to a log, a batch at a time, in streams of three.
func fill(_ log: EventLog, _ count: Int) throws {
    var left = count
    while left > 0 {
        var batch = AppendBatch(events: [])
        while batch.events.count < min(left, 300) {
            var author = try StreamAuthor(log)
            for _ in 0..<min(3, left - batch.events.count) {
                let next = try author.next(log)
                batch.events += next.events
                batch.newDataKeys += next.newDataKeys
            }
        }
        left -= batch.events.count
        _ = try log.appendAndWait(batch)
    }
}

@Suite("A proof from the log")
struct LogProofTests {
    /// The tree over the log's leaves, as it is by definition.
    private func frontiers(_ log: EventLog) throws -> [Digest] {
        var frontier = TreeFrontier()
        var roots = [frontier.root]
        for leaf in try log.leaves() {
            frontier.append(MerkleTree.leafHash(leaf))
            roots.append(frontier.root)
        }
        return roots
    }

    @Test("is right for any event and any two sizes, below and above a stored node")
    func anySizes() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        try fill(log, 1100)
        let roots = try frontiers(log)
        let leaves = try log.leaves().map { MerkleTree.leafHash($0) }
        var generator = SeededGenerator(seed: 401)
        let fixed: [UInt64] = [1, 2, 255, 256, 257, 511, 512, 513, 768, 1023, 1024, 1025, 1100]
        for round in 0..<200 {
            let size =
                round < fixed.count ? fixed[round] : UInt64.random(in: 1...1100, using: &generator)
            let position = UInt64.random(in: 0..<size, using: &generator)
            let old = UInt64.random(in: 0...size, using: &generator)
            let root = roots[Int(size)]
            #expect(try log.root(ofFirst: size) == root)
            #expect(
                MerkleTree.isIncluded(
                    leaves[Int(position)], at: position, size: size, root: root,
                    proof: try log.inclusionProof(of: position, size: size)),
                "\(position) of \(size)")
            #expect(
                MerkleTree.isConsistent(
                    oldSize: old, oldRoot: roots[Int(old)], size: size, root: root,
                    proof: try log.consistencyProof(from: old, to: size)), "\(old) to \(size)")
        }
    }

    @Test("beyond the end of the log is refused")
    func beyondEnd() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        try fill(log, 6)
        #expect(throws: LedgerError.beyondEnd(asked: 7, size: 6)) { try log.root(ofFirst: 7) }
        #expect(throws: LedgerError.beyondEnd(asked: 3, size: 3)) {
            try log.inclusionProof(of: 3, size: 3)
        }
        #expect(throws: LedgerError.beyondEnd(asked: 7, size: 6)) {
            try log.inclusionProof(of: 3, size: 7)
        }
        #expect(throws: LedgerError.beyondEnd(asked: 5, size: 4)) {
            try log.consistencyProof(from: 5, to: 4)
        }
        #expect(throws: LedgerError.beyondEnd(asked: 7, size: 6)) { try log.checkpoint(size: 7) }
    }

    @Test("is not given when the log does not lead to the checkpoint")
    func refusesDamage() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        try fill(log, 300)
        let checkpoint = try log.checkpoint()
        let subject = try required(try log.streams(withPrefix: "0", limit: 1)?.first)
        try log.environment.write { transaction in
            try transaction.put(
                LogTables.nodeKey(TreeNode(level: 8, index: 0)), [UInt8](repeating: 7, count: 32),
                in: log.tables.tree)
        }
        #expect(throws: LedgerError.self) { try log.proof(of: 299, under: checkpoint) }
        #expect(throws: LedgerError.self) { try log.proof(from: 256, under: checkpoint) }
        // The first session lies below the changed node, and its proof does not need it.
        #expect(try log.proof(of: subject, under: checkpoint).isGapFree)
    }

    @Test("of a session has all its events up to the checkpoint, linked")
    func session() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        try fill(log, 20)
        var author = try StreamAuthor(log)
        for _ in 0..<4 { _ = try log.appendAndWait(try author.next(log)) }
        let whole = try log.proof(of: author.subject, under: log.checkpoint())
        #expect(whole.entries.map(\.event.position) == [20, 21, 22, 23])
        #expect(whole.isGapFree)
        let part = try log.proof(of: author.subject, under: log.checkpoint(size: 22))
        #expect(part.entries.map(\.event.position) == [20, 21])
        #expect(part.isGapFree)
        let events = whole.entries.map(\.event)
        #expect(!StreamChain.isGapFree([]))
        #expect(!StreamChain.isGapFree(Array(events[1...])))
        #expect(!StreamChain.isGapFree([events[0], events[2]]))
        #expect(!StreamChain.isGapFree([events[0], events[0]]))
        #expect(!StreamChain.isGapFree([events[1], events[0]]))
        let other = try log.stream(try required(try log.streams(withPrefix: "0", limit: 1)?.first))
        #expect(!StreamChain.isGapFree([events[0], other[1]]))
    }
}
