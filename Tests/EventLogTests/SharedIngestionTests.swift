// SPDX-License-Identifier: Apache-2.0

import Capabilities
import Ingestion
import LedgerPrimitives
import TestSupport
import Testing

@testable import EventLog

@Suite("Two programs that are fed the same")
struct SharedIngestionTests {
    @Test("count an event once, though both wrote the same bytes in the same millisecond")
    func sameBytes() throws {
        let ledger = try TemporaryLedger()
        let log = try ledger.created()
        let instant = Instant(millisecondsSince1970: 1_795_166_100_000)
        let capabilities = Capabilities(
            now: { instant }, randomBytes: ledger.capabilities.randomBytes)
        var one = Ingestion(into: log, capabilities: capabilities)
        var other = Ingestion(into: log, capabilities: capabilities)
        // Nothing is sealed in these, so nothing random is in their leaves.
        let lines = try ReportedLines.all().filter {
            String(decoding: $0, as: UTF8.self).contains("5a3f1f0ca091")
        }
        try #require(lines.count > 2)
        #expect(try one.record([lines[0]]) == [.accepted(position: 0)])
        #expect(try other.record([lines[0]]) == [.duplicate])
        // The other does not know of this one yet.
        #expect(try one.record([lines[1]]) == [.accepted(position: 1)])
        #expect(try other.record([lines[1], lines[2]]) == [.duplicate, .accepted(position: 2)])
        #expect(try log.check(.tree).isClean)
    }
}
