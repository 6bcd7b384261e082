// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents
internal import Sessions

/// A reported event made fit for the log: documents archived, nothing personal in the clear.
struct Intake: Equatable {
    /// The typed clear part.
    let event: SessionEvent
    /// What will be sealed.
    let sealed: JSONObject?
    /// Documents to archive with the event.
    let documents: [[UInt8]]

    /// Members that say what the ledger itself archived or opened; a reporter cannot set them.
    private static let ledgerMembers = [
        "keySetDigest", "keySetSource", "policyDigest", "policySource", "policyCompleted",
        "discoveryDigest", "profileDigest", "keyCommitment", "sealedBlob", "encryption",
        "subjectClaim",
    ]
    /// Where values wait that came in the clear and may not stay there.
    static let withheld = "withheld"

    /// Makes a reported event fit.
    ///
    /// - Parameter tokenKeyID: the key that the session's ID token names, as far as it is clear.
    init(_ reported: ReportedEvent, tokenKeyID: String?) throws(LineRejection) {
        var clear = reported.clear
        for name in Self.ledgerMembers where clear[name] != nil {
            throw LineRejection(.memberUnknown, "`data.\(name)` is set by the ledger; leave it out")
        }
        guard reported.sealed?[Self.withheld] == nil else {
            throw LineRejection(.memberUnknown, "`data.sealed.withheld` is set by the ledger")
        }
        var documents: [[UInt8]] = []
        var knownKeyIDs = tokenKeyID.map { [$0] } ?? []
        if reported.type == .tokenIssued {
            knownKeyIDs = try Self.archiveKeySet(&clear, &documents)
            try Self.archivePolicy(&clear, &documents)
        }
        let withheld = Self.withhold(&clear, knownKeyIDs: knownKeyIDs)
        var sealed = reported.sealed
        if !withheld.isEmpty {
            var object = sealed ?? JSONObject()
            object[Self.withheld] = .object(withheld)
            sealed = object
        }
        do {
            event = try SessionEventCodec.decode(
                type: reported.type.rawValue, version: reported.typeVersion, data: clear)
        } catch {
            throw LineRejection(error)
        }
        self.sealed = sealed
        self.documents = documents
    }

    // MARK: - Documents

