// SPDX-License-Identifier: Apache-2.0

import EventLog
import Foundation
import LMDB
import LedgerPrimitives
import Platform
import Projections
import SessionEvents
import Testing

@testable import ReadModels

@Suite("The projections of a ledger")
struct ProjectionStoreTests {
    @Test(
        "are what all events come to, however often they were interrupted",
        arguments: [UInt64(1), 2, 3, 4, 5, 6])
    func equalToReference(seed: UInt64) throws {
        let ledger = try TestLedger(seed: seed)
        var author = SessionAuthor(seed: seed, ledger.capabilities)
        for round in 0..<8 {
            do {
                let log = try ledger.open()
                try author.append(Int.random(in: 1...400, using: &author.random), to: log)
                // Some rounds leave more than one to take in.
                if round % 3 != 1 {
                    let store = try ProjectionStore.open(log)
                    #expect(try Reference(store) == Reference(log), "seed \(seed)")
                }
            }
            if round == 3 || round == 5 {
                try ledger.erase(Array(author.sessions.shuffled(using: &author.random).prefix(7)))
            }
        }
        let log = try ledger.open(.reading)
        let state = try ProjectionStore.open(log).state()
        #expect(try state.watermark == log.head().size)
        do {
            let store = try ProjectionStore.open(log)
            let report = try store.compare()
            #expect(report.projections.flatMap(\.problems) == [])
            #expect(report.watermark == state.watermark && report.stop == nil)
        }
        let rebuilt = try ProjectionStore.rebuild(log)
        #expect(rebuilt == state)
        let store = try ProjectionStore.open(log)
        #expect(try store.state() == state)
        #expect(try Reference(store) == Reference(log))
        #expect(try store.sessions(SessionQuery()).contains { $0.erasedAt != nil })
        #expect(try store.rows(ProviderHealth.self).contains { $0.erased > 0 })
        #expect(try log.paths.unfinishedProjections() == [])
    }

    @Test("hold nothing of what is sealed")
    func nothingSealed() throws {
        let ledger = try TestLedger()
        let log = try ledger.open()
        var author = SessionAuthor(seed: 9, ledger.capabilities)
        try author.append(300, to: log)
        _ = try ProjectionStore.open(log).state()
        let data = try Data(
            contentsOf: URL(filePath: log.paths.projections + "/data.mdb"))
        #expect(data.range(of: Data("planted".utf8)) == nil)
        #expect(data.range(of: Data("eyJ".utf8)) == nil)
        #expect(data.range(of: Data("idura".utf8)) != nil)
    }

    private static func killed(_ directory: String, inRebuild: Bool) throws {
        let log = try EventLog(
            directory + "/ledger", keyRoot: directory + "/keys", access: .reading,
            capabilities: .simulated(seed: 1))
        if inRebuild {
            _ = try ProjectionStore.rebuild(log) { _, _ in
            } reached: { _ in
                ProcessControl.killSelf()
            }
        } else {
            _ = try ProjectionStore.open(log) { _, _ in
            } reached: { point in
                if point == .insideTransaction { ProcessControl.killSelf() }
            }
        }
    }

