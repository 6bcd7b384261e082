// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives

extension SimulatedProvider {
    /// How long discovery and key set may be kept, in seconds.
    private static let ageSecondsMax = 300

    /// The discovery document (OpenID Connect Discovery §3, RFC 9207 §3).
    var discovery: ProviderAnswer {
        var members =
            switch settings.broker {
            case .generic: commonMembers.merging(genericMembers)
            case .idura: commonMembers.merging(iduraMembers)
            case .idpartner: commonMembers.merging(genericMembers)
            case .bankidNorway: commonMembers.merging(bankIDMembers)
            }
        if settings.broker.hasBackchannel { members = members.merging(backchannelMembers) }
        var draft = AnswerDraft(members, self)
        // BankID's is not to be kept.
        draft.ageSecondsMax = settings.broker == .bankidNorway ? nil : Self.ageSecondsMax
        settings.misbehaviour.spoil(&draft, .discovery)
        return draft.answer
    }

    /// The key set (RFC 7517 §5).
    var keySet: ProviderAnswer {
        var draft = AnswerDraft(["keys": .array(keys.map { .object($0.published) })], self)
        draft.ageSecondsMax = Self.ageSecondsMax
        settings.misbehaviour.spoil(&draft, .keySet)
        return draft.answer
    }

    /// The URL of an endpoint for clients with certificates.
    func aliasURL(of endpoint: ProviderEndpoint) -> String {
        settings.mutualTLSBase(issuer: issuer) + endpoint.path(at: settings.broker)
    }

    // MARK: - Members

    private var commonMembers: JSONObject {
        let broker = settings.broker
        let types = broker.responseTypes + (settings.allowsHybrid ? ResponseType.hybrids : [])
        return [
            "issuer": .string(issuer),
            "authorization_endpoint": .string(url(of: .authorization)),
            "token_endpoint": .string(url(of: .token)),
            "userinfo_endpoint": .string(url(of: .userInfo)),
            "jwks_uri": .string(url(of: .keySet)),
            "pushed_authorization_request_endpoint": .string(url(of: .pushedAuthorization)),
            "response_types_supported": texts(types.map(\.text)),
            "response_modes_supported": texts(broker.responseModes.map(\.rawValue)),
            "subject_types_supported": texts([broker == .idura ? "pairwise" : "public"]),
            "id_token_signing_alg_values_supported": texts(algorithms),
            "token_endpoint_auth_methods_supported": texts(
                broker.authenticationMethods.map(\.rawValue)),
            "code_challenge_methods_supported": texts(["S256"]),
        ]
    }

    private var genericMembers: JSONObject {
        let signatures = SignatureAlgorithm.allCases.map(\.rawValue)
        let isDemanded = settings.requiresPushedRequests
        return [
            "scopes_supported": texts(
                ["openid", "profile", "email", "phone", "address"] + partnerScopes),
            "grant_types_supported": texts(
                ["authorization_code"]
                    + (settings.broker == .generic ? ["implicit", Self.cibaGrantType] : [])),
            "acr_values_supported": texts(distinct(settings.persons.map(\.authenticationContext))),
            "authorization_response_iss_parameter_supported": .bool(true),
            "authorization_signing_alg_values_supported": texts(algorithms),
            "authorization_encryption_alg_values_supported": texts(encryptionAlgorithms),
            "authorization_encryption_enc_values_supported": texts(contentEncryptions),
            "id_token_encryption_alg_values_supported": texts(encryptionAlgorithms),
            "id_token_encryption_enc_values_supported": texts(contentEncryptions),
            "userinfo_signing_alg_values_supported": texts(algorithms),
            "request_parameter_supported": .bool(true),
            "request_uri_parameter_supported": .bool(false),
            "request_object_signing_alg_values_supported": texts(signatures),
            "require_pushed_authorization_requests": .bool(isDemanded),
            "token_endpoint_auth_signing_alg_values_supported": texts(
                signatures + [ClientAssertion.codeAlgorithm]),
            "tls_client_certificate_bound_access_tokens": .bool(true),
            "mtls_endpoint_aliases": .object(aliases),
        ]
    }

    private var aliases: JSONObject {
        var aliases: JSONObject = [
            "token_endpoint": .string(aliasURL(of: .token)),
            "userinfo_endpoint": .string(aliasURL(of: .userInfo)),
            "pushed_authorization_request_endpoint": .string(aliasURL(of: .pushedAuthorization)),
        ]
        if settings.broker.hasBackchannel {
            aliases["backchannel_authentication_endpoint"] = .string(
                aliasURL(of: .backchannelAuthentication))
        }
        return aliases
    }

    /// What a provider with logins without redirects says of them (CIBA Core §4).
    private var backchannelMembers: JSONObject {
        [
            "backchannel_authentication_endpoint": .string(url(of: .backchannelAuthentication)),
            "backchannel_token_delivery_modes_supported": texts(["poll"]),
            "backchannel_user_code_parameter_supported": .bool(false),
        ]
    }

    private var iduraMembers: JSONObject {
        [
            "grant_types_supported": texts(
                ["authorization_code", "implicit", Self.cibaGrantType]),
            "end_session_endpoint": .string(issuer + "/oauth2/logout"),
            "acr_values_supported": texts([
                "urn:grn:authn:no:bankid", "urn:grn:authn:no:bankid:high",
                "urn:grn:authn:no:bankid:substantial", "urn:grn:authn:se:bankid:same-device",
                "urn:grn:authn:se:bankid:another-device:qr",
            ]),
        ]
    }

    private var bankIDMembers: JSONObject {
        [
            "scopes_supported": texts(["openid", "profile", "nnin_altsub", Self.permissionScope]),
            "grant_types_supported": texts(
                ["authorization_code", "client_credentials", Self.cibaGrantType]),
            "acr_values_supported": texts(["urn:bankid:bid", "urn:bankid:bis"]),
            "end_session_endpoint": .string(issuer + "/protocol/openid-connect/logout"),
            "introspection_endpoint": .string(
                issuer + "/protocol/openid-connect/token/introspect"),
            "jwks_uri_enc": .string(url(of: .keySet)),
            "require_pushed_authorization_requests": .bool(settings.requiresPushedRequests),
            "tls_client_certificate_bound_access_tokens": .bool(false),
            "signdoc-baseurl": .string(issuer + "/signdoc"),
            "aml-baseurl": .string(issuer + "/aml"),
            "fraud-data-baseurl": .string(issuer + "/fraud-data"),
            "release": .string("simulated"),
        ]
    }

    /// The scopes for claims that stand in the token response.
    private var partnerScopes: [String] {
        guard settings.broker == .idpartner else { return [] }
        return settings.idPartner.tokenResponseClaims.members.map(\.name)
    }

    private var algorithms: [String] { distinct(keys.map(\.algorithm.rawValue)) }

    private var encryptionAlgorithms: [String] {
        KeyManagementAlgorithm.allCases.map(\.rawValue)
    }

    private var contentEncryptions: [String] { ContentEncryption.allCases.map(\.rawValue) }

    private func texts(_ texts: [String]) -> JSONValue { .array(texts.map(JSONValue.string)) }

    private func distinct(_ texts: [String]) -> [String] {
        texts.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
