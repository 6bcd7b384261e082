// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect
internal import OpenSSL
internal import SessionEvents
internal import Sessions

/// Hides values so that they can be told apart and nothing else: equal ones have the same mask
/// within one output, and nobody can compare it with another output's.
public struct Mask: Sendable {
    private static let shownBytes = 4
    private let key: SecretBytes

    /// A mask for one output.
    ///
    /// - Parameter key: 32 random bytes that are used for nothing else.
    public init(key: [UInt8]) {
        self.key = SecretBytes(key)
    }

    /// What stands for a value.
    public func hide(_ value: String) -> String {
        let code = hmacSHA256(key: key, Array(value.utf8)).prefix(Self.shownBytes)
        return "masked:" + Hexadecimal.encode(Array(code))
    }
}

/// What a check of an ID token that failed compared.
public struct CheckEvidence: Equatable, Sendable {
    /// The check's name.
    public let name: String
    /// What is wrong, in fixed words and numbers.
    public let detail: String
    /// What was expected; masked where it is secret. Nil where there is nothing to compare.
    public let expected: String?
    /// What the token says; masked unless it is public.
    public let actual: String?
}

/// What of a session can be seen once it is opened, and may be shown all the same.
public struct OpenedEvidence: Equatable, Sendable {
    /// The checks of the ID token that fail, as they are made now.
    public let checks: [CheckEvidence]
    /// How far the provider's clock was ahead of ours when it answered, in seconds, as far as its
    /// `Date` tells; nil when it did not say.
    public let providerClockAheadSeconds: Int?
}

extension Replayer {
    /// Opens what a session's explanation needs, and masks what nobody may see.
    ///
    /// - Returns: nil when the session is another program's, or has been erased.
    /// - Throws: an error of the ledger.
    public func evidence(of session: String, _ mask: Mask) throws -> OpenedEvidence? {
        guard let steps = try openedSteps(of: session) else { return nil }
        var state = SessionState()
        var clock: Int?
        var checks: [CheckEvidence] = []
        for step in steps {
            if case .failed(let failed) = step.event, state.phase == .tokenIssued {
                checks = try failing(failed, state, mask)
            }
            if case .tokenIssued = step.event {
                clock = Self.clockAhead(step)
            }
            state = Session.evolve(
                state, by: step.event, at: step.time, sealed: step.sealed)
        }
        return OpenedEvidence(checks: checks, providerClockAheadSeconds: clock)
    }

    private static func clockAhead(_ step: RecordedStep) -> Int? {
        guard let date = step.sealed["response"]?.objectValue?["date"]?.stringValue,
            let theirs = Instant(httpDate: date)
        else { return nil }
        // Theirs is cut to whole seconds.
        return Int(theirs.secondsSince1970 - step.time.secondsSince1970)
    }

    private func failing(
        _ failed: Failed, _ state: SessionState, _ mask: Mask
    ) throws -> [CheckEvidence] {
        guard
            let input = try verificationInput(
                failed.keySetDigest, failed.policyDigest, failed.checks, in: state),
            let verdict = try? TokenVerification.verdict(input, in: state)
        else { return [] }
        let comparison = TokenComparison(input: input, state: state, mask: mask)
        return verdict.checks.compactMap { result in
            guard case .failed(_, let detail) = result.outcome else { return nil }
            let (expected, actual) = comparison.sides(of: result.check)
            return CheckEvidence(
                name: result.check.rawValue, detail: detail, expected: expected, actual: actual)
        }
    }
}

/// What is expected of a token beside what it says.
private struct TokenComparison {
    let input: VerificationInput
    let state: SessionState
    let mask: Mask
    private let header: JWSHeader?
    private let claims: JSONObject

    init(input: VerificationInput, state: SessionState, mask: Mask) {
        self.input = input
        self.state = state
        self.mask = mask
        let token = state.secrets.idToken.flatMap { try? CompactJWS(parsing: Array($0.utf8)) }
        header = token?.header
        claims =
            token.flatMap { try? JSONReader.read($0.unverifiedPayload, numbers: .anyAsText) }?
            .objectValue ?? JSONObject()
    }

    /// What was expected, and what is there; public values as they are.
    func sides(of check: TokenCheck) -> (expected: String?, actual: String?) {
        let policy = input.policy
        switch check {
        case .iss: return (policy.issuer, shown("iss", orEqual: policy.issuer))
        case .aud:
            return (
                ([policy.audience] + policy.trustedAudiences).joined(separator: ", "),
                shown("aud", orEqual: policy.audience)
            )
        case .azp: return (policy.audience, shown("azp", orEqual: policy.audience))
        case .alg:
            return (
                policy.algorithms.joined(separator: ", "),
                header.map { RegisteredNames.inClear($0.algorithmName, RegisteredNames.algorithms) }
            )
        case .key, .signature: return keySides
        case .nonce: return (state.secrets.nonce.map(mask.hide), shown("nonce"))
        case .accessTokenHash:
            return (state.secrets.accessTokenHash.map(mask.hide), shown("at_hash"))
        case .codeHash: return (state.secrets.codeHash.map(mask.hide), shown("c_hash"))
        case .authReqID:
            return (
                state.secrets.requestID.map(mask.hide),
                shown("urn:openid:params:jwt:claim:auth_req_id")
            )
        case .hintedSubject: return (state.secrets.loginHint.map(mask.hide), person)
        case .acr:
            return ("level \(policy.levelOfAssuranceMin) or higher", harmlessACR ?? shown("acr"))
        case .exp, .nbf, .iat, .authTime: return timeSides(check)
        case .sub: return (nil, shown("sub"))
        case .stateHash, .replay, .typ, .crit, .size, .token, .header, .claims:
            return (nil, nil)
        }
    }

    private var keySides: (String?, String?) {
        let known = input.keys.keys.compactMap(\.keyID).filter(RegisteredNames.isKeyID)
        let actual = header?.keyID.map { keyID in
            known.contains { $0.isIdentical(to: keyID) } ? keyID : mask.hide(keyID)
        }
        return ("a key of: " + known.joined(separator: ", "), actual ?? "no `kid`")
    }

    private var harmlessACR: String? {
        claims["acr"]?.stringValue.flatMap { RegisteredNames.isHarmlessACR($0) ? $0 : nil }
    }

    private var person: String? {
        input.policy.hintClaims.lazy.compactMap { claims[$0]?.stringValue }.first.map(mask.hide)
    }

    private func timeSides(_ check: TokenCheck) -> (String?, String?) {
        let received = state.tokenIssuedAt.map { "received \($0.rfc3339)" }
        guard case .number(let text)? = claims[check.rawValue], let seconds = Int64(text),
            (0...4_102_444_800).contains(seconds)
        else { return (received, shown(check.rawValue)) }
        return (received, Instant(millisecondsSince1970: seconds * 1000).rfc3339)
    }

    /// What a claim says, masked unless it is the public value that was expected.
    private func shown(_ name: String, orEqual expected: String? = nil) -> String {
        switch claims[name] {
        case nil: return "missing"
        case .string(let text):
            return expected.map(text.isIdentical(to:)) ?? false ? text : mask.hide(text)
        case .array(let elements):
            let texts = elements.compactMap(\.stringValue).map { text in
                expected.map(text.isIdentical(to:)) ?? false ? text : mask.hide(text)
            }
            return "[" + texts.joined(separator: ", ") + "]"
        case .number, .integer: return "a number"
        case .bool: return "true or false"
        case .object: return "an object"
        case .null: return "null"
        }
    }
}
