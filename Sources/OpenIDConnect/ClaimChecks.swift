// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives

/// The checks of the claims of a token whose signature is verified: each looks at one claim.
struct ClaimChecks {
    let token: IDToken
    let expectations: IDTokenExpectations
    let algorithm: SignatureAlgorithm
    let instant: Instant

    /// The longest subject in bytes (OpenID Connect Core §2).
    private static let subjectBytesMax = 255
    /// Longer ages than this, some 35,000 years, are taken for this: the sums below cannot
    /// overflow.
    private static let ageSecondsMax = 1 << 40

    /// The outcome of a check of a claim; the others are not made here.
    func outcome(of check: TokenCheck) -> CheckOutcome {
        switch check {
        case .iss: issuer
        case .sub: subject
        case .aud: audience
        case .azp: authorizedParty
        case .exp: expiration
        case .nbf: notBefore
        case .iat: issuedAt
        case .authTime: authenticationTime
        case .nonce: nonce
        case .acr: authenticationContext
        case .accessTokenHash:
            hash(token.accessTokenHash, expectations.accessToken, .accessTokenHashMismatch)
        case .codeHash: hash(token.codeHash, expectations.code, .codeHashMismatch)
        case .stateHash: hash(token.stateHash, expectations.state, .stateHashMismatch)
        case .authReqID, .hintedSubject, .replay: requestBinding(check)
        case .signature, .alg, .key, .typ, .crit, .size, .token, .header, .claims: .notChecked
        }
    }

    /// Whether every claim is there that has to be.
    var presence: CheckOutcome {
        let missing = expectations.requiredClaims.count { name in
            switch token.claims[name] {
            case nil, .null: true
            default: false
            }
        }
        return missing == 0
            ? .passed
            : .failed(.claimMissing, detail: "\(missing) of the claims that must be there are not")
    }

    // MARK: - Parties

    private var issuer: CheckOutcome {
        required(token.issuer) { issuer in
            issuer.isIdentical(to: expectations.issuer)
                ? .passed : .failed(.issuerMismatch, detail: "`iss` is not the provider's issuer")
        }
    }

    private var subject: CheckOutcome {
        required(token.subject) { subject in
            !subject.isEmpty && subject.utf8.count <= Self.subjectBytesMax
                ? .passed
                : .failed(.claimMalformed, detail: "the claim is empty or longer than 255 bytes")
        }
    }

    private var audience: CheckOutcome {
        required(token.audience) { audience in
            guard audience.contains(where: isClient) else {
                return .failed(.audienceMismatch, detail: "the client is not in `aud`")
            }
            let strangers = audience.filter { !isClient($0) && !isTrusted($0) }
            guard strangers.isEmpty else {
                return .failed(
                    .audienceMismatch, detail: "`aud` names \(strangers.count) that are not trusted"
                )
            }
            return .passed
        }
    }

    private var authorizedParty: CheckOutcome {
        switch token.authorizedParty {
        case .absent:
            guard case .value(let audience) = token.audience, audience.count > 1 else {
                return .notApplicable
            }
            return .failed(.claimMissing, detail: "`aud` names several, but `azp` is missing")
        case .malformed:
            return malformed
        case .value(let party):
            return isClient(party)
                ? .passed : .failed(.authorizedPartyMismatch, detail: "`azp` is not the client")
        }
    }

    private func isClient(_ name: String) -> Bool { name.isIdentical(to: expectations.clientID) }

    private func isTrusted(_ name: String) -> Bool {
        expectations.trustedAudiences.contains { $0.isIdentical(to: name) }
    }

    // MARK: - Times

    private var expiration: CheckOutcome {
        required(token.expiration) { expiration in
            let tolerated = expectations.skew.expirationSeconds
            let excess = seconds(from: expiration, to: instant, tolerating: tolerated)
            return excess < 0
                ? .passed
                : .failed(
                    .tokenExpired,
                    detail: "expired \(excess + Int64(tolerated)) s ago, \(tolerated) s tolerated")
        }
    }

    private var notBefore: CheckOutcome {
        switch token.notBefore {
        case .absent: return .notApplicable
        case .malformed: return malformed
        case .value(let start):
            let tolerated = expectations.skew.notBeforeSeconds
            return inFuture(start, tolerating: tolerated, .notYetValid)
        }
    }

