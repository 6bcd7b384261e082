// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Curl

@Suite("A client's certificate")
struct ClientCertificateTests {
    let server: LoopbackServer
    let transport: CurlTransport

    init() throws {
        server = try LoopbackServer.shared.get()
        transport = try server.transport()
    }

    /// A GET that asks which certificate the server sees.
    private func request(
        at name: String, as client: CurlClientCertificate?, _ path: String = "/peer"
    ) -> CurlRequest {
        var request = server.secureGet(path, at: name)
        request.clientCertificate = client
        return request
    }

    @Test(
        "is shown to a server that asks for it",
        arguments: ["mutual", "mutual12", "mutualh2", "optional", "optionalh2"])
    func shown(_ name: String) async throws {
        for client in ["client-a", "client-b"] {
            let response = try await transport.perform(
                request(at: name, as: server.client(client)))
            #expect(response.text == server.hash(client))
            #expect(!response.text.isEmpty)
            #expect(response.isHTTP2 == name.hasSuffix("h2"))
        }
    }

    @Test("is not shown to a server that does not ask")
    func notAsked() async throws {
        let response = try await transport.perform(
            request(at: "tls", as: server.client("client-a")))
        #expect(response.text == "none")
    }

    @Test("keeps its connection to itself", arguments: ["optional", "optionalh2"])
    func ownConnection(_ name: String) async throws {
        let order = ["client-a", nil, "client-b", "client-a", "client-b", nil, nil, "client-a"]
        for (index, client) in order.enumerated() {
            let response = try await transport.perform(
                request(at: name, as: client.map { server.client($0) }))
            #expect(response.text == client.map(server.hash) ?? "none", "\(index)")
            #expect(response.isConnectionReused == (index > 2), "\(index)")
        }
    }

