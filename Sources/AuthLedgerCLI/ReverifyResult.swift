// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import Replay
internal import SessionEvents

/// What came of a re-verification, for people and for programs.
struct ReverifyResult {
    let summary: ReverificationSummary
    /// The first tokens whose verdict differs, as the report has them.
    let differing: [JSONObject]
    /// Whether something was changed of what was recorded.
    let isHypothetical: Bool
    /// How many tokens an earlier run had checked, which this one went on with.
    let tokensBefore: Int
    let seconds: Double

    /// How many differing tokens are shown to people.
    private static let shownMax = 20

    private var rate: Int { Int(Double(summary.tokens - tokensBefore) / max(seconds, 0.001)) }

    /// The members of `reverify --json`.
    var object: JSONObject {
        var object = summary.object
        object["elapsedMs"] = .integer(Int64(seconds * 1000))
        object["tokensPerSecond"] = .integer(Int64(rate))
        object["groups"] = summary.groupList
        object[isHypothetical ? "differingList" : "mismatchList"] = .array(
            differing.map { .object($0) })
        if tokensBefore > 0 { object["tokensBefore"] = .integer(Int64(tokensBefore)) }
        return object
    }

    /// What differs first, then the counts.
    var text: String {
        var lines = differingLines
        lines.append(
            "\(summary.tokens) tokens: \(summary.verified) verified, \(summary.failed) failed, "
                + "\(summary.erased) erased, \(summary.inconclusive) inconclusive")
        let (differ, word) =
            isHypothetical
            ? (summary.differing, "would have another verdict than the recorded one")
            : (summary.mismatches, "differ from the recorded verdict")
        lines.append("\(differ) \(word), \(summary.withoutVerdict) had none; \(rate) tokens/s")
        for (group, count) in summary.sortedGroups {
            let names = [group.provider, group.algorithm, group.keyID].map { $0 ?? "-" }
            lines.append(
                "  \(count)  \(names.joined(separator: " "))  \(group.result.rawValue)"
                    + (group.reason.map { " (\($0))" } ?? ""))
        }
        return lines.joined(separator: "\n")
    }

    private var differingLines: [String] {
        let count = isHypothetical ? summary.differing : summary.mismatches
        guard count > 0 else { return [] }
        var lines = differing.prefix(Self.shownMax).map { row in
            let word = { (name: String) in row[name]?.stringValue ?? "-" }
            let reason = row["reason"]?.stringValue.map { " (\($0))" } ?? ""
            return "\(word("session"))  \(word("verdictThen")) then, \(word("result"))\(reason) now"
        }
        if count > lines.count { lines.append("and \(count - lines.count) more") }
        return lines + [""]
    }
}

extension ReverificationSummary {
    /// The counts among the members of `reverify --json`.
    var object: JSONObject {
        [
            "differing": .integer(Int64(differing)),
            "erased": .integer(Int64(erased)),
            "failed": .integer(Int64(failed)),
            "inconclusive": .integer(Int64(inconclusive)),
            "mismatches": .integer(Int64(mismatches)),
            "tokens": .integer(Int64(tokens)),
            "verified": .integer(Int64(verified)),
            "withoutVerdict": .integer(Int64(withoutVerdict)),
        ]
    }

    /// The groups, each with its count, in the order of their names.
    var sortedGroups: [(group: Group, count: Int)] {
        groups.map { (group: $0.key, count: $0.value) }.sorted {
            $0.group.sortKey.lexicographicallyPrecedes($1.group.sortKey)
        }
    }

    /// The groups as a member of `reverify --json`.
    var groupList: JSONValue {
        .array(sortedGroups.map { .object($0.group.object(count: $0.count)) })
    }
}

extension ReverificationSummary.Group {
    fileprivate var sortKey: [String] {
        [provider ?? "", algorithm ?? "", keyID ?? "", result.rawValue, reason ?? ""]
    }

    fileprivate func object(count: Int) -> JSONObject {
        var object: JSONObject = [
            "result": .string(result.rawValue), "tokens": .integer(Int64(count)),
        ]
        object["provider"] = provider.map { .string($0) }
        object["algorithm"] = algorithm.map { .string($0) }
        object["keyID"] = keyID.map { .string($0) }
        object["reason"] = reason.map { .string($0) }
        return object
    }

    /// Reads what `groupList` has of a group.
    static func read(_ row: JSONValue) -> (group: ReverificationSummary.Group, count: Int)? {
        guard let members = row.objectValue, let count = members["tokens"]?.integerValue, count > 0,
            let result = members["result"]?.stringValue.flatMap(TokenOutcome.Result.init(rawValue:))
        else { return nil }
        let group = ReverificationSummary.Group(
            provider: members["provider"]?.stringValue,
            algorithm: members["algorithm"]?.stringValue, keyID: members["keyID"]?.stringValue,
            result: result, reason: members["reason"]?.stringValue)
        return (group, Int(count))
    }
}

extension TokenOutcome {
    /// A line of `reverify --report`.
    var object: JSONObject {
        var object: JSONObject = [
            "mismatch": .bool(isMismatch), "position": .integer(Int64(position)),
            "result": .string(result.rawValue), "session": .string(session),
        ]
        if isHypothetical { object["differs"] = .bool(differs) }
        object["algorithm"] = algorithm.map { .string($0) }
        object["keyID"] = keyID.map { .string($0) }
        object["provider"] = provider.map { .string($0) }
        object["reason"] = reason.map { .string($0.code) }
        if !failedChecks.isEmpty {
            object["failedChecks"] = .array(failedChecks.map { .string($0) })
        }
        object["verdictThen"] = verdictThen.map { .string($0 ? "verified" : "failed") }
        return object
    }
}
