// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents
internal import Sessions

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
    private var recorded: RecordedVerdict

    init(
        session: String, isErased: Bool = false, recorded: RecordedVerdict = RecordedVerdict()
    ) {
        self.session = session
        self.isErased = isErased
        self.recorded = recorded
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
        let payload = try SessionEventCodec.decode(event)
        recorded.note(payload)
        guard !hasToken else { return }
        let mayMatter = payload.type == .initiated || payload.type == .tokenIssued
        take(
            payload, at: event.position, event.envelope.time,
            sealed: mayMatter ? try open(event) : nil)
    }

    /// Takes in an event up to the token, with what was sealed in it.
    mutating func take(
        _ payload: SessionEvent, at place: UInt64, _ time: Instant, sealed: JSONObject?
    ) {
        switch payload {
        case .initiated(let event):
            provider = event.provider
        case .tokenIssued(let event):
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
struct RecordedVerdict {
    private(set) var isGood: Bool?
    /// The key that verified the token. With the token itself it stands only where its key set was
    /// at hand when it came.
    private(set) var keyID: String?
    private(set) var keySetDigest: Digest?
    private(set) var policyDigest: Digest?
    private(set) var isReplayed: Bool?

    /// The verdict of a session of which nothing is known yet.
    init() {}

    /// What an event says by itself.
    init(_ event: SessionEvent) {
        note(event)
    }

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
