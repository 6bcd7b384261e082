// SPDX-License-Identifier: Apache-2.0

import Curl
import HTTPMessages
import LiveNetwork
import Testing

@testable import AuthLedgerCLI

@Suite("The live network")
struct LiveTransportTests {
    private func failure(_ request: HTTPRequest) async -> HTTPFailure? {
        do throws(HTTPFailure) {
            _ = try await LiveTransport.shared.send(request)
            return nil
        } catch {
            return error
        }
    }

    @Test("sends a request as it is, under the program's name")
    func sends() async throws {
        let server = try LoopbackServer.shared.get()
        var limits = HTTPRequest.Limits()
        limits.allowsLoopbackHTTP = true
        let response = try await LiveTransport.shared.send(
            HTTPRequest(
                .post, server.plain("/echo"), fields: [HTTPField("Accept", "application/json")],
                body: Array("a=b".utf8), limits: limits))
        let text = String(decoding: response.body, as: UTF8.self)
        #expect(response.status == 200)
        #expect(text.hasPrefix("POST /echo HTTP/1.1\r\n"))
        #expect(text.hasSuffix("\r\n\r\na=b"))
        #expect(text.contains("\r\nUser-Agent: AuthLedger/\(AuthLedgerProgram.version)\r\n"))
        #expect(text.contains("\r\nAccept: application/json\r\n"))
    }

    @Test("keeps to the request's limits")
    func limits() async throws {
        let server = try LoopbackServer.shared.get()
        var limits = HTTPRequest.Limits()
        limits.allowsPrivateTargets = true
        limits.trustedCAFile = server.authorityFile
        let url = server.secure("/size/2000", host: "127.0.0.1")
        let response = try await LiveTransport.shared.send(HTTPRequest(.get, url, limits: limits))
        #expect(response.body.count == 2000)
        limits.bodyBytesMax = 1999
        #expect(
            await failure(HTTPRequest(.get, url, limits: limits))
                == HTTPFailure(.tooLarge, mayHaveBeenSent: true))
        limits.trustedCAFile = nil
        #expect(
            await failure(HTTPRequest(.get, url, limits: limits))
                == HTTPFailure(.untrusted, mayHaveBeenSent: false))
        limits.allowsPrivateTargets = false
        #expect(
            await failure(HTTPRequest(.get, url, limits: limits))
                == HTTPFailure(.refused, mayHaveBeenSent: false))
    }

    @Test("refuses a field that would become two")
    func fieldInjection() async {
        let request = HTTPRequest(
            .get, "https://login.example/", fields: [HTTPField("X", "a\r\nAuthorization: b")])
        #expect(await failure(request) == HTTPFailure(.refused, mayHaveBeenSent: false))
    }
}
