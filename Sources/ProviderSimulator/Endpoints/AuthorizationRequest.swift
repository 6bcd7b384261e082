// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// An authorization request that is in order.
struct AuthorizationRequest {
    let type: ResponseType
    let scope: String
    let nonce: String?
    let challenge: String?

    /// - Parameter parameters: those that count, wherever they came from.
    init(
        _ parameters: FormParameters, client: RegisteredClient, settings: ProviderSettings
    ) throws(OAuthError) {
        if parameters.hasRepetition {
            throw OAuthError(.invalidRequest, "a parameter stands there twice")
        }
        type = try Self.type(parameters, settings)
        _ = try Self.mode(parameters, type, settings)
        scope = parameters["scope"] ?? ""
        guard scope.split(separator: " ").contains(where: { $0.utf8.elementsEqual("openid".utf8) })
        else { throw OAuthError(.invalidScope, "the scope must have openid in it") }
        nonce = parameters["nonce"]
        if type.isFrontChannel, nonce == nil {
            throw OAuthError(.invalidRequest, "nonce is missing")
        }
        challenge = type.givesCode ? try Self.challenge(parameters, client: client) : nil
    }

    private static func type(
        _ parameters: FormParameters, _ settings: ProviderSettings
    ) throws(OAuthError) -> ResponseType {
        guard let text = parameters["response_type"] else {
            throw OAuthError(.invalidRequest, "response_type is missing")
        }
        let hybrids = settings.allowsHybrid ? ResponseType.hybrids : []
        guard let type = ResponseType(parsing: text),
            (settings.broker.responseTypes + hybrids).contains(type)
        else { throw OAuthError(.unsupportedResponseType, "this response type is not supported") }
        return type
    }

    /// The mode that is asked for, or else the usual one, which must be one that the provider has.
    private static func mode(
        _ parameters: FormParameters, _ type: ResponseType, _ settings: ProviderSettings
    ) throws(OAuthError) -> ResponseMode {
        let text = parameters["response_mode"]
        let name =
            text.map(ResponseMode.Name.init(name:)) ?? (type.isFrontChannel ? .fragment : .query)
        guard let name, settings.broker.responseModes.contains(name) else {
            throw OAuthError(.invalidRequest, "this response mode is not supported")
        }
        let mode = ResponseMode(name, for: type)
        if type.isFrontChannel, mode.carrier == .query {
            throw OAuthError(.invalidRequest, "tokens do not stand in a query")
        }
        return mode
    }

    /// The PKCE challenge (RFC 7636 §4.3): demanded of public clients, and never plain.
    private static func challenge(
        _ parameters: FormParameters, client: RegisteredClient
    ) throws(OAuthError) -> String? {
        guard let challenge = parameters["code_challenge"] else {
            guard client.authentication != .none, parameters["code_challenge_method"] == nil else {
                throw OAuthError(.invalidRequest, "code_challenge is missing")
            }
            return nil
        }
        guard parameters["code_challenge_method"]?.isIdentical(to: "S256") ?? false else {
            throw OAuthError(.invalidRequest, "only the challenge method S256 is supported")
        }
        guard Digest(base64URL: challenge) != nil else {
            throw OAuthError(.invalidRequest, "code_challenge is malformed")
        }
        return challenge
    }
}

extension ResponseMode {
    /// How the answer to a request goes back, be the request in order or not.
    init(_ parameters: FormParameters, settings: ProviderSettings) {
        let type = parameters["response_type"].flatMap(ResponseType.init(parsing:)) ?? .code
        let name = parameters["response_mode"].flatMap(Name.init(name:))
        guard let name, settings.broker.responseModes.contains(name) else {
            // Who signs every answer signs this one too.
            let signsAlways = !settings.broker.responseModes.contains(.query)
            self = signsAlways ? ResponseMode(.jwt, for: type) : .standard(for: type)
            return
        }
        self.init(name, for: type)
    }
}

extension ResponseMode.Name {
    fileprivate init?(name: String) {
        guard let match = Self.allCases.first(where: { $0.rawValue.isIdentical(to: name) }) else {
            return nil
        }
        self = match
    }
}
