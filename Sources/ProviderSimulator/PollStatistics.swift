// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// How well clients kept to the interval that they were told, over all requests that they poll.
///
/// A poll is due an interval after the answer before it: after the time at which that answer was
/// given, by the provider's own clock, and the time that it took. `Retry-After` counts where it is
/// longer. An answer for which nobody waits takes no time: its client left on its own.
public struct PollStatistics: Sendable, Hashable {
    /// The polls of requests that are known, also of those that are over.
    public internal(set) var count = 0
    /// The polls that came before they were due.
    public internal(set) var early = 0
    /// How long after it was due each of the other polls came, in milliseconds, in order; those
    /// beyond ``latenessMax``, and those of requests that were over, are only counted.
    public internal(set) var latenessMilliseconds: [Int32] = []
    /// The same without the first poll of each request, for clients that take requests up long
    /// after they were accepted.
    public internal(set) var laterLatenessMilliseconds: [Int32] = []

    /// How many latenesses are kept.
    public static let latenessMax = 1_000_000

    /// Nothing was polled yet.
    public init() {}

    /// Notes a poll of a request that is not over.
    ///
    /// - Parameter isFirst: whether it is the request's first one.
    /// - Returns: whether it was early.
    mutating func note(at now: Instant, due: Instant, isFirst: Bool) -> Bool {
        count += 1
        let lateness = now.millisecondsSince1970 - due.millisecondsSince1970
        guard lateness >= 0 else {
            early += 1
            return true
        }
        if latenessMilliseconds.count < Self.latenessMax {
            latenessMilliseconds.append(Int32(clamping: lateness))
            if !isFirst { laterLatenessMilliseconds.append(Int32(clamping: lateness)) }
        }
        return false
    }
}

extension SimulatedProvider {
    /// How often a request was polled, by its `auth_req_id` or `headless_req_id`; also one that is
    /// over. Zero for one that is not known.
    public func pollCount(of requestID: String) -> Int {
        let name = Array(requestID.utf8)
        if let request = backchannelRequests[name] { return request.pollCount }
        return Int(finishedRequests[name]?.pollCount ?? 0)
    }
}
