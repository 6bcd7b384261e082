// SPDX-License-Identifier: Apache-2.0

internal import HeapModule

/// Whose turn it is to be polled: by the time that each request is due, a limited number at once
/// for each provider, and the providers in turn, so that a slow one keeps nobody waiting.
///
/// It knows no clock: times are milliseconds of whatever clock its owner has.
struct PollQueue {
    /// A request that waits for its time.
    private struct Entry: Comparable {
        let due: Int64
        let request: Int

        static func < (one: Entry, other: Entry) -> Bool {
            (one.due, one.request) < (other.due, other.request)
        }
    }

    /// The requests at one provider.
    private struct Lane {
        let atOnceMax: Int
        var waiting = Heap<Entry>()
        var underWay = 0

        func hasTurn(at now: Int64) -> Bool {
            guard let due else { return false }
            return due <= now
        }

        /// When the next one may go; nil when none waits or no more may go at once.
        var due: Int64? { underWay < atOnceMax ? waiting.min?.due : nil }
    }

    private var lanes: [Lane] = []
    private var lanesByProvider: [String: Int] = [:]
    /// The lane whose turn it is.
    private var turn = 0

    /// The lane of a provider, which is made when it is asked for the first time.
    ///
    /// - Parameter atOnceMax: how many of its requests may be under way at once.
    mutating func lane(of provider: String, atOnceMax: Int) -> Int {
        if let lane = lanesByProvider[provider] { return lane }
        lanes.append(Lane(atOnceMax: max(1, atOnceMax)))
        lanesByProvider[provider] = lanes.count - 1
        return lanes.count - 1
    }

    /// Lets a request wait for its time.
    mutating func schedule(_ request: Int, in lane: Int, due: Int64) {
        lanes[lane].waiting.insert(Entry(due: due, request: request))
    }

    /// Takes one request whose time has come, of the provider whose turn it is; nil when there is
    /// none now. It counts as under way until ``finish(in:)``.
    mutating func take(at now: Int64) -> Int? {
        for step in 0..<lanes.count {
            let index = (turn + step) % lanes.count
            guard lanes[index].hasTurn(at: now) else { continue }
            turn = (index + 1) % lanes.count
            lanes[index].underWay += 1
            return lanes[index].waiting.popMin()?.request
        }
        return nil
    }

    /// A request of a lane is no longer under way.
    mutating func finish(in lane: Int) {
        lanes[lane].underWay -= 1
    }

    /// When the next request may go; nil when none waits, or all that wait have to wait for
    /// others.
    var nextDue: Int64? { lanes.lazy.compactMap(\.due).min() }
}