    @Test("lose nothing when the process is killed inside a transaction, or at the end of a rebuild")
    func killed() async throws {
        let ledger = try TestLedger()
        var author = SessionAuthor(seed: 10, ledger.capabilities)
        let before: ProjectionState
        do {
            let log = try ledger.open()
            try author.append(200, to: log)
            before = try ProjectionStore.open(log).state()
            try author.append(100, to: log)
        }
        let directory = ledger.directory
        await #expect(processExitsWith: .signal(SIGKILL)) { [directory = directory as String] in
            try ProjectionStoreTests.killed(directory, inRebuild: false)
        }
        await #expect(processExitsWith: .signal(SIGKILL)) { [directory = directory as String] in
            try ProjectionStoreTests.killed(directory, inRebuild: true)
        }
        let log = try ledger.open(.reading)
        do {
            let store = try #require(try ProjectionStore.openIfThere(log))
            #expect(try store.state() == before)
        }
        #expect(try log.paths.unfinishedProjections().count == 1)
        let state = try ProjectionStore.open(log).state()
        #expect(try state.watermark == log.head().size)
        #expect(try ProjectionStore.rebuild(log) == state)
        #expect(try log.paths.unfinishedProjections() == [])
    }

    @Test("are taken further by several threads at once, each event once")
    func concurrent() async throws {
        let ledger = try TestLedger()
        let log = try ledger.open()
        var author = SessionAuthor(seed: 11, ledger.capabilities)
        let store = try ProjectionStore.open(log)
        for _ in 0..<6 {
            try author.append(60, to: log)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { try store.catchUp(limits: StorageLimits()) { _, _ in } }
                }
                try await group.waitForAll()
            }
        }
        #expect(try store.state().watermark == log.head().size)
        #expect(try Reference(store) == Reference(log))
        #expect(try store.compare().matches)
    }

    @Test("take more than one transaction where there is much to take in")
    func manyTransactions() throws {
        let ledger = try TestLedger()
        let log = try ledger.open()
        var author = SessionAuthor(seed: 12, ledger.capabilities)
        try author.append(5000, to: log)
        let store = try ProjectionStore.open(log)
        #expect(try Reference(store) == Reference(log))
        #expect(try ProjectionStore.rebuild(log) == store.state())
    }
}

@Suite("An event that cannot be read")
struct PoisonEventTests {
    @Test(
        "stops the projections where it is, visibly, until a program can read it",
        arguments: [true, false])
    func stops(isUnknown: Bool) throws {
        let ledger = try TestLedger()
        let log = try ledger.open()
        var author = SessionAuthor(seed: 20, ledger.capabilities)
        try author.append(40, to: log)
        let position = try log.head().size + 1
        try author.append(
            type: "authledger.session.redirected", version: isUnknown ? 2 : 1,
            data: ["endpoint": .string(isUnknown ? "https://op.example" : "not a URL")],
            to: log)
        try author.append(40, to: log)
        let reference = try Reference(log, before: position)
        for _ in 0..<2 {
            let store = try ProjectionStore.open(log)
            let state = try store.state()
            #expect(state.watermark == position)
            #expect(state.stop?.position == position)
            #expect(state.stop?.code == (isUnknown ? .unknown : .malformed))
            #expect(try Reference(store) == reference)
            let report = try store.compare()
            #expect(report.matches && report.stop == state.stop)
        }
        let rebuilt = try ProjectionStore.rebuild(log)
        #expect(rebuilt.watermark == position && rebuilt.stop?.position == position)
    }
}

@Suite("Projections that are not of this log")
struct StaleProjectionTests {
    private func put(_ state: ProjectionState, in store: ProjectionStore) throws {
        try store.environment.write {
            try $0.put(ProjectionTables.stateName, state.encoded, in: store.tables.meta)
        }
    }

    @Test("or of another version are made anew")
    func otherVersion() throws {
        let ledger = try TestLedger()
        let log = try ledger.open()
        var author = SessionAuthor(seed: 30, ledger.capabilities)
        try author.append(100, to: log)
        let state = try ProjectionStore.open(log).state()
        let changes: [(inout ProjectionState) -> Void] = [
            { $0.versions[.failures] = 0 }, { $0.format = 2 }, { $0.watermark += 50 },
            { $0.watermark -= 50 }, { $0.root = Digest(InlineArray(repeating: 0)) },
        ]
        for change in changes {
            do {
                let store = try ProjectionStore.open(log)
                var changed = state
                change(&changed)
                try put(changed, in: store)
            }
            let store = try ProjectionStore.open(log)
            #expect(try store.state() == state)
            #expect(try Reference(store) == Reference(log))
        }
    }

