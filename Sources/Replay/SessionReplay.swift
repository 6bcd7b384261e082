// SPDX-License-Identifier: Apache-2.0

public import EventLog
internal import JOSE
public import LedgerPrimitives
public import OpenIDConnect
public import SessionEvents
public import Sessions

/// A step of a session that was decided again.
public struct ReplayedStep: Equatable, Sendable {
    /// How today's decision compares with the recorded one.
    public enum Outcome: Equatable, Sendable {
        /// The recorded input leads to the recorded event, to the byte.
        case same
        /// It leads to something else.
        case differs([Difference])
        /// Its input was never recorded, such as an answer that did not come: only that the event
        /// may follow was decided again.
        case taken
    }

    /// A member that is not what it was. Sealed values are not shown, only that they differ.
    public struct Difference: Equatable, Sendable {
        /// The member; in the sealed part with `sealed.` in front, `event` for another event.
        public let member: String
        /// What was recorded; nil where it is sealed, or was not there.
        public let then: JSONValue?
        /// What today's rules come to.
        public let now: JSONValue?
    }

    /// Where the event is.
    public let position: UInt64
    /// Its number in the session, from 1.
    public let revision: Int
    /// When it happened.
    public let time: Instant
    /// What happened.
    public let event: SessionEvent
    /// How today's decision compares.
    public let outcome: Outcome
    /// Where the session stood after it.
    public let phase: SessionPhase?
}

/// A verdict on a session's ID token, then and now.
public struct VerdictPair: Equatable, Sendable {
    /// A check, then and now.
    public struct Row: Equatable, Sendable {
        /// The check's name.
        public let name: String
        /// How it came out; nil where it was not made.
        public let then: Check.Outcome?
        /// How it comes out.
        public let now: Check.Outcome?
    }

    /// `verified`, or the reason of the refusal; nil when none was recorded.
    public let then: String?
    /// The same, by today's rules; nil when it cannot be told.
    public let now: String?
    /// The checks.
    public let checks: [Row]
}

/// A session decided again, event by event, from what was recorded of each input.
public struct SessionReplay: Equatable, Sendable {
    /// The session.
    public let session: String
    /// Whether its data key was destroyed, so that no input can be opened.
    public let isErased: Bool
    /// Whether another program ran the login: its decisions were not ours, and only their order
    /// is looked at.
    public let isReported: Bool
    /// The steps, in order.
    public let steps: [ReplayedStep]
    /// The verdict on the ID token; nil when there is none.
    public let verdict: VerdictPair?

    /// Whether no decision differs.
    public var decisionsMatch: Bool { firstDifference == nil }

    /// The first step at which today's decision is another one.
    public var firstDifference: ReplayedStep? {
        steps.first { if case .differs = $0.outcome { true } else { false } }
    }
}

/// Decides recorded sessions again, with the rules that ran live and without clock or network.
public final class Replayer {
    private let source: any ReplaySource
    private let documents: RecordedDocuments

    /// A replayer of a log that is open for reading what is sealed.
    public convenience init(_ log: EventLog) {
        self.init(LedgerSource(log: log))
    }

    /// A replayer of a fixture, which needs no log.
    public convenience init(_ fixture: ReplayFixture) {
        self.init(FixtureSource(fixture))
    }

    init(_ source: any ReplaySource) {
        self.source = source
        documents = RecordedDocuments(source)
    }

    /// Replays a session.
    ///
    /// - Parameters:
    ///   - revisionsMax: how many of its events; nil for all.
    ///   - policy: changes the policy of the verdict now, of which nothing else changes.
    /// - Throws: an error of the ledger.
    public func replay(
        _ session: String, revisionsMax: Int? = nil,
        policy: ((VerificationPolicy) throws -> VerificationPolicy)? = nil
    ) throws -> SessionReplay {
        let opened = try source.open(session, revisionsMax: revisionsMax)
        var run = ReplayRun(
            documents: documents, canDecide: !opened.isErased && !opened.isReported,
            policy: policy)
        try run.replay(opened.steps)
        return SessionReplay(
            session: session, isErased: opened.isErased, isReported: opened.isReported,
            steps: run.replayed, verdict: run.verdict)
    }

