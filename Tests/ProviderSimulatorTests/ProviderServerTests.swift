// SPDX-License-Identifier: Apache-2.0

import Foundation
import FoundationNetworking
import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenIDConnect
import OpenSSL
import ProviderSimulator
import Testing

@Suite("A provider server")
struct ProviderServerTests {
    /// Runs a server with the usual clients, the system's clock and real dice.
    private func run<Result>(
        misbehaviour: Misbehaviour = .none, path: String = "",
        body: (ProviderServer) async throws -> Result
    ) async throws -> Result {
        var settings = ProviderSettings(clients: Login.clients)
        settings.misbehaviour = misbehaviour
        return try await ProviderServer.run(
            settings, key: try Login.key, issuerPath: path, now: { Login.now },
            randomBytes: { randomBytes($0) }, body: body)
    }

    /// A whole login of the public client over HTTP.
    private func logIn(_ server: ProviderServer, _ network: Network) async throws -> Verdict {
        var login = try Login(clientID: "public")
        login.provider = server.provider.withProvider { $0 }
        let query = Form.encode(login.authorizationParameters())
        let callback = Form.decode(
            query: try await SimulatedBrowser(send: network.send)
                .visit(server.issuer + "/authorize?" + query))
        let code = try #require(callback["code"])
        let response = try await network.send(login.tokenRequest(code))
        let token = try #require(response.members["id_token"]?.stringValue)
        let keys = try await network.send(HTTPRequest(.get, server.issuer + "/jwks"))
        return IDTokenVerifier(
            login.expectations(accessToken: response.members["access_token"]?.stringValue)
        ).verify(Array(token.utf8), keys: try JSONWebKeySet(parsing: keys.body), at: Login.now)
    }

    @Test("serves a whole login over loopback, and counts it")
    func wholeLogin() async throws {
        try await run(path: "/realms/one") { server in
            #expect(server.baseURL.hasPrefix("http://127.0.0.1:"))
            #expect(server.issuer == server.baseURL + "/realms/one")
            let network = Network()
            let discovery = try await network.send(
                HTTPRequest(.get, server.issuer + "/.well-known/openid-configuration"))
            #expect(discovery.mediaType == "application/json")
            #expect(discovery.members["issuer"] == .string(server.issuer))
            #expect(try await logIn(server, network).isAccepted)
            for endpoint in ProviderEndpoint.allCases where endpoint != .userInfo {
                #expect(server.provider.requests(to: endpoint) == 1)
            }
            #expect(server.provider.tokenRequests.map(\.status) == [200])
        }
    }

    @Test("serves many logins at once")
    func concurrentLogins() async throws {
        try await run { server in
            let network = Network()
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<50 {
                    group.addTask { try await logIn(server, network).isAccepted }
                }
                for try await isAccepted in group { #expect(isAccepted) }
            }
            #expect(server.provider.requests(to: .token) == 50)
            #expect(Set(server.provider.tokenRequests.map(\.code)).count == 50)
        }
    }

    @Test("stands beside others, each with a port, keys and counts of its own")
    func several() async throws {
        try await run { first in
            try await run { second in
                #expect(first.baseURL != second.baseURL)
                second.provider.rotateKeys(
                    to: try ProviderKey(generatingFor: .edDSA), keepingOld: false)
                let network = Network()
                #expect(try await logIn(first, network).isAccepted)
                #expect(try await logIn(second, network).isAccepted)
                #expect(try await logIn(second, network).isAccepted)
                #expect(first.provider.requests(to: .token) == 1)
                #expect(second.provider.requests(to: .token) == 2)
            }
        }
    }

