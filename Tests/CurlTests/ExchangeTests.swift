// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Curl

@Suite("An exchange")
struct ExchangeTests {
    let server: LoopbackServer
    let transport: CurlTransport

    init() throws {
        server = try LoopbackServer.shared.get()
        transport = try server.transport()
    }

    @Test("brings status, fields and body")
    func get() async throws {
        let response = try await transport.perform(server.get("/hello"))
        #expect(response.status == 200)
        #expect(response.text == "hello")
        #expect(response.values("content-type") == ["text/plain; charset=utf-8"])
        #expect(!response.isHTTP2)
        #expect(!response.isConnectionReused)
    }

    @Test("sends what the request has and nothing else")
    func sendsNothingElse() async throws {
        var request = server.get("/echo?a=%20b&c")
        request.fields = [CurlField("X-One", " two, three"), CurlField("X-None", "")]
        let response = try await transport.perform(request)
        #expect(
            response.text.components(separatedBy: "\r\n") == [
                "GET /echo?a=%20b&c HTTP/1.1", "Host: 127.0.0.1:\(server.port("plain"))",
                "User-Agent: tests", "Accept-Encoding: gzip, deflate", "X-One:  two, three",
                "X-None:", "", "",
            ])
    }

    @Test("sends a body whole, with zero bytes and without asking first")
    func post() async throws {
        var request = server.post("/echo", "")
        request.fields = [CurlField("Content-Type", "application/octet-stream")]
        request.body = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
        let response = try await transport.perform(request)
        #expect(Array(response.body.suffix(200_000)) == request.body)
        #expect(response.text.contains("\r\nContent-Type: application/octet-stream\r\n"))
        #expect(response.text.contains("\r\nContent-Length: 200000\r\n"))
        #expect(!response.text.contains("Expect"))
    }

    @Test("sends an empty body as one of length zero")
    func emptyPost() async throws {
        let response = try await transport.perform(server.post("/echo", ""))
        #expect(response.text.hasPrefix("POST /echo HTTP/1.1\r\n"))
        #expect(response.text.contains("\r\nContent-Length: 0\r\n"))
        #expect(!response.text.contains("Content-Type"))
    }

    @Test("takes every status for an answer", arguments: [200, 204, 304, 400, 401, 404, 429, 503])
    func status(_ status: Int) async throws {
        let response = try await transport.perform(server.get("/status/\(status)"))
        #expect(response.status == status)
    }

    @Test("does not follow a redirect", arguments: [301, 302, 303, 307, 308])
    func redirect(_ status: Int) async throws {
        let path = "/redirect/\(status)"
        for request in [server.get(path), server.post(path, "code=secret")] {
            let response = try await transport.perform(request)
            #expect(response.status == status)
            #expect(response.values("Location") == ["/hello?redirected"])
            #expect(response.text == "elsewhere")
        }
        let paths = try await server.counts().keys.filter { $0.hasSuffix("/hello?redirected") }
        #expect(paths == [])
    }

    @Test("keeps fields of the same name apart, and sends no cookie back")
    func repeatedFields() async throws {
        let response = try await transport.perform(server.get("/fields"))
        #expect(response.values("X-A") == ["one", "two"])
        #expect(response.values("X-Empty") == [""])
        #expect(response.values("Set-Cookie") == ["a=b"])
        let echo = try await transport.perform(server.get("/echo"))
        #expect(!echo.text.lowercased().contains("cookie"))
    }

    @Test("has the fields of the final response, not of an interim one")
    func interimResponse() async throws {
        let response = try await transport.perform(server.get("/hints"))
        #expect(response.status == 200)
        #expect(response.text == "final")
        #expect(response.values("X-Final") == ["yes"])
        #expect(response.values("Link") == [])
    }

    @Test("decompresses")
    func decompresses() async throws {
        let response = try await transport.perform(server.get("/gzip"))
        #expect(response.body == [UInt8](repeating: 0, count: 200_000))
        #expect(try await transport.perform(server.get("/deflate")).text == "deflated")
    }

    @Test("keeps the connection for the next")
    func reuse() async throws {
        _ = try await transport.perform(server.get("/hello"))
        #expect(try await transport.perform(server.get("/hello")).isConnectionReused)
    }

    @Test(
        "refuses fields that would be read as something else",
        arguments: [
            CurlField("X", "a\r\nY: b"), CurlField("X", "a\nb"), CurlField("X", "a\rb"),
            CurlField("X", "a\0b"), CurlField("X\r\nY", "b"), CurlField("", "b"),
            CurlField("X:", "b"), CurlField("X ", "b"), CurlField("Ä", "b"),
            CurlField("Host", "other.example"), CurlField("content-length", "3"),
            CurlField("Transfer-Encoding", "chunked"), CurlField("Expect", "100-continue"),
        ])
    func refusesFields(_ field: CurlField) async {
        var request = server.get("/hello")
        request.fields = [field]
        #expect(await transport.failure(request) == CurlError(.invalidRequest))
    }

    @Test("refuses a GET with a body, and limits that are none")
    func refusesShapes() async {
        var request = server.get("/hello")
        request.body = [1]
        #expect(await transport.failureKind(request) == .invalidRequest)
        request = server.get("/hello")
        request.durationMillisecondsMax = 0
        #expect(await transport.failureKind(request) == .invalidRequest)
        request = server.get("/hello")
        request.connectMillisecondsMax = -1
        #expect(await transport.failureKind(request) == .invalidRequest)
    }
}
