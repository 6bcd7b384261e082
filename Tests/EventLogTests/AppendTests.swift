// SPDX-License-Identifier: Apache-2.0

import Capabilities
import LedgerPrimitives
import MerkleTree
import Synchronization
import Testing

@testable import EventLog

@Suite("An append")
struct AppendTests {
    @Test("gives positions in order and chains the events of a stream")
    func chains() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        var one = try StreamAuthor(log)
        var other = try StreamAuthor(log)
        var positions: [UInt64] = []
        for index in 0..<20 {
            let batch = index % 3 == 0 ? try other.next(log) : try one.next(log)
            positions += try log.appendAndWait(batch).positions
        }
        #expect(positions == Array(0..<20))
        for author in [one, other] {
            let events = try log.stream(author.subject)
            #expect(events.map(\.envelope.revision) == Array(1...events.count))
            for (previous, event) in zip(events, events.dropFirst()) {
                #expect(event.envelope.previous == previous.leafHash)
            }
            #expect(try log.streamHead(author.subject) == author.head)
        }
        #expect(try log.check(.tree).findings == [])
    }

    @Test("leaves a stream whose two ends can be read without what is between", arguments: 0...5)
    func ends(count: Int) throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        var author = try StreamAuthor(log)
        for _ in 0..<count {
            _ = try log.appendAndWait(try author.next(log))
        }
        let all = try log.stream(author.subject).map(\.leaf)
        for last in 0...4 {
            let ends = try log.streamEnds(author.subject, last: last)
            #expect(ends.count == count)
            #expect(
                ends.events.map(\.leaf)
                    == (count <= last + 1 ? all : Array(all.prefix(1) + all.suffix(last))))
        }
    }

    @Test("keeps the root of all leaves from the first event on")
    func keepsRoot() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        var author = try StreamAuthor(log)
        var frontier = TreeFrontier()
        for _ in 0..<300 {
            _ = try log.appendAndWait(try author.next(log))
        }
        for leaf in try log.leaves() {
            frontier.append(MerkleTree.leafHash(leaf))
        }
        #expect(try log.head().root == frontier.root)
    }

    @Test("for another end of the stream is refused with both ends, and leaves nothing")
    func conflicts() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        var author = try StreamAuthor(log)
        _ = try log.appendAndWait(try author.next(log))
        var stale = author
        _ = try log.appendAndWait(try author.next(log))
        let before = try log.head()
        let late = try stale.next(log)
        #expect(
            throws: AppendConflict(
                subject: author.subject, expected: late.events[0].expected, actual: author.head)
        ) {
            try log.appendAndWait(late)
        }
        #expect(try log.head() == before)
    }

    @Test("takes all events of a batch or none")
    func isAtomic() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        var good = try StreamAuthor(log)
        var bad = try StreamAuthor(log)
        _ = try log.appendAndWait(try bad.next(log))
        var stale = bad
        _ = try log.appendAndWait(try bad.next(log))
        var batch = try good.next(log)
        batch.events += try stale.next(log).events
        let before = try log.leaves()
        #expect(throws: AppendConflict.self) { try log.appendAndWait(batch) }
        #expect(try log.leaves() == before)
        #expect(try log.streamHead(good.subject) == nil)
    }

    @Test("of an event that is there to the byte is acknowledged again")
    func isIdempotent() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        var author = try StreamAuthor(log)
        let first = try author.next(log, sealed: ["name": .string("Kari")])
        let second = try author.next(log)
        #expect(try log.appendAndWait(first).written == 1)
        #expect(try log.appendAndWait(second).written == 1)
        let again = try log.appendAndWait(first)
        #expect(again.positions == [0])
        #expect(again.written == 0)
        #expect(try log.head().size == 2)
    }

    @Test("from many tasks shares commits and loses nothing")
    func sharesCommits() async throws {
        let ledger = try TemporaryLedger()
        let commits = Mutex(0)
        let log = try ledger.created { point in
            if case .afterCommit = point { commits.withLock { $0 += 1 } }
        }
        let heads = try await withThrowingTaskGroup(of: StreamAuthor.self) { group in
            for _ in 0..<64 {
                group.addTask {
                    var author = try StreamAuthor(log)
                    for _ in 0..<10 {
                        _ = try await log.append(try author.next(log))
                    }
                    return author
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(try log.head().size == 640)
        #expect(commits.withLock { $0 } < 640)
        for author in heads {
            #expect(try log.streamHead(author.subject) == author.head)
        }
        #expect(try log.check(.tree).findings == [])
    }

    @Test("is refused on a log that is open for reading")
    func needsWriter() throws {
        let ledger = try TemporaryLedger()
        var batch = AppendBatch(events: [])
        do {
            let log = try ledger.created()
            var author = try StreamAuthor(log)
            batch = try author.next(log)
        }
        let log = try ledger.open(.reading)
        #expect(throws: LedgerError.notWritable) { try log.appendAndWait(batch) }
    }

    @Test("takes streams whose names are no UUIDs")
    func takesNamedStreams() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        var author = try StreamAuthor(log, subject: "https://issuer.example/realms/ø")
        for _ in 0..<3 {
            _ = try log.appendAndWait(try author.next(log))
        }
        #expect(
            try log.stream(author.subject).map(\.envelope.subject).allSatisfy {
                $0 == author.subject
            })
        #expect(try log.check(.tree).findings == [])
    }

    @Test("of an event that no leaf can hold is refused before anything is written")
    func refusesLargeLeaf() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        var author = try StreamAuthor(log)
        #expect {
            try author.next(log, clear: ["x": .string(String(repeating: "y", count: 61_440))])
        } throws: { error in
            if case .eventTooLarge? = error as? LedgerError { true } else { false }
        }
    }
}
