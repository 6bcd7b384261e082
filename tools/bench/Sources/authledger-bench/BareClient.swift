// SPDX-License-Identifier: Apache-2.0

import Capabilities
import HTTPMessages
import LedgerPrimitives
import LiveNetwork
import OpenIDConnect
import OpenSSL
import ProviderSimulator
import RelyingParty

/// A client that sends the same requests as a login and takes the answers for good: what a login
/// costs in HTTP, and on the provider's side, before anybody records or checks anything.
struct BareClient: Sendable {
    private let profile: ProviderProfile
    private let discovery: DiscoveryDocument
    private let client: BackchannelClient
    private let pushes: Bool
    private let send: @Sendable (HTTPRequest) async throws -> HTTPResponse
    private let browser: LiveTransport

    /// Reads the provider's discovery document.
    init(
        _ profile: ProviderProfile, _ broker: LoginBroker,
        send: @escaping @Sendable (HTTPRequest) async throws -> HTTPResponse,
        browser: LiveTransport
    ) async throws {
        guard let issuer = profile.issuer else { throw BenchError("the profile has no issuer") }
        var limits = HTTPRequest.Limits()
        limits.allowsLoopbackHTTP = true
        let response = try await send(
            HTTPRequest(.get, DiscoveryDocument.url(ofIssuer: issuer), limits: limits))
        self.profile = profile
        self.send = send
        self.browser = browser
        discovery = try DiscoveryDocument.process(
            response, issuer: issuer, allowsLoopbackHTTP: true)
        client = BackchannelClient(
            registration: profile.registration,
            credential: .secret(ClientSecret(LoginBroker.clientSecret)),
            rules: profile.authenticationRules, issuer: issuer, limits: limits,
            extraFields: profile.request.traceField.map { [$0] } ?? [])
        pushes = broker.pushes
    }

    /// Logs in so many times.
    func run(_ count: Int, atOnce: Int) async throws -> LoginFigures {
        try await LoginFigures.measure(count, atOnce: atOnce, login)
    }

    private func login() async throws -> LoginFigures.Sample {
        let secrets = (0..<3).map { _ in Base64URL.encode(randomBytes(PKCE.randomBytes)) }
        let request = AuthorizationRequest(
            registration: profile.registration, state: secrets[0], nonce: secrets[1],
            codeVerifier: secrets[2], acrValues: profile.request.acrValues,
            loginHint: profile.request.loginHint)
        let callback = try await SimulatedBrowser(send: browser.send).visit(try await url(request))
        guard let code = try CallbackParameters(callback).code else {
            throw BenchError("the provider gave no code")
        }
        let form = TokenExchange.form(
            code: code, redirectURI: profile.registration.redirectURI, codeVerifier: secrets[2])
        _ = try TokenExchange.process(try await post(form, discovery.tokenEndpoint))
        return LoginFigures.Sample(session: "", milliseconds: [:])
    }

    private func url(_ request: AuthorizationRequest) async throws -> String {
        guard pushes, let endpoint = discovery.pushedAuthorizationEndpoint else {
            return request.url(endpoint: discovery.authorizationEndpoint)
        }
        let receipt = try PushedAuthorization.process(
            try await post(request.parameters, endpoint))
        return request.url(
            endpoint: discovery.authorizationEndpoint, pushedAs: receipt.requestURI)
    }

    private func post(
        _ form: [FormEncoding.Parameter], _ endpoint: String
    ) async throws -> HTTPResponse {
        let occasion = RequestOccasion(
            at: Capabilities.live.now(), uniqueID: Base64URL.encode(randomBytes(16)))
        return try await send(try client.post(form, to: endpoint, on: occasion))
    }
}
