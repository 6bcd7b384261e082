// SPDX-License-Identifier: Apache-2.0

import Foundation
import LedgerPrimitives
import Testing

@testable import EventLog

/// The same run again and again, each time with a fault at the next of the points that its commits
/// reach: before one, which leaves nothing of it, and after one, which leaves it unacknowledged.
@Suite("A fault at every n-th point of a run")
struct FaultLoopTests {
    /// Streams that begin alone and together, with sealed parts in the leaf and in a blob, with
    /// documents, old and new, and in another month.
    private static let steps: [(subjects: [String], sealedBytes: Int?, documentBytes: Int?)] = [
        (["a"], 10, 3000), (["b", "018f0000-0000-7000-8000-000000000001"], 200, nil),
        (["a", "b"], nil, 3000), (["c", "a"], 40_000, 20), (["d"], nil, nil), (["d", "e"], 5, 9),
    ]

    @Test(
        "loses nothing acknowledged and doubles nothing, whether the process lives on or not",
        arguments: [false, true])
    func everyPoint(dies: Bool) throws {
        var struck: [CommitPoint] = []
        for number in 1... {
            let world = try SimulatedWorld(seed: 7)
            world.faults.arm(number)
            try Self.run(world, dies: dies)
            try world.reopen()
            #expect(try world.differences() == [], "fault \(number)")
            // With the one that began the ledger's own stream.
            #expect(world.acknowledged.count == 1 + Self.steps.flatMap(\.subjects).count)
            guard let point = world.lastHit else { break }
            struck.append(point)
        }
        // A month begins in a run, after the one that began with the ledger, and each step has four
        // points.
        #expect(struck.count == 2 + Self.steps.count * 4)
        #expect(Set(struck) == Set(CommitPoint.allCases))
    }

    private static func run(_ world: SimulatedWorld, dies: Bool) throws {
        for (index, step) in steps.enumerated() {
            if index == 4 { world.jump(milliseconds: 40 * 86_400_000) }
            let document = step.documentBytes.map { [UInt8](repeating: 7, count: $0) }
            func attempt() throws -> SimulatedWorld.Attempt {
                try world.attempt(step.subjects, sealedBytes: step.sealedBytes, document: document)
            }
            let made: SimulatedWorld.Attempt
            do {
                made = try attempt()
            } catch is InjectedFault {
                try world.noteHit()
                if dies { try world.reopen() }
                made = try attempt()
            }
            let before = try world.size()
            do {
                try world.append(made)
            } catch is InjectedFault {
                let point = try world.noteHit()
                if dies { try world.reopen() }
                let isThere = point == .afterCommit
                #expect(try world.size() == before + (isThere ? step.subjects.count : 0))
                let receipt = try world.append(made)
                #expect(receipt.written == (isThere ? 0 : step.subjects.count), "\(point)")
            }
            #expect(try world.size() == before + step.subjects.count)
        }
    }
}
