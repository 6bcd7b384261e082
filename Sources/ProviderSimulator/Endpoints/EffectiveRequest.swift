// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenSSL

/// The parameters of an authorization request that count, and how they came.
struct EffectiveRequest {
    let parameters: FormParameters
    /// Whether they were pushed, by a client that had to prove who it is.
    let isPushed: Bool
}

extension SimulatedProvider {
    /// The parameters that count: those that were pushed (RFC 9126 §4), those of a signed request
    /// object (RFC 9101 §6.3), or else those of the request itself.
    mutating func effectiveRequest(
        _ outer: FormParameters, client: RegisteredClient, in moment: Moment
    ) throws(OAuthError) -> EffectiveRequest {
        if let uri = outer["request_uri"] {
            let pushed = try takePushedRequest(uri, client: client, in: moment)
            // What stands beside it would be believed without having been pushed.
            guard outer.without(["client_id", "request_uri"]).pairs.isEmpty else {
                throw OAuthError(.invalidRequest, "only client_id may stand beside request_uri")
            }
            return EffectiveRequest(parameters: pushed, isPushed: true)
        }
        if settings.requiresPushedRequests {
            throw OAuthError(.invalidRequest, "requests must be pushed")
        }
        return EffectiveRequest(
            parameters: try withoutRequestObject(outer, client: client, in: moment),
            isPushed: false)
    }

    /// The parameters with those of a request object in place of it.
    mutating func withoutRequestObject(
        _ outer: FormParameters, client: RegisteredClient, in moment: Moment
    ) throws(OAuthError) -> FormParameters {
        guard let object = outer["request"] else {
            if client.requiresRequestObject {
                throw OAuthError(.invalidRequest, "requests of this client must be signed")
            }
            return outer
        }
        guard !client.keys.keys.isEmpty else {
            throw OAuthError(.requestNotSupported, "the client has no keys here")
        }
        let claims = try verifiedRequestObject(object, client: client, in: moment)
        let registered: Set<String> = ["iss", "aud", "exp", "iat", "nbf", "jti", "sub"]
        let pairs = claims.members.filter { !registered.containsIdentical($0.name) }
            .map { member in
                let text = String(decoding: CanonicalJSON.encode(member.value), as: UTF8.self)
                return (name: member.name, value: member.value.stringValue ?? text)
            }
        return FormParameters(pairs)
    }

    /// The claims of a request object, if it is signed by the client, for this provider, now.
    private mutating func verifiedRequestObject(
        _ object: String, client: RegisteredClient, in moment: Moment
    ) throws(OAuthError) -> JSONObject {
        let refused = { (text: String) in OAuthError(.invalidRequestObject, text) }
        guard
            let jws = try? CompactJWS(parsing: Array(object.utf8))
                .verified(with: client.keys, allowing: SignatureAlgorithm.allCases)
        else { throw refused("the request object is not signed with a key of the client") }
        guard jws.header.type?.lowercased() == "oauth-authz-req+jwt" else {
            throw refused("typ is not that of a request object")
        }
        guard let claims = try? JSONReader.read(jws.payload, numbers: .anyAsText).objectValue else {
            throw refused("the payload is no object")
        }
        let id = JSONValue.string(client.id)
        guard claims["iss"] == id, claims["client_id"] == id else {
            throw refused("iss or client_id is another client's")
        }
        guard claims.isMeant(for: issuer) else { throw refused("aud is another provider") }
        guard claims.isCurrent(at: moment.now, lifetimeSecondsMax: 3600) else {
            throw refused("the request object is not valid now")
        }
        guard claims["request"] == nil, claims["request_uri"] == nil else {
            throw refused("there is a request in the request")
        }
        guard isFirstUse(of: object) else { throw refused("the request object was used before") }
        return claims
    }

    /// Whether a token that counts once comes for the first time.
    mutating func isFirstUse(of token: String) -> Bool {
        usedTokens.insert(Digest(SHA256.hash(Array(token.utf8)))).inserted
    }
}

extension JSONObject {
    /// Whether `aud` names just this one, as a text or alone in a list.
    func isMeant(for audience: String) -> Bool {
        self["aud"] == .string(audience) || self["aud"] == .array([.string(audience)])
    }

    /// Whether `exp` is ahead but not too far, and `nbf` and `iat`, where they are, are not.
    func isCurrent(at now: Instant, lifetimeSecondsMax: Int) -> Bool {
        let toleratedSeconds: Int64 = 60
        let bound = { (seconds: Int64) in
            now.advanced(byMilliseconds: (seconds + toleratedSeconds) * 1000).secondsSince1970
        }
        guard let expiration = self["exp"]?.integerValue, expiration > now.secondsSince1970,
            expiration <= bound(Int64(lifetimeSecondsMax))
        else { return false }
        return ["nbf", "iat"].allSatisfy { name in
            self[name].map { ($0.integerValue ?? .max) <= bound(0) } ?? true
        }
    }
}
