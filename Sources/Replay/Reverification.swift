// SPDX-License-Identifier: Apache-2.0

public import EventLog
internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect
public import SessionEvents
internal import Sessions
internal import Synchronization

/// What became of one stored ID token when it was checked again.
public struct TokenOutcome: Equatable, Sendable {
    /// The result of the check.
    public enum Result: String, Sendable {
        case verified
        case failed
        /// The data key was destroyed by an erasure that the log attests.
        case erased
        /// Key set, policy or token are not there to check with.
        case inconclusive
    }

    /// The session.
    public let session: String
    /// The event with the token.
    public let position: UInt64
    /// The result.
    public let result: Result
    /// Why the token failed now, if it did.
    public let reason: FailureReason?
    /// Whether the recorded verdict was that it is good; nil when none was recorded.
    public let verdictThen: Bool?

    /// Whether today's verdict differs from the recorded one.
    public var isMismatch: Bool {
        switch (result, verdictThen) {
        case (.verified, false?), (.failed, true?): true
        default: false
        }
    }
}

/// Counts of many outcomes.
public struct ReverificationSummary: Equatable, Sendable {
    /// All tokens.
    public private(set) var tokens = 0
    /// Those that verified.
    public private(set) var verified = 0
    /// Those that failed.
    public private(set) var failed = 0
    /// Those whose key was erased.
    public private(set) var erased = 0
    /// Those that could not be checked.
    public private(set) var inconclusive = 0
    /// Those whose verdict differs from the recorded one.
    public private(set) var mismatches = 0
    /// Those for which no verdict was recorded.
    public private(set) var withoutVerdict = 0

    /// No tokens yet.
    public init() {}

    /// Counts an outcome.
    public mutating func count(_ outcome: TokenOutcome) {
        tokens += 1
        switch outcome.result {
        case .verified: verified += 1
        case .failed: failed += 1
        case .erased: erased += 1
        case .inconclusive: inconclusive += 1
        }
        mismatches += outcome.isMismatch ? 1 : 0
        withoutVerdict += outcome.verdictThen == nil ? 1 : 0
    }
}

/// Checks stored ID tokens again: with the key set, the policy and the instant that the log has,
/// through the very function that checked them live. It knows neither today's time nor a network.
public final class Reverification: Sendable {
    private let log: EventLog
    /// How many events of the log count.
    private let size: UInt64
    private let documents: DocumentCache

    /// A re-verification of a log that is open for reading what is sealed.
    ///
    /// - Parameter size: only the first events of the log count, so many.
    public init(_ log: EventLog, before size: UInt64 = .max) {
        self.log = log
        self.size = size
        documents = DocumentCache(log)
    }

    /// Checks the ID token of a session again.
    ///
    /// - Returns: nil when the session has none.
    /// - Throws: an error of the ledger.
    public func reverify(session: String) throws -> TokenOutcome? {
        try evidence(session: session).map(judge)
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
        var evidence = TokenEvidence(session: session, isErased: key == nil)
        if key == nil {
            let error = log.reasonForMissingKey(of: session)
            guard case .erased = error else { throw error }
        }
        for event in events where event.envelope.type.hasPrefix("authledger.session.") {
            try evidence.take(event) { event in
                try key.flatMap { try log.openSealed(event, dataKey: $0) }
            }
        }
        return evidence
    }

