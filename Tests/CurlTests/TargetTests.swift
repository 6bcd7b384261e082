// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Curl

@Suite("A target")
struct TargetTests {
    @Test(
        "in the clear is taken on loopback alone, and only when that is allowed",
        arguments: [
            "http://192.0.2.1/", "http://login.example/", "http://10.0.0.1/", "http://0.0.0.0/",
            "http://169.254.169.254/latest/", "http://[::2]/", "http://localhost.example/",
            "http://sub.localhost/", "http://localhost./",
        ])
    func plainElsewhere(_ url: String) async throws {
        let transport = try LoopbackServer.shared.get().transport()
        var request = CurlRequest(.get, url)
        request.allowsLoopbackHTTP = true
        request.allowsPrivateTargets = true
        #expect(await transport.failure(request) == CurlError(.refusedTarget))
    }

    @Test("in the clear on loopback sees no packet unless it is allowed")
    func plainNotAllowed() async throws {
        let server = try LoopbackServer()
        let transport = try server.transport()
        var request = server.get("/hello")
        request.allowsLoopbackHTTP = false
        #expect(await transport.failure(request) == CurlError(.refusedTarget))
        request.allowsPrivateTargets = true
        #expect(await transport.failure(request) == CurlError(.refusedTarget))
        // Asking for the counts is the one connection.
        #expect(try await server.counts()["connections"] == 1)
    }

