// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import LedgerPrimitives

extension SimulatedProvider {
    /// The authorization endpoint (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2), where everybody
    /// agrees at once.
    ///
    /// Without a client and an address that is registered for it nobody is sent anywhere.
    mutating func authorize(
        _ text: [UInt8], at now: Instant, randomBytes: (Int) -> [UInt8]
    ) -> HTTPResponse {
        guard let parameters = FormParameters(parsing: text), let id = parameters["client_id"],
            let client = client(id), let redirectURI = parameters["redirect_uri"],
            client.allows(redirectURI: redirectURI)
        else { return .page("This client or its address is not registered here.", status: 400) }
        do throws(OAuthError) {
            let request = try AuthorizationRequest(parameters, client: client)
            let login = logins.isEmpty ? SimulatedLogin() : logins.removeFirst()
            let misbehaviour = login.misbehaviour ?? client.misbehaviour ?? settings.misbehaviour
            guard misbehaviour != .accessDenied,
                let person = person(login.subject ?? parameters["login_hint"])
            else { throw OAuthError(.accessDenied, "the user declined") }
            let code = Base64URL.encode(randomBytes(32))
            grants[Array(code.utf8)] = Grant(
                clientID: id, redirectURI: redirectURI, scope: request.scope, nonce: request.nonce,
                challenge: request.challenge, person: person, misbehaviour: misbehaviour,
                issuedAt: now,
                expiresAt: now.advanced(
                    byMilliseconds: Int64(settings.codeLifetimeSeconds) * 1000))
            return callback(
                to: redirectURI, code: code, state: parameters["state"], misbehaving: misbehaviour)
        } catch {
            return .redirect(
                to: redirectURI,
                parameters: [
                    ("error", error.code.rawValue), ("error_description", error.description),
                    ("state", parameters["state"]), ("iss", issuer),
                ])
        }
    }

    /// The way back with a code (RFC 6749 §4.1.2, RFC 9207 §2).
    private func callback(
        to redirectURI: String, code: String, state: String?, misbehaving: Misbehaviour
    ) -> HTTPResponse {
        let state = misbehaving == .stateMismatch ? (state ?? "") + "1" : state
        let issuer: String? =
            switch misbehaving {
            case .wrongCallbackIssuer: self.issuer + "1"
            case .missingCallbackIssuer: nil
            default: self.issuer
            }
        return .redirect(
            to: redirectURI, parameters: [("code", code), ("state", state), ("iss", issuer)])
    }

    /// The person with a subject, or else the first one.
    private func person(_ subject: String?) -> SimulatedPerson? {
        let named = subject.flatMap { subject in
            settings.persons.first { $0.subject.isIdentical(to: subject) }
        }
        return named ?? settings.persons.first
    }
}

/// An authorization request that is in order.
private struct AuthorizationRequest {
    let scope: String
    let nonce: String?
    let challenge: String?

    init(_ parameters: FormParameters, client: RegisteredClient) throws(OAuthError) {
        if parameters.hasRepetition {
            throw OAuthError(.invalidRequest, "a parameter stands there twice")
        }
        if parameters["request"] != nil {
            throw OAuthError(.requestNotSupported, "no request objects here")
        }
        if parameters["request_uri"] != nil {
            throw OAuthError(.requestURINotSupported, "no request objects here")
        }
        guard let type = parameters["response_type"] else {
            throw OAuthError(.invalidRequest, "response_type is missing")
        }
        guard type.isIdentical(to: "code") else {
            throw OAuthError(.unsupportedResponseType, "only code is supported")
        }
        if let mode = parameters["response_mode"], !mode.isIdentical(to: "query") {
            throw OAuthError(.invalidRequest, "only the response mode query is supported")
        }
        scope = parameters["scope"] ?? ""
        guard scope.split(separator: " ").contains(where: { $0.utf8.elementsEqual("openid".utf8) })
        else { throw OAuthError(.invalidScope, "the scope must have openid in it") }
        nonce = parameters["nonce"]
        challenge = try Self.challenge(parameters, client: client)
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
