// SPDX-License-Identifier: Apache-2.0

import Capabilities
import LMDB
import LedgerPrimitives
import MerkleTree
import Testing

@testable import EventLog

@Suite("A check of a ledger")
struct LedgerCheckTests {
    /// A ledger of 300 events in three streams, with documents.
    private func filled(_ ledger: TemporaryLedger) throws -> EventLog {
        let log = try ledger.created()
        var authors = try (0..<3).map { _ in try StreamAuthor(log) }
        for index in 0..<300 {
            let document = Array("document \(index % 5)".utf8)
            _ = try log.appendAndWait(
                try authors[index % 3].next(
                    log, sealed: ["n": .integer(Int64(index))], documents: [document]))
        }
        return log
    }

    /// What the check finds after `damage`.
    private func findings(
        after damage: (EventLog, LMDBTransaction) throws -> Void
    ) throws -> [Finding] {
        let ledger = try TemporaryLedger()
        let log = try filled(ledger)
        #expect(try log.check(.tree).findings == [])
        try log.environment.write { try damage(log, $0) }
        return try log.check(.tree).findings
    }

    private func codes(_ findings: [Finding]) -> Set<String> { Set(findings.map(\.code)) }

    @Test("finds a byte changed in a frame, and says where")
    func findsFlippedByte() throws {
        let findings = try findings { log, transaction in
            var frame = try required(try transaction.value(.number(17), in: log.tables.events))
            frame[frame.count - 1] ^= 0x40
            try transaction.put(.number(17), frame, in: log.tables.events)
        }
        #expect(findings.first?.position == 17)
        #expect(codes(findings).contains("frame-damaged"))
    }

    @Test("finds two frames that changed places")
    func findsSwappedFrames() throws {
        let findings = try findings { log, transaction in
            let one = try required(try transaction.value(.number(30), in: log.tables.events))
            let two = try required(try transaction.value(.number(33), in: log.tables.events))
            try transaction.put(.number(30), two, in: log.tables.events)
            try transaction.put(.number(33), one, in: log.tables.events)
        }
        #expect(codes(findings).contains("root-mismatch"))
    }

    @Test("finds a whole event put in another's place, hash and all")
    func findsForgedEvent() throws {
        let findings = try findings { log, transaction in
            let other = try log.stream(log.streams(withPrefix: "0", limit: 1)?.first ?? "")
            let draft = EventDraft(
                id: log.capabilities.makeUUIDv7(), source: "forger",
                type: "authledger.session.polled", typeVersion: 1,
                subject: other[1].envelope.subject, time: log.capabilities.now(),
                clear: JSONObject())
            let head = StreamHead(revision: 1, leafHash: other[0].leafHash)
            let event = try log.prepare(draft, after: head, dataKey: nil)
            let position = other[1].position
            let old = try required(
                try log.tables.storedFrame(at: position, in: transaction))
            let forged = Frame(
                header: FrameHeader(
                    leafHash: event.head.leafHash, revision: 2, link: old.frame.header.link),
                body: event.body)
            try transaction.put(.number(position), forged.encoded(), in: log.tables.events)
        }
        #expect(codes(findings).isSuperset(of: ["root-mismatch"]))
        #expect(findings.contains { $0.position != nil })
    }

    @Test("finds a removed event")
    func findsRemovedEvent() throws {
        let findings = try findings { log, transaction in
            try transaction.delete(.number(200), in: log.tables.events)
        }
        #expect(findings.contains { $0.code == "frame-damaged" && $0.position == 200 })
    }

    @Test("finds an event beyond the recorded end")
    func findsExtraEvent() throws {
        let findings = try findings { log, transaction in
            let frame = try required(try transaction.value(.number(0), in: log.tables.events))
            try transaction.put(.number(300), frame, in: log.tables.events)
        }
        #expect(codes(findings).contains("event-count"))
    }

    @Test("finds a changed tree node, a changed blob and a changed head")
    func findsChangedRecords() throws {
        let node = try findings { log, transaction in
            try transaction.put(
                LogTables.nodeKey(.init(level: 8, index: 0)), [UInt8](repeating: 1, count: 32),
                in: log.tables.tree)
        }
        #expect(codes(node) == ["node-mismatch"])
        let blob = try findings { log, transaction in
            let digest = Digest(ofDocument: Array("document 3".utf8))
            try transaction.put(.bytes(digest.array), [0, 1, 65], in: log.tables.blobs)
        }
        #expect(codes(blob) == ["blob-damaged"])
        let totals = try findings { log, transaction in
            var head = try log.tables.head(in: transaction)
            head.bytesRaw += 1
            try transaction.put(LogTables.MetaName.head, head.encoded, in: log.tables.meta)
        }
        #expect(codes(totals) == ["totals-mismatch"])
    }

    @Test("finds a stream that the index does not have whole")
    func findsBrokenIndex() throws {
        let findings = try findings { log, transaction in
            let subject = try required(try log.streams(withPrefix: "0", limit: 1)?.first)
            try transaction.delete(.bytes(StreamKey.key(subject)), in: log.tables.streams)
        }
        #expect(codes(findings).contains("index-count"))
    }

    @Test("finds an event filed under another stream as well")
    func findsDoubledEntry() throws {
        let findings = try findings { log, transaction in
            let subjects = try required(try log.streams(withPrefix: "0", limit: 3))
            try transaction.put(
                .bytes(StreamKey.key(subjects[0])), number: 299, in: log.tables.streams,
                .replacing)
        }
        #expect(!findings.isEmpty)
    }

    @Test("at level frames says that streams were not read as a whole")
    func saysWhatIsNotProven() throws {
        let ledger = try TemporaryLedger()
        let log = try filled(ledger)
        #expect(try log.check(.frames).notProven.contains("stream-uniqueness"))
        #expect(try !log.check(.tree).notProven.contains("stream-uniqueness"))
        for level in CheckLevel.allCases {
            let report = try log.check(level)
            #expect(report.isClean)
            #expect(report.events == 300)
            #expect(
                Set(report.notProven).isSuperset(of: [
                    "key-set-origin", "unrecorded-events", "event-times", "fork", "rollback",
                    "sealed-not-opened",
                ]))
        }
    }
}
