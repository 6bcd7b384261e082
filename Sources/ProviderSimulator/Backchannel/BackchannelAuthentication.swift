// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import LedgerPrimitives

extension SimulatedProvider {
    /// The backchannel authentication endpoint (CIBA Core §7), where everybody is reached and
    /// answers as the script says.
    mutating func startBackchannel(_ request: HTTPRequest, in moment: Moment) -> ProviderAnswer {
        do throws(OAuthError) {
            let form = try FormParameters(bodyOf: request)
            let client = try backchannelClient(
                request, form, at: .backchannelAuthentication, in: moment)
            let terms = try BackchannelTerms(form, settings: settings)
            let person = try personMeant(by: form, client: client, in: moment)
            return try accept(
                form, terms, of: person, client: client, at: .backchannelAuthentication, in: moment)
        } catch {
            return ProviderAnswer(error.response)
        }
    }

    /// The endpoint of Idura's Headless, which begins a login by Swedish BankID: the answer has
    /// what the client shows, and the polls have it anew.
    mutating func startHeadless(_ request: HTTPRequest, in moment: Moment) -> ProviderAnswer {
        do throws(OAuthError) {
            let form = try FormParameters(bodyOf: request)
            let client = try backchannelClient(request, form, at: .headless, in: moment)
            let terms = try BackchannelTerms(headless: form, settings: settings)
            return try accept(form, terms, of: nil, client: client, at: .headless, in: moment)
        } catch {
            return ProviderAnswer(error.response)
        }
    }

    /// A client that proved who it is; public ones cannot (CIBA Core §4).
    private mutating func backchannelClient(
        _ request: HTTPRequest, _ form: FormParameters, at endpoint: ProviderEndpoint,
        in moment: Moment
    ) throws(OAuthError) -> RegisteredClient {
        let client = try authenticate(
            try claimedClient(request, form), at: endpoint, in: moment)
        guard client.authentication != .none else {
            throw OAuthError(.unauthorizedClient, "public clients have no backchannel")
        }
        return client
    }

    /// Lets a request wait for its user, and tells its name.
    ///
    /// - Parameter meant: the person whom the request is about; nil for the first one.
    private mutating func accept(
        _ form: FormParameters, _ terms: BackchannelTerms, of meant: SimulatedPerson?,
        client: RegisteredClient, at endpoint: ProviderEndpoint, in moment: Moment
    ) throws(OAuthError) -> ProviderAnswer {
        let login = logins.take() ?? SimulatedLogin()
        let misbehaviour = login.misbehaviour ?? client.misbehaviour ?? settings.misbehaviour
        if misbehaviour.rotatesKeys(on: .authorization) { try changeKey(in: moment) }
        guard let person = whoLogsIn(login, meant: meant, misbehaviour) else {
            throw OAuthError(.unknownUserID, "nobody is known here")
        }
        let id = moment.token()
        let code = endpoint == .headless ? QRCode(in: moment) : nil
        var draft = AnswerDraft(terms.members(id: id, code: code, in: moment), self)
        misbehaviour.spoil(&draft, endpoint)
        // Whoever was told of no request has none.
        guard draft.text == nil, draft.status == 200 else { return draft.answer }
        // Headless names no interval: a client asks as often as it wants to show a fresh QR code.
        let interval = endpoint == .headless ? 1 : draft.toldIntervalSeconds
        backchannelRequests[Array(id.utf8)] = BackchannelRequest(
            endpoint: endpoint, clientID: client.id,
            facts: facts(of: person, form, misbehaviour, requestID: id, in: moment),
            misbehaviour: misbehaviour,
            script: script(for: login, misbehaviour), acceptedAt: moment.now,
            expiresAt: moment.after(seconds: terms.lifetimeSeconds),
            pendingDescriptions: terms.pendingDescriptions, code: code,
            permissionID: permission(form).map { Array($0.id.utf8) }, intervalSeconds: interval,
            dueAt: moment.after(seconds: interval)
                .advanced(byMilliseconds: Int64(draft.delayMilliseconds)))
        return draft.answer
    }

    private func facts(
        of person: SimulatedPerson, _ form: FormParameters, _ misbehaviour: Misbehaviour,
        requestID: String, in moment: Moment
    ) -> LoginFacts {
        LoginFacts(
            person: person,
            subject: BrokerClaims.subject(
                of: person, settings: settings, isStable: !changesSubjects(misbehaviour),
                randomBytes: moment.randomBytes),
            scope: form["scope"] ?? "", acrValues: form["acr_values"],
            loginHint: form["login_hint"], nonce: nil, requestID: requestID,
            authenticatedAt: moment.now)
    }

    /// Who answers: the person whom the prepared login names, or else the one who is meant, or
    /// somebody else where that is what goes wrong.
    private func whoLogsIn(
        _ login: SimulatedLogin, meant: SimulatedPerson?, _ misbehaviour: Misbehaviour
    ) -> SimulatedPerson? {
        let named = login.subject.flatMap { subject in
            settings.persons.first { $0.subject.isIdentical(to: subject) }
        }
        let person = named ?? meant ?? settings.persons.first
        guard misbehaviour.exchangesPersons else { return person }
        return settings.persons.first { $0 != person }
    }

    /// How the user answers. Somebody who never comes back from a redirect does not answer here.
    private mutating func script(
        for login: SimulatedLogin, _ misbehaviour: Misbehaviour
    ) -> BackchannelScript {
        var script = login.script ?? nextScript()
        if !login.returns { script.ending = .neverAnswers }
        if misbehaviour.refuses { script.ending = .declines }
        misbehaviour.edit(&script)
        return script
    }

    private mutating func nextScript() -> BackchannelScript {
        let scripts = settings.backchannel.scripts
        guard !scripts.isEmpty else { return BackchannelScript() }
        defer { scriptsTaken += 1 }
        return scripts[scriptsTaken % scripts.count]
    }
}

extension AnswerDraft {
    /// How long the client was told to wait before each poll, in seconds: five where it was told
    /// nothing, or nothing that can be waited.
    fileprivate var toldIntervalSeconds: Int {
        let told = members["interval"].flatMap { member in
            member.integerValue ?? member.stringValue.flatMap { Int64($0) }
        }
        let secondsDefault = 5
        return told.flatMap { (0...3600).contains($0) ? Int($0) : nil } ?? secondsDefault
    }
}
