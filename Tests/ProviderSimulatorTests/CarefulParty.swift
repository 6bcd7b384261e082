// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import ProviderSimulator

/// A relying party that looks at everything in a whole login, and goes on where a real one would
/// have stopped long ago, so that what is wrong shows in one place only.
struct CarefulParty {
    /// What it found, and the reason that it would give.
    struct Finding: Equatable {
        let detection: Misbehaviour.Detection
        let reason: String
    }

    /// How the answer comes, where the misbehaviour leaves the choice.
    enum Way: String, CaseIterable, Sendable {
        case query
        case formPost
        case implicit
        /// Without redirects.
        case polled
    }

    static let origin = "https://op.example/"
    static let selectorURI = "https://rp.example/selected"
    static let state = "st+&é"

    var login: Login
    let needs: Set<Misbehaviour.Need>
    let way: Way
    var findings: [Finding] = []
    /// The request without redirects that was accepted last.
    var accepted: AcceptedRequest?
    /// ID tokens that came in polls.
    var polledTokens: [[UInt8]] = []

    init(_ misbehaviour: Misbehaviour, way: Way = .query, key: ProviderKey? = nil) throws {
        needs = misbehaviour.row.needs
        let isPolled = needs.contains(.backchannel) || needs.contains(.headless)
        self.way = needs.contains(.frontChannelTokens) ? .implicit : isPolled ? .polled : way
        var client = RegisteredClient(
            id: "careful", secret: Login.secret, redirectURIs: [Login.redirectURI])
        if needs.contains(.certificate) {
            client = RegisteredClient(
                id: "careful", certificateThumbprint: ClientKit.thumbprint,
                redirectURIs: [Login.redirectURI])
        }
        client.selectorReturnURI = Self.selectorURI
        if needs.contains(.encryption) { client.encryptionKey = try ClientKit.encryptionKey }
        if needs.contains(.signedUserInfo) { client.userInfoAlgorithm = .rs256 }
        let isBankID = needs.contains(.permission) || needs.contains(.alternativeSubject)
        let broker: SimulatedBroker =
            needs.contains(.accountSelector) ? .idpartner : isBankID ? .bankidNorway : .generic
        login = try Login(at: broker, client, key: key) { $0.misbehaviour = misbehaviour }
    }

    /// Notes what is wrong in a place; what follows from it there is not worth another note.
    mutating func note(_ detection: Misbehaviour.Detection, _ reason: String) {
        guard !findings.contains(where: { $0.detection == detection }) else { return }
        findings.append(Finding(detection: detection, reason: reason))
    }

    /// A whole login, as far as it goes.
    mutating func run() throws -> [Finding] {
        checkDiscovery()
        guard way != .polled else { return try runPolled() }
        var changes = try changesOfRequest()
        let permission = try registerPermission()
        if let permission { changes["login_hint_token"] = permission.token }
        guard let answer = try authorize(changes) else { return findings }
        guard let keys = fetchKeys() else { return findings }
        guard let response = read(answer, keys) else { return findings }
        try takeTokens(response, keys)
        if let permission { try checkGrant(permission) }
        return findings
    }

    // MARK: - Discovery

    private mutating func checkDiscovery() {
        let response = login.get(.discovery)
        guard response.status == 200,
            let members = try? JSONReader.read(response.body, numbers: .anyAsText).objectValue
        else { return note(.discovery, "metadata-unavailable") }
        if members["issuer"] != .string(Login.issuer) {
            note(.discovery, "discovery-issuer-mismatch")
        }
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"] {
            let url = members[name]?.stringValue ?? ""
            if !url.hasPrefix(Self.origin) { note(.discovery, "host-refused") }
        }
    }

    /// The key set, unless there is none.
    mutating func fetchKeys() -> JSONWebKeySet? {
        let request = HTTPRequest(.get, login.provider.url(of: .keySet))
        let answer = login.answer(request)
        if answer.response.status != 200 || answer.delayMilliseconds > 0 {
            note(.keySet, "metadata-unavailable")
            return nil
        }
        if answer.response.body.count > request.limits.bodyBytesMax {
            note(.keySet, "response-too-large")
            return nil
        }
        guard let keys = try? JSONWebKeySet(parsing: answer.response.body) else {
            note(.keySet, "key-set-invalid")
            return nil
        }
        return keys
    }

    // MARK: - Request

    var isSigned: Bool { needs.contains(.signedResponse) || needs.contains(.accountSelector) }

    private mutating func changesOfRequest() throws -> [String: String] {
        var changes: [String: String] = [:]
        if isSigned { changes["response_mode"] = "jwt" }
        switch way {
        case .query, .polled: break
        case .formPost: changes["response_mode"] = "form_post"
        case .implicit: changes["response_type"] = "id_token token"
        }
        if needs.contains(.accountSelector) {
            changes["idpartner_token"] = try select()
        }
        return changes
    }

    private mutating func select() throws -> String? {
        let query = Form.encode(["client_id": "careful", "visitor_id": "v-1"])
        let url = login.provider.url(of: .accountSelector) + "?" + query
        let location = login.answer(HTTPRequest(.get, url)).response.field("Location") ?? ""
        let pairs = Form.pairs(location)
        if Set(pairs.map(\.name)).count < pairs.count {
            note(.accountSelector, "callback-malformed")
        }
        let values = Form.decode(query: location)
        switch values["iss"] {
        case nil: note(.accountSelector, "iss-missing")
        case Login.issuer: break
        default: note(.accountSelector, "iss-not-allowed")
        }
        if values["visitor_id"] != "v-1" { note(.accountSelector, "state-mismatch") }
        return values["idpartner_token"]
    }

    /// What the authorization endpoint answers; nil when nobody gets there.
    private mutating func authorize(_ changes: [String: String]) throws -> HTTPResponse? {
        guard needs.contains(.pushedRequest) || needs.contains(.accountSelector) else {
            return login.authorize(changes)
        }
        let pushed = login.answer(
            login.authenticated(
                .pushedAuthorization, login.authorizationParameters(changes))
        ).response
        if pushed.status >= 500 {
            note(.authorizationRequest, "provider-outage")
        } else if let error = pushed.error {
            note(
                .authorizationRequest,
                error == "invalid_client" ? "client-auth-failed" : "par-refused")
        } else if pushed.status >= 400 {
            note(
                .authorizationRequest,
                pushed.status == 401 ? "client-auth-failed" : "par-refused")
        }
        guard let uri = pushed.members["request_uri"]?.stringValue else {
            note(.authorizationRequest, "response-malformed")
            return nil
        }
        let query = Form.encode(["client_id": login.clientID, "request_uri": uri])
        let url = login.provider.url(of: .authorization) + "?" + query
        return login.answer(HTTPRequest(.get, url)).response
    }
}

extension Form {
    /// The parameters of a URL, those that stand twice too.
    static func pairs(_ url: String) -> [(name: String, value: String)] {
        let query = url.drop { $0 != "?" && $0 != "#" }.dropFirst()
        return query.split(separator: "&").map { pair in
            let name = pair.prefix { $0 != "=" }
            return (String(name), String(pair.dropFirst(name.count + 1)))
        }
    }
}
