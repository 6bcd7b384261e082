// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Curl

@Suite("Many requests at once")
struct ConcurrencyTests {
    private func perform(
        _ count: Int, _ request: CurlRequest, over transport: CurlTransport
    ) async throws -> [CurlResponse] {
        try await withThrowingTaskGroup { group in
            for _ in 0..<count { group.addTask { try await transport.perform(request) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    @Test("share few connections")
    func fewConnections() async throws {
        let server = try LoopbackServer()
        let transport = try server.transport()
        let responses = try await perform(200, server.get("/hold/5"), over: transport)
        #expect(responses.filter { $0.text == "held" }.count == 200)
        #expect(responses.filter(\.isConnectionReused).count >= 192)
        let counts = try await server.counts()
        #expect(counts["GET /hold/5"] == 200)
        #expect((counts["connections"] ?? 0) <= 8 + 1)
    }

    @Test("share few connections over TLS")
    func fewSecureConnections() async throws {
        let server = try LoopbackServer()
        let transport = try server.transport()
        let responses = try await perform(200, server.secureGet("/hello"), over: transport)
        #expect(responses.filter { $0.text == "hello" }.count == 200)
        #expect(try await server.counts()["connections tls", default: 0] <= 8)
    }

    @Test("share one connection over HTTP/2")
    func oneConnection() async throws {
        let server = try LoopbackServer()
        let transport = try server.transport()
        let request = server.secureGet("/", at: "h2")
        // libcurl puts up to a hundred on one.
        let responses = try await perform(90, request, over: transport)
        #expect(responses.filter { $0.isHTTP2 && $0.text == "h2" && $0.status == 200 }.count == 90)
        let counts = try await server.counts()
        #expect(counts["streams"] == 90)
        #expect(counts["connections h2"] == 1)
    }

    @Test("time out also while they wait for a connection")
    func waitingTimesOut() async throws {
        let server = try LoopbackServer()
        let transport = try server.transport()
        let busy = Task { try await perform(8, server.get("/hold/3000"), over: transport) }
        try await server.wait(for: "GET /hold/3000", count: 8)
        var request = server.get("/hello")
        request.durationMillisecondsMax = 200
        let start = ContinuousClock.now
        let error = await transport.failure(request)
        #expect(error?.kind == .timedOut)
        #expect(error?.mayHaveBeenSent == false)
        #expect(ContinuousClock.now - start < .seconds(2))
        #expect(try await busy.value.count == 8)
    }

    @Test("time out also while they wait to hear whether they may share a connection")
    func waitingToShareTimesOut() async throws {
        let server = try LoopbackServer.shared.get()
        let transport = try server.transport()
        let start = ContinuousClock.now
        let kinds = await withTaskGroup(of: CurlError?.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    var request = server.secureGet("/", at: "silent")
                    request.durationMillisecondsMax = 300
                    return await transport.failure(request)
                }
            }
            return await group.reduce(into: []) { $0.append($1?.kind) }
        }
        #expect(kinds == Array(repeating: .timedOut, count: 20))
        #expect(ContinuousClock.now - start < .seconds(5))
    }
}

@Suite("The end of an exchange")
struct EndTests {
    let server: LoopbackServer

    init() throws {
        server = try LoopbackServer.shared.get()
    }

    @Test("comes at once when its task is cancelled")
    func cancelled() async throws {
        let transport = try server.transport()
        let path = "/hold/20000?" + UUID().uuidString
        let task = Task { await transport.failure(server.get(path)) }
        try await server.wait(for: "GET " + path)
        let start = ContinuousClock.now
        task.cancel()
        let error = await task.value
        #expect(error == CurlError(.cancelled, mayHaveBeenSent: true))
        #expect(ContinuousClock.now - start < .seconds(2))
        // The transport goes on.
        #expect(try await transport.perform(server.get("/hello")).text == "hello")
    }

    @Test("comes before anything is sent when the task was cancelled already")
    func cancelledBefore() async throws {
        let transport = try server.transport()
        let path = "/hello?" + UUID().uuidString
        let error = await withTaskGroup(of: CurlError?.self) { group in
            group.cancelAll()
            group.addTask { await transport.failure(server.get(path)) }
            return await group.next() ?? nil
        }
        #expect(error == CurlError(.cancelled))
        #expect(try await server.counts()["GET " + path] == nil)
    }

    @Test("comes exactly once, whenever the task is cancelled")
    func cancelledAnywhere() async throws {
        let transport = try server.transport()
        await withTaskGroup { group in
            for round in 0..<200 {
                group.addTask {
                    let task = Task { try await transport.perform(server.get("/hold/1")) }
                    try? await Task.sleep(for: .microseconds(round * 50))
                    task.cancel()
                    _ = await task.result
                }
            }
        }
        #expect(try await transport.perform(server.get("/hello")).text == "hello")
    }

    @Test("comes when the transport is closed, and no request is taken after that")
    func closed() async throws {
        let transport = try server.transport()
        let path = "/hold/20000?" + UUID().uuidString
        let task = Task { await transport.failure(server.get(path)) }
        try await server.wait(for: "GET " + path)
        transport.close()
        #expect(await task.value == CurlError(.closed, mayHaveBeenSent: true))
        #expect(await transport.failure(server.get("/hello")) == CurlError(.closed))
        transport.close()
    }

    @Test("leaves no file open and no thread behind")
    func nothingLeft() async throws {
        await #expect(processExitsWith: .success) {
            func count(_ what: String) throws -> Int {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/" + what).count
            }
            func use(_ server: LoopbackServer) async throws {
                let transport = try server.transport()
                for request in [server.get("/hello"), server.secureGet("/hello")] {
                    _ = try await transport.perform(request)
                }
                for path in ["/cut", "/bomb", "/garbage"] {
                    #expect(await transport.failure(server.get(path)) != nil)
                }
                let task = Task { await transport.failure(server.get("/hold/20000")) }
                try await Task.sleep(for: .milliseconds(100))
                transport.close()
                #expect(await task.value?.kind == .closed)
            }
            let server = try LoopbackServer()
            // The first use also opens what the libraries keep for good.
            try await use(server)
            let (files, threads) = (try count("fd"), try count("task"))
            for _ in 0..<5 { try await use(server) }
            #expect(try count("fd") == files)
            #expect(try count("task") <= threads + 2)
        }
    }
}