    /// Judges a token by the evidence, through the function that judged it live.
    ///
    /// - Throws: an error of the ledger when a document cannot be read.
    public func judge(_ evidence: TokenEvidence) throws -> TokenOutcome {
        if evidence.isErased { return evidence.outcome(.erased) }
        guard let keySetDigest = evidence.keySetDigest, let policyDigest = evidence.policyDigest,
            let policy = try documents.policy(policyDigest),
            let keys = try documents.keySet(keySetDigest, policy)
        else { return evidence.outcome(.inconclusive) }
        let input = VerificationInput(
            keys: keys, keySetDigest: keySetDigest, policy: policy, policyDigest: policyDigest)
        let steps: [SessionStep]
        do {
            steps = try Session.decide(.verifyToken(input), in: evidence.state)
        } catch {
            return evidence.outcome(.inconclusive)
        }
        if case .failed(let failed)? = steps.last?.event {
            return evidence.outcome(.failed, failed.reason)
        }
        return evidence.outcome(.verified)
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
    public let isErased: Bool
    private var hasToken = false
    private var recorded = RecordedVerdict()

    init(session: String, isErased: Bool) {
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

    mutating func take(
        _ event: RecordedEvent, open: (RecordedEvent) throws -> JSONObject?
    ) throws {
        let payload = try SessionEventCodec.decode(event)
        recorded.note(payload)
        guard !hasToken else { return }
        var sealed: JSONObject?
        switch payload {
        case .initiated:
            sealed = try open(event)
        case .tokenIssued:
            sealed = try open(event)
            hasToken = true
            position = event.position
        default:
            break
        }
        state = Session.evolve(state, by: payload, at: event.envelope.time, sealed: sealed)
    }

    func outcome(
        _ result: TokenOutcome.Result, _ reason: FailureReason? = nil
    ) -> TokenOutcome {
        TokenOutcome(
            session: session, position: position, result: result, reason: reason,
            verdictThen: recorded.isGood)
    }
}

/// What a session's last event says of its token.
private struct RecordedVerdict {
    private(set) var isGood: Bool?
    private(set) var keySetDigest: Digest?
    private(set) var policyDigest: Digest?

    mutating func note(_ event: SessionEvent) {
        switch event {
        case .verified(let payload):
            isGood = true
            keySetDigest = payload.keySetDigest
            policyDigest = payload.policyDigest
        case .failed(let payload) where payload.refusesWhatFollowedTheToken:
            isGood = true
            keySetDigest = payload.keySetDigest
            policyDigest = payload.policyDigest
        case .failed(let payload) where payload.stage == .verification:
            isGood = false
            keySetDigest = payload.keySetDigest
            policyDigest = payload.policyDigest
        default:
            break
        }
    }
}

extension Failed {
    /// Whether the token itself was found good, and the login failed for what was asked for with
    /// it: UserInfo, or a permission.
    fileprivate var refusesWhatFollowedTheToken: Bool {
        let permission = FailureReason(FlowFailureReason.permissionRefused)
        let isLater = stage == .userinfo || stage == .verification && reason == permission
        guard isLater, let checks else { return false }
        return !checks.contains { $0.outcome == .failed }
    }
}

/// Key sets and policies read once: thousands of tokens share a handful of them.
private final class DocumentCache: Sendable {
    private struct KeySetName: Hashable {
        let digest: Digest
        let rsaBitsMin: Int
    }

    private let log: EventLog
    private let policies = Mutex<[Digest: VerificationPolicy]>([:])
    private let keySets = Mutex<[KeySetName: JSONWebKeySet]>([:])

    init(_ log: EventLog) {
        self.log = log
    }

    func policy(_ digest: Digest) throws -> VerificationPolicy? {
        if let known = policies.withLock({ $0[digest] }) { return known }
        guard let bytes = try log.blob(digest),
            let members = try? JSONReader.read(bytes, numbers: .integersOnly).objectValue,
            let policy = try? VerificationPolicy.complete(members).policy
        else { return nil }
        policies.withLock { $0[digest] = policy }
        return policy
    }

    func keySet(_ digest: Digest, _ policy: VerificationPolicy) throws -> JSONWebKeySet? {
        let name = KeySetName(digest: digest, rsaBitsMin: policy.rsaBitsMin)
        if let known = keySets.withLock({ $0[name] }) { return known }
        guard let bytes = try log.blob(digest),
            let keySet = try? JSONWebKeySet(parsing: bytes, limits: policy.keyLimits)
        else { return nil }
        keySets.withLock { $0[name] = keySet }
        return keySet
    }
}
