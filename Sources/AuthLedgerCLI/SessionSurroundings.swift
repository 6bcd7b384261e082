// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LedgerPrimitives
internal import Projections
internal import SessionEvents

/// What other logins say about one that failed: whether it was alone, and how one goes that is
/// well.
struct SessionSurroundings {
    /// Logins with the same provider around the same time.
    struct Neighbours: Equatable {
        /// How far before and after, in minutes.
        static let minutes: Int64 = 5
        /// Those that failed, this one not among them.
        var failed = 0
        /// Of those, with the same reason.
        var sameReason = 0
        /// Those that succeeded.
        var verified = 0
    }

    let neighbours: Neighbours
    /// The nearest login that went well, of the same provider, client and flow; nil when there is
    /// none within a month.
    let healthy: SessionSummary?
    let comparison: SessionComparison?

    /// How far away a login that went well is looked for, in minutes, one step after the other.
    private static let reaches: [Int64] = [10, 60, 1440, 43_200]

    init(
        of session: SessionSummary, _ events: [RecordedEvent], in log: EventLog,
        _ source: SessionSource
    ) throws {
        var neighbours = Neighbours()
        try source.forEach(Self.query(session, minutes: Neighbours.minutes)) { other in
            guard other.session != session.session else { return true }
            switch other.state {
            case "failed":
                neighbours.failed += 1
                neighbours.sameReason += other.reason == session.reason ? 1 : 0
            case "verified": neighbours.verified += 1
            default: break
            }
            return true
        }
        self.neighbours = neighbours
        healthy = try Self.healthy(near: session, source)
        comparison = try healthy.map {
            try SessionComparison(events, healthy: try log.stream($0.session))
        }
    }

    private static func query(_ session: SessionSummary, minutes: Int64) -> SessionQuery {
        var query = SessionQuery()
        query.provider = session.provider
        query.since = session.startedAt.advanced(byMilliseconds: -minutes * 60_000)
        query.until = session.startedAt.advanced(byMilliseconds: minutes * 60_000)
        return query
    }

    private static func healthy(
        near session: SessionSummary, _ source: SessionSource
    ) throws -> SessionSummary? {
        for reach in reaches {
            var query = query(session, minutes: reach)
            query.state = "verified"
            query.flow = session.flow
            var nearest: (distance: Int64, session: SessionSummary)?
            try source.forEach(query) { other in
                guard other.clientID.isIdentical(to: session.clientID) else { return true }
                let distance = abs(
                    other.startedAt.millisecondsSince1970
                        - session.startedAt.millisecondsSince1970)
                if distance < nearest?.distance ?? .max { nearest = (distance, other) }
                return true
            }
            if let nearest { return nearest.session }
        }
        return nil
    }

    // MARK: - Output

    func write(to object: inout JSONObject) {
        object["neighbours"] = .object([
            "failed": .integer(Int64(neighbours.failed)),
            "minutes": .integer(Neighbours.minutes),
            "sameReason": .integer(Int64(neighbours.sameReason)),
            "verified": .integer(Int64(neighbours.verified)),
        ])
        object["healthySession"] = healthy.map { .string($0.session) }
        object["differences"] = comparison.map { comparison in
            .array(
                comparison.differences.map { difference in
                    var member: JSONObject = [
                        "member": .string(difference.member), "step": .string(difference.step),
                    ]
                    member["here"] = difference.here
                    member["healthy"] = difference.healthy
                    return .object(member)
                })
        }
    }

    /// For a person.
    var lines: [String] {
        var lines = ["", "Around it:", "  " + neighbourWords]
        guard let healthy, let comparison else {
            return lines + ["  No login of this client went well within a month."]
        }
        lines.append(
            "  The nearest login of this client that went well is \(healthy.session), of "
                + "\(healthy.startedAt.rfc3339)"
                + (comparison.differences.isEmpty ? "; nothing else differs." : ". What differs:"))
        func text(_ value: JSONValue?) -> String {
            value.map { value in
                value.stringValue ?? String(decoding: CanonicalJSON.encode(value), as: UTF8.self)
            } ?? "nothing"
        }
        lines += comparison.differences.map {
            "    \($0.step), \($0.member): \(text($0.here)) here, \(text($0.healthy)) there"
        }
        return lines
    }

    private var neighbourWords: String {
        let others = neighbours.failed + neighbours.verified
        guard others > 0 else {
            return "No other login with this provider ended within \(Neighbours.minutes) minutes."
        }
        let counts =
            "Within \(Neighbours.minutes) minutes \(neighbours.failed) of \(others) other logins "
            + "with this provider failed, \(neighbours.sameReason) for the same reason: "
        if neighbours.sameReason > neighbours.verified { return counts + "not a single case." }
        return counts
            + (neighbours.sameReason == 0 ? "a single case." : "others went well meanwhile.")
    }
}
