// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import SessionEvents
import TestSupport
import Testing

@testable import EventLog

@Suite("A simulated life of a ledger")
struct SimulationTests {
    @Test(
        "with crashes, checkpoints, erasures and clock jumps holds what the model holds",
        arguments: Seeds.all.flatMap { seed in
            Seeds.all.count == 1 ? [seed] : (0..<4).map { seed + $0 * 1000 }
        })
    func holdsWhatTheModelHolds(seed: UInt64) throws {
        var life = try SimulatedLife(seed: seed)
        for step in 0..<100 {
            do {
                try life.step()
            } catch {
                Issue.record("step \(step), \(life.lastStep): \(error), \(Seeds.hint(seed))")
                return
            }
        }
        try life.world.reopen()
        #expect(try life.world.differences() == [], "\(Seeds.hint(seed))")
        #expect(life.world.acknowledged.count > 30, "\(Seeds.hint(seed))")
        #expect(!life.world.signed.isEmpty, "\(Seeds.hint(seed))")
        #expect(!life.world.erased.isEmpty, "\(Seeds.hint(seed))")
    }
}

/// What should hold and does not.
private struct Contradiction: Error, CustomStringConvertible {
    let description: String
}

/// Random steps in a world.
private struct SimulatedLife {
    enum Step: CaseIterable {
        case append, appendToMany, appendWithFault, appendWithFaultAndForget
        case `repeat`, conflict, jump, crash, note
        case checkpoint, checkpointCutOff, erase, eraseAndPutBack, rotate
    }

    let world: SimulatedWorld
    private(set) var lastStep = Step.append
    private var generator: TestSupport.SeededGenerator
    private var attempts: [SimulatedWorld.Attempt] = []
    private var streamsMade = 0

    init(seed: UInt64) throws {
        world = try SimulatedWorld(seed: seed)
        generator = TestSupport.SeededGenerator(seed: seed)
    }

    mutating func step() throws {
        lastStep = Step.allCases.randomElement(using: &generator) ?? .append
        switch lastStep {
        case .append: try append(attempt(streams: 1))
        case .appendToMany: try append(attempt(streams: Int.random(in: 2...5, using: &generator)))
        case .appendWithFault: try appendWithFault(isForgotten: false)
        case .appendWithFaultAndForget: try appendWithFault(isForgotten: true)
        case .repeat: try repeatOne()
        case .conflict: try conflict()
        case .jump:
            // Up to 400 days, forwards more often than back, so that months come and go.
            let day: Int64 = 86_400_000
            world.jump(milliseconds: Int64.random(in: -200 * day...400 * day, using: &generator))
        case .crash:
            try world.reopen()
            try compare()
        case .note:
            guard let subject = world.streams.keys.sorted().randomElement(using: &generator) else {
                return
            }
            try world.note(Int.random(in: 0...99, using: &generator), of: subject)
        case .checkpoint: try world.checkpoint()
        case .checkpointCutOff:
            try world.checkpointCutOff()
            try compare()
        case .erase: try erase(putsBack: false)
        case .eraseAndPutBack: try erase(putsBack: true)
        case .rotate:
            let kinds: [KeysRotated.Kind] = [.root, .bucket]
            try world.rotate(kinds.randomElement(using: &generator) ?? .root, until: point())
            attempts = []
            try compare()
        }
    }

    /// Where a process dies that changes keys; nil for nowhere.
    private mutating func point() -> ErasurePoint? {
        let points: [ErasurePoint?] = [nil] + ErasurePoint.allCases
        return points.randomElement(using: &generator) ?? nil
    }

    /// Some of the sessions that are there are erased. Whoever had an append ready had to close
    /// the ledger for it, so what was ready is forgotten.
    private mutating func erase(putsBack: Bool) throws {
        let sessions = world.streams.filter { $0.value.head != nil }.keys.sorted()
            .filter { UUIDv7($0) != nil }
        let chosen = sessions.shuffled(using: &generator)
            .prefix(Int.random(in: 1...2, using: &generator))
        if chosen.isEmpty { return }
        try world.erase(Array(chosen), until: point(), putsBack: putsBack)
        attempts = []
        try compare()
    }

