// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import LedgerPrimitives

extension SimulatedProvider {
    /// IDPartner's account selector: the user chooses this provider at once, and goes back to where
    /// the client wants them.
    mutating func selectAccount(_ query: [UInt8], in moment: Moment) -> HTTPResponse {
        guard let parameters = FormParameters(parsing: query), !parameters.hasRepetition,
            let id = parameters["client_id"], let client = client(id),
            let returnURI = client.selectorReturnURI, let visitor = parameters["visitor_id"]
        else { return .page("This client has no account selector here.", status: 400) }
        var draft = CallbackDraft(parameters: [
            ("iss", issuer), ("idp_id", settings.idPartner.identityProviderID),
            ("client_id", id), ("visitor_id", visitor),
        ])
        if settings.idPartner.usesSelectorToken {
            let token = moment.token()
            selectorTokens[Array(token.utf8)] = id
            draft["idpartner_token"] = token
        }
        let misbehaviour = client.misbehaviour ?? settings.misbehaviour
        misbehaviour.spoilSelection(&draft)
        let separator = returnURI.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
        return .redirect(
            to: returnURI + separator
                + FormParameters.encode(draft.parameters.map { ($0.name, $0.value) }))
    }

    /// Checks, and uses up, what only this broker wants in an authorization request.
    mutating func checkBrokerParameters(
        _ request: EffectiveRequest, client: RegisteredClient, in moment: Moment
    ) throws(OAuthError) {
        switch settings.broker {
        case .generic, .idura: break
        case .idpartner:
            // What was pushed was checked when it came.
            if !request.isPushed { try checkSelection(request.parameters, client: client) }
        case .bankidNorway:
            try checkPermission(request.parameters, client: client, in: moment)
        }
    }

    /// The user comes from the account selector, with a token that counts once.
    private mutating func checkSelection(
        _ parameters: FormParameters, client: RegisteredClient
    ) throws(OAuthError) {
        if let provider = parameters["identity_provider_id"],
            !provider.isIdentical(to: settings.idPartner.identityProviderID)
        {
            throw OAuthError(.invalidRequest, "identity_provider_id is another one")
        }
        guard settings.idPartner.usesSelectorToken else { return }
        guard let token = parameters["idpartner_token"],
            let owner = selectorTokens.removeValue(forKey: Array(token.utf8)),
            owner.isIdentical(to: client.id)
        else { throw OAuthError(.invalidRequest, "idpartner_token is missing or was used before") }
    }
}
