// SPDX-License-Identifier: Apache-2.0

public import JOSE

/// Judges a JWS without asking what its payload says, be it claims or any other bytes.
///
/// The verdicts speak of the checks up to the signature; all others are not checked, so that none
/// of these verdicts ever accepts an ID token.
public struct SignatureVerifier: Sendable {
    /// The algorithms agreed on.
    public let algorithms: [SignatureAlgorithm]
    /// The most bytes of a token.
    public let tokenBytesMax: Int

    /// The checks up to the signature; the others are never made here.
    public static let checks: Set<TokenCheck> = [
        .signature, .alg, .key, .crit, .size, .token, .header,
    ]

    /// A verifier.
    public init(algorithms: [SignatureAlgorithm], tokenBytesMax: Int = CompactJWS.bytesMax) {
        self.algorithms = algorithms
        self.tokenBytesMax = tokenBytesMax
    }

    /// The verdict on the form of a token alone, and the token taken apart if it is in order.
    /// Nothing of it is vouched for.
    public func parse(_ token: [UInt8]) -> (verdict: Verdict, jws: CompactJWS?) {
        do {
            let jws = try CompactJWS(parsing: token, bytesMax: tokenBytesMax)
            return (Self.verdict(passing: [.size, .token]), jws)
        } catch {
            return (Verdict(isBackchannel: false, TokenFailure(error).outcome), nil)
        }
    }

    /// The verdict on the signature of a token, and the token if the signature is the key's.
    public func examine(
        _ token: [UInt8], keys: JSONWebKeySet
    ) -> (verdict: Verdict, jws: VerifiedJWS?) {
        do {
            let jws = try CompactJWS(parsing: token, bytesMax: tokenBytesMax)
                .verified(with: keys, allowing: algorithms)
            return (Self.verdict(passing: Self.checks), jws)
        } catch {
            return (Verdict(isBackchannel: false, TokenFailure(error).outcome), nil)
        }
    }

    private static func verdict(passing checks: Set<TokenCheck>) -> Verdict {
        Verdict(isBackchannel: false) { checks.contains($0) ? .passed : .notChecked }
    }
}
