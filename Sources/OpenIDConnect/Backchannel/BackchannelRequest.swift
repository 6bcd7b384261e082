// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// Whom a backchannel request is about (OpenID CIBA Core 1.0 §7.1): a request has exactly one.
public enum BackchannelHint: Equatable, Sendable {
    /// A text that the provider understands, such as `sub:ssn:…`; personal.
    case loginHint(String)
    /// A token that names the person; personal.
    case loginHintToken(String)
    /// An ID token of the person from an earlier login; personal.
    case idTokenHint(String)

    /// The parameter that carries it.
    public var parameter: FormEncoding.Parameter {
        switch self {
        case .loginHint(let text): FormEncoding.Parameter("login_hint", text)
        case .loginHintToken(let token): FormEncoding.Parameter("login_hint_token", token)
        case .idTokenHint(let token): FormEncoding.Parameter("id_token_hint", token)
        }
    }
}

/// A request for a login without a browser: of CIBA Core §7.1, or of Idura's Headless.
public struct BackchannelRequest: Equatable, Sendable {
    /// What kind of request it is.
    public enum Kind: Equatable, Sendable {
        /// CIBA: the provider reaches the user's own device.
        case ciba(BackchannelHint)
        /// Headless: the caller shows the user what opens the eID.
        case headless(endUserIP: String)
    }

    /// What kind of request it is.
    public var kind: Kind
    /// The scopes that are asked for.
    public var scope: String
    /// Authentication context classes to ask for, separated by spaces.
    public var acrValues: String?
    /// What the user sees on both devices; sealed.
    public var bindingMessage: String?
    /// How long the request shall be good, in seconds.
    public var requestedExpirySeconds: Int?
    /// What the request is for in detail (RFC 9396): a JSON array; sealed.
    public var authorizationDetails: JSONValue?
    /// Parameters that the profile adds.
    public var extraParameters: [FormEncoding.Parameter]

    /// A request.
    public init(
        _ kind: Kind, scope: String, acrValues: String? = nil, bindingMessage: String? = nil,
        requestedExpirySeconds: Int? = nil, authorizationDetails: JSONValue? = nil,
        extraParameters: [FormEncoding.Parameter] = []
    ) {
        self.kind = kind
        self.scope = scope
        self.acrValues = acrValues
        self.bindingMessage = bindingMessage
        self.requestedExpirySeconds = requestedExpirySeconds
        self.authorizationDetails = authorizationDetails
        self.extraParameters = extraParameters
    }

    /// The parameters, beside the client's authentication.
    public var parameters: [FormEncoding.Parameter] {
        var parameters = [FormEncoding.Parameter("scope", scope)]
        switch kind {
        case .ciba(let hint): parameters.append(hint.parameter)
        case .headless(let address): parameters.append(.init("end_user_ip", address))
        }
        if let acrValues { parameters.append(.init("acr_values", acrValues)) }
        if let bindingMessage { parameters.append(.init("binding_message", bindingMessage)) }
        if let requestedExpirySeconds {
            parameters.append(.init("requested_expiry", "\(requestedExpirySeconds)"))
        }
        if let authorizationDetails {
            let text = String(decoding: CanonicalJSON.encode(authorizationDetails), as: UTF8.self)
            parameters.append(.init("authorization_details", text))
        }
        return parameters + extraParameters
    }
}
