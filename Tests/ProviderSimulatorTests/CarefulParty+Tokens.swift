// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import ProviderSimulator

extension CarefulParty {
    /// Takes the tokens, wherever they come from, and looks at each.
    mutating func takeTokens(_ answer: Answer, _ keys: JSONWebKeySet) throws {
        var idToken = answer.values["id_token"]
        var accessToken = answer.values["access_token"]
        if way != .implicit {
            let code = answer.values["code"] ?? ""
            let response = login.answer(login.tokenRequest(code))
            if response.delayMilliseconds > 0 { note(.tokenResponse, "exchange-interrupted") }
            guard let members = tokenMembers(response.response) else { return }
            idToken = members["id_token"]?.stringValue
            accessToken = members["access_token"]?.stringValue
        }
        guard let idToken, let accessToken else {
            return note(.tokenResponse, "id-token-missing")
        }
        checkTokens(idToken, accessToken: accessToken, code: answer.values["code"], keys)
    }

    /// Looks at tokens, and with them at UserInfo.
    mutating func checkTokens(
        _ idToken: String, accessToken: String, code: String?, _ keys: JSONWebKeySet
    ) {
        checkBinding(accessToken, keys)
        let subject = checkIDToken(
            Array(idToken.utf8), accessToken: accessToken, code: code, keys)
        if needs.contains(.userInfo) || needs.contains(.signedUserInfo) {
            checkUserInfo(accessToken, subject: subject, keys)
        }
    }

    /// The members of a token response; nil when there are none to go on with.
    mutating func tokenMembers(
        _ response: HTTPResponse, at place: Misbehaviour.Detection = .tokenResponse
    ) -> JSONObject? {
        let members = try? JSONReader.read(response.body, numbers: .anyAsText).objectValue
        if response.status >= 500 {
            note(place, "provider-outage")
            return nil
        }
        if let error = members?["error"]?.stringValue {
            note(place, error == "invalid_grant" ? "code-refused" : "broker-error")
            return nil
        }
        guard response.status != 401 else {
            note(place, "client-auth-failed")
            return nil
        }
        guard response.status == 200, let members, response.mediaType == "application/json" else {
            note(place, "token-response-malformed")
            return nil
        }
        let seconds = members["expires_in"].map { member in
            member.integerValue ?? member.stringValue.flatMap { Int64($0) } ?? -1
        }
        if members["token_type"]?.stringValue?.lowercased() != "bearer" || (seconds ?? 0) < 0 {
            note(place, "token-response-malformed")
        }
        return members
    }

    /// A client with a certificate gets access tokens that are bound to it.
    private mutating func checkBinding(_ accessToken: String, _ keys: JSONWebKeySet) {
        guard needs.contains(.certificate) else { return }
        let claims = try? ClientKit.claims(of: accessToken, keys: keys, type: "at+jwt")
        let thumbprint = claims?["cnf"]?.objectValue?["x5t#S256"]
        if thumbprint != .string(ClientKit.thumbprint.base64URL) {
            note(.tokenResponse, "cert-binding-mismatch")
        }
    }

    // MARK: - ID token

