// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LedgerPrimitives
internal import Platform
internal import Projections
internal import SessionEvents

/// Events read and decoded, in their order, up to one that cannot be.
struct DecodedPart: Sendable {
    /// Where the part begins.
    let start: UInt64
    var events: [(event: ProjectedEvent, first: UInt64)] = []
    /// Why the part ends before its end; nil when it does not.
    var stop: ProjectionStop?

    /// Members that no projection needs: the box, and what an event says at length.
    private static let passedOver = ["checks", "exchanges", "sealed"]

    /// Reads events of a log.
    init(_ log: EventLog, _ positions: Range<UInt64>) throws {
        start = positions.lowerBound
        let (placed, unreadable) = try log.placedEvents(
            in: positions, passingOver: Self.passedOver)
        events.reserveCapacity(placed.count)
        for event in placed {
            do {
                events.append((try ProjectedEvent(event.event), event.first))
            } catch {
                stop = ProjectionStop(error, at: event.event.position)
                return
            }
        }
        if let unreadable {
            stop = ProjectionStop(unreadable.error, at: unreadable.position)
        }
    }
}

extension ProjectionStop {
    /// What an event that could not be read means for the projections.
    init(_ error: any Error, at position: UInt64) {
        self.position = position
        switch error {
        case EventDecodingError.member(let error), LedgerEventDecodingError.member(let error):
            code = .malformed
            message = error.description
        case is EventDecodingError, is LedgerEventDecodingError:
            code = .unknown
            message = "the event is of a kind not known here"
        case LedgerError.damaged(let what, _):
            code = .damaged
            message = what
        default:
            code = .damaged
            message = "the event cannot be read"
        }
    }
}

/// Reads and decodes events on threads of its own, some parts ahead of who takes them in.
final class EventFeed {
    /// How many events one part has.
    static let eventsPerPart: UInt64 = 1024
    private static let partsAhead = 16

    private typealias Answer = Promise<Result<DecodedPart, any Error>>

    private let range: Range<UInt64>
    private var asked: UInt64
    private var answers: [Answer] = []
    private var queues: [HandoverQueue<(Range<UInt64>, Answer)>] = []
    private var threads: [WorkerThread] = []
    private var turn = 0

    /// - Parameter workers: how many parts are decoded at a time.
    init(_ log: EventLog, _ range: Range<UInt64>, workers: Int) throws {
        self.range = range
        asked = range.lowerBound
        for _ in 0..<workers {
            let queue = HandoverQueue<(Range<UInt64>, Answer)>()
            queues.append(queue)
            threads.append(
                try WorkerThread {
                    while let (positions, answer) = queue.take(upTo: 1).first {
                        answer.fulfil(Result { try DecodedPart(log, positions) })
                    }
                })
        }
        for _ in 0..<Self.partsAhead { askForNext() }
    }

    private func askForNext() {
        guard asked < range.upperBound else { return }
        let end = min(range.upperBound, asked + Self.eventsPerPart)
        let answer = Answer()
        answers.append(answer)
        _ = queues[turn % queues.count].push((asked..<end, answer))
        turn += 1
        asked = end
    }

    /// The next part; nil at the end.
    func next() throws -> DecodedPart? {
        if answers.isEmpty { return nil }
        let part = try answers.removeFirst().wait().get()
        askForNext()
        return part
    }

    deinit {
        for queue in queues { queue.close() }
        for thread in threads { thread.join() }
    }
}
