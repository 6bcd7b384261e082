// SPDX-License-Identifier: Apache-2.0

import Capabilities
import LedgerPrimitives
import Synchronization
import TestSupport
import Testing

@testable import EventLog

/// A clock with two hands, which a test sets.
private final class SimulatedClock: Sendable {
    private struct State {
        var wall: Int64 = 1_790_000_000_000
        var steady: Int64 = 5_000
        var quality: ClockQuality? = ClockQuality(
            source: "tsc", isSynchronized: true, maximumErrorMilliseconds: 12)
    }

    private let state = Mutex(State())

    func pass(milliseconds: Int64) {
        state.withLock {
            $0.wall += milliseconds
            $0.steady += milliseconds
        }
    }

    func set(by milliseconds: Int64) {
        state.withLock { $0.wall += milliseconds }
    }

    func set(_ quality: ClockQuality?) {
        state.withLock { $0.quality = quality }
    }

    func capabilities(seed: UInt64) -> Capabilities {
        let random = Capabilities.simulated(seed: seed)
        return Capabilities(
            now: { self.state.withLock { Instant(millisecondsSince1970: $0.wall) } },
            randomBytes: random.randomBytes,
            clock: ClockInstruments(
                steadyMilliseconds: { self.state.withLock { $0.steady } },
                quality: { self.state.withLock { $0.quality } }))
    }
}

@Suite("The ledger's record of its clock")
struct LedgerClockTests {
    private let clock = SimulatedClock()
    private let ledger: TemporaryLedger

    init() throws {
        ledger = try TemporaryLedger(seed: 40)
        try ledger.create()
    }

    private func open(seed: UInt64 = 41) throws -> EventLog {
        try ledger.open(on: SimulatedDisk(), capabilities: clock.capabilities(seed: seed))
    }

    /// Appends an event that the ledger observed, or that another reported.
    private func append(to log: EventLog, own: Bool = true) throws {
        let draft = EventDraft(
            id: log.capabilities.makeUUIDv7(), source: own ? log.info.origin : "shop",
            type: "authledger.session.polled", typeVersion: 1,
            subject: log.capabilities.makeUUIDv7().description, time: log.capabilities.now(),
            clear: ["status": .string("pending")])
        let event = try log.prepare(draft, after: nil, dataKey: nil)
        _ = try log.appendAndWait(AppendBatch(events: [event]))
    }

    private func recorded(_ log: EventLog) throws -> [JSONObject] {
        try log.stream(log.info.ledgerID.description).map { event in
            #expect(event.envelope.type == ClockObserved.type)
            #expect(event.envelope.source == log.info.origin)
            var data = event.data
            // The first event begins a stream in which others seal.
            let commitment = data[DataMember.keyCommitment]
            #expect((commitment != nil) == (event.envelope.revision == 1))
            data[DataMember.keyCommitment] = nil
            return data
        }
    }

    @Test("begins before the first event that it observed, and says nothing twice")
    func first() throws {
        var log = try open()
        try append(to: log)
        try append(to: log)
        let expected: JSONObject = [
            "cause": .string("quality"), "clockSource": .string("tsc"), "maxErrorMs": .integer(12),
            "synchronized": .bool(true),
        ]
        #expect(try recorded(log) == [expected])
        #expect(try log.stream(log.info.ledgerID.description).first?.position == 0)
        _ = consume log
        // Another process with a clock of the same quality adds nothing.
        log = try open(seed: 42)
        try append(to: log)
        #expect(try recorded(log).count == 1)
        #expect(try log.check(.tree).isClean)
    }

    @Test("leaves out what others report, whose clock is not this one")
    func reported() throws {
        let log = try open()
        try append(to: log, own: false)
        #expect(try recorded(log).isEmpty)
    }

    @Test("tells when the clock got another quality, looked at every ten minutes")
    func quality() throws {
        let log = try open()
        try append(to: log)
        clock.set(ClockQuality(source: "mine", isSynchronized: false, maximumErrorMilliseconds: 9))
        clock.pass(milliseconds: 60_000)
        try append(to: log)
        #expect(try recorded(log).count == 1)
        clock.pass(milliseconds: ClockWatch.qualityIntervalMilliseconds)
        try append(to: log)
        let expected: JSONObject = [
            "cause": .string("quality"), "clockSource": .string("other"),
            "synchronized": .bool(false),
        ]
        #expect(try recorded(log).last == expected)
    }