    private mutating func checkIDToken(
        _ token: [UInt8], accessToken: String, code: String?, _ keys: JSONWebKeySet
    ) -> String? {
        var token = token
        if needs.contains(.encryption) {
            do throws(JWEError) {
                token = try Self.decrypt(token)
            } catch {
                let reason =
                    switch error {
                    case .algorithmNotAllowed: "alg-not-allowed"
                    case .headerRefused: "header-refused"
                    default: "jwe-decrypt-failed"
                    }
                note(.encryption, reason)
                return nil
            }
        }
        var expectations = login.expectations(accessToken: accessToken)
        expectations.accessToken.isRequired = way == .implicit
        expectations.algorithms = algorithms
        expectations.tokenBytesMax = 262_144
        expectations.assuranceLevelMin = needs.contains(.levelOfAssurance) ? 3 : nil
        expectations.code = HashExpectation(code.map(HashExpectation.Original.value))
        expectations.state = HashExpectation(.value(Self.state))
        if way == .polled {
            expectations.nonce = nil
            expectations.nonceRule = .ifPresent
        }
        let verifier = IDTokenVerifier(expectations)
        var result = verifier.examine(token, keys: keys, at: login.now)
        // A key that is not known gets one more look: the keys may just have changed.
        if result.verdict.reason == .keyIDUnknown, let fresh = fetchKeys() {
            result = verifier.examine(token, keys: fresh, at: login.now)
        }
        for check in result.verdict.failures {
            note(.idToken(check), result.verdict.reason?.rawValue ?? "")
        }
        if way == .polled, result.verdict.isAccepted { checkOrigin(of: token) }
        guard case .value(let subject) = result.token?.subject else { return nil }
        return subject
    }

    // MARK: - UserInfo

    private mutating func checkUserInfo(
        _ accessToken: String, subject: String?, _ keys: JSONWebKeySet
    ) {
        let response = login.get(
            .userInfo, fields: [HTTPField("Authorization", "Bearer \(accessToken)")])
        var claims: JSONObject?
        if needs.contains(.signedUserInfo) {
            let text = String(decoding: response.body, as: UTF8.self)
            claims = try? ClientKit.claims(of: text, keys: keys)
            let isOurs =
                claims?["iss"] == .string(Login.issuer)
                && claims?["aud"] == .string(login.clientID)
            if !isOurs { claims = nil }
        } else if response.mediaType == "application/json" {
            claims = try? JSONReader.read(response.body, numbers: .anyAsText).objectValue
        }
        guard response.status == 200, let found = claims?["sub"]?.stringValue else {
            return note(.userInfo, "userinfo-invalid")
        }
        if found != subject { note(.userInfo, "userinfo-subject-mismatch") }
    }

    // MARK: - Permissions

    /// A permission that was registered.
    struct RegisteredPermission {
        let id: String
        let token: String
        let bearer: [HTTPField]
    }

    mutating func registerPermission() throws -> RegisteredPermission? {
        guard needs.contains(.permission) else { return nil }
        let credentials = [
            "grant_type": "client_credentials", "scope": "openid permissions/client",
        ]
        let own = login.answer(login.authenticated(.token, credentials)).response.members
        let bearer = HTTPField(
            "Authorization", "Bearer \(own["access_token"]?.stringValue ?? "")")
        let seconds = login.now.millisecondsSince1970 / 1000
        let statement: JSONObject = [
            "type": .string("payment.v1"), "loa": .string("substantial"),
            "iat": .integer(seconds), "exp": .integer(seconds + 600),
            "intents": .array([.string("payment")]), "permission": .string("e30"),
        ]
        let response = login.answer(
            HTTPRequest(
                .post, login.provider.url(of: .permissions), fields: [bearer],
                body: CanonicalJSON.encode(statement))
        ).response
        guard let id = response.members["permissionId"]?.stringValue,
            let token = response.members["permissionToken"]?.stringValue
        else {
            note(.permission, "permission-refused")
            return nil
        }
        return RegisteredPermission(id: id, token: token, bearer: [bearer])
    }

    mutating func checkGrant(_ permission: RegisteredPermission) throws {
        let url = login.provider.url(of: .permissionGrant).replacing("{id}", with: permission.id)
        let response = login.answer(HTTPRequest(.get, url, fields: permission.bearer)).response
        let keys = try JSONWebKeySet(parsing: login.get(.grantKeySet).body)
        let text = String(decoding: response.body, as: UTF8.self)
        guard let claims = try? ClientKit.claims(of: text, keys: keys) else {
            return note(.permission, "permission-refused")
        }
        if claims["permissionId"] != .string(permission.id) {
            note(.permission, "permission-refused")
        }
    }
}
