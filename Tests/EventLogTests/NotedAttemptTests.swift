// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import Testing

@testable import EventLog

@Suite("A noted attempt", .serialized)
struct NotedAttemptTests {
    @Test("is there after a restart, until the stream's next event says what it came to")
    func untilTheNextEvent() async throws {
        let ledger = try TemporaryLedger()
        try ledger.create()
        var author: StreamAuthor
        do {
            let log = try ledger.open()
            author = try StreamAuthor(log)
            _ = try log.appendAndWait(author.next(log))
            try await log.noteAttempt(3, of: author.subject)
            try await log.noteAttempt(4, of: author.subject)
        }
        do {
            let log = try ledger.open()
            #expect(try log.notedAttempt(of: author.subject) == 4)
            #expect(try log.notedAttempt(of: "another") == nil)
            _ = try log.appendAndWait(author.next(log))
            #expect(try log.notedAttempt(of: author.subject) == nil)
        }
        let log = try ledger.open()
        #expect(try log.notedAttempt(of: author.subject) == nil)
        #expect(try log.check(.tree).findings == [])
    }

    @Test("does not leave with an append that is refused")
    func conflict() async throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        var author = try StreamAuthor(log)
        _ = try log.appendAndWait(author.next(log))
        var stale = author
        _ = try log.appendAndWait(author.next(log))
        try await log.noteAttempt(1, of: author.subject)
        let late = try stale.next(log)
        #expect(throws: AppendConflict.self) { try log.appendAndWait(late) }
        #expect(try log.notedAttempt(of: author.subject) == 1)
    }
}

@Suite("A hold on a stream", .serialized)
struct StreamHoldTests {
    @Test("excludes everybody else, in this process too, as long as it is kept")
    func exclusion() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        var hold = try log.hold("one")
        #expect(hold != nil)
        #expect(try log.hold("one") == nil)
        #expect(try log.hold("two") != nil)
        hold = nil
        #expect(try log.hold("one") != nil)
    }

    @Test("costs no file of its own: ten thousand can be held at once")
    func many() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        let holds = try (0..<10_000).compactMap { try log.hold("stream \($0)") }
        #expect(holds.count == 10_000)
        #expect(try log.hold("stream 9999") == nil)
    }
}
