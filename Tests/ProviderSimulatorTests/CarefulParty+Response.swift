// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import ProviderSimulator

extension CarefulParty {
    /// What came back through the browser.
    struct Answer {
        var values: [String: String]
        let place: (Misbehaviour.ResponseCheck) -> Misbehaviour.Detection
    }

    /// Reads the answer of the authorization endpoint; nil when there is nothing to go on with.
    mutating func read(_ response: HTTPResponse, _ keys: JSONWebKeySet) -> Answer? {
        guard let url = Self.callbackURL(response) else {
            note(.absence, "abandoned")
            return nil
        }
        let pairs = Form.pairs(url)
        if Set(pairs.map(\.name)).count < pairs.count { note(.callback, "callback-malformed") }
        let text = url.replacing("#", with: url.contains("?") ? "&" : "?")
        let outer = Form.decode(query: text)
        guard isSigned else {
            return check(Answer(values: outer) { _ in .callback })
        }
        if outer["code"] != nil || outer["error"] != nil || outer["response"] == nil {
            note(.callback, "callback-malformed")
        }
        guard let token = outer["response"], let claims = responseClaims(token, keys) else {
            return nil
        }
        let values = claims.members.compactMap { member in
            member.value.stringValue.map { (member.name, $0) }
        }
        return check(Answer(values: Dictionary(values) { $1 }) { .jarm($0) })
    }

    /// The URL to which the browser goes, the body of a form standing for a query.
    private static func callbackURL(_ response: HTTPResponse) -> String? {
        if let location = response.field("Location") { return location }
        let page = String(decoding: response.body, as: UTF8.self)
        guard page.contains("<form") else { return nil }
        let inputs = page.split(separator: "<input").dropFirst().map { input in
            let parts = input.split(separator: "\"", omittingEmptySubsequences: false)
            return [String(parts[3]): String(parts[5]).replacing("&amp;", with: "&")]
        }
        return "https://rp.example/?" + inputs.map(Form.encode).joined(separator: "&")
    }

    /// State, issuer, error and code, in this order.
    private mutating func check(_ answer: Answer) -> Answer? {
        switch answer.values["state"] {
        case nil: note(answer.place(.state), "state-missing")
        case let state? where Array(state.utf8) != Array(Self.state.utf8):
            note(answer.place(.state), "state-mismatch")
        default: break
        }
        let promisesIssuer = login.provider.settings.broker == .generic || isSigned
        switch answer.values["iss"] {
        case nil where promisesIssuer: note(answer.place(.iss), "iss-missing")
        case let issuer? where issuer != Login.issuer: note(answer.place(.iss), "iss-mismatch")
        default: break
        }
        let given = way == .implicit ? answer.values["id_token"] : answer.values["code"]
        let code = given?.isEmpty ?? true ? nil : given
        if let error = answer.values["error"] {
            note(answer.place(.code), Self.reason(error))
        }
        guard code != nil else {
            note(answer.place(.code), "callback-malformed")
            return nil
        }
        return answer
    }

    private static func reason(_ error: String) -> String {
        switch error {
        case "access_denied": "access-denied"
        case "login_required": "login-required"
        case "temporarily_unavailable": "provider-outage"
        default: "broker-error"
        }
    }

    // MARK: - Signed responses

    private mutating func responseClaims(_ token: String, _ keys: JSONWebKeySet) -> JSONObject? {
        var text = Array(token.utf8)
        if needs.contains(.encryption) {
            do throws(JWEError) {
                text = try Self.decrypt(text)
            } catch {
                let isUndecryptable = error == .undecryptable || error == .noKey
                note(.jarm(.encryption), isUndecryptable ? "jwe-decrypt-failed" : "jarm-invalid")
                return nil
            }
        }
        let payload: [UInt8]
        do throws(JWSError) {
            payload = try CompactJWS(parsing: text).verified(with: keys, allowing: algorithms)
                .payload
        } catch {
            note(.jarm(Self.responseCheck(error)), "jarm-invalid")
            return nil
        }
        guard let claims = try? JSONReader.read(payload, numbers: .anyAsText).objectValue else {
            note(.jarm(.claims), "jarm-invalid")
            return nil
        }
        if claims["aud"] != .string(login.clientID) { note(.jarm(.aud), "jarm-invalid") }
        let now = login.now.millisecondsSince1970 / 1000
        if (claims["exp"]?.integerValue ?? 0) <= now { note(.jarm(.exp), "jarm-invalid") }
        return claims
    }

    private static func responseCheck(_ error: JWSError) -> Misbehaviour.ResponseCheck {
        switch error {
        case .headerRefused, .criticalExtension: .header
        case .algorithmNotAllowed: .alg
        case .noKey: .key
        case .signatureInvalid: .signature
        default: .form
        }
    }

    /// What was agreed on.
    var algorithms: [SignatureAlgorithm] { [login.provider.keys[0].algorithm] }

    static func decrypt(_ token: [UInt8]) throws(JWEError) -> [UInt8] {
        guard let key = try? ClientKit.decryptionKey else { throw .noKey }
        return try CompactJWE(parsing: token).decrypted(
            with: [DecryptionKey(keyID: "client-enc", key: key)], algorithms: [.rsaOAEP],
            encryptions: [.aes256CBC], substituteKey: randomBytes(64))
    }
}
