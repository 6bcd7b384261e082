// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import LedgerPrimitives
internal import OpenSSL

extension SimulatedProvider {
    /// The authorization endpoint (RFC 6749 §4.1.1, OpenID Connect Core §3), where everybody agrees
    /// at once.
    ///
    /// Without a client and an address that is registered for it nobody is sent anywhere.
    mutating func authorize(_ text: [UInt8], in moment: Moment) -> HTTPResponse {
        guard let outer = FormParameters(parsing: text), let id = outer["client_id"],
            let client = client(id)
        else { return Self.nowhere }
        let effective: EffectiveRequest
        do throws(OAuthError) {
            effective = try effectiveRequest(outer, client: client, in: moment)
        } catch {
            return refusal(error, outer, client, in: moment)
        }
        do throws(OAuthError) {
            return try approve(effective, client: client, in: moment)
        } catch {
            return refusal(error, effective.parameters, client, in: moment)
        }
    }

    private static let nowhere = HTTPResponse.page(
        "This client or its address is not registered here.", status: 400)

    /// Where the answer to these parameters goes; nil when nobody knows.
    private func path(_ parameters: FormParameters, _ client: RegisteredClient) -> ReturnPath? {
        guard let redirectURI = parameters["redirect_uri"],
            client.allows(redirectURI: redirectURI)
        else { return nil }
        return ReturnPath(
            client: client, redirectURI: redirectURI,
            mode: ResponseMode(parameters, settings: settings), state: parameters["state"])
    }

    private func refusal(
        _ error: OAuthError, _ parameters: FormParameters, _ client: RegisteredClient,
        misbehaving: Misbehaviour = .none, in moment: Moment
    ) -> HTTPResponse {
        guard let path = path(parameters, client) else { return Self.nowhere }
        return callback(
            path, [("error", error.code.rawValue), ("error_description", error.description)],
            misbehaving: misbehaving, in: moment)
    }

    private mutating func approve(
        _ effective: EffectiveRequest, client: RegisteredClient, in moment: Moment
    ) throws(OAuthError) -> HTTPResponse {
        let parameters = effective.parameters
        guard let path = path(parameters, client) else { return Self.nowhere }
        let request = try AuthorizationRequest(parameters, client: client, settings: settings)
        try checkBrokerParameters(effective, client: client, in: moment)
        let login = logins.take() ?? SimulatedLogin()
        let misbehaviour = login.misbehaviour ?? client.misbehaviour ?? settings.misbehaviour
        if misbehaviour.rotatesKeys(on: .authorization) { try changeKey(in: moment) }
        guard !misbehaviour.refuses,
            let person = person(login.subject, hint: parameters["login_hint"])
        else {
            return refusal(
                OAuthError(.accessDenied, declined), parameters, client, misbehaving: misbehaviour,
                in: moment)
        }
        let facts = LoginFacts(
            person: person,
            subject: BrokerClaims.subject(
                of: person, settings: settings,
                isStable: !changesSubjects(misbehaviour), randomBytes: moment.randomBytes),
            scope: request.scope, acrValues: parameters["acr_values"],
            loginHint: parameters["login_hint"], nonce: request.nonce,
            authenticatedAt: moment.now)
        grantPermission(parameters, facts)
        let issued = try issue(
            request, path, client: client, facts, misbehaviour, in: moment)
        return callback(
            path, issued, misbehaving: misbehaviour, returns: login.returns, in: moment)
    }

    /// Publishes another key beside the old ones, and signs with it.
    mutating func changeKey(in moment: Moment) throws(OAuthError) {
        let algorithm = signingKey(for: nil).algorithm
        let keyID = "new-\(Hexadecimal.encode(moment.randomBytes(8)))"
        let key = try Self.signing { () throws(OpenSSLError) in
            try StrangerKeys.key(for: algorithm, keyID: keyID)
        }
        rotateKeys(to: key, keepingOld: true)
    }

    /// What the user gets to take along: a code, tokens, or both.
    private mutating func issue(
        _ request: AuthorizationRequest, _ path: ReturnPath, client: RegisteredClient,
        _ facts: LoginFacts, _ misbehaviour: Misbehaviour, in moment: Moment
    ) throws(OAuthError) -> [(name: String, value: String?)] {
        var code: String?
        if request.type.givesCode {
            let text = moment.token()
            code = text
            grants[Array(text.utf8)] = Grant(
                clientID: client.id, redirectURI: path.redirectURI, challenge: request.challenge,
                facts: facts, misbehaviour: misbehaviour,
                expiresAt: moment.after(seconds: settings.codeLifetimeSeconds))
        }
        var accessToken: String?
        if request.type.givesToken {
            accessToken = try makeAccessToken(client, facts, misbehaviour, in: moment)
        }
        var idToken: String?
        if request.type.givesIDToken {
            let maker = idTokenMaker(
                client, facts, misbehaviour, accessToken: accessToken, (code, path.state))
            idToken = try Self.signing { () throws(OpenSSLError) in try maker.make(in: moment) }
        }
        return [
            ("code", code), ("access_token", accessToken),
            ("token_type", accessToken == nil ? nil : settings.broker.tokenType),
            ("expires_in", accessToken == nil ? nil : "\(settings.tokenLifetimeSeconds)"),
            ("id_token", idToken),
        ]
    }

    /// A maker of an ID token for a client.
    func idTokenMaker(
        _ client: RegisteredClient, _ facts: LoginFacts, _ misbehaviour: Misbehaviour,
        accessToken: String?, _ frontChannel: (code: String?, state: String?)? = nil
    ) -> IDTokenMaker {
        var maker = IDTokenMaker(
            issuer: issuer, settings: settings, client: client,
            key: signingKey(for: client.idTokenAlgorithm), facts: facts,
            misbehaviour: misbehaviour)
        maker.accessToken = accessToken
        maker.frontChannel = frontChannel
        return maker
    }

    /// Turns a failure to sign into an error of the protocol.
    static func signing<Result>(
        _ body: () throws(OpenSSLError) -> Result
    ) throws(OAuthError) -> Result {
        do throws(OpenSSLError) {
            return try body()
        } catch {
            throw OAuthError(.serverError, "the token cannot be signed")
        }
    }

    /// What `error_description` says when the user declines.
    private var declined: String {
        settings.broker == .bankidNorway
            ? "bankid_error_codes:\(settings.bankID.errorCode)" : "the user declined"
    }

    func changesSubjects(_ misbehaviour: Misbehaviour) -> Bool {
        misbehaviour.changesSubject
            || settings.broker == .bankidNorway && settings.bankID.changesSubjects
    }

    /// The person with a subject, or whom a hint means, or else the first one.
    private func person(_ subject: String?, hint: String?) -> SimulatedPerson? {
        let named = subject.flatMap { subject in
            settings.persons.first { $0.subject.isIdentical(to: subject) }
        }
        let meant = hint.flatMap { hint in settings.persons.first { $0.isMeant(by: hint) } }
        return named ?? meant ?? settings.persons.first
    }
}