    @Test(
        "tells when the clock was set, also between events of others",
        arguments: [-3_600_000, 700] as [Int64])
    func step(milliseconds: Int64) throws {
        let log = try open()
        try append(to: log, own: false)
        clock.set(by: milliseconds)
        clock.pass(milliseconds: 20)
        try append(to: log, own: false)
        let data = try recorded(log)
        #expect(data.count == 1)
        #expect(data.first?["cause"]?.stringValue == "step")
        #expect(data.first?["stepMs"] == .integer(milliseconds))
    }

    @Test("keeps steps rare and adds up those that come too fast")
    func manySteps() throws {
        let log = try open()
        try append(to: log, own: false)
        for _ in 0..<50 {
            clock.set(by: 1000)
            clock.pass(milliseconds: 100)
            try append(to: log, own: false)
        }
        clock.pass(milliseconds: ClockWatch.stepIntervalMilliseconds)
        try append(to: log, own: false)
        let steps = try recorded(log).compactMap { $0["stepMs"]?.integerValue }
        #expect(steps == [1000, 49_000])
    }

    @Test("does not take slow drift or a small correction for a step")
    func smallSteps() throws {
        let log = try open()
        try append(to: log, own: false)
        clock.set(by: ClockWatch.stepMillisecondsMin - 1)
        try append(to: log, own: false)
        #expect(try recorded(log).isEmpty)
    }

    @Test("does not come between an event of the ledger's own stream and the end it names")
    func ownStream() throws {
        let log = try open()
        let draft = EventDraft(
            id: log.capabilities.makeUUIDv7(), source: log.info.origin,
            type: "authledger.ledger.note", typeVersion: 1,
            subject: log.info.ledgerID.description, time: log.capabilities.now(), clear: [:])
        let event = try log.prepare(draft, after: nil, dataKey: nil)
        #expect(try log.appendAndWait(AppendBatch(events: [event])).positions == [0])
    }

    @Test("is written as it is read, and a source of time that nobody knows as other")
    func codec() throws {
        let observed = ClockObserved(
            cause: .step, source: "Kari's clock", isSynchronized: true,
            maximumErrorMilliseconds: 3, stepMilliseconds: -4)
        #expect(observed.source == "other")
        #expect(ClockObserved(observed.clearMembers) == observed)
        #expect(ClockObserved(["cause": .string("quality")]) == nil)
    }

    @Test("is what golden files and schema say")
    func goldenFiles() throws {
        let samples: [(String, ClockObserved)] = [
            ("smallest", ClockObserved(cause: .quality, source: "tsc", isSynchronized: false)),
            (
                "fullest",
                ClockObserved(
                    cause: .step, source: "kvm-clock", isSynchronized: true,
                    maximumErrorMilliseconds: 12, stepMilliseconds: -3_600_000)
            ),
        ]
        let schema = "events/\(ClockObserved.type).v1.schema.json"
        for (extent, sample) in samples {
            let bytes = CanonicalJSON.encode(sample.clearMembers) + [0x0A]
            let path = "Tests/EventLogTests/Golden/\(ClockObserved.type).v1.\(extent).json"
            let golden = try Golden.expected(at: path, now: bytes)
            #expect(golden == bytes, "\(path)")
            let data = try JSONReader.read(golden, numbers: .integersOnly).objectValue ?? [:]
            #expect(ClockObserved(data) == sample)
        }
        let sources = ClockObserved.sources.sorted() + ["something else"]
        let all = sources.flatMap { source in
            samples.map { sample in
                ClockObserved(
                    cause: sample.1.cause, source: source,
                    isSynchronized: sample.1.isSynchronized,
                    maximumErrorMilliseconds: 7, stepMilliseconds: sample.1.stepMilliseconds)
            }
        }
        let good = all.map { Schemas.Case(schema, .object($0.clearMembers)) }
        for (item, verdict) in zip(good, try Schemas.verdicts(on: good)) {
            #expect(verdict.isValid, "\(item.instance): \(verdict)")
        }
        let spoiled: [JSONObject] = [
            all[0].clearMembers.with("host", .string("kari.example")),
            all[0].clearMembers.with("clockSource", .string("Kari's clock")),
            all[0].clearMembers.with("stepMs", .integer(1)),
            all[0].clearMembers.with("maxErrorMs", .integer(1)), [:],
        ]
        let bad = spoiled.map { Schemas.Case(schema, .object($0)) }
        for (item, verdict) in zip(bad, try Schemas.verdicts(on: bad)) {
            #expect(!verdict.isValid, "\(item.instance)")
        }
    }
}

extension JSONObject {
    fileprivate func with(_ name: String, _ value: JSONValue) -> JSONObject {
        var changed = self
        changed[name] = value
        return changed
    }
}