    private mutating func attempt(streams count: Int) throws -> SimulatedWorld.Attempt {
        var subjects = Set<String>()
        while subjects.count < count {
            let known = world.streams.keys.sorted()
            if known.isEmpty || Int.random(in: 0..<3, using: &generator) == 0 {
                streamsMade += 1
                subjects.insert(
                    streamsMade % 3 == 0 ? "https://issuer.example/\(streamsMade)" : uuid())
            } else if let subject = known.randomElement(using: &generator) {
                subjects.insert(subject)
            }
        }
        let sizes: [Int?] = [nil, 10, 300, 5000, 40_000]
        let hasDocument = Int.random(in: 0..<3, using: &generator) == 0
        return try world.attempt(
            subjects.sorted(), sealedBytes: sizes.randomElement(using: &generator) ?? nil,
            document: hasDocument
                ? generator.bytes(Int.random(in: 0...6000, using: &generator)) : nil)
    }

    private mutating func uuid() -> String {
        let tail = String(generator.next() & 0xFFFF_FFFF_FFFF | 1 << 47, radix: 16)
        return "018f0000-0000-7000-8000-" + tail
    }

    private mutating func append(_ attempt: SimulatedWorld.Attempt) throws {
        let before = UInt64(world.acknowledged.count)
        let receipt = try world.append(attempt)
        attempts.append(attempt)
        let expected = (0..<UInt64(attempt.events.count)).map { before + $0 }
        guard receipt.positions == expected, receipt.written == attempt.events.count else {
            throw Contradiction(description: "\(receipt) instead of \(expected)")
        }
    }

    /// A fault at any point of a commit, then often a crash; what is there must be what the point
    /// says. Then the same append again, unless its author is gone too.
    private mutating func appendWithFault(isForgotten: Bool) throws {
        let attempt: SimulatedWorld.Attempt
        world.faults.arm(Int.random(in: 1...6, using: &generator))
        do {
            attempt = try self.attempt(streams: Int.random(in: 1...3, using: &generator))
        } catch is InjectedFault {
            world.faults.arm(nil)
            return
        }
        let before = world.acknowledged.count
        do {
            try append(attempt)
            world.faults.arm(nil)
            return
        } catch is InjectedFault {}
        guard let point = world.faults.hit else { throw Contradiction(description: "no fault") }
        let isThere = point == .afterCommit
        if isForgotten || Bool.random(using: &generator) { try world.reopen() }
        let size = try world.size()
        guard size == before + (isThere ? attempt.events.count : 0) else {
            throw Contradiction(description: "\(size) events after a fault at \(point)")
        }
        // What is there and was not acknowledged cannot be forgotten by the log.
        if isForgotten, !isThere { return }
        let receipt = try world.append(attempt)
        attempts.append(attempt)
        guard receipt.written == (isThere ? 0 : attempt.events.count) else {
            throw Contradiction(description: "\(receipt.written) written after \(point)")
        }
    }

    private mutating func repeatOne() throws {
        guard let attempt = attempts.randomElement(using: &generator) else { return }
        let before = try world.opened().head()
        let receipt = try world.opened().appendAndWait(attempt.batch)
        let positions = attempt.events.compactMap { event in
            world.acknowledged.firstIndex { $0.id == event.id }.map(UInt64.init)
        }
        guard receipt.written == 0, receipt.positions == positions,
            try world.opened().head() == before
        else { throw Contradiction(description: "a repeat was written") }
    }

    /// An event made for an end of its stream that is not the end any more.
    private mutating func conflict() throws {
        guard let known = world.streams.keys.sorted().randomElement(using: &generator) else {
            return
        }
        let stale = try world.attempt([known], sealedBytes: 10)
        try append(try world.attempt([known], sealedBytes: nil))
        let before = try world.opened().head()
        do {
            _ = try world.opened().appendAndWait(stale.batch)
        } catch let conflict as AppendConflict {
            guard conflict.actual == world.streams[known]?.head,
                try world.opened().head() == before
            else { throw Contradiction(description: "\(conflict)") }
            return
        }
        throw Contradiction(description: "a stale append was taken")
    }

    private func compare() throws {
        let differences = try world.differences()
        if !differences.isEmpty {
            throw Contradiction(description: differences.joined(separator: "; "))
        }
    }
}
