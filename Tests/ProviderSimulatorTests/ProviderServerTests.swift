// SPDX-License-Identifier: Apache-2.0

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
    private func logIn(_ server: ProviderServer) async throws -> Verdict {
        var login = try Login(clientID: "public")
        login.provider = server.provider.withProvider { $0 }
        let query = Form.encode(login.authorizationParameters())
        let callback = Form.decode(
            query: try await SimulatedBrowser(send: Network.send)
                .visit(server.issuer + "/authorize?" + query))
        let code = try #require(callback["code"])
        let response = try await Network.send(login.tokenRequest(code))
        let token = try #require(response.members["id_token"]?.stringValue)
        let keys = try await Network.send(HTTPRequest(.get, server.issuer + "/jwks"))
        return IDTokenVerifier(
            login.expectations(accessToken: response.members["access_token"]?.stringValue)
        ).verify(Array(token.utf8), keys: try JSONWebKeySet(parsing: keys.body), at: Login.now)
    }

    @Test("serves a whole login over loopback, and counts it")
    func wholeLogin() async throws {
        try await run(path: "/realms/one") { server in
            #expect(server.baseURL.hasPrefix("http://127.0.0.1:"))
            #expect(server.issuer == server.baseURL + "/realms/one")
            let discovery = try await Network.send(
                HTTPRequest(.get, server.issuer + "/.well-known/openid-configuration"))
            #expect(discovery.mediaType == "application/json")
            #expect(discovery.members["issuer"] == .string(server.issuer))
            #expect(try await logIn(server).isAccepted)
            let asked: Set<ProviderEndpoint> = [.discovery, .authorization, .token, .keySet]
            for endpoint in ProviderEndpoint.allCases {
                let count = asked.contains(endpoint) ? 1 : 0
                #expect(server.provider.requests(to: endpoint) == count)
            }
            #expect(server.provider.tokenRequests.map(\.status) == [200])
        }
    }

    @Test("serves many logins at once")
    func concurrentLogins() async throws {
        try await run { server in
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<50 {
                    group.addTask { try await logIn(server).isAccepted }
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
                #expect(try await logIn(first).isAccepted)
                #expect(try await logIn(second).isAccepted)
                #expect(try await logIn(second).isAccepted)
                #expect(first.provider.requests(to: .token) == 1)
                #expect(second.provider.requests(to: .token) == 2)
            }
        }
    }

    @Test("releases its port when it stops, over and over")
    func stopping() async throws {
        for _ in 0..<5 {
            let baseURL = try await run { server in
                let verdict = try await logIn(server)
                #expect(verdict.isAccepted)
                return server.baseURL
            }
            // The connection that was kept open is gone too.
            await #expect(throws: HTTPFailure.self) {
                try await Network.send(HTTPRequest(.get, baseURL + "/jwks"))
            }
        }
    }

    @Test(
        "closes connections that were kept open when it stops", .timeLimit(.minutes(1)),
        arguments: [
            ("GET /jwks HTTP/1.1\r\nHost: h\r\n\r\n", "200"),
            ("HEAD /jwks HTTP/1.1\r\nHost: h\r\n\r\n", "405"),
            ("POST /token HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}", "400"),
            (
                "POST /token HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n"
                    + String(repeating: "a", count: 300_000), "413"
            ),
        ])
    func openConnections(request: String, status: String) async throws {
        let (answers, answered) = AsyncStream.makeStream(of: Void.self)
        let used = try await run { server in
            let (port, _) = try Network.split(server.baseURL)
            let used = Task {
                defer { answered.finish() }
                return try await Network.exchange(Array(request.utf8), port: port) {
                    answered.finish()
                }
            }
            for await _ in answers {}
            return used
        }
        #expect(try await used.value.starts(with: "HTTP/1.1 \(status) ".utf8))
    }

    @Test(
        "does not wait for those who never finish their request when it stops",
        .timeLimit(.minutes(1)),
        arguments: ["", "POST /token HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n{}"])
    func unfinishedRequests(request: String) async throws {
        let unfinished = try await run { server in
            let (port, _) = try Network.split(server.baseURL)
            let unfinished = Task { try await Network.exchange(Array(request.utf8), port: port) }
            try await Task.sleep(for: .milliseconds(100))
            return unfinished
        }
        // Whether it ends in order or is reset: it ends.
        _ = await unfinished.result
    }

    /// Cancelling the server instead of shutting it down ended the process in one of ten runs.
    @Test("survives connections that arrive while it stops", .timeLimit(.minutes(1)))
    func arrivingConnections() async throws {
        for _ in 0..<20 {
            let arriving = try await run { server in
                let (port, _) = try Network.split(server.baseURL)
                let arriving = (0..<20).map { _ in
                    Task { try await Network.exchange([], port: port) }
                }
                try await Task.sleep(for: .milliseconds(1))
                return arriving
            }
            for connection in arriving { _ = await connection.result }
        }
    }

    @Test("stops when its task is cancelled", .timeLimit(.minutes(1)))
    func cancelled() async throws {
        let (baseURLs, started) = AsyncStream.makeStream(of: String.self)
        let task = Task {
            try await run { server in
                started.yield(server.baseURL)
                try await Task.sleep(for: .seconds(600))
            }
        }
        let baseURL = try #require(await baseURLs.first { _ in true })
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        await #expect(throws: HTTPFailure.self) {
            try await Network.send(HTTPRequest(.get, baseURL + "/jwks"))
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
            try await Network.send(HTTPRequest(.get, baseURL + "/jwks"))
        }
    }

    @Test("does not wait for slow answers when it stops")
    func stoppingWhileSlow() async throws {
        let started = ContinuousClock.now
        let slow = try await run(misbehaviour: .slowToken) { server in
            let slow = Task { try await logIn(server) }
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
            let verdict = try await logIn(server)
            #expect(verdict.isAccepted)
            #expect(ContinuousClock.now - started >= .milliseconds(300))
        }
    }

    @Test("passes headers, bodies and strange requests on as they are")
    func details() async throws {
        try await run { server in
            let denied = try await Network.send(
                HTTPRequest(.post, server.baseURL + "/token", body: Array("a".utf8)))
            #expect(denied.status == 400)
            #expect(denied.error == "invalid_request")
            let unknown = try await Network.send(HTTPRequest(.get, server.baseURL + "/x?y=%2F"))
            #expect(unknown.status == 404)
            let large = [UInt8](repeating: UInt8(ascii: "a"), count: 300_000)
            let refused = try await Network.send(
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
