// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import ProviderSimulator
import Testing

extension Login {
    static let cibaGrant = "urn:openid:params:grant-type:ciba"
    static let headlessGrant = "urn:grn:params:grant-type:headless"

    /// Asks for a login without redirects, with some parameters of a good request replaced.
    mutating func startBackchannel(_ changes: [String: String] = [:]) -> HTTPResponse {
        let form = ["scope": "openid profile", "login_hint": "person-no-1"]
        return answer(authenticated(.backchannelAuthentication, form, changes)).response
    }

    /// The same for Headless.
    mutating func startHeadless(_ changes: [String: String] = [:]) -> HTTPResponse {
        let form = [
            "scope": "openid", "acr_values": "urn:grn:authn:se:bankid:another-device:qr",
            "end_user_ip": "203.0.113.7",
        ]
        return answer(authenticated(.headless, form, changes)).response
    }

    /// The name of a new request.
    mutating func requestID(_ changes: [String: String] = [:]) throws -> String {
        try #require(startBackchannel(changes).members["auth_req_id"]?.stringValue)
    }

    /// Lets so many milliseconds pass.
    mutating func wait(milliseconds: Int64) { now = now.advanced(byMilliseconds: milliseconds) }

    /// Asks whether the user has answered, so many seconds from now.
    mutating func poll(
        _ id: String, after seconds: Int = 5, _ changes: [String: String] = [:]
    ) -> HTTPResponse {
        wait(milliseconds: Int64(seconds) * 1000)
        let form = ["grant_type": Self.cibaGrant, "auth_req_id": id]
        return answer(authenticated(.token, form, changes)).response
    }

    /// The same for Headless.
    mutating func pollHeadless(_ id: String, after seconds: Int = 5) -> HTTPResponse {
        wait(milliseconds: Int64(seconds) * 1000)
        let form = ["grant_type": Self.headlessGrant, "headless_req_id": id]
        return answer(authenticated(.token, form)).response
    }

    /// The verdict on an ID token for which no nonce was sent.
    mutating func backchannelVerdict(_ tokens: JSONObject) throws -> Verdict {
        var expectations = expectations(accessToken: tokens["access_token"]?.stringValue)
        expectations.nonce = nil
        expectations.nonceRule = .ifPresent
        if provider.settings.broker == .idura {
            expectations.assuranceLevelMin = nil
            expectations.accessToken.isRequired = false
        }
        let token = Array(try #require(tokens["id_token"]?.stringValue).utf8)
        return IDTokenVerifier(expectations)
            .verify(token, keys: try publishedKeys(), at: now)
    }

    /// The claims of the ID token among tokens.
    mutating func claims(_ tokens: JSONObject) throws -> JSONObject {
        try ClientKit.claims(
            of: try #require(tokens["id_token"]?.stringValue), keys: try publishedKeys())
    }

    static func idura(_ change: (inout ProviderSettings) -> Void = { _ in }) throws -> Login {
        let client = RegisteredClient(
            id: "urn:my:application", secret: secret, redirectURIs: [redirectURI])
        return try Login(at: .idura, client, settings: change)
    }
}
