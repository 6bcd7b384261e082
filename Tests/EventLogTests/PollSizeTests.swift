// SPDX-License-Identifier: Apache-2.0

import Capabilities
import LedgerPrimitives
import SessionEvents
import Testing

@testable import EventLog

@Suite("The events of polls")
struct PollSizeTests {
    /// By how much a frame is longer in a large ledger: its distances are numbers of up to four
    /// bytes there.
    private static let distanceBytes = 6

    /// How long the frames of some events of one session are, as they are stored.
    private static func frameLengths(_ events: [SessionEvent]) throws -> [Int] {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        let subject = log.capabilities.makeUUIDv7().description
        let key = try log.makeDataKey(for: subject)
        var head: StreamHead?
        return try events.map { event in
            let draft = EventDraft(
                id: log.capabilities.makeUUIDv7(), source: log.info.origin,
                type: event.type.rawValue, typeVersion: event.type.currentVersion,
                subject: subject, time: log.capabilities.now(), clear: event.clearMembers)
            let prepared = try log.prepare(draft, after: head, dataKey: key.key)
            let before = try log.head().bytesStored
            _ = try log.appendAndWait(
                AppendBatch(events: [prepared], newDataKeys: head == nil ? [key] : []))
            head = prepared.head
            return Int(try log.head().bytesStored - before)
        }
    }

    private static let traceIDs: [String?] = [nil, "7d8c1b0e6f5a49283716054bcdef9a01"]

    @Test(
        "take 150 bytes at most where the answer is as before",
        arguments: ["userSign", "outstandingTransaction", RegisteredNames.other, nil], traceIDs)
    func repeatedPoll(hint: String?, traceID: String?) throws {
        let begin: [SessionEvent] = [
            .initiated(
                Initiated(
                    provider: "idura", issuer: "https://login.example.org", clientID: "urn:shop",
                    flow: .ciba))
        ]
        let polls = (1...20).map { attempt in
            SessionEvent.polled(
                Polled(
                    status: .pending, attempt: attempt * 7, hint: hint, httpStatus: 400,
                    durationMilliseconds: 13 * attempt, traceID: traceID))
        }
        let lengths = try Self.frameLengths(begin + polls).dropFirst()
        let longest = try #require(lengths.max())
        #expect(longest + Self.distanceBytes <= 150, "\(lengths)")
    }
}