    @Test("in the clear may be written as localhost or as any address of loopback")
    func plainNames() async throws {
        let server = try LoopbackServer.shared.get()
        let transport = try server.transport()
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "[::ffff:127.0.0.1]", "0x7f.1"] {
            var request = CurlRequest(.get, "http://\(host):\(server.port("plain"))/hello")
            request.allowsLoopbackHTTP = true
            #expect(try await transport.perform(request).text == "hello", "\(host)")
        }
    }

    @Test(
        "that is not public is refused by its URL",
        arguments: [
            "127.0.0.1", "127.8.8.8", "2130706433", "0x7f000001", "017700000001", "127.1",
            "localhost", "LocalHost", "localhost.", "a.localhost", "[::1]", "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
            "100.64.0.1", "0.0.0.0", "[::]", "[fe80::1]", "[fd00::1]", "[64:ff9b::a00:1]",
            "[2002:7f00:1::]", "224.0.0.1", "255.255.255.255",
        ])
    func privateLiterals(_ host: String) async throws {
        let server = try LoopbackServer.shared.get()
        let transport = try server.transport()
        var request = server.secureGet("/hello", host: host)
        request.allowsPrivateTargets = false
        request.allowsLoopbackHTTP = true
        #expect(await transport.failure(request) == CurlError(.refusedTarget))
    }

    @Test("whose name leads to this machine or its neighbours is refused before a packet leaves")
    func rebindingName() async throws {
        let server = try LoopbackServer()
        for addresses in [
            "127.0.0.1", "[::1]", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.0.1",
            "169.254.169.254", "100.64.0.1", "[fe80::1]", "[fd00::1]", "[::ffff:127.0.0.1]",
            "10.0.0.1,127.0.0.1", "[fd00::1],169.254.169.254,127.0.0.1",
        ] {
            let pin = "rebinding.example:\(server.port("tls")):\(addresses)"
            let transport = try server.transport(pinning: [pin])
            var request = server.secureGet("/hello", host: "rebinding.example")
            request.allowsPrivateTargets = false
            request.allowsLoopbackHTTP = true
            let start = ContinuousClock.now
            let error = await transport.failure(request)
            #expect(error?.kind == .refusedTarget, "\(addresses)")
            #expect(error?.mayHaveBeenSent == false)
            #expect(ContinuousClock.now - start < .seconds(5))
        }
        #expect(try await server.counts()["connections tls"] == nil)
    }

    @Test("in the clear on loopback is only asked there, wherever its name leads")
    func plainNameElsewhere() async throws {
        let server = try LoopbackServer.shared.get()
        let port = server.port("plain")
        var request = CurlRequest(.get, "http://localhost:\(port)/hello")
        request.allowsLoopbackHTTP = true
        request.allowsPrivateTargets = true
        var transport = try server.transport(pinning: ["localhost:\(port):10.0.0.1"])
        #expect(await transport.failureKind(request) == .refusedTarget)
        transport = try server.transport(pinning: ["localhost:\(port):10.0.0.1,127.0.0.1"])
        #expect(try await transport.perform(request).text == "hello")
    }

    @Test("that one request allows is still refused to the next, over the connection there is")
    func reusedConnection() async throws {
        let server = try LoopbackServer.shared.get()
        let transport = try server.transport()
        var request = server.secureGet("/hello")
        #expect(try await transport.perform(request).text == "hello")
        #expect(try await transport.perform(request).isConnectionReused)
        request.allowsPrivateTargets = false
        let error = await transport.failure(request)
        #expect(error?.kind == .refusedTarget)
        #expect(error?.mayHaveBeenSent == false)
    }

    @Test(
        "is asked by https and http alone",
        arguments: ["file:///etc/passwd", "ftp://login.example/", "gopher://login.example/x"])
    func otherSchemes(_ url: String) async throws {
        let transport = try LoopbackServer.shared.get().transport()
        #expect(await transport.failure(CurlRequest(.get, url)) == CurlError(.refusedTarget))
    }

    @Test(
        "is an absolute URL without credentials or control characters",
        arguments: [
            "", "login.example", "//login.example/", "https://", "https://user:word@login.example/",
            "https://login.example/\r\nX: y", "https://login.example/\0", "https://login example/",
            "https://login.example:99999/",
        ])
    func malformed(_ url: String) async throws {
        let transport = try LoopbackServer.shared.get().transport()
        #expect(await transport.failure(CurlRequest(.get, url)) == CurlError(.invalidRequest))
    }

    @Test("on the public Internet is told from others by its address")
    func scopes() {
        let global = ["1.1.1.1", "172.32.0.1", "100.128.0.1", "2600::1", "::ffff:8.8.8.8"]
        let local = [
            "172.31.255.255", "100.127.255.255", "192.0.2.9", "198.19.0.1", "240.0.0.1",
            "2001:db8::1", "2001::1", "ff02::1", "fec0::1", "::8.8.8.8", "fe80::1%2",
            "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe",
        ]
        for address in global { #expect(AddressScope(literal: address) == .global, "\(address)") }
        for address in local { #expect(AddressScope(literal: address) == .local, "\(address)") }
        #expect(AddressScope(literal: "127.255.255.255") == .loopback)
        #expect(AddressScope(literal: "::1") == .loopback)
        #expect(AddressScope(literal: "login.example") == nil)
    }
}

@Suite("A proxy")
struct ProxyTests {
    @Test("carries what goes elsewhere, and nothing that goes to loopback")
    func tunnel() async throws {
        let server = try LoopbackServer()
        let proxy = server.plain("")
        let transport = try server.transport { $0 == "https_proxy" ? proxy : nil }
        var request = CurlRequest(.get, "https://login.example/hello")
        request.trustedCAFile = server.authorityFile
        #expect(try await transport.perform(request).text == "hello")
        #expect(try await server.counts()["CONNECT login.example:443"] == 1)

        _ = try await transport.perform(server.secureGet("/hello", host: "localhost"))
        _ = try await transport.perform(server.get("/hello"))
        let tunnels = try await server.counts().keys.filter { $0.hasPrefix("CONNECT") }
        #expect(tunnels == ["CONNECT login.example:443"])
    }

    @Test("does not make a refused target acceptable")
    func refusedTargets() async throws {
        let server = try LoopbackServer()
        let proxy = server.plain("")
        let transport = try server.transport { $0 == "https_proxy" ? proxy : nil }
        for host in ["10.0.0.1", "127.0.0.1", "localhost", "a.localhost", "[fe80::1]"] {
            let error = await transport.failure(CurlRequest(.get, "https://\(host)/"))
            #expect(error == CurlError(.refusedTarget))
        }
        #expect(try await server.counts()["connections"] == 1)
    }

    @Test("is chosen by the usual variables")
    func variables() {
        func choice(_ host: String, _ variables: [String: String]) -> String? {
            ProxyChoice(host: host, environment: { variables[$0] }).url
        }
        #expect(choice("a.example", [:]) == nil)
        #expect(choice("a.example", ["HTTPS_PROXY": "p"]) == "p")
        #expect(choice("a.example", ["all_proxy": "q", "https_proxy": "p"]) == "p")
        #expect(choice("a.example", ["all_proxy": "q"]) == "q")
        #expect(choice("a.example", ["ALL_PROXY": "q"]) == "q")
        #expect(choice("a.example", ["ALL_PROXY": "q", "NO_PROXY": "a.example"]) == nil)
        #expect(choice("a.example", ["http_proxy": "p"]) == nil)
        for list in ["*", "a.example", "b.example, .Example", "x,A.EXAMPLE"] {
            #expect(choice("a.example", ["https_proxy": "p", "no_proxy": list]) == nil, "\(list)")
        }
        for list in ["b.example", "xample", "a.example.com", ""] {
            #expect(choice("a.example", ["https_proxy": "p", "no_proxy": list]) == "p", "\(list)")
        }
    }
}
