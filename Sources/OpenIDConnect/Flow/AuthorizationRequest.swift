// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenSSL

/// Proof key for code exchange, method S256 (RFC 7636).
public enum PKCE {
    /// How many random bytes a verifier is made of; 43 characters then.
    public static let randomBytes = 32

    /// The challenge of a verifier: SHA-256 of its characters (§4.2).
    public static func challenge(of verifier: String) -> [UInt8] {
        HashFunction.sha256.hash(Array(verifier.utf8)[...])
    }
}

/// What a user is sent to the authorization endpoint with (OpenID Connect Core §3.1.2.1).
public struct AuthorizationRequest: Equatable, Sendable {
    /// The client.
    public var registration: ClientRegistration
    /// What is asked for.
    public var responseType: ResponseType
    /// How the answer is to come; nil leaves it to the response type.
    public var responseMode: ResponseMode?
    /// Comes back with the answer and ties it to the session.
    public var state: String
    /// Comes back in the ID token and ties it to the session.
    public var nonce: String
    /// The PKCE verifier; nil for the plain code flow.
    public var codeVerifier: String?
    /// Authentication context classes to ask for, separated by spaces.
    public var acrValues: String?
    /// Who is to log in, as far as is known; personal.
    public var loginHint: String?
    /// Parameters that the profile or an earlier step adds.
    public var extraParameters: [FormEncoding.Parameter]

    /// A request.
    public init(
        registration: ClientRegistration, responseType: ResponseType = .code,
        responseMode: ResponseMode? = nil, state: String, nonce: String, codeVerifier: String?,
        acrValues: String? = nil, loginHint: String? = nil,
        extraParameters: [FormEncoding.Parameter] = []
    ) {
        self.registration = registration
        self.responseType = responseType
        self.responseMode = responseMode
        self.state = state
        self.nonce = nonce
        self.codeVerifier = codeVerifier
        self.acrValues = acrValues
        self.loginHint = loginHint
        self.extraParameters = extraParameters
    }

    /// How the answer comes.
    public var effectiveResponseMode: ResponseMode { responseMode ?? responseType.standardMode }

    /// The parameters in the order they are sent.
    public var parameters: [FormEncoding.Parameter] {
        var parameters: [FormEncoding.Parameter] = [
            .init("response_type", responseType.rawValue),
            .init("client_id", registration.clientID),
            .init("redirect_uri", registration.redirectURI), .init("scope", registration.scope),
            .init("state", state), .init("nonce", nonce),
        ]
        if let responseMode { parameters.append(.init("response_mode", responseMode.rawValue)) }
        if let codeVerifier {
            let challenge = Base64URL.encode(PKCE.challenge(of: codeVerifier))
            parameters.append(.init("code_challenge", challenge))
            parameters.append(.init("code_challenge_method", "S256"))
        }
        if let acrValues { parameters.append(.init("acr_values", acrValues)) }
        if let loginHint { parameters.append(.init("login_hint", loginHint)) }
        return parameters + extraParameters
    }

    /// The URL to send the user to.
    public func url(endpoint: String) -> String {
        Self.url(endpoint: endpoint, parameters)
    }

    /// An endpoint with parameters in its query.
    public static func url(endpoint: String, _ parameters: [FormEncoding.Parameter]) -> String {
        endpoint + (endpoint.contains("?") ? "&" : "?") + FormEncoding.encode(parameters)
    }

    /// The URL to send the user to with a request that the provider has already (RFC 9126 §4).
    public func url(endpoint: String, pushedAs requestURI: String) -> String {
        Self.url(
            endpoint: endpoint,
            [.init("client_id", registration.clientID), .init("request_uri", requestURI)])
    }

    /// Whether a hint may hold a person's number: then it must not stand in a URL, which browsers
    /// and proxies write down.
    public static func isPersonal(loginHint: String) -> Bool {
        var digitsInRow = 0
        for byte in loginHint.utf8 {
            digitsInRow = (0x30...0x39).contains(byte) ? digitsInRow + 1 : 0
            if digitsInRow >= 5 { return true }
        }
        return false
    }
}
