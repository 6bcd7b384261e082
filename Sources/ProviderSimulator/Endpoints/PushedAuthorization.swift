// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import LedgerPrimitives

/// An authorization request that a client pushed, waiting for its user.
struct PushedRequest: Sendable {
    let clientID: String
    let parameters: FormParameters
    let expiresAt: Instant
}

extension SimulatedProvider {
    private static let uriPrefix = "urn:ietf:params:oauth:request_uri:"

    /// The endpoint for pushed authorization requests (RFC 9126 §2).
    mutating func pushAuthorization(
        _ request: HTTPRequest, in moment: Moment
    ) -> ProviderAnswer {
        do throws(OAuthError) {
            let form = try FormParameters(bodyOf: request)
            let claimed = try claimedClient(request, form)
            let client = try authenticate(claimed, at: .pushedAuthorization, in: moment)
            let uri = try push(form, client: client, in: moment)
            var draft = AnswerDraft(
                [
                    "request_uri": .string(uri),
                    "expires_in": .integer(Int64(settings.pushedRequestLifetimeSeconds)),
                ], self)
            draft.status = 201
            let misbehaviour =
                logins.first?.misbehaviour ?? client.misbehaviour ?? settings.misbehaviour
            misbehaviour.spoil(&draft, .pushedAuthorization)
            return draft.answer
        } catch {
            return ProviderAnswer(error.response)
        }
    }

    private mutating func push(
        _ form: FormParameters, client: RegisteredClient, in moment: Moment
    ) throws(OAuthError) -> String {
        guard form["request_uri"] == nil else {
            throw OAuthError(.invalidRequest, "request_uri cannot be pushed")
        }
        if let id = form["client_id"], !id.isIdentical(to: client.id) {
            throw OAuthError(.invalidRequest, "client_id is another client's")
        }
        let own = form.without([
            "client_secret", "client_assertion", "client_assertion_type",
        ])
        let parameters = try withoutRequestObject(own, client: client, in: moment)
        guard let redirectURI = parameters["redirect_uri"],
            client.allows(redirectURI: redirectURI)
        else { throw OAuthError(.invalidRequest, "redirect_uri is not registered") }
        _ = try AuthorizationRequest(parameters, client: client, settings: settings)
        try checkBrokerParameters(
            EffectiveRequest(parameters: parameters, isPushed: false), client: client, in: moment)
        let uri = Self.uriPrefix + moment.token()
        pushedRequests[Array(uri.utf8)] = PushedRequest(
            clientID: client.id, parameters: parameters,
            expiresAt: moment.after(seconds: settings.pushedRequestLifetimeSeconds))
        return uri
    }

    /// The parameters of a pushed request, which count once.
    mutating func takePushedRequest(
        _ uri: String, client: RegisteredClient, in moment: Moment
    ) throws(OAuthError) -> FormParameters {
        guard uri.utf8.starts(with: Self.uriPrefix.utf8) else {
            throw OAuthError(.requestURINotSupported, "requests are not fetched")
        }
        guard let pushed = pushedRequests.removeValue(forKey: Array(uri.utf8)),
            pushed.clientID.isIdentical(to: client.id), moment.now < pushed.expiresAt
        else { throw OAuthError(.invalidRequestURI, "there is no such request") }
        return pushed.parameters
    }
}