    private var issuedAt: CheckOutcome {
        required(token.issuedAt) { issued in
            let future = inFuture(
                issued, tolerating: expectations.skew.issuedAtSeconds, .issuedAtInvalid)
            guard case .passed = future else { return future }
            if let accepted = expectations.request?.acceptedAt {
                let tolerated = expectations.skew.issuedAtSeconds
                let excess = seconds(from: issued, to: accepted, tolerating: tolerated)
                guard excess <= 0 else {
                    return .failed(
                        .issuedTooLongAgo,
                        detail: "\(excess + Int64(tolerated)) s before the request was accepted, "
                            + "\(tolerated) s tolerated")
                }
            }
            guard let ageMax = expectations.issuedAgeSecondsMax else { return future }
            return notOlder(
                issued, than: ageMax, tolerating: expectations.skew.issuedAtSeconds,
                .issuedTooLongAgo)
        }
    }

    private var authenticationTime: CheckOutcome {
        guard let ageMax = expectations.authenticationAgeSecondsMax else { return .notApplicable }
        let tolerated = expectations.skew.issuedAtSeconds
        return required(token.authenticationTime) { time in
            let future = inFuture(time, tolerating: tolerated, .claimMalformed)
            guard case .passed = future else { return future }
            return notOlder(time, than: ageMax, tolerating: tolerated, .authTimeStale)
        }
    }

    private func inFuture(
        _ time: Instant, tolerating tolerated: Int, _ reason: TokenFailureReason
    ) -> CheckOutcome {
        let excess = seconds(from: instant, to: time, tolerating: tolerated)
        return excess <= 0
            ? .passed
            : .failed(
                reason,
                detail: "\(excess + Int64(tolerated)) s in the future, \(tolerated) s tolerated")
    }

    private func notOlder(
        _ time: Instant, than ageMax: Int, tolerating tolerated: Int, _ reason: TokenFailureReason
    ) -> CheckOutcome {
        let ageMax = min(max(ageMax, 0), Self.ageSecondsMax)
        let excess = seconds(from: time, to: instant, tolerating: ageMax + tolerated)
        return excess <= 0
            ? .passed
            : .failed(
                reason,
                detail: "\(excess + Int64(ageMax + tolerated)) s old, \(ageMax) s allowed, "
                    + "\(tolerated) s tolerated")
    }

    /// Seconds that pass from one instant to another beyond those tolerated, rounded away from
    /// zero, so that half a second too late is too late.
    private func seconds(from start: Instant, to end: Instant, tolerating: Int) -> Int64 {
        let milliseconds =
            end.millisecondsSince1970 - start.millisecondsSince1970 - Int64(tolerating) * 1000
        let (quotient, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        return quotient + rest.signum()
    }

    // MARK: - Bindings

    private var nonce: CheckOutcome {
        switch (expectations.nonceRule, token.nonce) {
        case (.ignored, .absent): .notApplicable
        case (.ignored, _): .notChecked
        case (.ifPresent, .absent): .notApplicable
        case (.required, .absent): missing
        case (_, .malformed): malformed
        case (_, .value(let nonce)):
            if let sent = expectations.nonce, nonce.isIdenticalInConstantTime(to: sent) {
                .passed
            } else {
                .failed(
                    .nonceMismatch,
                    detail: expectations.nonce == nil
                        ? "there is a `nonce`, but none was sent" : "`nonce` is not the one sent")
            }
        }
    }

    private var authenticationContext: CheckOutcome {
        guard let levelMin = expectations.assuranceLevelMin else { return .notApplicable }
        return required(token.authenticationContext) { acr in
            let level = AssuranceLevel.level(of: acr, table: expectations.assuranceLevels)
            guard let level else {
                return .failed(
                    .acrTooLow, detail: "`acr` says no level of assurance, \(levelMin) demanded")
            }
            return level >= levelMin
                ? .passed
                : .failed(.acrTooLow, detail: "level of assurance \(level), \(levelMin) demanded")
        }
    }

    private func hash(
        _ claim: Claim<String>, _ expected: HashExpectation, _ reason: TokenFailureReason
    ) -> CheckOutcome {
        switch claim {
        case .absent:
            return expected.isRequired ? missing : .notApplicable
        case .malformed:
            return malformed
        case .value(let hash):
            let leftHalf: String
            switch expected.original {
            case nil: return .notChecked
            case .leftHalf(let known): leftHalf = known
            case .value(let text): leftHalf = LeftHalfHash.encode(text, algorithm: algorithm)
            }
            return hash.isIdenticalInConstantTime(to: leftHalf)
                ? .passed : .failed(reason, detail: "the hash is that of something else")
        }
    }

    // MARK: - Claims

    private var missing: CheckOutcome {
        .failed(.claimMissing, detail: "the claim is missing")
    }

    private var malformed: CheckOutcome {
        .failed(.claimMalformed, detail: "the claim has the wrong type or is out of range")
    }

    private func required<Value>(
        _ claim: Claim<Value>, _ check: (Value) -> CheckOutcome
    ) -> CheckOutcome {
        switch claim {
        case .absent: missing
        case .malformed: malformed
        case .value(let value): check(value)
        }
    }
}
