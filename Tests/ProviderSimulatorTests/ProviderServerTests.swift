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

    @Test("does not wait for slow answers when it stops", .timeLimit(.minutes(2)))
    func stoppingWhileSlow() async throws {
        let slow = try await run(misbehaviour: .slowToken) { server in
            server.provider.withProvider { $0.settings.slowTokenMilliseconds = 600_000 }
            let slow = Task { try await logIn(server) }
            while server.provider.requests(to: .token) == 0 {
                try await Task.sleep(for: .milliseconds(5))
            }
            return slow
        }
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

@Suite("A shared provider")
struct SharedProviderTests {
    @Test("takes a thousand logins, 64 at a time, and loses none", .timeLimit(.minutes(2)))
    func thousandLogins() async throws {
        let login = try Login(clientID: "public")
        let provider = SharedProvider(
            login.provider, now: { Login.now }, randomBytes: { randomBytes($0) })
        let url = login.provider.url(of: .authorization) + "?"
        let visit = url + Form.encode(login.authorizationParameters())
        try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<1000 {
                if index >= 64 { #expect(try await group.next() == 200) }
                group.addTask {
                    let callback = try await SimulatedBrowser(send: provider.send).visit(visit)
                    let code = Form.decode(query: callback)["code"] ?? ""
                    return try await provider.send(login.tokenRequest(code)).status
                }
            }
            for try await status in group { #expect(status == 200) }
        }
        #expect(provider.requests(to: .authorization) == 1000)
        #expect(provider.requests(to: .token) == 1000)
        #expect(Set(provider.tokenRequests.map(\.code)).count == 1000)
    }

    @Test("gives no answer that is larger than the request allows")
    func largeAnswers() async throws {
        let login = try Login(misbehaviour: .keySetHuge)
        let provider = SharedProvider(
            login.provider, now: { Login.now }, randomBytes: { randomBytes($0) })
        await #expect(throws: HTTPFailure(.tooLarge, mayHaveBeenSent: true)) {
            try await provider.send(HTTPRequest(.get, login.provider.url(of: .keySet)))
        }
        #expect(provider.endpoint(at: login.provider.url(of: .keySet)) == .keySet)
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

    @Test("gives what comes back in a form or not at all")
    func go() async throws {
        let provider = try shared()
        let browser = SimulatedBrowser(send: provider.send)
        let url = Login.issuer + "/authorize?"
        let posted = Form.encode(
            try Login().authorizationParameters(["response_mode": "form_post"]))
        guard case .form(Login.redirectURI, let body) = try await browser.go(url + posted) else {
            Issue.record("no form came back")
            return
        }
        #expect(Form.decode(body)["code"] != nil)
        provider.prepare(SimulatedLogin(returns: false))
        let query = Form.encode(try Login().authorizationParameters())
        #expect(try await browser.go(url + query) == .stranded)
        provider.prepare(SimulatedLogin(returns: false))
        let error = await #expect(throws: SimulatedBrowser.NotRedirected.self) {
            try await browser.visit(url + query)
        }
        #expect(error?.status == 200)
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
