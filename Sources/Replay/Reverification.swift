// SPDX-License-Identifier: Apache-2.0

public import EventLog
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents
internal import Sessions

/// Checks stored ID tokens again: with the key set, the policy and the instant that the log has,
/// through the very function that checked them live. It knows neither today's time nor a network.
/// For one thread: it keeps what many tokens share.
public final class Reverification {
    private let log: EventLog
    /// How many events of the log count.
    private let size: UInt64
    private let changes: ReverificationChanges
    private let documents: RecordedDocuments
    private let newestKeySets: NewestKeySets?
    private let reader: StreamEndsReader
    private let excerpts = EvidenceExcerpts()
    private var inputs: [InputName: SharedInput] = [:]

    /// A re-verification of a log that is open for reading what is sealed.
    ///
    /// - Parameters:
    ///   - size: only the first events of the log count, so many.
    ///   - changes: what counts in the place of what was recorded.
    ///   - newestKeySets: where those are found, for several threads that share what they found.
    public init(
        _ log: EventLog, before size: UInt64 = .max,
        changing changes: ReverificationChanges = ReverificationChanges(),
        newestKeySets: NewestKeySets? = nil
    ) throws {
        self.log = log
        self.size = size
        self.changes = changes
        documents = RecordedDocuments(
            LedgerSource(log: log), replacing: changes.policySettings)
        self.newestKeySets =
            changes.usesNewestKeys
            ? try newestKeySets ?? NewestKeySets(log, before: size) : nil
        reader = try StreamEndsReader(log)
    }

    /// Checks the ID token of a session again.
    ///
    /// - Returns: nil when the session has none.
    /// - Throws: an error of the ledger.
    public func reverify(session: String) throws -> TokenOutcome? {
        try evidence(session: session).map(judge)
    }

    /// Checks the ID tokens of many sessions again; `body` gets the outcome of each that has one,
    /// in their order.
    ///
    /// - Parameter sessions: as many as may be held in memory.
    /// - Throws: an error of the ledger.
    public func reverify(_ sessions: [String], _ body: (TokenOutcome) throws -> Void) throws {
        // One kind of work after the other: the code of both does not fit next to the processor.
        var pending: [TokenEvidence] = []
        pending.reserveCapacity(sessions.count)
        // From the last one on, so that each can be taken out from the end without a copy.
        try forEachEvidence(sessions.reversed()) { pending.append($0) }
        while let evidence = pending.popLast() { try body(try judge(evidence)) }
    }

    /// Hands out what the log has to check the tokens of many sessions with.
    ///
    /// - Throws: an error of the ledger.
    public func forEachEvidence(
        _ sessions: [String], _ body: (consuming TokenEvidence) throws -> Void
    ) throws {
        try reader.read(sessions, excerpts.request) { session, ends in
            if let ends, (ends.events.last?.position ?? .max) < size {
                switch try excerpts.evidence(ends) {
                case .evidence(var evidence):
                    if !ends.hasKey { evidence.isErased = try isErased(session) }
                    return try body(evidence)
                case .noToken: return
                case .unclear: break
                }
            }
            if let evidence = try evidence(session: session) { try body(evidence) }
        }
    }

    /// What the log has to check a session's ID token with.
    ///
    /// A token is checked against what the session began with and what was recorded with the
    /// token itself; the steps between are not read.
    ///
    /// - Returns: nil when the session has no token.
    /// - Throws: an error of the ledger.
    public func evidence(session: String) throws -> TokenEvidence? {
        // The last two events of an ended session are the token and the verdict on it.
        var (events, count) = try log.streamEnds(session, last: 2)
        let token = SessionEventType.tokenIssued.rawValue
        if let last = events.last, last.position >= size {
            events = try log.stream(session, before: size)
            count = events.count
        }
        if events.count < count, !events.contains(where: { $0.envelope.type == token }) {
            events = try log.stream(session)
        }
        guard events.contains(where: { $0.envelope.type == token }) else { return nil }
        let key = try log.dataKey(for: session)
        var evidence = TokenEvidence(
            session: session, isErased: try key == nil && isErased(session))
        for event in events where event.envelope.type.hasPrefix("authledger.session.") {
            try evidence.take(event) { event in
                try key.flatMap { try log.openSealed(event, dataKey: $0) }
            }
        }
        return evidence
    }

    /// True; a data key that is missing without an erasure is an error.
    private func isErased(_ session: String) throws -> Bool {
        let error = log.reasonForMissingKey(of: session)
        guard case .erased = error else { throw error }
        return true
    }

    /// What the token of some evidence is checked with; nil when the log does not have it.
    private func input(_ evidence: TokenEvidence) throws -> SharedInput? {
        guard let keySet = evidence.keySetDigest, let policy = evidence.policyDigest else {
            return nil
        }
        let name = InputName(keySet: keySet, policy: policy, isReplayed: evidence.isReplayed)
        if let known = inputs[name] { return known }
        guard let input = try makeInput(name).map(SharedInput.init) else { return nil }
        inputs[name] = input
        return input
    }

    private func makeInput(_ name: InputName) throws -> VerificationInput? {
        guard let policy = try documents.policy(name.policy),
            let keySetDigest = try newestKeySets.map({ try $0.digest(of: policy.issuer) })
                ?? name.keySet,
            let keys = try documents.keySet(keySetDigest, policy.keyLimits)
        else { return nil }
        var input = VerificationInput(
            keys: keys, keySetDigest: keySetDigest, policy: policy, policyDigest: name.policy,
            isReplayed: name.isReplayed)
        input.instant = changes.instant
        return input
    }

    /// Judges a token by the evidence, through the function that judged it live.
    ///
    /// - Throws: an error of the ledger when a document cannot be read.
    public func judge(_ evidence: TokenEvidence) throws -> TokenOutcome {
        let isHypothetical = !changes.isEmpty
        if evidence.isErased { return evidence.outcome(.erased, isHypothetical: isHypothetical) }
        guard let input = try input(evidence) else {
            return evidence.outcome(.inconclusive, isHypothetical: isHypothetical)
        }
        do throws(SessionRejection) {
            let verdict = try TokenVerification.verdict(input.value, in: evidence.state)
            return evidence.outcome(verdict, isHypothetical: isHypothetical)
        } catch {
            return evidence.outcome(.inconclusive, isHypothetical: isHypothetical)
        }
    }
}

/// What many tokens are checked with.
private final class SharedInput {
    let value: VerificationInput

    init(_ value: VerificationInput) {
        self.value = value
    }
}

/// What tells inputs from each other.
private struct InputName: Hashable {
    let keySet: Digest
    let policy: Digest
    let isReplayed: Bool?

    /// There are few, so that one of the three tells nearly all of them apart.
    func hash(into hasher: inout Hasher) {
        hasher.combine(keySet)
    }
}
