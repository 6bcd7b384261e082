// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
internal import OpenSSL

extension SimulatedProvider {
    /// The token endpoint (RFC 6749 §4.1.3, OpenID Connect Core §3.1.3).
    mutating func token(
        _ request: HTTPRequest, at now: Instant, randomBytes: (Int) -> [UInt8]
    ) -> ProviderAnswer {
        var received = ReceivedTokenRequest(receivedAt: now)
        var answer: ProviderAnswer
        do throws(OAuthError) {
            answer = try exchange(
                request, at: now, noting: &received, randomBytes: randomBytes)
        } catch {
            received.error = error.code.rawValue
            answer = ProviderAnswer(error.response)
        }
        received.status = answer.response.status
        if tokenRequests.count < Self.receivedMax { tokenRequests.append(received) }
        return answer
    }

    private mutating func exchange(
        _ request: HTTPRequest, at now: Instant, noting received: inout ReceivedTokenRequest,
        randomBytes: (Int) -> [UInt8]
    ) throws(OAuthError) -> ProviderAnswer {
        let form = try Self.form(of: request)
        received.grantType = form["grant_type"]
        received.redirectURI = form["redirect_uri"]
        received.code = form["code"]
        received.codeVerifier = form["code_verifier"]
        let claimed = try TokenClient(request, form)
        received.clientID = claimed?.id
        received.authentication = claimed?.method
        let client = try authenticate(claimed)
        guard let grantType = form["grant_type"] else {
            throw OAuthError(.invalidRequest, "grant_type is missing")
        }
        guard grantType.isIdentical(to: "authorization_code") else {
            throw OAuthError(.unsupportedGrantType, "only authorization_code is supported")
        }
        let grant = try redeem(form, client: client, at: now)
        let code = form["code"].map { Array($0.utf8) } ?? []
        switch grant.misbehaviour {
        case .tokenError: throw OAuthError(.invalidGrant, "the code does not count")
        case .tokenServerError:
            return ProviderAnswer(.page("Come back later.", status: 503))
        default:
            let accessToken = Base64URL.encode(randomBytes(32))
            var answer = ProviderAnswer(
                try success(grant, client: client, accessToken: accessToken, at: now))
            grants[code]?.accessToken = Array(accessToken.utf8)
            if grant.misbehaviour == .slowToken {
                answer.delayMilliseconds = settings.slowTokenMilliseconds
            }
            return answer
        }
    }

    private static func form(of request: HTTPRequest) throws(OAuthError) -> FormParameters {
        let mediaType = request.field("Content-Type")?.split(separator: ";").first
        guard mediaType?.lowercased() == "application/x-www-form-urlencoded" else {
            throw OAuthError(.invalidRequest, "the body is no form")
        }
        guard let form = FormParameters(parsing: request.body) else {
            throw OAuthError(.invalidRequest, "the form is malformed")
        }
        if form.hasRepetition {
            throw OAuthError(.invalidRequest, "a parameter stands there twice")
        }
        return form
    }

    /// The client, if it is one and proved it in the way it is registered with.
    private func authenticate(_ claimed: TokenClient?) throws(OAuthError) -> RegisteredClient {
        guard let claimed, let client = client(claimed.id) else {
            throw OAuthError(.invalidClient, "there is no such client")
        }
        guard claimed.method == client.authentication else {
            throw OAuthError(.invalidClient, "this is not how the client is registered")
        }
        if let secret = claimed.secret, !client.accepts(secret: secret) {
            throw OAuthError(.invalidClient, "the secret is wrong")
        }
        return client
    }

    /// What the code stands for, if it may be exchanged by this client in this way. The code is
    /// used up by the first try.
    private mutating func redeem(
        _ form: FormParameters, client: RegisteredClient, at now: Instant
    ) throws(OAuthError) -> Grant {
        guard let code = form["code"], let redirectURI = form["redirect_uri"] else {
            throw OAuthError(.invalidRequest, "code or redirect_uri is missing")
        }
        let name = Array(code.utf8)
        guard let grant = grants[name] else {
            throw OAuthError(.invalidGrant, "there is no such code")
        }
        guard !grant.isUsed else {
            if let accessToken = grant.accessToken { accesses[accessToken] = nil }
            throw OAuthError(.invalidGrant, "the code was used before")
        }
        grants[name]?.isUsed = true
        guard now < grant.expiresAt else {
            throw OAuthError(.invalidGrant, "the code has expired")
        }
        guard grant.clientID.isIdentical(to: client.id) else {
            throw OAuthError(.invalidGrant, "the code is another client's")
        }
        guard grant.redirectURI.isIdentical(to: redirectURI) else {
            throw OAuthError(.invalidGrant, "redirect_uri is another one")
        }
        guard Self.isAnswer(form["code_verifier"], to: grant.challenge) else {
            throw OAuthError(.invalidGrant, "code_verifier is wrong")
        }
        return grant
    }

    /// Whether a PKCE verifier is the one behind the challenge (RFC 7636 §4.6). A verifier where
    /// none was announced is wrong too: somebody took the challenge away.
    private static func isAnswer(_ verifier: String?, to challenge: String?) -> Bool {
        guard let verifier, let challenge else { return verifier == nil && challenge == nil }
        let hash = Digest(SHA256.hash(Array(verifier.utf8))).base64URL
        return (43...128).contains(verifier.utf8.count) && hash.isIdentical(to: challenge)
    }

    private mutating func success(
        _ grant: Grant, client: RegisteredClient, accessToken: String, at now: Instant
    ) throws(OAuthError) -> HTTPResponse {
        var members: JSONObject = [
            "access_token": .string(accessToken), "token_type": .string("Bearer"),
            "expires_in": .integer(Int64(settings.tokenLifetimeSeconds)),
            "scope": .string(grant.scope),
        ]
        if grant.misbehaviour != .missingIDToken {
            let maker = IDTokenMaker(
                issuer: issuer, client: client, grant: grant, accessToken: accessToken,
                key: keys[keys.count - 1], now: now,
                lifetimeSeconds: settings.tokenLifetimeSeconds)
            do {
                members["id_token"] = .string(try maker.make())
            } catch {
                throw OAuthError(.serverError, "the token cannot be signed")
            }
        }
        let lifetime = Int64(settings.tokenLifetimeSeconds) * 1000
        accesses[Array(accessToken.utf8)] = Access(
            person: grant.person, expiresAt: now.advanced(byMilliseconds: lifetime))
        return .json(members)
    }
}