    /// The events of a session of our own, opened; nil when it is another program's, or erased.
    func openedSteps(of session: String) throws -> [RecordedStep]? {
        let opened = try source.open(session, revisionsMax: nil)
        return opened.isErased || opened.isReported ? nil : opened.steps
    }

    /// What the ID token of a session was checked with; nil when a document is missing.
    func verificationInput(
        _ keySetDigest: Digest?, _ policyDigest: Digest?, _ checks: [Check]?,
        in state: SessionState
    ) throws -> VerificationInput? {
        let profile = try state.profileDigest.flatMap { try documents.profile($0) }
        return try InputReader(
            documents: documents, profile: profile, discovery: nil, state: state, steps: []
        ).verificationInput(keySetDigest, policyDigest, checks)
    }
}

/// One replay under way.
private struct ReplayRun {
    let documents: RecordedDocuments
    /// Whether inputs are there at all.
    let canDecide: Bool
    let policy: ((VerificationPolicy) throws -> VerificationPolicy)?
    private(set) var replayed: [ReplayedStep] = []
    private(set) var verdict: VerdictPair?
    private var state = SessionState()
    private var profile: RecordedProfile?
    private var discovery: DiscoveryDocument?

    init(
        documents: RecordedDocuments, canDecide: Bool,
        policy: ((VerificationPolicy) throws -> VerificationPolicy)?
    ) {
        self.documents = documents
        self.canDecide = canDecide
        self.policy = policy
    }

    mutating func replay(_ steps: [RecordedStep]) throws {
        var index = 0
        while index < steps.count {
            try readDocuments()
            let reader = InputReader(
                documents: documents, profile: profile, discovery: discovery, state: state,
                steps: steps[index...])
            var input = canDecide ? try reader.read() : .notRecorded
            // A replay that ends between two events of one decision has only the first.
            if case .command(_, let events) = input, index + events > steps.count {
                input = .notRecorded
            }
            if case .tokenIssued = (index > 0 ? steps[index - 1].event : steps[index].event) {
                verdict = try compareVerdicts(reader, steps[index])
            }
            index += try take(input, steps[index...])
        }
    }

    /// Compares the events that a decision led to with those it leads to now, and goes on from the
    /// recorded ones.
    ///
    /// - Returns: how many events were compared.
    private mutating func take(
        _ input: RecordedInput, _ steps: ArraySlice<RecordedStep>
    ) throws -> Int {
        let count: Int
        var decided: [SessionStep] = []
        var refusal: SessionRejection?
        switch input {
        case .notRecorded:
            count = 1
            refusal = rejection(of: steps[steps.startIndex].event)
        case .command(let command, let events):
            count = events
            do {
                decided = try Session.decide(command, in: state)
            } catch {
                refusal = error
            }
        }
        for (offset, step) in steps.prefix(count).enumerated() {
            let outcome: ReplayedStep.Outcome
            if let refusal {
                outcome = .differs([
                    .init(
                        member: "event", then: .string(step.event.type.word),
                        now: .string("rejected: \(refusal)"))
                ])
            } else if case .notRecorded = input {
                outcome = .taken
            } else {
                let now = offset < decided.count ? decided[offset] : nil
                // More events than were recorded show at the last one.
                let surplus = offset == count - 1 ? decided.dropFirst(count).first : nil
                outcome = Comparison(step, now, surplus).outcome
            }
            state = Session.evolve(
                state, by: step.event, at: step.time, sealed: step.sealed)
            replayed.append(
                ReplayedStep(
                    position: step.position, revision: step.revision, time: step.time,
                    event: step.event, outcome: outcome, phase: state.phase))
        }
        return count
    }

    private func rejection(of event: SessionEvent) -> SessionRejection? {
        do {
            _ = try Session.decide(.recordReported(event), in: state)
            return nil
        } catch {
            return error
        }
    }

    private mutating func readDocuments() throws {
        if profile == nil, let digest = state.profileDigest {
            profile = try documents.profile(digest)
        }
        if discovery == nil, let digest = state.discoveryDigest, let issuer = state.issuer {
            discovery = try documents.discovery(digest, issuer: issuer)
        }
    }

