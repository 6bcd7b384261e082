// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives

extension SimulatedProvider {
    /// Whom a request is about: just one of the three hints says so (CIBA Core §7.1).
    ///
    /// - `login_hint` is a subject, or ends in a colon and a national id: `sub:ssn:NUMBER`.
    /// - `id_token_hint` is an ID token that this provider gave to the client, expired or not.
    /// - `login_hint_token` is a permission of BankID that names its person; or a signed token
    ///   whose `sub` is what a login hint would be, by whomever it is signed, as nobody says who
    ///   signs them; or that login hint itself.
    func personMeant(
        by form: FormParameters, client: RegisteredClient, in moment: Moment
    ) throws(OAuthError) -> SimulatedPerson {
        let person: SimulatedPerson?
        switch (form["login_hint"], form["login_hint_token"], form["id_token_hint"]) {
        case (let hint?, nil, nil):
            person = self.person(meantBy: hint)
        case (nil, let token?, nil):
            person = try self.person(ofHintToken: token, form, client: client, in: moment)
        case (nil, nil, let token?):
            person = try self.person(ofIDToken: token, client: client)
        default:
            throw OAuthError(.invalidRequest, "there must be one hint, and only one")
        }
        guard let person else { throw OAuthError(.unknownUserID, "there is no such user") }
        return person
    }

    private func person(meantBy hint: String) -> SimulatedPerson? {
        settings.persons.first { $0.isMeant(by: hint) || lastingSubject(of: $0, is: hint) }
    }

    /// Whether a person has this `sub` here in every login, or another name that lasts.
    private func lastingSubject(of person: SimulatedPerson, is name: String) -> Bool {
        let subject = BrokerClaims.subject(
            of: person, settings: settings, isStable: true, randomBytes: { _ in [] })
        return subject.isIdentical(to: name)
            || settings.broker == .bankidNorway && person.bankIDNumber.isIdentical(to: name)
    }

    private func person(
        ofHintToken token: String, _ form: FormParameters, client: RegisteredClient,
        in moment: Moment
    ) throws(OAuthError) -> SimulatedPerson? {
        if settings.broker == .bankidNorway {
            try checkPermission(form, client: client, in: moment)
            let hints = permission(form)?.statement["loginHint"]?.arrayValue ?? []
            let numbers = Set(hints.compactMap { $0.objectValue?["value"]?.stringValue })
            return settings.persons.first { numbers.containsIdentical($0.nationalID) }
        }
        guard let claims = ClientAssertion.claims(of: token) else {
            return person(meantBy: token)
        }
        if let expiration = claims["exp"]?.integerValue, expiration <= moment.now.secondsSince1970 {
            throw OAuthError(.expiredLoginHintToken, "the hint has expired")
        }
        return claims["sub"]?.stringValue.flatMap { person(meantBy: $0) }
    }

    private func person(
        ofIDToken token: String, client: RegisteredClient
    ) throws(OAuthError) -> SimulatedPerson? {
        let refused = OAuthError(.invalidIDTokenHint, "this is no ID token of this client's")
        let keys = JSONWebKeySet(keys.map { JSONWebKey(.object($0.published)) })
        guard
            let jws = try? CompactJWS(parsing: Array(token.utf8))
                .verified(with: keys, allowing: SignatureAlgorithm.allCases),
            let claims = try? JSONReader.read(jws.payload, numbers: .anyAsText).objectValue,
            claims["iss"] == .string(issuer), claims.isMeant(for: client.id)
        else { throw refused }
        let names = ["sub", "bankid_altsub"].compactMap { claims[$0]?.stringValue }
        return settings.persons.first { person in
            names.contains { lastingSubject(of: person, is: $0) }
        }
    }
}
