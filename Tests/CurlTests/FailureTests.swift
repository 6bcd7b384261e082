// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Curl

@Suite("A bad server")
struct FailureTests {
    let server: LoopbackServer
    let transport: CurlTransport

    init() throws {
        server = try LoopbackServer.shared.get()
        transport = try server.transport()
    }

    @Test(
        "is given up when time is up, whether it is silent or drips",
        arguments: ["/hold/20000", "/drip"])
    func timesOut(_ path: String) async {
        var request = server.get(path)
        request.durationMillisecondsMax = 300
        let start = ContinuousClock.now
        let error = await transport.failure(request)
        #expect(error?.kind == .timedOut)
        #expect(error?.code == 28)
        #expect(error?.mayHaveBeenSent == true)
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    @Test("may send a body up to the limit and no byte more")
    func bodyLimit() async throws {
        var request = server.get("/size/1000")
        request.bodyBytesMax = 1000
        #expect(try await transport.perform(request).body.count == 1000)
        request.bodyBytesMax = 999
        let error = await transport.failure(request)
        #expect(error?.kind == .tooLarge)
        #expect(error?.mayHaveBeenSent == true)
    }

    @Test(
        "is stopped when the body outgrows the limit, also by decompression",
        arguments: ["/endless", "/bomb", "/gzip"])
    func bodyTooLarge(_ path: String) async {
        var request = server.get(path)
        request.bodyBytesMax = 100_000
        #expect(await transport.failureKind(request) == .tooLarge)
    }

    @Test(
        "is stopped when the header outgrows the limit",
        arguments: [
            "/manyfields/100", "/longfield/70000", "/longfield/1000000", "/endlessfields",
            "/endlesshints", "/endlesstrailers",
        ])
    func headerTooLarge(_ path: String) async {
        let error = await transport.failure(server.get(path))
        #expect(error?.kind == .tooLarge)
        #expect(error?.mayHaveBeenSent == true)
    }

    @Test("is stopped when the header outgrows the limit in HTTP/2, also by decompression")
    func compressedHeader() async throws {
        let whole = try await transport.perform(server.secureGet("/", at: "h2fields400"))
        #expect(whole.fields.count == 400)
        // libcurl itself gives up at 128 KiB, and does not say why.
        for (name, kind) in [
            ("h2fields600", CurlError.Kind.tooLarge), ("h2fields10000", .interrupted),
        ] {
            let error = await transport.failure(server.secureGet("/", at: name))
            #expect(error?.kind == kind)
            #expect(error?.mayHaveBeenSent == true)
        }
    }

    @Test("is stopped when the body outgrows the limit in HTTP/2")
    func bodyOverHTTP2() async throws {
        var request = server.secureGet("/", at: "h2")
        request.bodyBytesMax = 2
        #expect(try await transport.perform(request).text == "h2")
        request.bodyBytesMax = 1
        #expect(await transport.failureKind(request) == .tooLarge)
    }

    @Test("may send a header up to the limit")
    func headerLimit() async throws {
        let response = try await transport.perform(server.get("/manyfields/50"))
        #expect(response.fields.count == 51)
    }

    @Test(
        "breaks off, or speaks no HTTP",
        arguments: ["/cut", "/cutchunk", "/nothing", "/garbage", "/badgzip"])
    func interrupted(_ path: String) async {
        let error = await transport.failure(server.get(path))
        #expect(error?.kind == .interrupted)
        #expect(error?.mayHaveBeenSent == true)
    }

    @Test("is not there")
    func refusedConnection() async {
        var request = CurlRequest(.get, "http://127.0.0.1:1/")
        request.allowsLoopbackHTTP = true
        let error = await transport.failure(request)
        #expect(error?.kind == .unreachable)
        #expect(error?.code == 7)
        #expect(error?.mayHaveBeenSent == false)
    }

    @Test("that drops a kept connection gets a GET again, but never a POST")
    func droppedConnection() async throws {
        let path = "/fragile?" + UUID().uuidString
        _ = try await transport.perform(server.get(path))
        #expect(try await transport.perform(server.get(path)).text == "fragile")
        #expect(try await server.counts()["GET " + path] == 3)

        let error = await transport.failure(server.post(path, "code=secret"))
        #expect(error?.kind == .interrupted)
        #expect(error?.mayHaveBeenSent == true)
        #expect(try await server.counts()["POST " + path] == 1)
    }

    @Test("leaves nothing of the request in the error")
    func silentErrors() async {
        for path in ["/cut", "/bomb", "/garbage"] {
            var request = server.post(path + "?state=secret", "code=secret")
            request.fields = [CurlField("Authorization", "Basic secret")]
            let error = await transport.failure(request)
            let text = String(reflecting: error) + (error?.description ?? "")
            #expect(error != nil)
            #expect(!text.contains("secret") && !text.contains("127.0.0.1"))
        }
    }
}
