// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenSSL

/// Makes ID tokens as a broker does, and spoils them as it is told.
struct IDTokenMaker {
    /// The claim that names a request without redirects (CIBA Core §10.3.1).
    static let requestClaim = "urn:openid:params:jwt:claim:auth_req_id"

    let issuer: String
    let settings: ProviderSettings
    let client: RegisteredClient
    let key: ProviderKey
    let facts: LoginFacts
    let misbehaviour: Misbehaviour
    /// The access token that is given with it; nil when there is none.
    var accessToken: String?
    /// The request without redirects that it names; nil for none.
    var requestID: String?
    /// The code that is given with it, and the state, where a browser carries both.
    var frontChannel: (code: String?, state: String?)?

    /// The token in compact form.
    func make(in moment: Moment) throws(OpenSSLError) -> String {
        var draft = TokenDraft(
            claims(at: moment.now), key: key, client: client, now: moment.now)
        draft.encryptIfWanted()
        misbehaviour.spoil(&draft, .idToken)
        return try draft.encode(moment.randomBytes)
    }

    private func claims(at now: Instant) -> JSONObject {
        let broker = BrokerClaims(
            settings: settings, clientID: client.id, facts: facts, now: now)
        var claims = broker.ofIDToken
        claims["iss"] = .string(issuer)
        claims["aud"] = .string(client.id)
        claims["sub"] = .string(facts.subject)
        claims["iat"] = .integer(now.secondsSince1970)
        claims["exp"] = .integer(now.secondsSince1970 + Int64(settings.tokenLifetimeSeconds))
        claims["nonce"] = facts.nonce.map(JSONValue.string)
        claims[Self.requestClaim] = requestID.map(JSONValue.string)
        if let accessToken, broker.bindsAccessToken {
            claims["at_hash"] = .string(hash(accessToken))
        }
        claims["c_hash"] = (frontChannel?.code).map { .string(hash($0)) }
        claims["s_hash"] = (frontChannel?.state).map { .string(hash($0)) }
        // Who is told nothing by UserInfo is told here (OpenID Connect Core §5.4).
        return accessToken == nil ? claims.merging(facts.scopeClaims) : claims
    }

    private func hash(_ text: String) -> String {
        LeftHalfHash.encode(text, algorithm: key.algorithm)
    }
}
