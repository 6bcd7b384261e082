// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import RelyingParty

@Suite("A queue of polls")
struct PollQueueTests {
    @Test("gives out nothing before it is due, and then what is due first")
    func order() {
        var queue = PollQueue()
        let lane = queue.lane(of: "https://op.example", atOnceMax: 8)
        queue.schedule(1, in: lane, due: 30)
        queue.schedule(2, in: lane, due: 10)
        queue.schedule(3, in: lane, due: 20)
        #expect(queue.nextDue == 10)
        #expect(queue.take(at: 9) == nil)
        #expect(queue.take(at: 10) == 2)
        #expect(queue.take(at: 10) == nil)
        #expect(queue.take(at: 40) == 3)
        #expect(queue.take(at: 40) == 1)
        #expect(queue.take(at: 40) == nil)
        #expect(queue.nextDue == nil)
    }

    @Test("gives out no more of one provider's at once than it may")
    func limit() {
        var queue = PollQueue()
        let lane = queue.lane(of: "https://op.example", atOnceMax: 3)
        for request in 0..<10 { queue.schedule(request, in: lane, due: 0) }
        #expect((0..<4).map { _ in queue.take(at: 5) } == [0, 1, 2, nil])
        // Those that wait for others are due at no time of their own.
        #expect(queue.nextDue == nil)
        queue.finish(in: lane)
        #expect(queue.nextDue == 0)
        #expect(queue.take(at: 5) == 3)
        #expect(queue.take(at: 5) == nil)
    }

    @Test("lets a provider that never answers keep no other waiting")
    func silentProvider() {
        var queue = PollQueue()
        let silent = queue.lane(of: "https://silent.example", atOnceMax: 2)
        let other = queue.lane(of: "https://op.example", atOnceMax: 2)
        for request in 0..<100 { queue.schedule(request, in: silent, due: 0) }
        for request in 100..<200 { queue.schedule(request, in: other, due: Int64(request)) }
        var taken: [Int] = []
        for now in Int64(0)..<200 {
            while let request = queue.take(at: now) {
                taken.append(request)
                // Only the other one answers.
                if request >= 100 { queue.finish(in: other) }
            }
        }
        #expect(taken.filter { $0 < 100 } == [0, 1])
        #expect(taken.filter { $0 >= 100 } == Array(100..<200))
    }

    @Test("lets providers take turns when all have many due")
    func turns() {
        var queue = PollQueue()
        let lanes = ["a", "b", "c"].map { queue.lane(of: $0, atOnceMax: 100) }
        for request in 0..<90 { queue.schedule(request, in: lanes[request / 30], due: 0) }
        for _ in 0..<30 {
            let turn = (0..<3).compactMap { _ in queue.take(at: 0).map { $0 / 30 } }
            #expect(Set(turn) == [0, 1, 2])
        }
        #expect(queue.take(at: 0) == nil)
    }

    @Test("has one lane for a provider, whatever limit comes with a later login")
    func sameLane() {
        var queue = PollQueue()
        let lane = queue.lane(of: "https://op.example", atOnceMax: 1)
        #expect(queue.lane(of: "https://op.example", atOnceMax: 9) == lane)
        #expect(queue.lane(of: "https://OP.example", atOnceMax: 9) != lane)
    }
}
