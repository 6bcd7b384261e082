// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import ProviderSimulator

extension CarefulParty {
    /// A request without redirects that was accepted, and when.
    struct AcceptedRequest {
        let id: String
        let at: Instant
        let deadline: Instant
        var intervalSeconds: Int64
        /// Whom it is about; nil for whoever comes.
        let subject: String?
    }

    /// How long it waits for an answer.
    private static let patienceMilliseconds = 15_000

    private var isHeadless: Bool { needs.contains(.headless) }

    /// A whole login without redirects, after another one where there has to be one.
    mutating func runPolled() throws -> [Finding] {
        if needs.contains(.earlierLogin) {
            try loginByPolls()
            // It only counts when nothing is wrong with it.
            guard findings.isEmpty else { return findings }
        }
        try loginByPolls()
        return findings
    }

    private mutating func loginByPolls() throws {
        guard let keys = fetchKeys() else { return }
        accepted = ask()
        guard let tokens = poll() else { return }
        guard let idToken = tokens["id_token"]?.stringValue,
            let accessToken = tokens["access_token"]?.stringValue
        else { return note(.poll, "id-token-missing") }
        checkTokens(idToken, accessToken: accessToken, code: nil, keys)
        polledTokens.append(Array(idToken.utf8))
    }

    // MARK: - Request

    private mutating func ask() -> AcceptedRequest? {
        let subject = isHeadless ? nil : "person-no-1"
        let form =
            isHeadless
            ? ["scope": "openid", "end_user_ip": "203.0.113.7"]
            : ["scope": "openid", "login_hint": subject ?? ""]
        let answer = login.answer(
            login.authenticated(isHeadless ? .headless : .backchannelAuthentication, form))
        guard answer.delayMilliseconds < Self.patienceMilliseconds,
            answer.response.status < 500
        else {
            note(.backchannelRequest, "provider-outage")
            return nil
        }
        let members = answer.response.members
        if answer.response.status == 401 || members["error"] != nil {
            note(.backchannelRequest, Self.reason(ofRefusal: members["error"]?.stringValue))
            return nil
        }
        let name = isHeadless ? "headless_req_id" : "auth_req_id"
        let interval = members["interval"].map(Self.number) ?? 5
        let allowed = Set(
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_".utf8)
        guard answer.response.status == 200, let id = members[name]?.stringValue,
            (1...1024).contains(id.utf8.count), id.utf8.allSatisfy(allowed.contains),
            let lifetime = members["expires_in"].flatMap(Self.number), lifetime > 0,
            let interval, (0...3600).contains(interval)
        else {
            note(.backchannelRequest, "response-malformed")
            return nil
        }
        login.wait(milliseconds: Int64(answer.delayMilliseconds))
        return AcceptedRequest(
            id: id, at: login.now, deadline: login.now.advanced(byMilliseconds: lifetime * 1000),
            intervalSeconds: max(interval, 1), subject: subject)
    }

    private static func number(_ value: JSONValue) -> Int64? {
        value.integerValue ?? value.stringValue.flatMap { Int64($0) }
    }

    private static func reason(ofRefusal error: String?) -> String {
        switch error {
        case "unknown_user_id": "unknown-user"
        case "expired_login_hint_token", "expired_id_token_hint", "invalid_id_token_hint",
            "invalid_login_hint_token":
            "hint-refused"
        case "invalid_binding_message": "binding-message-refused"
        case "access_denied": "access-denied"
        case "invalid_client", "unauthorized_client", nil: "client-auth-failed"
        default: "broker-error"
        }
    }

    // MARK: - Polls

    /// Polls until something comes of it; nil when no tokens do.
    private mutating func poll() -> JSONObject? {
        guard var request = accepted else { return nil }
        var isAfterGap = false
        var waitSeconds = request.intervalSeconds
        while true {
            login.wait(milliseconds: waitSeconds * 1000)
            waitSeconds = request.intervalSeconds
            guard login.now < request.deadline else {
                note(.poll, "poll-timeout")
                return nil
            }
            let answer = login.answer(login.authenticated(.token, form(of: request)))
            guard answer.delayMilliseconds < Self.patienceMilliseconds else {
                login.wait(milliseconds: Int64(Self.patienceMilliseconds))
                isAfterGap = true
                continue
            }
            login.wait(milliseconds: Int64(answer.delayMilliseconds))
            let response = answer.response
            if response.status >= 500 || response.status == 429 {
                let later = response.field("Retry-After").flatMap { Int64($0) } ?? 0
                waitSeconds = max(waitSeconds, later)
                isAfterGap = true
                continue
            }
            switch response.error {
            case "authorization_pending": continue
            case "slow_down":
                request.intervalSeconds += 5
                waitSeconds = request.intervalSeconds
            case let error?:
                note(.poll, Self.reason(ofPoll: error, isAfterGap: isAfterGap))
                return nil
            case nil:
                let members = tokenMembers(response, at: .poll)
                if login.now >= request.deadline { note(.poll, "poll-timeout") }
                return members
            }
        }
    }

    private func form(of request: AcceptedRequest) -> [String: String] {
        isHeadless
            ? ["grant_type": Login.headlessGrant, "headless_req_id": request.id]
            : ["grant_type": Login.cibaGrant, "auth_req_id": request.id]
    }

    private static func reason(ofPoll error: String, isAfterGap: Bool) -> String {
        switch error {
        case "access_denied": "access-denied"
        case "expired_token": "poll-timeout"
        case "invalid_client": "client-auth-failed"
        case "invalid_grant" where isAfterGap: "result-lost"
        default: "broker-error"
        }
    }

    // MARK: - Tokens

    /// Whether an ID token that is good in itself was made for this request, about this person.
    mutating func checkOrigin(of token: [UInt8]) {
        guard let accepted, let jws = try? CompactJWS(parsing: token),
            let claims = try? JSONReader.read(jws.unverifiedPayload, numbers: .anyAsText)
                .objectValue
        else { return }
        let toleratedSeconds: Int64 = 60
        if (claims["iat"]?.integerValue ?? 0) < accepted.at.secondsSince1970 - toleratedSeconds {
            note(.idToken(.iat), "iat-too-old")
        }
        if let named = claims["urn:openid:params:jwt:claim:auth_req_id"],
            named != .string(accepted.id)
        {
            note(.idToken(.authReqID), "token-replayed")
        }
        if let subject = accepted.subject, claims["sub"] != .string(subject) {
            note(.idToken(.hintedSubject), "subject-mismatch")
        }
        if polledTokens.contains(token) { note(.idToken(.replay), "token-replayed") }
    }
}
