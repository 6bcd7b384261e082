// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives

extension ClaimChecks {
    /// The claim that names the request (CIBA Core §10.3.1); in poll mode a provider may leave it
    /// out.
    private static let requestIDClaim = "urn:openid:params:jwt:claim:auth_req_id"

    /// A check that ties the token to the backchannel request it came for.
    func requestBinding(_ check: TokenCheck) -> CheckOutcome {
        guard let request = expectations.request else { return .notApplicable }
        switch check {
        case .authReqID: return requestID(request)
        case .hintedSubject: return person(request)
        case .replay:
            guard let isReplayed = request.isReplayed else { return .notChecked }
            return isReplayed
                ? .failed(.tokenReplayed, detail: "the very token came before, in another session")
                : .passed
        default: return .notChecked
        }
    }

    private func requestID(_ request: RequestExpectation) -> CheckOutcome {
        guard let claim = token.claims[Self.requestIDClaim], let sent = request.requestID else {
            return .notChecked
        }
        guard let named = claim.stringValue else {
            return .failed(
                .claimMalformed, detail: "the claim has the wrong type or is out of range")
        }
        return named.isIdenticalInConstantTime(to: sent)
            ? .passed
            : .failed(.tokenReplayed, detail: "the token was made for another request")
    }

    private func person(_ request: RequestExpectation) -> CheckOutcome {
        guard let person = request.person else { return .notApplicable }
        let named = request.personClaims.lazy.compactMap { token.claims[$0]?.stringValue }
        guard let first = named.first else { return .notChecked }
        return PersonNumber.isSame(first, person)
            ? .passed
            : .failed(.subjectMismatch, detail: "the person is not the one that was asked for")
    }
}

/// Names of persons as hints and claims have them.
enum PersonNumber {
    /// Whether two texts name the same person: the same bytes, or the same digits where both are
    /// numbers that are written with spaces and hyphens.
    static func isSame(_ one: String, _ other: String) -> Bool {
        let (left, right) = (digits(of: one), digits(of: other))
        guard let left, let right else { return one.isIdenticalInConstantTime(to: other) }
        return left == right
    }

    private static func digits(of text: String) -> [UInt8]? {
        let bytes = text.utf8.filter { !" -".utf8.contains($0) }
        guard !bytes.isEmpty, bytes.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Array(bytes)
    }
}
