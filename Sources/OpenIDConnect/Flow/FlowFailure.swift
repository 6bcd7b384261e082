// SPDX-License-Identifier: Apache-2.0

/// Why a step of a flow ends the login. The raw values are codes of the failure catalogue.
public enum FlowFailureReason: String, Equatable, Sendable, CaseIterable {
    case accessDenied = "access-denied"
    case brokerError = "broker-error"
    case callbackMalformed = "callback-malformed"
    case clientAuthenticationFailed = "client-auth-failed"
    case codeRefused = "code-refused"
    case consentDenied = "consent-denied"
    case acrTooLow = "acr-too-low"
    case discoveryIssuerMismatch = "discovery-issuer-mismatch"
    case exchangeInterrupted = "exchange-interrupted"
    case hostRefused = "host-refused"
    case idTokenMissing = "id-token-missing"
    case issuerMismatch = "iss-mismatch"
    case issuerMissing = "iss-missing"
    case keySetInvalid = "key-set-invalid"
    case loginRequired = "login-required"
    case metadataUnavailable = "metadata-unavailable"
    case providerOutage = "provider-outage"
    case responseMalformed = "response-malformed"
    case responseTooLarge = "response-too-large"
    case stateMismatch = "state-mismatch"
    case stateMissing = "state-missing"
    case tokenResponseMalformed = "token-response-malformed"
}

/// A step of a flow that ends the login.
public struct FlowFailure: Error, Equatable, Sendable {
    /// Why, as far as is known.
    public let reason: FlowFailureReason
    /// The error code that the provider gave; from outside, so not for the clear as it is.
    public let error: String?

    /// A failure.
    public init(_ reason: FlowFailureReason, error: String? = nil) {
        self.reason = reason
        self.error = error
    }

    /// What an authorization error response says (RFC 6749 §4.1.2.1, OpenID Connect Core
    /// §3.1.2.6).
    static func authorization(error: String) -> FlowFailure {
        let reason: FlowFailureReason =
            switch error {
            case "access_denied": .accessDenied
            case "consent_required": .consentDenied
            case "login_required", "interaction_required", "account_selection_required":
                .loginRequired
            case "unmet_authentication_requirements": .acrTooLow
            case "temporarily_unavailable": .providerOutage
            default: .brokerError
            }
        return FlowFailure(reason, error: error)
    }

    /// What a token error response says (RFC 6749 §5.2).
    static func token(error: String) -> FlowFailure {
        let reason: FlowFailureReason =
            switch error {
            case "invalid_grant": .codeRefused
            case "invalid_client", "unauthorized_client": .clientAuthenticationFailed
            case "temporarily_unavailable": .providerOutage
            default: .brokerError
            }
        return FlowFailure(reason, error: error)
    }
}
