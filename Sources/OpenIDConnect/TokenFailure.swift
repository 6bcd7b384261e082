// SPDX-License-Identifier: Apache-2.0

internal import JOSE

/// A refusal of the signature, in the words of a verdict.
///
/// Nothing behind it is looked at: not even the claims are read of a token that nobody vouches
/// for.
struct TokenFailure {
    let check: TokenCheck
    let reason: TokenFailureReason
    let detail: String

    /// The checks up to the signature in the order in which they are made.
    private static let order: [TokenCheck] = [
        .size, .token, .header, .crit, .alg, .key, .signature,
    ]

    /// The outcome of a check, as far as it was made.
    func outcome(of other: TokenCheck) -> CheckOutcome {
        if other == check { return .failed(reason, detail: detail) }
        let isBefore = Self.order.prefix { $0 != check }.contains(other)
        return isBefore ? .passed : .notChecked
    }

    init(_ error: JWSError) {
        switch error {
        case .tooLarge:
            self.init(.size, .tokenTooLarge, "the token has more bytes than the policy allows")
        case .encrypted:
            self.init(.token, .tokenMalformed, "the token is encrypted and was not opened")
        case .notCompact:
            self.init(.token, .tokenMalformed, "the token does not have three parts")
        case .notBase64URL(let part):
            self.init(.token, .tokenMalformed, "the \(part.rawValue) is not strict base64url")
        case .headerNotJSON(let error):
            self.init(.token, .tokenMalformed, "the header is not strict JSON: \(error)")
        case .headerMalformed:
            self.init(.token, .tokenMalformed, "the header lacks `alg`, or has it malformed")
        case .headerRefused(.kid):
            self.init(.header, .headerRefused, "`kid` is no string, or longer than 512 bytes")
        case .headerRefused(let member):
            self.init(.header, .headerRefused, "the header has `\(member.rawValue)`")
        case .criticalExtension:
            self.init(.crit, .criticalUnsupported, "`crit` demands an extension; none is known")
        case .algorithmNotAllowed:
            self.init(.alg, .algorithmNotAllowed, "`alg` is not one of those the policy allows")
        case .noKey(let error):
            self.init(error)
        case .signatureInvalid:
            self.init(.signature, .signatureInvalid, "the signature is not the key's")
        }
    }

    private init(_ error: KeySelectionError) {
        switch error {
        case .keyIDUnknown:
            self.init(.key, .keyIDUnknown, "no key of the set has the `kid` of the token")
        case .keyIDMissing(let fitting):
            self.init(
                .key, .keyIDUnknown, "the token has no `kid`, and \(fitting) keys of the set fit")
        case .unusable(let reason):
            self.init(
                .key, reason.isWeakness ? .keyWeak : .keyUnsuitable,
                "the key is unusable: \(reason.rawValue)")
        case .misfit:
            self.init(.key, .keyUnsuitable, "the key of that `kid` is not one for `alg`")
        }
    }

    private init(_ check: TokenCheck, _ reason: TokenFailureReason, _ detail: String) {
        self.check = check
        self.reason = reason
        self.detail = detail
    }
}
