// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives

extension SimulatedProvider {
    /// How long discovery and key set may be kept, in seconds.
    private static let maxAgeSeconds = 300

    /// The discovery document (OpenID Connect Discovery §3, RFC 9207 §3).
    var discovery: HTTPResponse {
        let isMismatched = settings.misbehaviour == .discoveryIssuerMismatch
        let methods = ClientAuthentication.allCases.map(\.rawValue)
        let members: JSONObject = [
            "issuer": .string(isMismatched ? issuer + "1" : issuer),
            "authorization_endpoint": .string(url(of: .authorization)),
            "token_endpoint": .string(url(of: .token)),
            "userinfo_endpoint": .string(url(of: .userInfo)),
            "jwks_uri": .string(url(of: .keySet)),
            "scopes_supported": texts(["openid", "profile"]),
            "response_types_supported": texts(["code"]),
            "response_modes_supported": texts(["query"]),
            "grant_types_supported": texts(["authorization_code"]),
            "subject_types_supported": texts(["public"]),
            "id_token_signing_alg_values_supported": texts(
                distinct(keys.map(\.algorithm.rawValue))),
            "token_endpoint_auth_methods_supported": texts(methods),
            "code_challenge_methods_supported": texts(["S256"]),
            "acr_values_supported": texts(distinct(settings.persons.map(\.authenticationContext))),
            "authorization_response_iss_parameter_supported": .bool(true),
            "request_parameter_supported": .bool(false),
            "request_uri_parameter_supported": .bool(false),
        ]
        return .json(members, maxAgeSeconds: Self.maxAgeSeconds)
    }

    /// The key set (RFC 7517 §5).
    var keySet: HTTPResponse {
        let members: JSONObject = ["keys": .array(keys.map { .object($0.published) })]
        return .json(members, maxAgeSeconds: Self.maxAgeSeconds)
    }

    private func texts(_ texts: [String]) -> JSONValue { .array(texts.map(JSONValue.string)) }

    private func distinct(_ texts: [String]) -> [String] {
        texts.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