    // MARK: - Verdict

    /// The recorded verdict beside the one that the recorded token gets now.
    private func compareVerdicts(
        _ reader: InputReader, _ step: RecordedStep
    ) throws -> VerdictPair? {
        let then: (word: String, checks: [Check])?
        var digests: (keySet: Digest?, policy: Digest?)
        switch step.event {
        case .verified(let event):
            then = ("verified", event.checks)
            digests = (event.keySetDigest, event.policyDigest)
        case .failed(let event):
            then = (event.reason.code, event.checks ?? [])
            digests = (event.keySetDigest, event.policyDigest)
        default:
            then = nil
            digests = (nil, nil)
        }
        let checks = then?.checks ?? []
        var now: (word: String, checks: [Check])?
        if !reader.state.secrets.isTokenMissing,
            var input = try reader.verificationInput(digests.keySet, digests.policy, checks)
        {
            if let policy { input.policy = try policy(input.policy) }
            let decided = try? Session.decide(.verifyToken(input), in: reader.state).first?.event
            switch decided {
            case .verified(let event): now = ("verified", event.checks)
            case .failed(let event): now = (event.reason.code, event.checks ?? [])
            default: break
            }
        }
        var names = checks.map(\.name)
        names += (now?.checks ?? []).map(\.name).filter { !names.contains($0) }
        return VerdictPair(
            then: then?.word, now: now?.word,
            checks: names.map { name in
                VerdictPair.Row(
                    name: name, then: checks.first { $0.name == name }?.outcome,
                    now: now?.checks.first { $0.name == name }?.outcome)
            })
    }
}

extension SessionSecrets {
    fileprivate var isTokenMissing: Bool { idToken == nil }
}

/// A recorded event beside the one that its decision leads to now.
private struct Comparison {
    let outcome: ReplayedStep.Outcome

    /// Sealed values that the decision cannot come to again: what was not kept, and what belongs
    /// to the caller.
    private static let unrepeatable: Set<String> = [
        "accessTokenHash", "response", "userAgent", "raw", "keyID",
    ]
    /// Clear members of the same kind.
    private static let unrepeatableClear: Set<String> = ["certificateBound"]

    init(_ step: RecordedStep, _ now: SessionStep?, _ surplus: SessionStep?) {
        guard let now else {
            outcome = .differs([
                .init(member: "event", then: .string(step.event.type.word), now: nil)
            ])
            return
        }
        guard now.event.type == step.event.type else {
            outcome = .differs([
                .init(
                    member: "event", then: .string(step.event.type.word),
                    now: .string(now.event.type.word))
            ])
            return
        }
        var differences = Self.differences(step.event.clearMembers, now.event.clearMembers)
            .filter { !Self.unrepeatableClear.contains($0.member) }
        differences += Self.sealedDifferences(step, now.sealed ?? JSONObject())
        if let surplus {
            differences.append(
                .init(member: "event", then: nil, now: .string(surplus.event.type.word)))
        }
        outcome = differences.isEmpty ? .same : .differs(differences)
    }

    private static func differences(
        _ then: JSONObject, _ now: JSONObject
    ) -> [ReplayedStep.Difference] {
        names(then, now).compactMap { name in
            then[name] == now[name]
                ? nil : .init(member: name, then: then[name], now: now[name])
        }
    }

    /// What a decision seals beside what its caller hands in: compared where the decision makes it.
    private static func sealedDifferences(
        _ step: RecordedStep, _ now: JSONObject
    ) -> [ReplayedStep.Difference] {
        now.members.compactMap { member in
            guard !unrepeatable.contains(member.name),
                step.sealed[member.name] != member.value
            else { return nil }
            return .init(member: "sealed.\(member.name)", then: nil, now: nil)
        }
    }

    private static func names(_ then: JSONObject, _ now: JSONObject) -> [String] {
        let first = then.members.map(\.name)
        return first + now.members.map(\.name).filter { !first.contains($0) }
    }
}