    @Test("but of what a restore has replaced are made anew")
    func afterRestore() throws {
        let ledger = try TestLedger()
        var author = SessionAuthor(seed: 31, ledger.capabilities)
        let kept = ledger.directory + "/kept"
        do {
            let log = try ledger.open()
            try author.append(100, to: log)
            _ = try log.backup(to: ledger.directory + "/backup", withKeys: true) { _, _ in }
            try author.append(60, to: log)
            _ = try ProjectionStore.open(log).state()
            try FileManager.default.moveItem(atPath: log.paths.projections, toPath: kept)
        }
        let restore = try LedgerRestore(
            ledger.directory + "/backup", to: ledger.directory + "/restored",
            keyRoot: ledger.keyRoot, capabilities: ledger.capabilities)
        _ = try restore.run(
            replacing: false, suffix: LedgerRestore.makeSuffix(ledger.capabilities)
        ) { _, _, _ in }
        let restored = try EventLog(
            ledger.directory + "/restored", keyRoot: ledger.keyRoot, access: .appending,
            capabilities: ledger.capabilities)
        try FileManager.default.moveItem(atPath: kept, toPath: restored.paths.projections)
        do {
            let store = try ProjectionStore.open(restored)
            #expect(try Reference(store) == Reference(restored))
        }
        // Another history, longer than the one that was folded.
        var other = SessionAuthor(seed: 32, ledger.capabilities)
        try other.append(200, to: restored)
        let store = try ProjectionStore.open(restored)
        #expect(try Reference(store) == Reference(restored))
        #expect(try store.compare().matches)
    }

    @Test("for they are damaged, are made anew", arguments: ["cut", "empty", "garbage", "none"])
    func damaged(how: String) throws {
        let ledger = try TestLedger()
        let log = try ledger.open()
        var author = SessionAuthor(seed: 33, ledger.capabilities)
        try author.append(200, to: log)
        let state = try ProjectionStore.open(log).state()
        let file = log.paths.projections + "/data.mdb"
        let content = try Data(contentsOf: URL(filePath: file))
        switch how {
        case "cut": try content.prefix(3 * 4096).write(to: URL(filePath: file))
        case "empty": try Data().write(to: URL(filePath: file))
        case "garbage":
            try Data(repeating: 0x55, count: content.count).write(to: URL(filePath: file))
        default: try FileManager.default.removeItem(atPath: log.paths.projections)
        }
        let store = try ProjectionStore.open(log)
        #expect(try store.state() == state)
        #expect(try Reference(store) == Reference(log))
    }

    @Test("and differ in a row, are found")
    func differences() throws {
        let ledger = try TestLedger()
        let log = try ledger.open()
        var author = SessionAuthor(seed: 34, ledger.capabilities)
        try author.append(200, to: log)
        let store = try ProjectionStore.open(log)
        let sessions = try store.sessions(SessionQuery())
        let (first, second) = (sessions[1], sessions[2])
        try store.environment.write { transaction in
            try transaction.put(
                .number(first.firstPosition), second.encoded, in: store.tables.sessions)
        }
        let report = try store.compare()
        #expect(!report.matches)
        #expect(report.projections.filter { !$0.matches }.map(\.name) == [.sessions])
        let problems = report.projections.flatMap(\.problems)
        #expect(problems.contains { $0.hasPrefix("1 rows are not what the events") }, "\(problems)")
        try store.environment.write { transaction in
            try transaction.put(
                .number(first.firstPosition), first.encoded, in: store.tables.sessions)
        }
        #expect(try store.compare().matches)
        // A list that lacks a session is found as well.
        try store.environment.write { transaction in
            try transaction.withCursor(store.tables.faceted) { cursor in
                let key = try cursor.move(.first) { key, _ in key.copied() }
                try transaction.delete(.bytes(try #require(key)), in: store.tables.faceted)
            }
        }
        #expect(try store.compare().projections.filter { !$0.matches }.map(\.name) == [.sessions])
        #expect(try ProjectionStore.rebuild(log) == store.state())
        let rebuilt = try ProjectionStore.open(log)
        #expect(try rebuilt.compare().matches)
    }
}
