// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import ProviderSimulator
import Testing

/// What a relying party knows and does in a login with the simulated provider, step by step.
struct Login {
    static let now = Instant(millisecondsSince1970: 1_700_000_000_250)
    static let issuer = "https://op.example/realms/test"
    static let redirectURI = "https://rp.example/callback?from=op"
    static let secret = "s:cr+t %é"
    // RFC 7636 appendix B.
    static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

    private static let rsaKey = Result { try ProviderKey(generatingFor: .rs256, keyID: "rsa") }
    static var key: ProviderKey { get throws { try rsaKey.get() } }

    static let clients = [
        RegisteredClient(id: "urn:rp:basic", secret: secret, redirectURIs: [redirectURI]),
        RegisteredClient(
            id: "post", secret: secret, authentication: .clientSecretPost,
            redirectURIs: [redirectURI]),
        RegisteredClient(
            publicID: "public", redirectURIs: [redirectURI, "http://127.0.0.1/done"]),
    ]

    var provider: SimulatedProvider
    var clientID = "urn:rp:basic"
    var now = Self.now
    /// What the client presents on connections to the endpoints that ask for certificates.
    var certificate: Digest?
    /// Changed for every draw, so that codes and access tokens differ but are known beforehand.
    var draws: UInt8 = 0

    init(
        misbehaviour: Misbehaviour = .none, key: ProviderKey? = nil, clientID: String? = nil
    ) throws {
        var settings = ProviderSettings(clients: Self.clients)
        settings.misbehaviour = misbehaviour
        provider = SimulatedProvider(
            issuer: Self.issuer, key: try key ?? Self.key, settings: settings)
        if let clientID { self.clientID = clientID }
    }

    /// A login of one client at a broker.
    init(
        at broker: SimulatedBroker, _ client: RegisteredClient, key: ProviderKey? = nil,
        settings change: (inout ProviderSettings) -> Void = { _ in }
    ) throws {
        var settings = ProviderSettings(clients: [client], broker: broker)
        change(&settings)
        let suitable = broker == .idpartner ? try ClientKit.ps256 : try Self.key
        provider = SimulatedProvider(
            issuer: Self.issuer, key: key ?? suitable, settings: settings)
        clientID = client.id
        if client.authentication.usesCertificate { certificate = client.certificateThumbprint }
    }

    mutating func answer(_ request: HTTPRequest) -> ProviderAnswer {
        var draws = draws
        defer { self.draws = draws }
        let isOverMutualTLS = request.url.contains("/mtls")
        return provider.respond(
            to: request, at: now, presenting: isOverMutualTLS ? certificate : nil
        ) { count in
            draws += 1
            return [UInt8](repeating: draws, count: count)
        }
    }

    mutating func get(_ endpoint: ProviderEndpoint, fields: [HTTPField] = []) -> HTTPResponse {
        answer(HTTPRequest(.get, provider.url(of: endpoint), fields: fields)).response
    }

    // MARK: - Authorization

    /// The parameters of a good request, some of them replaced; an empty one leaves one out.
    func authorizationParameters(_ changes: [String: String] = [:]) -> [String: String] {
        [
            "client_id": clientID, "redirect_uri": Self.redirectURI, "response_type": "code",
            "scope": "openid profile", "state": "st+&é", "nonce": "n-1",
            "code_challenge": Self.challenge, "code_challenge_method": "S256",
        ].merging(changes) { _, new in new }.filter { !$0.value.isEmpty }
    }

    mutating func authorize(_ changes: [String: String] = [:]) -> HTTPResponse {
        let query = Form.encode(authorizationParameters(changes))
        return answer(HTTPRequest(.get, provider.url(of: .authorization) + "?" + query)).response
    }

