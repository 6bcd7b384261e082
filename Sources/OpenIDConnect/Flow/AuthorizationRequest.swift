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
    /// Comes back with the answer and ties it to the session.
    public var state: String
    /// Comes back in the ID token and ties it to the session.
    public var nonce: String
    /// The PKCE verifier; nil for the plain code flow.
    public var codeVerifier: String?
    /// Authentication context classes to ask for, separated by spaces.
    public var acrValues: String?
    /// Parameters that the profile adds.
    public var extraParameters: [FormEncoding.Parameter]

    /// A request.
    public init(
        registration: ClientRegistration, state: String, nonce: String, codeVerifier: String?,
        acrValues: String? = nil, extraParameters: [FormEncoding.Parameter] = []
    ) {
        self.registration = registration
        self.state = state
        self.nonce = nonce
        self.codeVerifier = codeVerifier
        self.acrValues = acrValues
        self.extraParameters = extraParameters
    }

    /// The parameters in the order they are sent.
    public var parameters: [FormEncoding.Parameter] {
        var parameters: [FormEncoding.Parameter] = [
            .init("response_type", "code"), .init("client_id", registration.clientID),
            .init("redirect_uri", registration.redirectURI), .init("scope", registration.scope),
            .init("state", state), .init("nonce", nonce),
        ]
        if let codeVerifier {
            let challenge = Base64URL.encode(PKCE.challenge(of: codeVerifier))
            parameters.append(.init("code_challenge", challenge))
            parameters.append(.init("code_challenge_method", "S256"))
        }
        if let acrValues { parameters.append(.init("acr_values", acrValues)) }
        return parameters + extraParameters
    }

    /// The URL to send the user to.
    public func url(endpoint: String) -> String {
        endpoint + (endpoint.contains("?") ? "&" : "?") + FormEncoding.encode(parameters)
    }
}
