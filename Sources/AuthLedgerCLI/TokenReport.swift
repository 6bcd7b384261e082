// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect

/// What `token verify` says about a token.
struct TokenReport {
    /// The answer to the question whether it is valid.
    enum Answer {
        case valid
        case notValid
        /// Nothing failed, but something indispensable had nothing to be compared with.
        case inconclusive
    }

    let answer: Answer
    let checks: [TokenCheckLine]
    /// The payload, of a valid token alone.
    let payload: TokenPayload?
    /// The header as it was written; nil when there is none to be read.
    private let header: JSONObject?
    private let reason: TokenFailureReason?
    /// Nil when no claim was looked at.
    private let instant: Instant?

    /// Verifies an ID token. What is nil is not compared.
    init(
        _ token: [UInt8], keys: JSONWebKeySet, issuer: String?, audience: String?, nonce: String?,
        algorithms: [SignatureAlgorithm], at instant: Instant
    ) {
        var expectations = IDTokenExpectations(
            issuer: issuer ?? "", clientID: audience ?? "", algorithms: algorithms)
        expectations.nonce = nonce
        expectations.nonceRule = nonce == nil ? .ignored : .required
        expectations.issuedAgeSecondsMax = nil
        let examination = IDTokenVerifier(expectations).examine(token, keys: keys, at: instant)
        let known = KnownParties(issuer: issuer != nil, audience: audience != nil)
        let checks = examination.verdict.checks.map { result in
            known.line(for: result, hasNonce: nonce != nil)
        }
        let isAccepted = examination.verdict.isAccepted && known.areComplete
        self.init(
            token, checks, isAccepted: isAccepted,
            payload: isAccepted ? try? CompactJWS(parsing: token).unverifiedPayload : nil,
            instant: instant)
    }

    /// Verifies the signature alone.
    init(signatureOf token: [UInt8], keys: JSONWebKeySet, algorithms: [SignatureAlgorithm]) {
        let examination = SignatureVerifier(algorithms: algorithms).examine(token, keys: keys)
        let checks = examination.verdict.checks.map {
            TokenCheckLine(check: $0.check, outcome: $0.outcome)
        }
        self.init(
            token, checks, isAccepted: examination.jws != nil, payload: examination.jws?.payload,
            instant: nil)
    }

    private init(
        _ token: [UInt8], _ checks: [TokenCheckLine], isAccepted: Bool, payload: [UInt8]?,
        instant: Instant?
    ) {
        let reasons = checks.compactMap { line -> TokenFailureReason? in
            guard case .failed(let reason, _) = line.outcome else { return nil }
            return reason
        }
        answer = isAccepted ? .valid : reasons.isEmpty ? .inconclusive : .notValid
        reason = reasons.first
        self.checks = checks
        self.payload = payload.map(TokenPayload.init)
        self.instant = instant
        header = (try? CompactJWS(parsing: token))?.header.members
    }

    /// The members of `token verify --json`.
    var object: JSONObject {
        var object: JSONObject = [
            "checks": .array(checks.map { .object($0.object) }),
            "header": header.map(JSONValue.object) ?? .null,
            "signatureOnly": .bool(instant == nil),
            "valid": .bool(answer == .valid),
        ]
        object["at"] = instant.map { .string($0.rfc3339) }
        object["reason"] = reason.map { .string($0.rawValue) }
        payload?.add(to: &object)
        return object
    }

    /// The same for people.
    var text: String {
        // What --signature-only leaves out is said once.
        let shown = checks.filter {
            instant != nil || SignatureVerifier.checks.contains($0.check)
        }
        let lines = [headline] + shown.map(\.text) + (payload?.lines ?? [])
        return lines.joined(separator: "\n")
    }

    private var headline: String {
        switch (answer, instant) {
        case (.valid, let instant?):
            "VALID at \(instant)"
        case (.valid, nil):
            "VALID SIGNATURE: no claim was looked at"
        case (.notValid, _):
            "NOT VALID: \(reason?.rawValue ?? "")"
        case (.inconclusive, _):
            "INCONCLUSIVE: nothing failed, but not all was compared"
        }
    }
}

/// Which parties the caller named, and what is left of the checks without them.
private struct KnownParties {
    let issuer: Bool
    let audience: Bool

    var areComplete: Bool { issuer && audience }

    func line(for result: CheckResult, hasNonce: Bool) -> TokenCheckLine {
        var line = TokenCheckLine(check: result.check, outcome: result.outcome)
        switch result.check {
        case .iss where !issuer: line = uncompared(line, "no --issuer given")
        case .aud where !audience, .azp where !audience:
            line = uncompared(line, "no --audience given")
        case .nonce where !hasNonce && result.outcome == .notChecked:
            line.remark = "no --nonce-file given"
        default: break
        }
        return line
    }

    /// A comparison with nothing says nothing; a claim that is missing or malformed still fails.
    private func uncompared(_ line: TokenCheckLine, _ remark: String) -> TokenCheckLine {
        switch line.outcome {
        case .passed, .failed(.issuerMismatch, _), .failed(.audienceMismatch, _),
            .failed(.authorizedPartyMismatch, _):
            TokenCheckLine(check: line.check, outcome: .notChecked, remark: remark)
        case .failed, .notApplicable, .notChecked:
            line
        }
    }
}
