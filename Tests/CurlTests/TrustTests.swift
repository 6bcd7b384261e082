// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Curl

@Suite("Trust in a server")
struct TrustTests {
    let server: LoopbackServer
    let transport: CurlTransport

    init() throws {
        server = try LoopbackServer.shared.get()
        transport = try server.transport()
    }

    @Test("comes from the authorities of the request's file")
    func ownAuthority() async throws {
        let response = try await transport.perform(server.secureGet("/hello"))
        #expect(response.text == "hello")
    }

    @Test("is not there without it, not even over a connection that another request trusts")
    func unknownAuthority() async throws {
        var request = server.secureGet("/hello")
        _ = try await transport.perform(request)
        for file in [nil, server.strangerFile] {
            request.trustedCAFile = file
            let error = await transport.failure(request)
            #expect(error?.kind == .untrusted)
            #expect(error?.code == 60)
            #expect(error?.mayHaveBeenSent == false)
        }
    }

    @Test("needs a file that is there")
    func missingFile() async {
        var request = server.secureGet("/hello")
        request.trustedCAFile = "/nonexistent/authority.pem"
        let error = await transport.failure(request)
        #expect(error?.kind == .untrusted)
        #expect(error?.mayHaveBeenSent == false)
    }

    @Test("needs the host's own name in the certificate")
    func wrongName() async {
        let error = await transport.failure(server.secureGet("/hello", host: "other.example"))
        #expect(error?.kind == .untrusted)
        #expect(error?.code == 60)
        #expect(error?.mayHaveBeenSent == false)
    }

    @Test("needs TLS 1.2")
    func oldProtocol() async {
        let error = await transport.failure(server.secureGet("/hello", at: "tls11"))
        #expect(error?.kind == .untrusted)
        #expect(error?.mayHaveBeenSent == false)
    }

    @Test("needs TLS at all")
    func plainServer() async {
        let error = await transport.failure(server.secureGet("/hello", at: "plain"))
        #expect(error?.kind == .untrusted)
        #expect(error?.mayHaveBeenSent == false)
    }

    @Test("is not waited for longer than connecting may take")
    func silentServer() async {
        var request = server.secureGet("/hello", at: "silent")
        request.connectMillisecondsMax = 300
        let start = ContinuousClock.now
        let error = await transport.failure(request)
        #expect(error?.kind == .timedOut)
        #expect(error?.mayHaveBeenSent == false)
        #expect(ContinuousClock.now - start < .seconds(5))
    }
}
