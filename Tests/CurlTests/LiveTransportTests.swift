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

    @Test("shows the client's certificate, and says when it cannot")
    func clientCertificate() async throws {
        let server = try LoopbackServer.shared.get()
        var limits = HTTPRequest.Limits()
        limits.allowsPrivateTargets = true
        limits.trustedCAFile = server.authorityFile
        let url = server.secure("/peer", host: "localhost", at: "mutual")
        func files(_ name: String) -> ClientCertificateFiles {
            let client = server.client(name)
            return ClientCertificateFiles(
                certificateFile: client.certificateFile, privateKeyFile: client.privateKeyFile)
        }
        limits.clientCertificate = files("client-a")
        let response = try await LiveTransport.shared.send(HTTPRequest(.get, url, limits: limits))
        #expect(String(decoding: response.body, as: UTF8.self) == server.hash("client-a"))
        for client in [files("client-expired"), files("client-stranger"), files("missing"), nil] {
            limits.clientCertificate = client
            #expect(
                await failure(HTTPRequest(.get, url, limits: limits))
                    == HTTPFailure(.clientCertificate, mayHaveBeenSent: false))
        }
    }

    @Test("tells the hashes of the server's certificates, while they are known")
    func peerCertificates() async throws {
        let server = try LoopbackServer()
        var limits = HTTPRequest.Limits()
        limits.allowsPrivateTargets = true
        limits.allowsLoopbackHTTP = true
        limits.trustedCAFile = server.authorityFile
        let request = HTTPRequest(
            .get, server.secure("/hello", host: "localhost"), limits: limits)
        let response = try await LiveTransport.shared.send(request)
        let hashes = response.peerCertificates.map { hash in
            hash.map { String($0 / 16, radix: 16) + String($0 % 16, radix: 16) }.joined()
        }
        #expect(hashes == [server.hash("leaf"), server.hash("authority")])
        #expect(try await LiveTransport.shared.send(request).peerCertificates == [])
        let plain = HTTPRequest(.get, server.plain("/hello"), limits: limits)
        #expect(try await LiveTransport.shared.send(plain).peerCertificates == [])
    }

    @Test("takes a redirect for an answer")
    func redirect() async throws {
        let server = try LoopbackServer.shared.get()
        var limits = HTTPRequest.Limits()
        limits.allowsLoopbackHTTP = true
        let response = try await LiveTransport.shared.send(
            HTTPRequest(.post, server.plain("/redirect/307"), limits: limits))
        #expect(response.status == 307)
        #expect(response.field("Location") == "/hello?redirected")
    }

    @Test("refuses a field that would become two")
    func fieldInjection() async {
        let request = HTTPRequest(
            .get, "https://login.example/", fields: [HTTPField("X", "a\r\nAuthorization: b")])
        #expect(await failure(request) == HTTPFailure(.refused, mayHaveBeenSent: false))
    }
}
