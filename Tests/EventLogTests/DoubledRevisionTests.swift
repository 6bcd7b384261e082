// SPDX-License-Identifier: Apache-2.0

import Capabilities
import LMDB
import LedgerPrimitives
import MerkleTree
import Testing

@testable import EventLog

@Suite("A second event of the same revision")
struct DoubledRevisionTests {
    /// Adds an event that follows the first one of a stream which has a second one already, and
    /// makes tree, totals and, if wanted, the index fit.
    private func double(_ log: EventLog, isIndexed: Bool) throws {
        let subject = try required(try log.streams(withPrefix: "0", limit: 1)?.first)
        let events = try log.stream(subject)
        let draft = EventDraft(
            id: log.capabilities.makeUUIDv7(), source: "test",
            type: "authledger.session.polled", typeVersion: 1, subject: subject,
            time: log.capabilities.now(), clear: ["status": .string("pending")])
        let event = try log.prepare(
            draft, after: StreamHead(revision: 1, leafHash: events[0].leafHash), dataKey: nil)
        try log.environment.write { transaction in
            var head = try log.tables.head(in: transaction)
            let position = head.size
            let distance = position - events[0].position
            let frame = Frame(
                header: FrameHeader(
                    leafHash: event.head.leafHash, revision: 2,
                    link: .later(firstDistance: distance, previousDistance: distance)),
                body: event.body
            ).encoded()
            try transaction.put(.number(position), frame, in: log.tables.events, .appended)
            if isIndexed {
                try transaction.put(
                    .bytes(StreamKey.key(subject)), number: position, in: log.tables.streams,
                    .replacing)
            }
            head.frontier.append(event.head.leafHash)
            head.bytesRaw += UInt64(event.leafLength)
            head.bytesStored += UInt64(frame.count)
            try transaction.put(LogTables.MetaName.head, head.encoded, in: log.tables.meta)
        }
    }

    @Test("is found though root and totals fit, in the index or beside it")
    func isFound() throws {
        for isIndexed in [true, false] {
            let ledger = try TemporaryLedger()
            let log = try ledger.created()
            try fill(log, 30)
            _ = try log.checkpoint()
            #expect(try log.check(.tree).isClean)
            try double(log, isIndexed: isIndexed)
            // No frame by itself shows it.
            #expect(try log.check(.frames).isClean)
            let findings = try log.check(.tree).findings
            // What the index leads to hides what it does not lead to.
            #expect(!findings.isEmpty && findings.allSatisfy { $0.code == "index-count" })
            #expect((findings.map(\.position) == [30]) == !isIndexed)
        }
    }
}