    @Test("releases its port when it stops, over and over")
    func stopping() async throws {
        let network = Network()
        for _ in 0..<5 {
            let baseURL = try await run { server in
                let verdict = try await logIn(server, network)
                #expect(verdict.isAccepted)
                return server.baseURL
            }
            // The connection that was kept open is gone too.
            await #expect(throws: HTTPFailure.self) {
                try await network.send(HTTPRequest(.get, baseURL + "/jwks"))
            }
        }
    }

    @Test("stops when what ran with it fails, and passes the error on")
    func failing() async throws {
        struct Stop: Error { let baseURL: String }
        let stop = await #expect(throws: Stop.self) {
            try await run { throw Stop(baseURL: $0.baseURL) }
        }
        let baseURL = try #require(stop?.baseURL)
        await #expect(throws: HTTPFailure.self) {
            try await Network().send(HTTPRequest(.get, baseURL + "/jwks"))
        }
    }

    @Test("does not wait for slow answers when it stops")
    func stoppingWhileSlow() async throws {
        let network = Network()
        let started = ContinuousClock.now
        let slow = try await run(misbehaviour: .slowToken) { server in
            let slow = Task { try await logIn(server, network) }
            while server.provider.requests(to: .token) == 0 {
                try await Task.sleep(for: .milliseconds(5))
            }
            return slow
        }
        #expect(ContinuousClock.now - started < .seconds(10))
        await #expect(throws: (any Error).self) { try await slow.value }
    }

    @Test("answers slowly when it is told to")
    func slowly() async throws {
        try await run(misbehaviour: .slowToken) { server in
            server.provider.withProvider { $0.settings.slowTokenMilliseconds = 300 }
            let started = ContinuousClock.now
            let verdict = try await logIn(server, Network())
            #expect(verdict.isAccepted)
            #expect(ContinuousClock.now - started >= .milliseconds(300))
        }
    }

    @Test("passes headers, bodies and strange requests on as they are")
    func details() async throws {
        try await run { server in
            let network = Network()
            let denied = try await network.send(
                HTTPRequest(.post, server.baseURL + "/token", body: Array("a".utf8)))
            #expect(denied.status == 400)
            #expect(denied.error == "invalid_request")
            let unknown = try await network.send(HTTPRequest(.get, server.baseURL + "/x?y=%2F"))
            #expect(unknown.status == 404)
            let large = [UInt8](repeating: UInt8(ascii: "a"), count: 300_000)
            let refused = try await network.send(
                HTTPRequest(.post, server.baseURL + "/token", body: large))
            #expect(refused.status == 413)
        }
    }
}

@Suite("A simulated browser")
struct SimulatedBrowserTests {
    private func shared() throws -> SharedProvider {
        SharedProvider(
            try Login().provider, now: { Login.now }, randomBytes: { randomBytes($0) },
            wait: { _ in })
    }

    @Test("gives the callback URL and does not go there")
    func visit() async throws {
        let provider = try shared()
        let query = Form.encode(try Login().authorizationParameters())
        let callback = try await SimulatedBrowser(send: provider.send)
            .visit(Login.issuer + "/authorize?" + query)
        #expect(callback.hasPrefix(Login.redirectURI))
        #expect(provider.requests(to: .authorization) == 1)
    }

    @Test("says so when it is sent nowhere")
    func nowhere() async throws {
        let provider = try shared()
        let error = await #expect(throws: SimulatedBrowser.NotRedirected.self) {
            try await SimulatedBrowser(send: provider.send).visit(Login.issuer + "/authorize")
        }
        #expect(error?.status == 400)
    }
}

/// Sends requests with URLSession, which must not follow redirects.
final class Network: NSObject, URLSessionTaskDelegate, Sendable {
    private let session = URLSession(configuration: .ephemeral)

    deinit { session.invalidateAndCancel() }

    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        guard let url = URL(string: request.url) else {
            throw HTTPFailure(.refused, mayHaveBeenSent: false)
        }
        var urlRequest = URLRequest(url: url)
        urlRequest.httpMethod = request.method.rawValue
        for field in request.fields {
            urlRequest.setValue(field.value, forHTTPHeaderField: field.name)
        }
        if !request.body.isEmpty { urlRequest.httpBody = Data(request.body) }
        do {
            let (data, response) = try await session.data(for: urlRequest, delegate: self)
            guard let response = response as? HTTPURLResponse else {
                throw HTTPFailure(.interrupted, mayHaveBeenSent: true)
            }
            let fields = response.allHeaderFields.map { HTTPField("\($0.key)", "\($0.value)") }
            return HTTPResponse(status: response.statusCode, fields: fields, body: Array(data))
        } catch is URLError {
            throw HTTPFailure(.interrupted, mayHaveBeenSent: true)
        }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
        completionHandler: @escaping (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }
}
