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
        try forEachEvidence(sessions) { pending.append($0) }
        for index in pending.indices { try body(try judge(pending[index])) }
    }

    /// Hands out what the log has to check the tokens of many sessions with.
    ///
    /// - Throws: an error of the ledger.
    public func forEachEvidence(
        _ sessions: [String], _ body: (consuming TokenEvidence) throws -> Void
    ) throws {
        try reader.read(sessions, excerpts.request) { session, ends in
            var found = EvidenceExcerpts.Found.unclear
            if let ends, (ends.events.last?.position ?? .max) < size {
                found = try excerpts.evidence(ends)
                if !ends.hasKey, case .evidence(var evidence) = found {
                    evidence.isErased = try isErased(session)
                    found = .evidence(evidence)
                }
            }
            switch found {
            case .evidence(let evidence): try body(evidence)
            case .noToken: break
            case .unclear:
                if let evidence = try evidence(session: session) { try body(evidence) }
            }
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

    /// Judges a token by the evidence, through the function that judged it live.
    ///
    /// - Throws: an error of the ledger when a document cannot be read.
    public func judge(_ evidence: TokenEvidence) throws -> TokenOutcome {
        let isHypothetical = !changes.isEmpty
        if evidence.isErased { return evidence.outcome(.erased, isHypothetical: isHypothetical) }
        guard let recordedKeySet = evidence.keySetDigest, let policyDigest = evidence.policyDigest,
            let policy = try documents.policy(policyDigest),
            let keySetDigest = try newestKeySets.map({ try $0.digest(of: policy.issuer) })
                ?? recordedKeySet,
            let keys = try documents.keySet(keySetDigest, policy.keyLimits)
        else { return evidence.outcome(.inconclusive, isHypothetical: isHypothetical) }
        var input = VerificationInput(
            keys: keys, keySetDigest: keySetDigest, policy: policy, policyDigest: policyDigest,
            isReplayed: evidence.isReplayed)
        input.instant = changes.instant
        do throws(SessionRejection) {
            let verdict = try TokenVerification.verdict(input, in: evidence.state)
            return evidence.outcome(verdict, isHypothetical: isHypothetical)
        } catch {
            return evidence.outcome(.inconclusive, isHypothetical: isHypothetical)
        }
    }
}

/// What a session's events say of its ID token, opened.
public struct TokenEvidence: Sendable {
    /// The session.
    public let session: String
    /// The event with the token.
    public private(set) var position: UInt64 = 0
    /// The state in which the token was checked.
    private(set) var state = SessionState()
    /// Whether the session's data key was destroyed by an erasure that the log attests.
    public internal(set) var isErased: Bool
    private var hasToken = false
    private var provider: String?
    private var algorithm: String?
    private var keyID: String?
    private var recorded = RecordedVerdict()

    init(session: String, isErased: Bool = false) {
        self.session = session
        self.isErased = isErased
    }

    /// The ID token in compact form; nil when the event has none.
    public var idToken: String? { state.secrets.idToken }
    /// The key set that counts: the one of the verdict, which may have been fetched after the
    /// token came.
    var keySetDigest: Digest? { recorded.keySetDigest ?? state.keySetDigest }
    /// The policy that counts.
    var policyDigest: Digest? { recorded.policyDigest ?? state.policyDigest }

    /// Whether the token had come before, as was found when it came: what other sessions had by
    /// then does not follow from the token.
    var isReplayed: Bool? { recorded.isReplayed }

    mutating func take(
        _ event: RecordedEvent, open: (RecordedEvent) throws -> JSONObject?
    ) throws {
        try take(
            try SessionEventCodec.decode(event), at: event.position, event.envelope.time
        ) { try open(event) }
    }

    mutating func take(
        _ payload: SessionEvent, at place: UInt64, _ time: Instant,
        open: () throws -> JSONObject?
    ) throws {
        recorded.note(payload)
        guard !hasToken else { return }
        var sealed: JSONObject?
        switch payload {
        case .initiated(let event):
            sealed = try open()
            provider = event.provider
        case .tokenIssued(let event):
            sealed = try open()
            hasToken = true
            position = place
            algorithm = event.algorithm
            keyID = event.keyID
        default:
            break
        }
        Session.evolve(&state, by: payload, at: time, sealed: sealed)
    }

    func outcome(_ verdict: Verdict, isHypothetical: Bool) -> TokenOutcome {
        if verdict.isAccepted { return outcome(.verified, isHypothetical: isHypothetical) }
        let failed = verdict.checks.compactMap { result -> String? in
            guard case .failed = result.outcome else { return nil }
            return result.check.rawValue
        }
        return outcome(
            .failed, TokenVerification.reason(of: verdict), failed, isHypothetical: isHypothetical)
    }

    func outcome(
        _ result: TokenOutcome.Result, _ reason: FailureReason? = nil,
        _ failedChecks: [String] = [], isHypothetical: Bool
    ) -> TokenOutcome {
        TokenOutcome(
            session: session, position: position, provider: provider, algorithm: algorithm,
            keyID: recorded.keyID ?? keyID, result: result, reason: reason,
            failedChecks: failedChecks, verdictThen: recorded.isGood,
            isHypothetical: isHypothetical)
    }
}

/// What a session's last event says of its token.
private struct RecordedVerdict {
    private(set) var isGood: Bool?
    /// The key that verified the token. With the token itself it stands only where its key set was
    /// at hand when it came.
    private(set) var keyID: String?
    private(set) var keySetDigest: Digest?
    private(set) var policyDigest: Digest?
    private(set) var isReplayed: Bool?

    mutating func note(_ event: SessionEvent) {
        switch event {
        case .verified(let payload):
            isGood = true
            keyID = payload.keyID
            keySetDigest = payload.keySetDigest
            policyDigest = payload.policyDigest
            note(payload.checks)
        case .failed(let payload) where payload.refusesWhatFollowedTheToken:
            isGood = true
            take(payload)
        case .failed(let payload) where payload.stage == .verification:
            isGood = false
            take(payload)
        default:
            break
        }
    }

    private mutating func take(_ failed: Failed) {
        keySetDigest = failed.keySetDigest
        policyDigest = failed.policyDigest
        note(failed.checks ?? [])
    }

    private mutating func note(_ checks: [Check]) {
        let replay = TokenCheck.replay.rawValue
        switch checks.first(where: { $0.name.isIdentical(to: replay) })?.outcome {
        case .passed?: isReplayed = false
        case .failed?: isReplayed = true
        case .notApplicable?, .notChecked?, nil: isReplayed = nil
        }
    }
}

extension Failed {
    /// Whether the token itself was found good, and the login failed for what was asked for with
    /// it: UserInfo, or a permission.
    fileprivate var refusesWhatFollowedTheToken: Bool {
        guard mayRefuseWhatFollowedTheToken, let checks else { return false }
        return !checks.contains { $0.outcome == .failed }
    }

    /// Whether that depends on the checks beside it.
    var mayRefuseWhatFollowedTheToken: Bool {
        let permission = FailureReason(FlowFailureReason.permissionRefused)
        return stage == .userinfo || stage == .verification && reason == permission
    }
}
