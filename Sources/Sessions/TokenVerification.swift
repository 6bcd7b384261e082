// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
public import OpenIDConnect
public import SessionEvents

/// The check of a session's ID token: the same for every flow, and the same live and replayed.
public enum TokenVerification {
    /// Which version of the checks this program runs. It changes when a check is added or one
    /// judges differently, so that an old verdict can be told from a new one.
    public static let checksVersion = 3

    /// The step that the checks lead to.
    static func verify(
        _ input: VerificationInput, in state: SessionState
    ) throws(SessionRejection) -> SessionStep {
        let (verdict, token, header) = try examine(input, in: state)
        guard let token, let header else { return failed(verdict, input) }
        if let failure = input.supplements?.failure {
            return SessionStep(
                failed: failure.reason == .permissionRefused ? .verification : .userinfo, failure,
                exchanges: input.supplements?.exchanges ?? [], checks: checks(verdict),
                checksVersion: checksVersion, keySetDigest: input.keySetDigest,
                policyDigest: input.policyDigest)
        }
        return verified(verdict, token, header, input, state)
    }

    /// What every check of a session's ID token says, with what it found.
    public static func verdict(
        _ input: VerificationInput, in state: SessionState
    ) throws(SessionRejection) -> Verdict {
        try examine(input, in: state).0
    }

    /// The ID token if every check passes: what UserInfo may be asked for, and nothing before.
    public static func acceptedToken(
        _ input: VerificationInput, in state: SessionState
    ) throws(SessionRejection) -> IDToken? {
        try examine(input, in: state).1
    }

    /// Why a token is refused that is not accepted.
    public static func reason(of verdict: Verdict) -> FailureReason {
        verdict.reason.map { FailureReason($0) } ?? FailureReason(TokenFailureReason.tokenMalformed)
    }

    private static func examine(
        _ input: VerificationInput, in state: SessionState
    ) throws(SessionRejection) -> (Verdict, IDToken?, JWSHeader?) {
        guard let idToken = state.secrets.idToken,
            let instant = input.instant ?? state.tokenIssuedAt
        else { throw .evidenceMissing }
        var expectations = input.policy.expectations(
            nonce: state.secrets.nonce,
            accessToken: HashExpectation(
                state.secrets.accessTokenHash.map { .leftHalf($0) },
                // What came through the browser is one answer only if the token says so.
                isRequired: state.flow == .implicit && state.secrets.accessTokenHash != nil))
        expectations.code = HashExpectation(state.secrets.codeHash.map { .leftHalf($0) })
        expectations.state = HashExpectation(state.secrets.state.map { .value($0) })
        if let flow = state.flow, !flow.usesRedirect {
            expectations.request = requestExpectation(input, state)
        }
        return IDTokenVerifier(expectations).examine(
            Array(idToken.utf8), keys: input.keys, at: instant)
    }

    private static func requestExpectation(
        _ input: VerificationInput, _ state: SessionState
    ) -> RequestExpectation {
        var expectation = RequestExpectation(
            requestID: state.secrets.requestID, acceptedAt: state.polling.acceptedAt,
            personClaims: input.policy.hintClaims, isReplayed: input.isReplayed)
        if let hint = state.secrets.loginHint {
            expectation.person = HintedPerson.named(inLoginHint: hint)
        } else if let token = state.secrets.idTokenHint,
            let subject = HintedPerson.subject(ofIDToken: token)
        {
            expectation.person = subject
            expectation.personClaims = ["sub"]
        } else if state.secrets.idTokenHint != nil || state.secrets.loginHintToken != nil {
            // Only the provider reads it: somebody is meant, and nobody else knows who.
            expectation.person = ""
            expectation.personClaims = []
        }
        return expectation
    }

    private static func failed(_ verdict: Verdict, _ input: VerificationInput) -> SessionStep {
        SessionStep(
            .failed(
                Failed(
                    stage: .verification,
                    reason: reason(of: verdict), checks: checks(verdict),
                    checksVersion: checksVersion,
                    policyDigest: input.policyDigest, keySetDigest: input.keySetDigest)))
    }

    private static func verified(
        _ verdict: Verdict, _ token: IDToken, _ header: JWSHeader, _ input: VerificationInput,
        _ state: SessionState
    ) -> SessionStep {
        let acr = token.claims["acr"]?.stringValue
        let claims = ClaimCollection(token, input.supplements?.userInfo, state)
        let subject = input.subjectClaims.first { claims.isSigned($0) }
        let exchanges = input.supplements?.exchanges ?? []
        let event = Verified(
            algorithm: header.algorithmName, keyID: verifyingKeyID(header, input.keys),
            acr: acr.map { RegisteredNames.isHarmlessACR($0) ? $0 : RegisteredNames.other },
            levelOfAssurance: acr.flatMap {
                AssuranceLevel.level(of: $0, table: input.policy.levelsOfAssurance)
            }, subjectClaim: subject, tokenIssuedAt: token.issuedAt.instant,
            tokenExpiresAt: token.expiration.instant, checks: checks(verdict),
            checksVersion: checksVersion, policyDigest: input.policyDigest,
            keySetDigest: input.keySetDigest, discoveryDigest: state.discoveryDigest,
            exchanges: exchanges.isEmpty ? nil : exchanges)
        var sealed: JSONObject = ["claims": .object(claims.claims)]
        sealed["subject"] = claims.claims[subject ?? "sub"]
        if claims.hasOthers {
            sealed["claimOrigins"] = .object(claims.origins)
            sealed["unsignedClaims"] = .array(claims.unsigned.map { .string($0) })
        }
        sealed["userInfoResponse"] = input.supplements?.userInfoResponse.map { .object($0) }
        sealed["grant"] = input.supplements?.grant.map { .string($0) }
        return SessionStep(.verified(event), sealed: sealed)
    }

    /// The key's id, which stands in an archived key set and so may stand in the clear.
    private static func verifyingKeyID(_ header: JWSHeader, _ keys: JSONWebKeySet) -> String? {
        header.keyID.map {
            RegisteredNames.keyIDInClear($0, archived: keys.keys.compactMap(\.keyID))
        }
    }

    private static func checks(_ verdict: Verdict) -> [Check] {
        verdict.checks.map(Check.init)
    }
}

extension Check {
    /// A result as it stands in events.
    init(_ result: CheckResult) {
        let outcome: Outcome =
            switch result.outcome {
            case .passed: .passed
            case .failed: .failed
            case .notApplicable: .notApplicable
            case .notChecked: .notChecked
            }
        self.init(result.check.rawValue, outcome)
    }
}

extension Claim<Instant> {
    /// The instant, if the claim is there and well formed.
    fileprivate var instant: Instant? {
        if case .value(let instant) = self { instant } else { nil }
    }
}
