// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents
internal import Sessions

/// What of a replay says nothing of the values in it: which events, how each was decided, and the
/// verdict with its checks.
struct FixtureExpectation {
    let object: JSONObject

    init(_ replay: SessionReplay) {
        var object: JSONObject = [
            "events": .array(replay.steps.map { .object(Self.event($0)) })
        ]
        object["verdictThen"] = replay.verdict?.then.map { .string($0) }
        object["verdictNow"] = replay.verdict?.now.map { .string($0) }
        object["checks"] = replay.verdict.map { verdict in
            .array(verdict.checks.map { .object(Self.check($0)) })
        }
        self.object = object
    }

    private static func event(_ step: ReplayedStep) -> JSONObject {
        var object: JSONObject = ["type": .string(step.event.type.rawValue)]
        switch step.outcome {
        case .same: object["outcome"] = .string("same")
        case .taken: object["outcome"] = .string("taken")
        case .differs(let differences):
            object["outcome"] = .string("differs")
            object["members"] = .array(differences.map { .string($0.member) })
        }
        object["state"] = step.phase.map { .string($0.rawValue) }
        return object
    }

    private static func check(_ row: VerdictPair.Row) -> JSONObject {
        var object: JSONObject = ["name": .string(row.name)]
        object["then"] = row.then.map { .string($0.rawValue) }
        object["now"] = row.now.map { .string($0.rawValue) }
        return object
    }

    /// Where this differs first from another expectation; nil where it does not.
    func firstDifference(from other: JSONObject) -> String? {
        let own = events(object)
        let others = events(other)
        for index in 0..<max(own.count, others.count)
        where index >= own.count || index >= others.count || own[index] != others[index] {
            let event = index < own.count ? own[index].objectValue : nil
            let members = event?["members"]?.arrayValue?.compactMap(\.stringValue) ?? []
            let names = members.isEmpty ? "" : ", in " + members.joined(separator: ", ")
            return "event \(index + 1)" + names
        }
        for name in ["verdictThen", "verdictNow"] where object[name] != other[name] {
            return "the verdict \(name == "verdictNow" ? "now" : "then")"
        }
        let rows = object["checks"]?.arrayValue ?? []
        let otherRows = other["checks"]?.arrayValue ?? []
        if let row = rows.first(where: { !otherRows.contains($0) }) {
            return "the check \(row.objectValue?["name"]?.stringValue ?? "")"
        }
        return rows == otherRows ? nil : "the checks"
    }

    private func events(_ object: JSONObject) -> [JSONValue] {
        object["events"]?.arrayValue ?? []
    }
}

extension ReplayFixture {
    /// Where a whole replay of this fixture comes to something else than it is expected to; nil
    /// where it does not.
    public func surprise(in replay: SessionReplay) -> String? {
        FixtureExpectation(replay).firstDifference(from: expected)
    }
}
