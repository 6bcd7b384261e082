// SPDX-License-Identifier: Apache-2.0

public import JOSE
public import LedgerPrimitives

/// Verifies ID tokens (OpenID Connect Core §3.1.3.7) against given keys at a given instant.
///
/// The same token, keys, expectations and instant give the same verdict for ever: that is what
/// makes a recorded login verifiable again.
public struct IDTokenVerifier: Sendable {
    /// What the tokens are compared with.
    public let expectations: IDTokenExpectations

    /// A verifier.
    public init(_ expectations: IDTokenExpectations) {
        self.expectations = expectations
    }

    /// The verdict on a token in compact form.
    public func verify(_ token: [UInt8], keys: JSONWebKeySet, at instant: Instant) -> Verdict {
        examine(token, keys: keys, at: instant).verdict
    }

    /// The verdict on a token in compact form, and the token itself with its header if it is
    /// accepted.
    public func examine(
        _ token: [UInt8], keys: JSONWebKeySet, at instant: Instant
    ) -> (verdict: Verdict, token: IDToken?, header: JWSHeader?) {
        let jws: VerifiedJWS
        do {
            jws = try CompactJWS(parsing: token, bytesMax: expectations.tokenBytesMax)
                .verified(with: keys, allowing: expectations.algorithms)
        } catch {
            return (Verdict(isBackchannel: isBackchannel, TokenFailure(error).outcome), nil, nil)
        }
        guard let token = IDToken(parsing: jws.payload) else {
            let verdict = verdict(on: jws) { $0 == .claims ? Self.malformedPayload : .notChecked }
            return (verdict, nil, nil)
        }
        let claims = ClaimChecks(
            token: token, expectations: expectations, algorithm: jws.algorithm, instant: instant)
        let verdict = verdict(on: jws) {
            $0 == .claims ? claims.presence : claims.outcome(of: $0)
        }
        return verdict.isAccepted ? (verdict, token, jws.header) : (verdict, nil, nil)
    }

    /// The verdict on a verified JWS.
    ///
    /// - Parameter claims: the outcome of a check of the payload.
    private func verdict(
        on jws: VerifiedJWS, _ claims: (TokenCheck) -> CheckOutcome
    ) -> Verdict {
        Verdict(isBackchannel: isBackchannel) { check in
            switch check {
            // Without these there would be no verified JWS.
            case .signature, .alg, .key, .crit, .size, .token, .header: .passed
            case .typ: typeOutcome(of: jws.header)
            default: claims(check)
            }
        }
    }

    private var isBackchannel: Bool { expectations.request != nil }

    private static let malformedPayload = CheckOutcome.failed(
        .tokenMalformed, detail: "the payload is not an object of strict JSON")

    /// A logout token or an access token of the same provider is no ID token (RFC 8725 §3.11).
    private func typeOutcome(of header: JWSHeader) -> CheckOutcome {
        guard let type = header.type else { return .passed }
        let isAllowed = expectations.headerTypes.contains {
            $0.isIdentical(to: type) || Self.mediaType($0) == Self.mediaType(type)
        }
        return isAllowed
            ? .passed
            : .failed(.headerRefused, detail: "`typ` in the header is not that of an ID token")
    }

    /// The bytes of a media type in lower case, `application/` left out (RFC 7515 §4.1.9).
    private static func mediaType(_ text: String) -> ArraySlice<UInt8> {
        let bytes = text.utf8.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
        let prefix = "application/".utf8
        return bytes.starts(with: prefix) ? bytes.dropFirst(prefix.count) : bytes[...]
    }
}
