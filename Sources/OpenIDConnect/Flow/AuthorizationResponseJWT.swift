// SPDX-License-Identifier: Apache-2.0

public import JOSE
public import LedgerPrimitives

/// What a signed authorization response is checked with (JARM).
public struct AuthorizationResponseExpectations: Equatable, Sendable {
    /// The issuer that the session's user was sent to.
    public var issuer: String
    /// The client.
    public var clientID: String
    /// The algorithms agreed on.
    public var algorithms: [SignatureAlgorithm]
    /// How far the clocks may differ.
    public var skew: ClockSkew

    /// What a response is compared with.
    public init(
        issuer: String, clientID: String, algorithms: [SignatureAlgorithm],
        skew: ClockSkew = ClockSkew()
    ) {
        self.issuer = issuer
        self.clientID = clientID
        self.algorithms = algorithms
        self.skew = skew
    }
}

extension AuthorizationResponseExpectations {
    /// The archived form: every setting that the checks read.
    public var object: JSONObject {
        [
            "algorithms": .array(algorithms.map { .string($0.rawValue) }),
            "audience": .string(clientID),
            "clockSkewSeconds": .object(skew.object),
            "issuer": .string(issuer),
        ]
    }
}

/// An authorization response in a signed token (JWT Secured Authorization Response Mode §2.4).
public enum AuthorizationResponseJWT {
    /// The result of a check with the parameters inside, if it passed.
    public struct Outcome: Equatable, Sendable {
        /// Every check that was made, and how it came out.
        public let checks: [CheckResult]
        /// The parameters; nil when a check failed.
        public let parameters: CallbackParameters?
        /// Why it failed.
        public let failure: FlowFailure?
    }

    /// The most bytes of a response that are read.
    public static let bytesMax = 131_072

    /// The state inside a response that nobody has verified: good for finding the session that it
    /// may belong to, and for nothing else. Nil when it cannot be seen, as in an encrypted one.
    public static func unverifiedState(in response: String) -> String? {
        guard let token = try? CompactJWS(parsing: Array(response.utf8), bytesMax: bytesMax),
            let claims = try? JSONReader.read(token.unverifiedPayload, numbers: .anyAsText)
        else { return nil }
        return claims.objectValue?["state"]?.stringValue
    }

    /// Verifies a response: algorithm and signature, issuer, audience, expiry. State, error and
    /// code inside are for the session to judge, in this order.
    public static func verify(
        _ response: String, keys: JSONWebKeySet, _ expected: AuthorizationResponseExpectations,
        at instant: Instant
    ) -> Outcome {
        let jws: VerifiedJWS
        do {
            jws = try CompactJWS(parsing: Array(response.utf8), bytesMax: bytesMax)
                .verified(with: keys, allowing: expected.algorithms)
        } catch {
            let failure = TokenFailure(error)
            let checks = signatureChecks.map { CheckResult($0, failure.outcome(of: $0)) }
            return Outcome(checks: checks, parameters: nil, failure: FlowFailure(.jarmInvalid))
        }
        let passed = signatureChecks.map { CheckResult($0, .passed) }
        guard let token = IDToken(parsing: jws.payload) else {
            let malformed = CheckOutcome.failed(
                .tokenMalformed, detail: "the payload is not an object of strict JSON")
            return Outcome(
                checks: passed + [CheckResult(.claims, malformed)], parameters: nil,
                failure: FlowFailure(.jarmInvalid))
        }
        let claims = claimChecks(token, expected, jws.algorithm, instant)
        let checks = passed + [CheckResult(.claims, .passed)] + claims
        if let failure = failure(in: claims, token) {
            return Outcome(checks: checks, parameters: nil, failure: failure)
        }
        do {
            return Outcome(
                checks: checks, parameters: try parameters(token.claims), failure: nil)
        } catch {
            return Outcome(checks: checks, parameters: nil, failure: FlowFailure(.jarmInvalid))
        }
    }

    private static let signatureChecks: [TokenCheck] = [
        .size, .token, .header, .crit, .alg, .key, .signature,
    ]

    /// The checks of an ID token that a response has to pass as well.
    private static func claimChecks(
        _ token: IDToken, _ expected: AuthorizationResponseExpectations,
        _ algorithm: SignatureAlgorithm, _ instant: Instant
    ) -> [CheckResult] {
        var expectations = IDTokenExpectations(
            issuer: expected.issuer, clientID: expected.clientID, algorithms: expected.algorithms)
        expectations.skew = expected.skew
        expectations.issuedAgeSecondsMax = nil
        let checks = ClaimChecks(
            token: token, expectations: expectations, algorithm: algorithm, instant: instant)
        return [TokenCheck.iss, .aud, .exp, .nbf].map { CheckResult($0, checks.outcome(of: $0)) }
    }

    /// A response of another issuer is a sign that providers were mixed up, which is worth a
    /// reason of its own; everything else makes the response invalid.
    private static func failure(in checks: [CheckResult], _ token: IDToken) -> FlowFailure? {
        for result in checks {
            guard case .failed = result.outcome else { continue }
            guard result.check == .iss else { return FlowFailure(.jarmInvalid) }
            return FlowFailure(token.issuer == .absent ? .issuerMissing : .issuerMismatch)
        }
        return nil
    }

    /// The response parameters among the claims; all of them are texts, or whole numbers.
    private static func parameters(_ claims: JSONObject) throws(FlowFailure) -> CallbackParameters {
        var parameters: [FormEncoding.Parameter] = []
        for claim in claims.members where !["aud", "exp", "iat", "nbf"].contains(claim.name) {
            switch claim.value {
            case .string(let text): parameters.append(.init(claim.name, text))
            case .integer(let number): parameters.append(.init(claim.name, String(number)))
            default:
                guard !names.containsIdentical(claim.name) else {
                    throw FlowFailure(.jarmInvalid)
                }
            }
        }
        return try CallbackParameters(parameters)
    }

    private static let names: Set<String> = [
        "state", "code", "error", "error_description", "id_token", "access_token", "token_type",
        "expires_in",
    ]
}

extension CallbackParameters {
    /// The signed response of a callback in a mode that demands one.
    ///
    /// - Throws: `callback-malformed` when there is none, or when what it should hold stands
    ///   beside it: somebody then wants us to take the unsigned one.
    public func signedResponse() throws(FlowFailure) -> String {
        guard let response, !response.isEmpty, code == nil, error == nil, idToken == nil,
            accessToken == nil
        else { throw FlowFailure(.callbackMalformed) }
        return response
    }
}