    /// The parameters of the callback.
    mutating func callback(_ changes: [String: String] = [:]) throws -> [String: String] {
        let response = authorize(changes)
        #expect(response.status == 303)
        return Form.decode(query: try #require(response.field("Location")))
    }

    // MARK: - Token

    /// A good token request for a code, with some parameters of its body replaced.
    func tokenRequest(_ code: String, _ changes: [String: String] = [:]) -> HTTPRequest {
        let form = [
            "grant_type": "authorization_code", "code": code, "redirect_uri": Self.redirectURI,
            "code_verifier": Self.verifier,
        ]
        return authenticated(.token, form, changes)
    }

    /// A request to an endpoint at which the client proves who it is.
    func authenticated(
        _ endpoint: ProviderEndpoint, _ form: [String: String],
        _ changes: [String: String] = [:]
    ) -> HTTPRequest {
        let authentication = client?.authentication ?? .none
        var form = form
        var fields = [HTTPField("Content-Type", "application/x-www-form-urlencoded")]
        var url = provider.url(of: endpoint)
        switch authentication {
        case .clientSecretBasic: fields.append(Form.basic(clientID, Self.secret))
        case .none: form["client_id"] = clientID
        case .clientSecretPost:
            form.merge(["client_id": clientID, "client_secret": Self.secret]) { $1 }
        case .clientSecretJWT, .privateKeyJWT:
            form["client_assertion_type"] = ClientKit.assertionType
            form["client_assertion"] = ClientKit.assertion(
                authentication, clientID, audience: Self.issuer, at: now)
        case .tlsClientAuth, .selfSignedTLSClientAuth:
            form["client_id"] = clientID
            url = Self.issuer + "/mtls" + endpoint.path(at: provider.settings.broker)
        }
        form.merge(changes) { _, new in new }
        return HTTPRequest(
            .post, url, fields: fields,
            body: Array(Form.encode(form.filter { !$0.value.isEmpty }).utf8))
    }

    /// The client as it is registered.
    var client: RegisteredClient? { provider.settings.clients.first { $0.id == clientID } }

    /// A new code, exchanged.
    mutating func exchange(_ changes: [String: String] = [:]) throws -> HTTPResponse {
        let code = try #require(try callback()["code"])
        return answer(tokenRequest(code, changes)).response
    }

    /// The ID token of a whole login.
    mutating func idToken() throws -> [UInt8] {
        Array(try #require(try exchange().members["id_token"]?.stringValue).utf8)
    }

    // MARK: - ID token

    mutating func publishedKeys() throws -> JSONWebKeySet {
        try JSONWebKeySet(parsing: get(.keySet).body)
    }

    /// What a careful relying party expects.
    func expectations(accessToken: String? = nil) -> IDTokenExpectations {
        var expectations = IDTokenExpectations(
            issuer: provider.issuer, clientID: clientID, algorithms: SignatureAlgorithm.allCases)
        expectations.nonce = "n-1"
        expectations.issuedAgeSecondsMax = 600
        expectations.assuranceLevelMin = 3
        expectations.accessToken = HashExpectation(
            accessToken.map(HashExpectation.Original.value), isRequired: true)
        return expectations
    }

    mutating func verdict(_ token: [UInt8], accessToken: String? = nil) throws -> Verdict {
        IDTokenVerifier(expectations(accessToken: accessToken))
            .verify(token, keys: try publishedKeys(), at: now)
    }
}

/// Forms and queries, by Foundation's hand rather than the simulator's.
enum Form {
    static func encode(_ parameters: [String: String]) -> String {
        parameters.map { "\(encode($0.key))=\(encode($0.value))" }.sorted().joined(separator: "&")
    }

    static func encode(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    static func decode(query url: String) -> [String: String] {
        let items = URLComponents(string: url)?.queryItems ?? []
        return Dictionary(items.map { ($0.name, $0.value ?? "") }) { first, _ in first }
    }

    /// Parameters that stand in a fragment or a body.
    static func decode(_ form: some StringProtocol) -> [String: String] {
        decode(query: "https://rp.example/?" + form)
    }

    /// Client authentication with id and secret form-urlencoded (RFC 6749 §2.3.1).
    static func basic(_ id: String, _ secret: String) -> HTTPField {
        let credentials = Data("\(encode(id)):\(encode(secret))".utf8).base64EncodedString()
        return HTTPField("Authorization", "Basic \(credentials)")
    }
}

extension HTTPResponse {
    /// The members of a JSON body.
    var members: JSONObject {
        (try? JSONReader.read(body, numbers: .anyAsText))?.objectValue ?? JSONObject()
    }

    /// `error` in a JSON body.
    var error: String? { members["error"]?.stringValue }
}

extension Verdict {
    /// The checks that failed.
    var failures: [TokenCheck] {
        checks.compactMap { result in
            guard case .failed = result.outcome else { return nil }
            return result.check
        }
    }
}