    @Test(
        "keeps its connection to itself among many requests at once",
        arguments: ["optional", "optionalh2"])
    func manyAtOnce(_ name: String) async throws {
        let clients = ["client-a", "client-b", nil]
        let answers = try await withThrowingTaskGroup(of: (String, String).self) { group in
            for round in 0..<180 {
                let client = clients[round % 3]
                let request = request(at: name, as: client.map { server.client($0) })
                let expected = client.map(server.hash) ?? "none"
                group.addTask {
                    (try await transport.perform(request).text, expected)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.count == 180)
        #expect(answers.allSatisfy { $0 == $1 })
        #expect(Set(answers.map(\.0)).count == 3)
    }

    @Test("counts at once when its files are replaced", arguments: ["optional", "optionalh2"])
    func replaced(_ name: String) async throws {
        let files = try CertificateFiles()
        let request = request(at: name, as: files.client)
        for (index, client) in ["client-a", "client-a", "client-b", "client-b"].enumerated() {
            try files.put(server.client(client))
            let response = try await transport.perform(request)
            #expect(response.text == server.hash(client))
            #expect(response.isConnectionReused == (index % 2 == 1))
        }
    }

    @Test("goes through a proxy's tunnel")
    func proxy() async throws {
        let proxy = server.plain("")
        let transport = try server.transport { $0 == "https_proxy" ? proxy : nil }
        for client in ["client-a", "client-b", "client-a"] {
            let response = try await transport.perform(
                request(at: "mutual", as: server.client(client)))
            #expect(response.text == server.hash(client))
        }
    }

    @Test("is not shown to a server that is not trusted")
    func untrustedServer() async throws {
        var request = request(at: "mutual", as: server.client("client-a"))
        request.trustedCAFile = server.strangerFile
        let error = await transport.failure(request)
        #expect(error?.kind == .untrusted)
        #expect(error?.mayHaveBeenSent == false)
    }

    @Test("is not sent in the clear, and nor is its request")
    func plain() async throws {
        let path = "/hello?" + UUID().uuidString
        var request = server.get(path)
        request.clientCertificate = server.client("client-a")
        #expect(await transport.failure(request) == CurlError(.clientCertificate))
        #expect(try await server.counts()["GET " + path] == nil)
    }

    @Test(
        "that the server refuses has carried no request to it",
        arguments: ["client-expired", "client-stranger", nil],
        ["mutual", "mutual12", "mutualh2"])
    func refused(client: String?, name: String) async throws {
        let path = "/peer?" + UUID().uuidString
        var request = request(at: name, as: client.map { server.client($0) }, path)
        for method in [CurlRequest.Method.get, .post] {
            request.method = method
            request.body = method == .post ? Array("code=secret".utf8) : []
            let error = await transport.failure(request)
            #expect(error?.kind == .clientCertificate, "\(method): \(String(describing: error))")
            #expect(error?.mayHaveBeenSent == false)
        }
        // It is the certificate and nothing else.
        request.clientCertificate = server.client("client-a")
        #expect(try await transport.perform(request).text == server.hash("client-a"))
        // The server in HTTP/2 reads no paths.
        guard name != "mutualh2" else { return }
        let counts = try await server.counts()
        #expect(counts["GET " + path] == nil)
        #expect(counts["POST " + path] == 1)
    }

    @Test("that the server has refused leaves nothing to the requests after it")
    func afterRefusal() async throws {
        for name in ["mutual", "mutualh2"] {
            for round in 0..<6 {
                let client = round % 2 == 0 ? "client-expired" : "client-b"
                var request = request(at: name, as: server.client(client))
                request.method = .post
                if client == "client-b" {
                    #expect(try await transport.perform(request).text == server.hash(client))
                } else {
                    let error = await transport.failure(request)
                    #expect(error?.kind == .clientCertificate, "\(String(describing: error))")
                    #expect(error?.mayHaveBeenSent == false)
                }
            }
        }
    }

    @Test("is found fault with by the alerts of its own connection alone")
    func alerts() {
        func refuses(
            _ messages: [([UInt8], hasLeft: Bool)], hasCertificate: Bool = true
        ) -> Bool {
            var talk = CertificateTalk()
            for (message, hasLeft) in messages {
                unsafe message.withUnsafeBytes { unsafe talk.take($0, hasRequestLeft: hasLeft) }
            }
            return talk.isRefusal(ofCertificate: hasCertificate)
        }
        let (hello, ask): ([UInt8], [UInt8]) = ([2, 0, 0, 0], [13, 0, 0, 0])
        for code: UInt8 in [42, 43, 44, 45, 46, 48, 49, 116] {
            #expect(refuses([(hello, false), ([2, code], true)]))
            #expect(refuses([([2, code], true)]))
            // A warning, another connection's, one before a new connection began, half a message.
            #expect(!refuses([(hello, false), ([1, code], true)]))
            #expect(!refuses([([2, code], false)]))
            #expect(!refuses([([2, code], true), (hello, true)]))
            #expect(!refuses([(hello, false), ([2], true), ([2, code, 0], true)]))
            let isOfNone = refuses([(hello, false), ([2, code], true)], hasCertificate: false)
            #expect(isOfNone == (code == 116))
        }
        for code: UInt8 in [0, 10, 20, 40, 47, 50, 51, 70, 80, 112, 120] {
            #expect(!refuses([(hello, false), (ask, false), ([2, code], true)]))
        }
        let failure: ([UInt8], Bool) = ([2, 40], false)
        #expect(refuses([(hello, false), (ask, false), failure], hasCertificate: false))
        #expect(!refuses([(hello, false), failure], hasCertificate: false))
    }

    @Test("is judged before the request is read only while the handshake is open")
    func openHandshake() {
        func isOpen(_ messages: (UInt8, hasLeft: Bool)...) -> Bool {
            var talk = CertificateTalk()
            for (kind, hasLeft) in messages {
                let message = [kind, 0, 0, 0]
                unsafe message.withUnsafeBytes { unsafe talk.take($0, hasRequestLeft: hasLeft) }
            }
            return talk.isHandshakeOpen
        }
        // Server hello, encrypted extensions, certificate request, certificate, finished.
        #expect(isOpen((2, false), (8, false), (13, false), (11, false), (20, false)))
        // A ticket, or being asked late.
        #expect(!isOpen((2, false), (8, false), (13, false), (20, false), (4, true)))
        #expect(!isOpen((2, false), (8, false), (20, false), (13, true)))
        // TLS 1.2, where no request leaves before the server is done.
        #expect(!isOpen((2, false), (11, false), (13, false), (14, false), (20, false)))
        // A second connection in TLS 1.2 after one in TLS 1.3.
        #expect(!isOpen((2, false), (8, false), (2, true), (13, true)))
    }

    @Test("may be asked for when the request is there already")
    func askedLate() async throws {
        for client in ["client-a", "client-b"] {
            let request = request(at: "late", as: server.client(client), "/late")
            #expect(try await transport.perform(request).text == server.hash(client))
        }
        for client in ["client-expired", "client-stranger"] {
            let path = "/late?" + UUID().uuidString
            let error = await transport.failure(
                request(at: "late", as: server.client(client), path))
            #expect(error?.kind == .clientCertificate, "\(String(describing: error))")
            #expect(error?.mayHaveBeenSent == true)
            #expect(try await server.counts()["GET " + path] == 1)
        }
    }

    @Test("that is not the key's, or not whole, is not used")
    func unusable() async throws {
        let good = server.client("client-a")
        let files = try CertificateFiles()
        var broken = [
            server.client("client-a", key: "client-b"), server.client("client-a", key: "locked"),
            server.client("missing", key: "client-a"), server.client("client-a", key: "missing"),
            CurlClientCertificate(
                certificateFile: good.privateKeyFile, privateKeyFile: good.privateKeyFile),
            CurlClientCertificate(
                certificateFile: good.certificateFile, privateKeyFile: good.certificateFile),
        ]
        try files.makeOdd()
        broken += files.odd.flatMap { path in
            [
                CurlClientCertificate(
                    certificateFile: path, privateKeyFile: good.privateKeyFile),
                CurlClientCertificate(
                    certificateFile: good.certificateFile, privateKeyFile: path),
            ]
        }
        let start = ContinuousClock.now
        for client in broken {
            let path = "/peer?" + UUID().uuidString
            let error = await transport.failure(request(at: "mutual", as: client, path))
            #expect(error?.kind == .clientCertificate, "\(client)")
            #expect(error?.mayHaveBeenSent == false)
            #expect(try await server.counts()["GET " + path] == nil)
            let text = String(reflecting: error) + (error?.description ?? "")
            #expect(!text.contains("/"))
            // One that works makes a connection that the others must not use.
            let response = try await transport.perform(request(at: "mutual", as: good))
            #expect(response.text == server.hash("client-a"))
        }
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test("has paths without zero bytes")
    func zeroBytes() async {
        let good = server.client("client-a")
        for client in [
            CurlClientCertificate(
                certificateFile: good.certificateFile + "\0", privateKeyFile: good.privateKeyFile),
            CurlClientCertificate(
                certificateFile: good.certificateFile, privateKeyFile: good.privateKeyFile + "\0x"),
        ] {
            let error = await transport.failure(request(at: "mutual", as: client))
            #expect(error == CurlError(.invalidRequest))
        }
    }
}

/// A client's certificate in files of its own, which go with this value.
private final class CertificateFiles {
    private let directory = FileManager.default.temporaryDirectory.path + "/" + UUID().uuidString

    init() throws {
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    var client: CurlClientCertificate {
        CurlClientCertificate(
            certificateFile: directory + "/client.pem", privateKeyFile: directory + "/client.key")
    }

    func put(_ other: CurlClientCertificate) throws {
        for (source, target) in [
            (other.certificateFile, client.certificateFile),
            (other.privateKeyFile, client.privateKeyFile),
        ] {
            try Data(contentsOf: URL(fileURLWithPath: source))
                .write(to: URL(fileURLWithPath: target), options: .atomic)
        }
    }

    /// What stands at a path without being a certificate or a key: nothing in it, no text, too
    /// much of it, a pipe that nobody writes to, a directory.
    var odd: [String] {
        [directory, "/dev/null"]
            + ["empty", "noise", "large", "pipe", "cut"].map { directory + "/" + $0 }
    }

    func makeOdd() throws {
        let contents = [
            "empty": Data(), "noise": Data((0..<5000).map { UInt8(truncatingIfNeeded: $0 * 7) }),
            "large": Data(count: 10_000_000), "cut": Data("-----BEGIN CERTIFICATE-----\nMIIB".utf8),
        ]
        for (name, content) in contents {
            try content.write(to: URL(fileURLWithPath: directory + "/" + name))
        }
        let result = unsafe mkfifo(directory + "/pipe", 0o600)
        try #require(result == 0)
    }
}

@Suite("The server's certificates")
struct PeerCertificateTests {
    let server: LoopbackServer
    let transport: CurlTransport

    init() throws {
        server = try LoopbackServer.shared.get()
        transport = try server.transport()
    }

    @Test("are shown with the first answer of a connection", arguments: ["tls", "h2", "mutual12"])
    func shown(_ name: String) async throws {
        var request = server.secureGet("/hello", at: name)
        request.clientCertificate = server.client("client-a")
        let response = try await transport.perform(request)
        let chain = try ["leaf", "authority"].map {
            try String(contentsOfFile: "\(server.directory)/\($0).pem", encoding: .utf8)
        }
        #expect(response.peerCertificates == chain)
        let second = try await transport.perform(request)
        #expect(second.isConnectionReused)
        #expect(second.peerCertificates == [])
    }

    @Test("are those of the server and not of a proxy")
    func proxy() async throws {
        let proxy = server.plain("")
        let transport = try server.transport { $0 == "https_proxy" ? proxy : nil }
        let response = try await transport.perform(server.secureGet("/hello"))
        #expect(response.peerCertificates.count == 2)
    }

    @Test("are not there in the clear")
    func plain() async throws {
        #expect(try await transport.perform(server.get("/hello")).peerCertificates == [])
    }
}
