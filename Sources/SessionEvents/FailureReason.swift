// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// Why a session failed: a code that states what is known and nothing more.
public struct FailureReason: Hashable, Sendable, CustomStringConvertible {
    /// The code, for example `nonce-mismatch`.
    public let code: String

    /// A code of the catalogue; nil for any other text.
    public init?(_ code: String) {
        guard Self.catalogue.containsIdentical(code) else { return nil }
        self.code = code
    }

    /// The code.
    public var description: String { code }

    /// Every code there is.
    public static let catalogue: Set<String> = [
        "abandoned", "access-denied", "acr-too-low", "alg-not-allowed", "append-conflict",
        "at-hash-mismatch", "aud-mismatch", "auth-time-stale", "azp-mismatch",
        "binding-message-refused", "broker-error", "c-hash-mismatch", "callback-malformed",
        "callback-replayed", "cert-binding-mismatch", "certificate-expired", "claim-malformed",
        "claim-missing", "client-auth-failed", "clock-skew", "code-expired", "code-refused",
        "code-reused", "consent-denied", "crit-unsupported", "discovery-issuer-mismatch",
        "disk-nearly-full", "exchange-interrupted", "flow-unsupported", "frame-damaged",
        "header-refused", "hint-refused", "host-refused", "iat-invalid", "iat-too-old",
        "id-conflict", "id-token-missing", "iss-mismatch", "iss-missing", "iss-not-allowed",
        "jarm-invalid", "jwe-decrypt-failed", "key-missing", "key-set-invalid", "key-unsuitable",
        "key-weak", "kid-unknown", "link-mismatch", "login-required", "metadata-unavailable",
        "nonce-mismatch", "not-yet-valid", "par-refused", "permission-refused", "pkce-failed",
        "poll-timeout", "poll-too-fast", "provider-outage", "redirect-uri-mismatch",
        "response-malformed", "response-too-large", "result-lost", "root-mismatch",
        "s-hash-mismatch", "sig-invalid", "state-expired", "state-mismatch", "state-missing",
        "storage-damaged", "subject-mismatch", "token-expired", "token-malformed",
        "token-replayed", "token-response-malformed", "unknown-user", "user-cancelled",
        "userinfo-invalid", "userinfo-subject-mismatch",
    ]
}

extension MemberKind where Value == FailureReason {
    static let reason = MemberKind(
        expectation: "a reason code of the failure catalogue",
        read: { $0.stringValue.flatMap(FailureReason.init) }, write: { .string($0.code) })
}
