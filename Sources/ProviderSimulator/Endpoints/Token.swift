// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
internal import OpenSSL

extension SimulatedProvider {
    /// The token endpoint (RFC 6749 §4.1.3, §4.4, OpenID Connect Core §3.1.3, CIBA Core §10.1).
    mutating func token(_ request: HTTPRequest, in moment: Moment) -> ProviderAnswer {
        var received = ReceivedTokenRequest(receivedAt: moment.now)
        var answer: ProviderAnswer
        do throws(OAuthError) {
            answer = try exchange(request, noting: &received, in: moment)
        } catch {
            received.error = error.code.rawValue
            answer = ProviderAnswer(error.response)
        }
        received.status = answer.response.status
        if tokenRequests.count < Self.receivedMax { tokenRequests.append(received) }
        return answer
    }

    private mutating func exchange(
        _ request: HTTPRequest, noting received: inout ReceivedTokenRequest, in moment: Moment
    ) throws(OAuthError) -> ProviderAnswer {
        let form = try FormParameters(bodyOf: request)
        received.grantType = form["grant_type"]
        received.redirectURI = form["redirect_uri"]
        received.code = form["code"]
        received.codeVerifier = form["code_verifier"]
        let claimed = try claimedClient(request, form)
        received.clientID = claimed?.id
        received.authentication = claimed?.method
        let client = try authenticate(claimed, at: .token, in: moment)
        received.authentication = client.authentication
        guard let grantType = form["grant_type"] else {
            throw OAuthError(.invalidRequest, "grant_type is missing")
        }
        if grantType.isIdentical(to: "authorization_code") {
            return try exchangeCode(form, client: client, noting: &received, in: moment)
        }
        if grantType.isIdentical(to: "client_credentials"), settings.broker == .bankidNorway {
            return try giveClientToken(form, client: client, in: moment)
        }
        if let endpoint = polledEndpoint(grantType) {
            return try poll(endpoint, form, client: client, noting: &received, in: moment)
        }
        throw OAuthError(.unsupportedGrantType, "this grant type is not supported")
    }

    // MARK: - Code

    private mutating func exchangeCode(
        _ form: FormParameters, client: RegisteredClient,
        noting received: inout ReceivedTokenRequest, in moment: Moment
    ) throws(OAuthError) -> ProviderAnswer {
        let grant = try redeem(form, client: client, in: moment)
        let (draft, accessToken) = try giveTokens(
            client, grant.facts, grant.misbehaviour, in: moment)
        let code = form["code"].map { Array($0.utf8) } ?? []
        grants[code]?.accessToken = Array(accessToken.utf8)
        received.error = draft.error
        return draft.answer
    }

    /// The answer with the tokens of a login, spoiled if it is to be, and the access token in it.
    ///
    /// - Parameter requestID: the request that the ID token names; nil for none.
    mutating func giveTokens(
        _ client: RegisteredClient, _ facts: LoginFacts, _ misbehaviour: Misbehaviour,
        requestID: String? = nil, in moment: Moment
    ) throws(OAuthError) -> (draft: AnswerDraft, accessToken: String) {
        if misbehaviour.rotatesKeys(on: .signing) { try changeKey(in: moment) }
        let owner = Array("\(client.id.utf8.count) \(client.id) \(facts.person.subject)".utf8)
        let tokens: GivenTokens
        if misbehaviour.replaysTokens, let earlier = givenTokens[owner] {
            tokens = earlier
        } else {
            let accessToken = try makeAccessToken(client, facts, misbehaviour, in: moment)
            var maker = idTokenMaker(client, facts, misbehaviour, accessToken: accessToken)
            maker.requestID = requestID
            let idToken = try Self.signing { () throws(OpenSSLError) in
                try maker.make(in: moment)
            }
            tokens = GivenTokens(accessToken: accessToken, idToken: idToken)
        }
        givenTokens[owner] = tokens
        var members = brokerMembers(facts)
        members["access_token"] = .string(tokens.accessToken)
        members["token_type"] = .string(settings.broker.tokenType)
        members["expires_in"] = .integer(Int64(settings.tokenLifetimeSeconds))
        members["scope"] = .string(facts.scope)
        members["id_token"] = .string(tokens.idToken)
        var draft = AnswerDraft(members, self)
        misbehaviour.spoil(&draft, .token)
        return (draft, tokens.accessToken)
    }

    /// What a broker adds to its token responses.
    private func brokerMembers(_ facts: LoginFacts) -> JSONObject {
        switch settings.broker {
        case .generic, .idura: JSONObject()
        case .idpartner: settings.idPartner.tokenResponseClaims
        case .bankidNorway:
            [
                "refresh_expires_in": .integer(1800), "not-before-policy": .integer(0),
                "session_state": .string(BrokerIdentifier.uuid("\(facts.subject) session")),
            ]
        }
    }

    /// What the code stands for, if it may be exchanged by this client in this way. The code is
    /// used up by the first try.
    private mutating func redeem(
        _ form: FormParameters, client: RegisteredClient, in moment: Moment
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
        guard moment.now < grant.expiresAt else {
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

    // MARK: - Access tokens

    /// A new access token about a person: a text that says nothing, or for clients with
    /// certificates a signed one that says whose certificate must come with it (RFC 8705 §3,
    /// RFC 9068).
    mutating func makeAccessToken(
        _ client: RegisteredClient, _ facts: LoginFacts?, _ misbehaviour: Misbehaviour,
        scope: String? = nil, in moment: Moment
    ) throws(OAuthError) -> String {
        let certificate = client.authentication.usesCertificate ? moment.certificate : nil
        let text: String
        if let certificate {
            var draft = TokenDraft(
                boundClaims(client, facts, certificate, in: moment), type: "at+jwt",
                key: signingKey(for: nil), client: client, now: moment.now)
            misbehaviour.spoil(&draft, .accessToken)
            text = try Self.signing { () throws(OpenSSLError) in
                try draft.encode(moment.randomBytes)
            }
        } else {
            text = moment.token()
        }
        accesses[Array(text.utf8)] = Access(
            clientID: client.id, scope: scope ?? facts?.scope ?? "", facts: facts,
            certificate: certificate, misbehaviour: misbehaviour,
            expiresAt: moment.after(seconds: settings.tokenLifetimeSeconds))
        return text
    }

    private func boundClaims(
        _ client: RegisteredClient, _ facts: LoginFacts?, _ certificate: Digest, in moment: Moment
    ) -> JSONObject {
        [
            "iss": .string(issuer), "aud": .string(issuer), "client_id": .string(client.id),
            "sub": .string(facts?.subject ?? client.id), "jti": .string(moment.token()),
            "iat": .integer(moment.now.secondsSince1970), "scope": .string(facts?.scope ?? ""),
            "exp": .integer(moment.after(seconds: settings.tokenLifetimeSeconds).secondsSince1970),
            "cnf": .object(["x5t#S256": .string(certificate.base64URL)]),
        ]
    }

    /// What an access token stands for, if it is valid and came with the certificate that it is
    /// bound to.
    func access(_ token: String?, in moment: Moment) -> Access? {
        guard let token, let access = accesses[Array(token.utf8)], moment.now < access.expiresAt
        else { return nil }
        guard let certificate = access.certificate else { return access }
        return moment.isOverMutualTLS && certificate == moment.certificate ? access : nil
    }
}
