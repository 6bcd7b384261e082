// SPDX-License-Identifier: Apache-2.0

import Capabilities
import Foundation
import LedgerPrimitives
import Platform
import Testing

@testable import EventLog

@Suite("A crash")
struct CrashTests {
    private static let subject = "018f0000-0000-7000-8000-000000000001"

    /// Appends two events to a ledger and kills the process at a point of the second commit.
    private static func run(_ directory: String, killAt fatal: CommitPoint) throws {
        let capabilities = Capabilities.simulated(seed: 5)
        let counter = CommitCounter()
        let log = try EventLog(
            directory + "/ledger", keyRoot: directory + "/config/keys", access: .appending,
            capabilities: capabilities
        ) { point in
            if point == fatal, counter.next() == 2 { ProcessControl.killSelf() }
        }
        var first = try StreamAuthor(log)
        _ = try log.appendAndWait(try first.next(log, sealed: ["n": .integer(1)]))
        var second = try StreamAuthor(log, subject: subject)
        _ = try log.appendAndWait(try second.next(log, sealed: ["n": .integer(2)]))
    }

    @Test("inside the write transaction leaves what was acknowledged, and nothing else")
    func insideTransaction() async throws {
        let ledger = try TemporaryLedger()
        try ledger.create()
        let directory = ledger.directory
        await #expect(processExitsWith: .signal(SIGKILL)) { [directory = directory as String] in
            try CrashTests.run(directory, killAt: .insideEventTransaction)
        }
        let log = try ledger.open()
        #expect(try log.head().size == 1)
        #expect(try log.check(.tree).findings == [])
        #expect(try log.streamHead(Self.subject) == nil)
    }

    @Test("between key and event leaves a key that the next attempt uses")
    func betweenKeyAndEvent() async throws {
        let ledger = try TemporaryLedger()
        try ledger.create()
        let directory = ledger.directory
        await #expect(processExitsWith: .signal(SIGKILL)) { [directory = directory as String] in
            try CrashTests.run(directory, killAt: .betweenKeysAndEvents)
        }
        let log = try ledger.open()
        #expect(try log.head().size == 1)
        let orphan = try required(try log.dataKey(for: Self.subject))
        #expect(try log.streamHead(Self.subject) == nil)
        // Another key for the same stream is refused; the stored one serves.
        var other = try StreamAuthor(log, subject: Self.subject)
        #expect(throws: DataKeyConflict(subject: Self.subject)) {
            try log.appendAndWait(try other.next(log, sealed: ["n": .integer(3)]))
        }
        let draft = EventDraft(
            id: log.capabilities.makeUUIDv7(), source: "test", type: "authledger.session.polled",
            typeVersion: 1, subject: Self.subject, time: log.capabilities.now(),
            clear: JSONObject(), sealed: ["n": .integer(4)])
        let event = try log.prepare(draft, after: nil, dataKey: orphan)
        _ = try log.appendAndWait(AppendBatch(events: [event]))
        let stored = try log.stream(Self.subject)
        #expect(try log.openSealed(stored[0], dataKey: orphan) == ["n": .integer(4)])
        #expect(try log.check(.tree).findings == [])
    }

    @Test("after the commit, before the answer, leaves the event there")
    func afterCommit() async throws {
        let ledger = try TemporaryLedger()
        try ledger.create()
        let directory = ledger.directory
        await #expect(processExitsWith: .signal(SIGKILL)) { [directory = directory as String] in
            try CrashTests.run(directory, killAt: .afterCommit)
        }
        let log = try ledger.open()
        #expect(try log.head().size == 2)
        #expect(try log.stream(Self.subject).count == 1)
        #expect(try log.check(.tree).findings == [])
    }
}

@Suite("A write that fails")
struct FailedWriteTests {
    private struct Fault: Error {}

    @Test(
        "leaves the log as it was, and the same append succeeds afterwards",
        arguments: [CommitPoint.beforeKeys, .betweenKeysAndEvents, .insideEventTransaction])
    func isNotPersisted(point: CommitPoint) throws {
        let ledger = try TemporaryLedger()
        let counter = CommitCounter()
        let log = try ledger.created { reached in
            if reached == point, counter.next() == 2 { throw Fault() }
        }
        var author = try StreamAuthor(log)
        _ = try log.appendAndWait(try author.next(log))
        let before = try log.leaves()
        let batch = try author.next(log, sealed: ["n": .integer(1)])
        #expect(throws: Fault.self) { try log.appendAndWait(batch) }
        #expect(try log.leaves() == before)
        #expect(try log.appendAndWait(batch).positions == [1])
        #expect(try log.check(.tree).findings == [])
    }

    @Test("only in its acknowledgement is acknowledged when it is tried again")
    func isPersistedButUnacknowledged() throws {
        let ledger = try TemporaryLedger()
        let counter = CommitCounter()
        let log = try ledger.created { reached in
            if reached == .afterCommit, counter.next() == 2 { throw Fault() }
        }
        var author = try StreamAuthor(log)
        _ = try log.appendAndWait(try author.next(log))
        let batch = try author.next(log)
        #expect(throws: Fault.self) { try log.appendAndWait(batch) }
        let again = try log.appendAndWait(batch)
        #expect(again.positions == [1])
        #expect(again.written == 0)
        #expect(try log.head().size == 2)
    }
}
