// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import SessionEvents

/// How a session went other than one that went well: what is different in each step, of what can
/// be compared between logins of different people.
public struct SessionComparison: Equatable, Sendable {
    /// Something that is different.
    public struct Difference: Equatable, Sendable {
        /// The step, by the last word of its type.
        public let step: String
        /// The member, or `step` where only one of the two has the step.
        public let member: String
        /// What it is in the session.
        public let here: JSONValue?
        /// What it is in the one that went well.
        public let healthy: JSONValue?
    }

    /// Members that say how a login was made, and not whose it is or when.
    private static let compared: [SessionEventType: [String]] = [
        .initiated: [
            "acrValues", "environment", "profileDigest", "redirectURI", "responseMode",
            "responseType", "scope",
        ],
        .redirected: ["discoveryDigest", "endpoint", "to", "usedPAR"],
        .callback: ["algorithm", "error", "from", "keyID", "responseMode", "stateBinding"],
        .polled: ["error", "interval", "status"],
        .tokenIssued: [
            "algorithm", "certificateBound", "encryption", "endpoint", "httpStatus", "keyID",
            "keySetDigest", "policyDigest", "tokenType",
        ],
        .verified: [], .failed: [],
    ]

    /// What is different, in the order of the steps.
    public let differences: [Difference]

    /// Compares the events of a session with those of one that went well.
    public init(
        _ session: [RecordedEvent], healthy: [RecordedEvent]
    ) throws(EventDecodingError) {
        var differences: [Difference] = []
        let (here, there) = (try Self.steps(session), try Self.steps(healthy))
        for type in SessionEventType.allCases {
            switch (here[type], there[type]) {
            case (let mine?, let theirs?):
                for member in Self.compared[type] ?? [] where mine[member] != theirs[member] {
                    differences.append(
                        Difference(
                            step: type.word, member: member, here: mine[member],
                            healthy: theirs[member]))
                }
            case (.some, nil) where type != .failed, (nil, .some) where type != .verified:
                differences.append(
                    Difference(
                        step: type.word, member: "step",
                        here: .string(here[type] == nil ? "missing" : "there"),
                        healthy: .string(there[type] == nil ? "missing" : "there")))
            default: break
            }
        }
        self.differences = differences
    }

    /// The clear members of the last event of each type.
    private static func steps(
        _ events: [RecordedEvent]
    ) throws(EventDecodingError) -> [SessionEventType: JSONObject] {
        var steps: [SessionEventType: JSONObject] = [:]
        for event in events {
            let payload = try SessionEventCodec.decode(event)
            steps[payload.type] = payload.clearMembers
        }
        return steps
    }
}
