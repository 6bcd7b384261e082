// SPDX-License-Identifier: Apache-2.0

/// What is looked at in an ID token. The raw values stand in events and never change; the order
/// of the cases is the order in every verdict.
public enum TokenCheck: String, Sendable, Hashable, CaseIterable {
    /// The signature is the key's (OpenID Connect Core §3.1.3.7, 6).
    case signature
    /// The algorithm is one of those agreed on (7).
    case alg
    /// There is a key for it, and it is fit to be used.
    case key
    /// `typ` in the header is one of an ID token (RFC 8725 §3.11).
    case typ
    /// No extension that we do not know is demanded (RFC 7515 §4.1.11).
    case crit
    /// The issuer is the provider, byte by byte (2).
    case iss
    /// There is a subject (§2).
    case sub
    /// The client is meant, and nobody else who is not trusted (3).
    case aud
    /// If a party is authorised, it is the client (4, 5).
    case azp
    /// The token has not expired (9).
    case exp
    /// The token is valid already (RFC 7519 §4.1.5).
    case nbf
    /// The token was made neither in the future nor too long ago (10).
    case iat
    /// The nonce is the one sent (11).
    case nonce
    /// The level of assurance suffices (12).
    case acr
    /// The access token belongs to this token (§3.1.3.8).
    case accessTokenHash = "at_hash"
    /// The code belongs to this token (§3.3.2.10).
    case codeHash = "c_hash"
    /// The state belongs to this token (FAPI 1.0 Advanced §5.2.2.1).
    case stateHash = "s_hash"
    /// The user was authenticated recently enough (13).
    case authTime = "auth_time"
    /// The token answers the backchannel request, by the id that it names (CIBA Core §10.3.1).
    case authReqID = "auth_req_id"
    /// The person is the one that the backchannel request was about (CIBA Core §7.1).
    case hintedSubject = "subject"
    /// The token did not come before, in another session.
    case replay
    /// The token is not larger than allowed.
    case size
    /// Three parts of strict base64url, and a header of strict JSON (RFC 7515 §7.1).
    case token
    /// No header member that would let the token choose its own key.
    case header
    /// The payload is an object of strict JSON, with the claims that must be there.
    case claims

    /// Whether no token is accepted without it, whatever the policy.
    var isIndispensable: Bool {
        switch self {
        case .signature, .alg, .key, .typ, .crit, .iss, .sub, .aud, .exp, .iat, .size, .token,
            .header, .claims:
            true
        case .azp, .nbf, .nonce, .acr, .accessTokenHash, .codeHash, .stateHash, .authTime,
            .authReqID, .hintedSubject, .replay:
            false
        }
    }

    /// Whether it binds a token to a backchannel request. Through a browser, the nonce does.
    var bindsToRequest: Bool {
        switch self {
        case .authReqID, .hintedSubject, .replay: true
        default: false
        }
    }
}

/// Why a check failed: codes of the failure catalogue.
public enum TokenFailureReason: String, Sendable, Hashable, CaseIterable {
    case accessTokenHashMismatch = "at-hash-mismatch"
    case acrTooLow = "acr-too-low"
    case algorithmNotAllowed = "alg-not-allowed"
    case audienceMismatch = "aud-mismatch"
    case authTimeStale = "auth-time-stale"
    case authorizedPartyMismatch = "azp-mismatch"
    case claimMalformed = "claim-malformed"
    case claimMissing = "claim-missing"
    case codeHashMismatch = "c-hash-mismatch"
    case criticalUnsupported = "crit-unsupported"
    case headerRefused = "header-refused"
    case issuedAtInvalid = "iat-invalid"
    case issuedTooLongAgo = "iat-too-old"
    case issuerMismatch = "iss-mismatch"
    case keyIDUnknown = "kid-unknown"
    case keyUnsuitable = "key-unsuitable"
    case keyWeak = "key-weak"
    case nonceMismatch = "nonce-mismatch"
    case notYetValid = "not-yet-valid"
    case signatureInvalid = "sig-invalid"
    case stateHashMismatch = "s-hash-mismatch"
    case subjectMismatch = "subject-mismatch"
    case tokenExpired = "token-expired"
    case tokenMalformed = "token-malformed"
    case tokenReplayed = "token-replayed"
    case tokenTooLarge = "response-too-large"
}

/// How a check came out.
public enum CheckOutcome: Sendable, Hashable {
    case passed
    /// It failed. `detail` says more, in fixed words and numbers: nothing in it comes from the
    /// text of a token, so it may be shown to anyone.
    case failed(TokenFailureReason, detail: String)
    /// Neither the token nor what is expected of it gives anything to compare.
    case notApplicable
    /// Something to compare is there, but nobody said with what, or an earlier failure forbids
    /// to look.
    case notChecked

    /// The name in events: `passed`, `failed`, `not-applicable`, `not-checked`.
    public var name: String {
        switch self {
        case .passed: "passed"
        case .failed: "failed"
        case .notApplicable: "not-applicable"
        case .notChecked: "not-checked"
        }
    }
}

/// A check and its outcome.
public struct CheckResult: Sendable, Hashable {
    /// What was looked at.
    public let check: TokenCheck
    /// How it came out.
    public let outcome: CheckOutcome

    /// A result.
    public init(_ check: TokenCheck, _ outcome: CheckOutcome) {
        self.check = check
        self.outcome = outcome
    }
}

/// What all checks of one token said: a value to be recorded, computed again and compared.
public struct Verdict: Sendable, Hashable {
    /// One result for every ``TokenCheck`` that the flow has, in their order.
    public let checks: [CheckResult]

    /// Asks for the outcome of every check.
    ///
    /// - Parameter isBackchannel: whether the token answers a backchannel request, and so has the
    ///   checks that bind it to that.
    init(isBackchannel: Bool, _ outcome: (TokenCheck) -> CheckOutcome) {
        var checks: [CheckResult] = []
        let all = TokenCheck.allCases
        checks.reserveCapacity(all.count)
        for check in all where isBackchannel || !check.bindsToRequest {
            checks.append(CheckResult(check, outcome(check)))
        }
        self.checks = checks
    }

    /// Whether the token is accepted: nothing failed, and nothing indispensable was left out.
    public var isAccepted: Bool {
        checks.allSatisfy { result in
            switch result.outcome {
            case .passed: true
            case .failed: false
            case .notApplicable, .notChecked: !result.check.isIndispensable
            }
        }
    }

    /// The outcome of one check.
    public subscript(check: TokenCheck) -> CheckOutcome {
        checks.first { $0.check == check }?.outcome ?? .notChecked
    }

    /// The reason of the first check that failed; nil when none did.
    public var reason: TokenFailureReason? {
        for result in checks {
            if case .failed(let reason, _) = result.outcome { return reason }
        }
        return nil
    }
}
