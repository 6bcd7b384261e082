// SPDX-License-Identifier: Apache-2.0

import EventLog
import LedgerPrimitives
import Projections
import ReadModels
import SessionEvents
import TestSupport
import Testing

@Suite("A search for sessions")
struct SessionSearchTests {
    /// A ledger of many blocks, and what was put into it.
    private struct World {
        let ledger: TestLedger
        let log: EventLog
        let store: ProjectionStore

        init(seed: UInt64, events: Int) throws {
            ledger = try TestLedger(seed: seed)
            var author = SessionAuthor(seed: seed, ledger.capabilities)
            do {
                let log = try ledger.open()
                try author.append(events / 2, to: log)
            }
            try ledger.erase(Array(author.sessions.shuffled(using: &author.random).prefix(9)))
            log = try ledger.open()
            try author.append(events / 2, to: log)
            store = try ProjectionStore.open(log)
        }
    }

    /// A query of any kind.
    private func query(
        _ random: inout SeededGenerator, _ sessions: [SessionSummary]
    ) throws -> SessionQuery {
        var query = SessionQuery()
        func isWanted(_ random: inout SeededGenerator) -> Bool {
            Int.random(in: 0..<3, using: &random) == 0
        }
        let any = try #require(sessions.randomElement(using: &random))
        let other = try #require(sessions.randomElement(using: &random))
        if isWanted(&random) { query.state = any.state }
        if isWanted(&random) { query.provider = any.provider }
        if isWanted(&random) { query.flow = any.flow }
        if isWanted(&random) { query.reason = FailureReason("nonce-mismatch") }
        if isWanted(&random) { query.since = any.startedAt }
        if isWanted(&random) { query.until = other.startedAt }
        if isWanted(&random) { query.from = any.firstPosition + 1 }
        if Int.random(in: 0..<8, using: &random) == 0 { query.provider = "nobody" }
        return query
    }

    @Test("finds what a look at every session finds", arguments: [UInt64(40), 41])
    func filters(seed: UInt64) throws {
        let world = try World(seed: seed, events: 9000)
        let all = try Reference(world.log).sessions
        #expect(all.count > 1500)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let query = try query(&random, all)
            #expect(
                try world.store.sessions(query) == all.filter(query.fits), "seed \(seed) \(query)")
        }
        for session in all.prefix(200) {
            #expect(try world.store.session(session.session, SessionQuery()) == session)
        }
        #expect(
            try world.store.session("018f0000-0000-7000-8000-0000000000ff", SessionQuery()) == nil)
    }

    @Test("shows every session as it was at any earlier time", arguments: [UInt64(42), 43])
    func asOf(seed: UInt64) throws {
        let world = try World(seed: seed, events: 3000)
        let size = try world.log.head().size
        var random = SeededGenerator(seed: seed)
        for _ in 0..<25 {
            let then = UInt64.random(in: 1...size, using: &random)
            let all = try Reference(world.log, before: then).sessions.map(\.line)
            var open = SessionQuery()
            open.asOf = then
            #expect(try world.store.sessions(open).map(\.line) == all, "seed \(seed) at \(then)")
            for _ in 0..<4 {
                let sessions = try Reference(world.log, before: then).sessions
                var query = try query(&random, sessions)
                query.asOf = then
                #expect(
                    try world.store.sessions(query).map(\.line)
                        == sessions.filter(query.fits).map(\.line),
                    "seed \(seed) at \(then) \(query)")
            }
        }
    }

    @Test("counts as recorded by an instant what nothing later went before", arguments: [UInt64(44)])
    func instants(seed: UInt64) throws {
        let world = try World(seed: seed, events: 7000)
        let (placed, _) = try world.log.placedEvents(in: 0..<world.log.head().size)
        let times = placed.map { $0.event.envelope.recordedTime ?? $0.event.envelope.time }
        var random = SeededGenerator(seed: seed)
        for _ in 0..<40 {
            let instant = try #require(times.randomElement(using: &random))
                .advanced(byMilliseconds: Int64.random(in: -1...1, using: &random))
            let expected = times.firstIndex { $0 > instant } ?? times.count
            #expect(try world.store.size(at: instant) == UInt64(expected))
            #expect(try world.log.size(at: instant) == UInt64(expected))
        }
    }

    @Test("can be broken off")
    func brokenOff() throws {
        let world = try World(seed: 45, events: 600)
        var found = 0
        try world.store.forEachSession(SessionQuery()) { _ in
            found += 1
            return found < 3
        }
        #expect(found == 3)
    }
}

extension SessionSummary {
    /// What is shown of a session; where its last event is does not matter.
    fileprivate var line: String {
        "\(session) \(provider) \(flow) \(state) \(String(describing: reason)) \(startedAt) "
            + "\(lastEventAt) \(String(describing: endedAt)) \(events) "
            + "\(String(describing: erasedAt)) \(String(describing: acr))"
    }
}
