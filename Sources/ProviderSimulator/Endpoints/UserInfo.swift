// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import LedgerPrimitives
internal import OpenSSL

extension SimulatedProvider {
    /// The UserInfo endpoint (OpenID Connect Core §5.3): the person behind an access token, signed
    /// if the client wants it so.
    func userInfo(_ request: HTTPRequest, in moment: Moment) -> ProviderAnswer {
        do throws(OAuthError) {
            let token = request.bearerToken ?? Self.tokenInBody(of: request)
            guard let access = access(token, in: moment), let facts = access.facts,
                let client = client(access.clientID)
            else { throw OAuthError(.invalidToken, "nobody is known by this access token") }
            let broker = BrokerClaims(
                settings: settings, clientID: client.id, facts: facts, now: moment.now)
            var claims = broker.ofUserInfo
            claims["sub"] = .string(facts.subject)
            var draft = AnswerDraft(claims, self)
            if client.userInfoAlgorithm != nil {
                let misbehaviour = access.misbehaviour
                let token = try Self.signing { () throws(OpenSSLError) in
                    try signedUserInfo(claims, client, misbehaviour, in: moment)
                }
                draft.text = Array(token.utf8)
                draft.mediaType = "application/jwt"
            }
            access.misbehaviour.spoil(&draft, .userInfo)
            return draft.answer
        } catch {
            return ProviderAnswer(error.response)
        }
    }

    private func signedUserInfo(
        _ claims: JSONObject, _ client: RegisteredClient, _ misbehaviour: Misbehaviour,
        in moment: Moment
    ) throws(OpenSSLError) -> String {
        var draft = TokenDraft(
            claims.merging(["iss": .string(issuer), "aud": .string(client.id)]),
            key: signingKey(for: client.userInfoAlgorithm), client: client, now: moment.now)
        misbehaviour.spoil(&draft, .userInfo)
        return try draft.encode(moment.randomBytes)
    }

    /// The access token in a form (RFC 6750 §2.2).
    private static func tokenInBody(of request: HTTPRequest) -> String? {
        guard request.method == .post, request.authorization == nil else { return nil }
        return (try? FormParameters(bodyOf: request))?["access_token"]
    }
}
