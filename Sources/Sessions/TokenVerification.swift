// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents

/// The check of a session's ID token: the same for every flow, and the same live and replayed.
public enum TokenVerification {
    /// Which version of the checks this program runs. It changes when a check is added or one
    /// judges differently, so that an old verdict can be told from a new one.
    public static let checksVersion = 1

    /// Response bodies up to this size are kept with the event, in bytes.
    static let recordedBodyBytesMax = 65_536

    /// The step that the checks lead to.
    static func verify(
        _ input: VerificationInput, in state: SessionState
    ) throws(SessionRejection) -> SessionStep {
        guard let idToken = state.secrets.idToken, let instant = state.tokenIssuedAt else {
            throw .evidenceMissing
        }
        let accessToken = state.secrets.accessTokenHash.map {
            HashExpectation(.leftHalf($0))
        }
        let expectations = input.policy.expectations(
            nonce: state.secrets.nonce, accessToken: accessToken ?? HashExpectation())
        let (verdict, token, header) = IDTokenVerifier(expectations).examine(
            Array(idToken.utf8), keys: input.keys, at: instant)
        guard let token, let header else { return failed(verdict, input) }
        return verified(verdict, token, header, input, state)
    }

    private static func failed(_ verdict: Verdict, _ input: VerificationInput) -> SessionStep {
        SessionStep(
            .failed(
                Failed(
                    stage: .verification,
                    reason: verdict.reason.map { FailureReason($0) }
                        ?? FailureReason(TokenFailureReason.tokenMalformed),
                    checks: checks(verdict), checksVersion: checksVersion,
                    policyDigest: input.policyDigest, keySetDigest: input.keySetDigest)))
    }

    private static func verified(
        _ verdict: Verdict, _ token: IDToken, _ header: JWSHeader, _ input: VerificationInput,
        _ state: SessionState
    ) -> SessionStep {
        let acr = token.claims["acr"]?.stringValue
        let event = Verified(
            algorithm: header.algorithmName,
            keyID: verifyingKeyID(header, input.keys),
            acr: acr.map { RegisteredNames.isHarmlessACR($0) ? $0 : RegisteredNames.other },
            tokenIssuedAt: token.issuedAt.instant, tokenExpiresAt: token.expiration.instant,
            checks: checks(verdict), checksVersion: checksVersion,
            policyDigest: input.policyDigest, keySetDigest: input.keySetDigest,
            discoveryDigest: state.discoveryDigest)
        var sealed: JSONObject = ["claims": .object(token.claims)]
        sealed["subject"] = token.claims["sub"]
        return SessionStep(.verified(event), sealed: sealed)
    }

    /// The key's id, which stands in an archived key set and so may stand in the clear.
    private static func verifyingKeyID(_ header: JWSHeader, _ keys: JSONWebKeySet) -> String? {
        header.keyID.map {
            RegisteredNames.keyIDInClear($0, archived: keys.keys.compactMap(\.keyID))
        }
    }

    private static func checks(_ verdict: Verdict) -> [Check] {
        verdict.checks.map { result in
            Check(result.check.rawValue, outcome(result.outcome))
        }
    }

    private static func outcome(_ outcome: CheckOutcome) -> Check.Outcome {
        switch outcome {
        case .passed: .passed
        case .failed: .failed
        case .notApplicable: .notApplicable
        case .notChecked: .notChecked
        }
    }
}

extension Claim<Instant> {
    /// The instant, if the claim is there and well formed.
    fileprivate var instant: Instant? {
        if case .value(let instant) = self { instant } else { nil }
    }
}