    /// Takes the key set out of the clear members and archives it.
    ///
    /// - Returns: the ids of its keys.
    private static func archiveKeySet(
        _ clear: inout JSONObject, _ documents: inout [[UInt8]]
    ) throws(LineRejection) -> [String] {
        guard let member = clear["keySet"] else { return [] }
        guard let keySet = member.objectValue, let keys = keySet["keys"]?.arrayValue,
            keys.count <= 256, keys.allSatisfy({ $0.objectValue != nil }), member.hasOnlyIntegers
        else {
            throw LineRejection(
                .memberMalformed, "`data.keySet` must be a JWK set of up to 256 keys")
        }
        // The archive cannot be erased, so a secret must never come into it.
        let secretMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]
        for key in keys.compactMap(\.objectValue) {
            guard !secretMembers.contains(where: { key[$0] != nil }) else {
                throw LineRejection(
                    .memberMalformed, "`data.keySet` must hold public keys only; one is private")
            }
        }
        let document = CanonicalJSON.encode(keySet)
        try archive(document, as: "keySet", &documents)
        clear["keySet"] = nil
        clear["keySetDigest"] = .string(Digest(ofDocument: document).base64URL)
        clear["keySetSource"] = .string(DocumentSource.reported.rawValue)
        return keys.compactMap { $0.objectValue?["kid"]?.stringValue }
    }

    /// Takes the policy out of the clear members, completes and archives it.
    private static func archivePolicy(
        _ clear: inout JSONObject, _ documents: inout [[UInt8]]
    ) throws(LineRejection) {
        guard let member = clear["policy"] else { return }
        guard let partial = member.objectValue else {
            throw LineRejection(.memberMalformed, "`data.policy` must be an object")
        }
        let policy: VerificationPolicy
        let wasPartial: Bool
        do {
            (policy, wasPartial) = try VerificationPolicy.complete(partial)
        } catch {
            throw LineRejection(error)
        }
        let document = CanonicalJSON.encode(policy.object)
        try archive(document, as: "policy", &documents)
        clear["policy"] = nil
        clear["policyDigest"] = .string(Digest(ofDocument: document).base64URL)
        clear["policySource"] = .string(DocumentSource.reported.rawValue)
        clear["policyCompleted"] = .bool(wasPartial)
    }

    private static func archive(
        _ document: [UInt8], as name: String, _ documents: inout [[UInt8]]
    ) throws(LineRejection) {
        guard document.count <= 1_048_576 else {
            throw LineRejection(.eventTooLarge, "`data.\(name)` is larger than 1 MiB")
        }
        documents.append(document)
    }

    // MARK: - What may stand in the clear

    /// Replaces what a provider or a browser sent, unless it is known to be harmless.
    ///
    /// - Returns: the values taken out, by the names of their members.
    private static func withhold(
        _ clear: inout JSONObject, knownKeyIDs: [String]
    ) -> JSONObject {
        var withheld = JSONObject()
        for (name, isHarmless) in outsideMembers(knownKeyIDs) {
            guard let text = clear[name]?.stringValue, !isHarmless(text) else { continue }
            withheld[name] = .string(text)
            clear[name] = .string(RegisteredNames.other)
        }
        return withheld
    }

    private static func outsideMembers(
        _ knownKeyIDs: [String]
    ) -> [(name: String, isHarmless: (String) -> Bool)] {
        [
            ("error", RegisteredNames.errors.containsIdentical),
            ("hint", RegisteredNames.pollHints.containsIdentical),
            ("algorithm", RegisteredNames.algorithms.containsIdentical),
            ("tokenType", RegisteredNames.tokenTypes.containsIdentical),
            ("responseMode", RegisteredNames.responseModes.containsIdentical),
            ("responseType", RegisteredNames.responseTypes.containsIdentical),
            ("acr", RegisteredNames.isHarmlessACR),
            (
                "keyID",
                { RegisteredNames.keyIDInClear($0, archived: knownKeyIDs).isIdentical(to: $0) }
            ),
        ]
    }
}

extension LineRejection {
    init(_ error: EventDecodingError) {
        switch error {
        case .unknownType:
            self.init(.typeUnknown, "`type` is not an event of a session")
        case .unknownVersion:
            self.init(.versionUnknown, "`typeversion` is not known")
        case .member(let error):
            let code: Code =
                switch error.problem {
                case .missing: .memberMissing
                case .unknown: .memberUnknown
                case .malformed: .memberMalformed
                }
            self.init(code, "in `data`: \(error.description)")
        }
    }

    init(_ error: PolicyError) {
        switch error.problem {
        case .unknown:
            self.init(.memberUnknown, "`data.policy` has a member that no policy has")
        case .missing:
            self.init(.memberMissing, "`data.policy.\(error.member)` is missing")
        case .malformed:
            self.init(.memberMalformed, "`data.policy.\(error.member)` is not of its form")
        }
    }

    init(_ error: SessionRejection) {
        switch error {
        case .transitionNotAllowed(nil, let type):
            self.init(
                .transitionRefused, "a session begins with `initiated`, not with `\(type.word)`")
        case .transitionNotAllowed(let phase?, let type):
            let why = phase.isTerminal ? "the session has ended" : "that cannot follow"
            self.init(
                .transitionRefused,
                "`\(type.word)` in a session that is \(phase.rawValue): \(why)")
        case .notAwaitingCallback, .notPolling, .evidenceMissing:
            self.init(.transitionRefused, "the session cannot take this event now")
        case .wrongFlow(let flow, let type):
            self.init(
                .transitionRefused, "the flow `\(flow.rawValue)` has no event `\(type.word)`")
        }
    }
}
