// SPDX-License-Identifier: Apache-2.0

import LMDB
import LedgerPrimitives
import SessionEvents
import Testing

@testable import EventLog

@Suite("The ledger's own stream")
struct OwnStreamTests {
    private static let rotated = LedgerEvent.keysRotated(
        KeysRotated(key: .bucket, by: Operator(user: "anna", uid: 7)))

    @Test("whose key is gone refuses what must be sealed, instead of sealing it for nobody")
    func wordsAreNotLost() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        let words: JSONObject = ["reason": .string("case 17")]
        _ = try log.appendToOwnStream(Self.rotated, sealed: words)
        let keys = try required(log.keys)
        try keys.environment.write { transaction in
            let wasThere = try transaction.delete(
                .bytes(KeyTables.ownStreamKey), in: keys.tables.dataKeys)
            #expect(wasThere)
        }
        let before = try log.head()
        #expect(throws: LedgerError.keyMissing(subject: log.info.ledgerID.description)) {
            () throws in
            _ = try log.appendToOwnStream(Self.rotated, sealed: words)
        }
        #expect(try log.head() == before)
        // What has nothing to seal can still be recorded.
        #expect(try log.appendToOwnStream(Self.rotated) == 2)
    }

    @Test("opens what was sealed in it")
    func opens() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        let subject = log.info.ledgerID.description
        for number in 1...3 {
            let words: JSONObject = ["reason": .string("case \(number)")]
            #expect(try log.appendToOwnStream(Self.rotated, sealed: words) == number)
            let event = try required(try log.stream(subject).last)
            let key = try required(try log.dataKey(for: subject))
            #expect(try log.openSealed(event, dataKey: key) == words)
        }
    }
}
