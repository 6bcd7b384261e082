// SPDX-License-Identifier: Apache-2.0

import Foundation

@testable import Curl

/// A running `Servers/loopback.py`. It ends when this value goes, or this process.
final class LoopbackServer: Sendable {
    private struct Greeting: Decodable {
        let directory: String
        let ports: [String: Int]
        let hashes: [String: String]
    }

    /// One for all tests that do not look at its counts as a whole.
    static let shared = Result { try LoopbackServer() }

    private let input: FileHandle
    private let greeting: Greeting

    init() throws {
        let process = Process()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Servers/loopback.py").path
        process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
        process.arguments = ["-W", "ignore", script]
        let (stdin, stdout) = (Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        try process.run()
        input = stdin.fileHandleForWriting
        var line = Data()
        while let byte = try stdout.fileHandleForReading.read(upToCount: 1), byte != Data([10]) {
            line += byte
        }
        greeting = try JSONDecoder().decode(Greeting.self, from: line)
    }

    deinit {
        try? input.close()
    }

    /// The certificate of the authority that signed the server's certificate.
    var authorityFile: String { greeting.directory + "/authority.pem" }
    /// The certificate of an authority that signed nothing.
    var strangerFile: String { greeting.directory + "/stranger.pem" }

    /// The directory with the certificates; gone with the server.
    var directory: String { greeting.directory }

    /// SHA-256 of a certificate in DER, in hexadecimal digits.
    func hash(_ name: String) -> String { greeting.hashes[name] ?? "" }

    /// A client's certificate and key.
    func client(_ name: String, key: String? = nil) -> CurlClientCertificate {
        CurlClientCertificate(
            certificateFile: "\(directory)/\(name).pem",
            privateKeyFile: "\(directory)/\(key ?? name).key")
    }

    func port(_ name: String) -> Int { greeting.ports[name] ?? 0 }

    /// A URL in the clear on loopback.
    func plain(_ path: String) -> String { "http://127.0.0.1:\(port("plain"))\(path)" }

    /// A URL over TLS, at a name that a test's transport takes for 127.0.0.1.
    func secure(_ path: String, host: String = "login.example", at name: String = "tls") -> String {
        "https://\(host):\(port(name))\(path)"
    }

    /// A GET in the clear.
    func get(_ path: String) -> CurlRequest {
        var request = CurlRequest(.get, plain(path))
        request.allowsLoopbackHTTP = true
        return request
    }

    /// A POST in the clear.
    func post(_ path: String, _ body: String) -> CurlRequest {
        var request = CurlRequest(.post, plain(path), body: Array(body.utf8))
        request.allowsLoopbackHTTP = true
        return request
    }

    /// A GET over TLS that trusts the server.
    func secureGet(
        _ path: String, host: String = "login.example", at name: String = "tls"
    ) -> CurlRequest {
        var request = CurlRequest(.get, secure(path, host: host, at: name))
        request.allowsPrivateTargets = true
        request.trustedCAFile = authorityFile
        return request
    }

    /// A transport that takes `login.example` and `other.example` for 127.0.0.1, and what else is
    /// said as `name:port:address`.
    func transport(
        pinning names: [String] = [],
        environment: @escaping @Sendable (String) -> String? = { _ in nil }
    ) throws -> CurlTransport {
        var configuration = CurlTransport.Configuration(userAgent: "tests")
        configuration.environment = environment
        configuration.pinnedNames = greeting.ports.values.flatMap { port in
            ["login.example", "other.example"].map { "\($0):\(port):127.0.0.1" }
        }
        // The later one counts.
        configuration.pinnedNames += names
        return try CurlTransport(configuration)
    }

    /// How often what happened so far; asking counts as a connection and a request itself.
    func counts() async throws -> [String: Int] {
        let transport = try transport()
        let response = try await transport.perform(get("/counts"))
        return try JSONDecoder().decode([String: Int].self, from: Data(response.body))
    }
}

extension LoopbackServer {
    /// Waits until something happened so often.
    func wait(for event: String, count: Int = 1) async throws {
        while try await counts()[event, default: 0] < count {
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}

extension CurlResponse {
    var text: String { String(decoding: body, as: UTF8.self) }

    func values(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }
}

extension CurlTransport {
    /// The error of a request that must fail.
    func failure(_ request: CurlRequest) async -> CurlError? {
        do throws(CurlError) {
            _ = try await perform(request)
            return nil
        } catch {
            return error
        }
    }

    /// The kind of that error.
    func failureKind(_ request: CurlRequest) async -> CurlError.Kind? {
        await failure(request)?.kind
    }
}
