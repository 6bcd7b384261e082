// SPDX-License-Identifier: Apache-2.0

import EventLog
import LedgerPrimitives
import TestSupport
import Testing

/// `read_ledger.py` follows `Schemas/event-log.md` and shares no code with the log.
@Suite("A stranger with the format document")
struct StrangerReaderTests {
    private func example() throws -> StrangersLedger {
        try StrangersLedger(copyOf: ReportedLines.exampleDirectory)
    }

    // MARK: - Reading

    @Test("restores every leaf, the root and everything sealed of a ledger of logins")
    func logins() throws {
        let ledger = try StrangersLedger()
        try ledger.ingest(try ReportedLines.all())
        let findings = try StrangersView(of: ledger).differences(from: ledger)
        #expect(findings == [])
        let log = try ledger.open(.appending)
        #expect(try log.head().blobs == 5)
        #expect(try log.check(.tree).isClean)
    }

    @Test("restores streams of any name, and a tree with stored nodes")
    func streams() throws {
        let ledger = try StrangersLedger()
        try ledger.fill(streams: 40, revisions: 14)
        let view = try StrangersView(of: ledger)
        #expect(try view.differences(from: ledger) == [])
        #expect(view.summary["events"] == .integer(560))
        #expect(view.summary["streams"] == .integer(40))
    }

    @Test("finds sessions by the state that was sealed with them")
    func lookups() throws {
        let ledger = try StrangersLedger()
        for state in ["af0ifjsldkj", "st\u{E5}te", ""] {
            try ledger.begin(state: state)
        }
        let view = try StrangersView(of: ledger)
        #expect(try view.differences(from: ledger) == [])
        #expect(view.summary["lookups"] == .integer(3))
    }

    @Test("reads a ledger in which nothing is")
    func empty() throws {
        let ledger = try StrangersLedger()
        let view = try StrangersView(of: ledger)
        #expect(try view.differences(from: ledger) == [])
        #expect(
            view.summary["root"] == .string("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="))
    }

    @Test("does not take another ledger's root key")
    func foreignKey() throws {
        let ledger = try StrangersLedger()
        let other = try StrangersLedger(seed: 2)
        let outcome = try Python.run(
            "read_ledger.py", [ledger.ledger, try other.keyDirectory()])
        #expect(outcome.status == 1)
        #expect(outcome.errors == "Damaged: this is another ledger's root key\n")
    }

    // MARK: - The example

    @Test("finds in the example what is kept beside it")
    func exampleLeaves() throws {
        let ledger = try example()
        let kept = try ReportedLines.lines(of: "\(ReportedLines.exampleDirectory)/leaves.jsonl")
        #expect(try StrangersView(of: ledger).events.map(\.leaf) == kept)
        #expect(try ledger.leaves() == kept)
        #expect(try StrangersView(of: ledger).differences(from: ledger) == [])
    }

    @Test("can watch today's program check the example and go on with it")
    func exampleGoesOn() throws {
        let ledger = try example()
        let kept = try ledger.leaves()
        #expect(try ledger.open(.reading).check(.tree).findings == [])
        // The lines that are in it already are known again; the others are new.
        try ledger.ingest(try ReportedLines.all())
        #expect(Array(try ledger.leaves().prefix(kept.count)) == kept)
        #expect(try ledger.leaves().count == (try ReportedLines.all().count))
        #expect(try StrangersView(of: ledger).differences(from: ledger) == [])
    }

    @Test("finds in the document what the reader prints")
    func workedExample() throws {
        let ledger = try example()
        let outcome = try Python.run(
            "read_ledger.py", [ledger.ledger, try ledger.keyDirectory(), "4"])
        #expect(outcome.status == 0, "\(outcome.errors)")
        let document = Set(try ReportedLines.lines(of: "\(Schemas.directory)/event-log.md"))
        #expect(outcome.lines.count > 60)
        for line in outcome.lines where !document.contains(line) {
            Issue.record("not in event-log.md: \(String(decoding: line, as: UTF8.self))")
        }
    }

    @Test("finds the root and a leaf hash of the example in the document")
    func documentedHashes() throws {
        let document = String(
            decoding: try Repository.read("\(Schemas.directory)/event-log.md"), as: UTF8.self)
        let view = try StrangersView(of: try example())
        let root = try #require(view.summary["root"]?.stringValue)
        #expect(document.contains("\n\(view.events[5].leafHash)\n\(root)\n"))
    }

    // MARK: - Schemas

    @Test("finds every leaf in accordance with the schemas")
    func schemas() throws {
        let ledger = try StrangersLedger()
        try ledger.ingest(try ReportedLines.all())
        try ledger.fill(streams: 2, revisions: 3)
        let cases = try ledger.leaves().map { leaf in
            Schemas.Case(
                "event.v1.schema.json", try JSONReader.read(leaf, numbers: .integersOnly))
        }
        for (item, verdict) in zip(cases, try Schemas.verdicts(on: cases)) {
            #expect(verdict.isValid, "\(item.instance): \(verdict)")
        }
    }
}
