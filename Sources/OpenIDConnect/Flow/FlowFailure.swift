// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// Why a step of a flow ends the login, or is refused outside of it. The raw values are codes of
/// the failure catalogue.
public enum FlowFailureReason: String, Equatable, Sendable, CaseIterable {
    case abandoned
    case accessDenied = "access-denied"
    case acrTooLow = "acr-too-low"
    case algorithmNotAllowed = "alg-not-allowed"
    case audienceMismatch = "aud-mismatch"
    case bindingMessageRefused = "binding-message-refused"
    case brokerError = "broker-error"
    case callbackMalformed = "callback-malformed"
    case callbackReplayed = "callback-replayed"
    case certificateBindingMismatch = "cert-binding-mismatch"
    case certificateExpired = "certificate-expired"
    case clientAuthenticationFailed = "client-auth-failed"
    case codeExpired = "code-expired"
    case codeRefused = "code-refused"
    case codeReused = "code-reused"
    case consentDenied = "consent-denied"
    case discoveryIssuerMismatch = "discovery-issuer-mismatch"
    case exchangeInterrupted = "exchange-interrupted"
    case flowUnsupported = "flow-unsupported"
    case headerRefused = "header-refused"
    case hintRefused = "hint-refused"
    case hostRefused = "host-refused"
    case idTokenMissing = "id-token-missing"
    case issuerMismatch = "iss-mismatch"
    case issuerMissing = "iss-missing"
    case issuerNotAllowed = "iss-not-allowed"
    case jarmInvalid = "jarm-invalid"
    case jweDecryptFailed = "jwe-decrypt-failed"
    case keySetInvalid = "key-set-invalid"
    case loginRequired = "login-required"
    case metadataUnavailable = "metadata-unavailable"
    case permissionRefused = "permission-refused"
    case pkceFailed = "pkce-failed"
    case pollTimeout = "poll-timeout"
    case providerOutage = "provider-outage"
    case pushedRequestRefused = "par-refused"
    case redirectURIMismatch = "redirect-uri-mismatch"
    case responseMalformed = "response-malformed"
    case responseTooLarge = "response-too-large"
    case resultLost = "result-lost"
    case stateExpired = "state-expired"
    case stateMismatch = "state-mismatch"
    case stateMissing = "state-missing"
    case tokenMalformed = "token-malformed"
    case tokenResponseMalformed = "token-response-malformed"
    case unknownUser = "unknown-user"
    case userCancelled = "user-cancelled"
    case userInfoInvalid = "userinfo-invalid"
    case userInfoSubjectMismatch = "userinfo-subject-mismatch"
}

/// A finer reason that a provider's own words fix.
///
/// An error code says little: `access_denied` may be a user who said no or a provider that did.
/// Where a provider is known to say more in its description, a profile lists the text.
public struct ReasonText: Equatable, Sendable {
    /// The error code that the text comes with; nil for any.
    public let error: String?
    /// What the description has in it, byte by byte.
    public let text: String
    /// The reason that is then known.
    public let reason: FlowFailureReason

    /// A text and what it means.
    public init(error: String?, text: String, reason: FlowFailureReason) {
        self.error = error
        self.text = text
        self.reason = reason
    }

    /// Whether an error is the one that is meant.
    func fits(error given: String, description: String?) -> Bool {
        guard let description, error?.isIdentical(to: given) ?? true else { return false }
        return Array(description.utf8).firstRange(of: Array(text.utf8)) != nil
    }
}

/// An error as a provider gave it; from outside, so not for the clear as it is.
public struct ProviderError: Equatable, Sendable {
    /// The error code.
    public let code: String
    /// What the provider says about it.
    public let description: String?

    /// An error.
    public init(_ code: String, description: String? = nil) {
        self.code = code
        self.description = description
    }
}

/// A step of a flow that ends the login.
public struct FlowFailure: Error, Equatable, Sendable {
    /// Why, as far as is known.
    public let reason: FlowFailureReason
    /// The error that the provider gave.
    public let providerError: ProviderError?

    /// The error code that the provider gave.
    public var error: String? { providerError?.code }

    /// A failure.
    public init(_ reason: FlowFailureReason, error: ProviderError? = nil) {
        self.reason = reason
        providerError = error
    }

    /// A refusal by an endpoint that takes the client's credentials, without an error in it.
    /// Nothing but 401 then speaks of the credentials (RFC 9110 §15.5.2): with 403 providers also
    /// refuse a redirect URI.
    init(wordless status: Int, otherwise reason: FlowFailureReason) {
        self.init(status == 401 ? .clientAuthenticationFailed : reason)
    }

    /// The failure with the reason that a profile's texts fix for it, where one does.
    public func refined(by texts: [ReasonText]) -> FlowFailure {
        guard let error = providerError,
            let known = texts.first(where: {
                $0.fits(error: error.code, description: error.description)
            })
        else { return self }
        return FlowFailure(known.reason, error: error)
    }

    /// What an authorization error response says (RFC 6749 §4.1.2.1, OpenID Connect Core
    /// §3.1.2.6).
    static func authorization(_ error: ProviderError) -> FlowFailure {
        let reason: FlowFailureReason =
            switch error.code {
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

    /// What a token error response says (RFC 6749 §5.2). `invalid_code` is what Glewlwyd says
    /// instead of `invalid_grant`.
    static func token(_ error: ProviderError) -> FlowFailure {
        let reason: FlowFailureReason =
            switch error.code {
            case "invalid_grant", "invalid_code": .codeRefused
            case "invalid_client", "unauthorized_client": .clientAuthenticationFailed
            case "temporarily_unavailable": .providerOutage
            default: .brokerError
            }
        return FlowFailure(reason, error: error)
    }

    /// What a provider answers to a request that was pushed (RFC 9126 §2.3).
    static func pushedRequest(_ error: ProviderError) -> FlowFailure {
        let reason: FlowFailureReason =
            switch error.code {
            case "invalid_client", "unauthorized_client": .clientAuthenticationFailed
            case "invalid_redirect_uri": .redirectURIMismatch
            case "temporarily_unavailable": .providerOutage
            default: .pushedRequestRefused
            }
        return FlowFailure(reason, error: error)
    }

    /// What a provider answers to a backchannel request (CIBA Core §13).
    static func backchannelRequest(_ error: ProviderError) -> FlowFailure {
        let reason: FlowFailureReason =
            switch error.code {
            case "unknown_user_id": .unknownUser
            case "expired_login_hint_token", "invalid_login_hint_token",
                "expired_id_token_hint", "invalid_id_token_hint":
                .hintRefused
            case "invalid_binding_message": .bindingMessageRefused
            case "access_denied": .accessDenied
            case "invalid_client", "unauthorized_client": .clientAuthenticationFailed
            case "temporarily_unavailable": .providerOutage
            default: .brokerError
            }
        return FlowFailure(reason, error: error)
    }

    /// What a provider answers to a poll, when nothing more can come of the request (CIBA Core
    /// §11).
    static func poll(_ error: ProviderError) -> FlowFailure {
        let reason: FlowFailureReason =
            switch error.code {
            case "access_denied": .accessDenied
            case "consent_required": .consentDenied
            case "expired_token": .pollTimeout
            case "invalid_client", "unauthorized_client": .clientAuthenticationFailed
            default: .brokerError
            }
        return FlowFailure(reason, error: error)
    }
}
