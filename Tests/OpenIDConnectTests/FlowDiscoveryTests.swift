// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import LedgerPrimitives
import OpenIDConnect
import Testing

@Suite("A discovery document")
struct FlowDiscoveryTests {
    private static let issuer = "https://op.example/realms/a"

    private static func body(_ changes: JSONObject = [:], issuer: String = issuer) -> [UInt8] {
        var members: JSONObject = [
            "issuer": .string(issuer), "authorization_endpoint": .string("https://op.example/auth"),
            "token_endpoint": .string("https://op.example/token"),
            "jwks_uri": .string("https://keys.example/jwks?v=1"),
        ]
        for member in changes.members {
            members[member.name] = member.value == .null ? nil : member.value
        }
        return CanonicalJSON.encode(members)
    }

    private static func reason(
        _ body: [UInt8], issuer: String = issuer, allowsLoopbackHTTP: Bool = false
    ) -> String {
        do {
            _ = try DiscoveryDocument(body, issuer: issuer, allowsLoopbackHTTP: allowsLoopbackHTTP)
            return "taken"
        } catch {
            return error.reason.rawValue
        }
    }

    @Test("gives endpoints, algorithms and the promise to name the issuer")
    func members() throws {
        let document = try DiscoveryDocument(
            Self.body([
                "authorization_response_iss_parameter_supported": .bool(true),
                "id_token_signing_alg_values_supported": .array([.string("ES256"), .integer(1)]),
                "x": .number("1e400"),
            ]), issuer: Self.issuer, allowsLoopbackHTTP: false)
        #expect(document.issuer == Self.issuer)
        #expect(document.authorizationEndpoint == "https://op.example/auth")
        #expect(document.tokenEndpoint == "https://op.example/token")
        #expect(document.keySetURL == "https://keys.example/jwks?v=1")
        #expect(document.promisesIssuerInResponse)
        #expect(document.idTokenAlgorithms == ["ES256"])
        let plain = try DiscoveryDocument(
            Self.body(), issuer: Self.issuer, allowsLoopbackHTTP: false)
        #expect(!plain.promisesIssuerInResponse)
        #expect(plain.idTokenAlgorithms == nil)
    }

    @Test("lies below the issuer, whose last slash does not count twice")
    func url() {
        let path = "/.well-known/openid-configuration"
        #expect(DiscoveryDocument.url(ofIssuer: "https://a.example") == "https://a.example" + path)
        #expect(DiscoveryDocument.url(ofIssuer: "https://a.example/") == "https://a.example" + path)
        #expect(
            DiscoveryDocument.url(ofIssuer: "https://a.example/b/") == "https://a.example/b" + path)
    }

    @Test(
        "of another issuer is refused, to the byte",
        arguments: [
            "https://op.example/realms/a/", "https://op.example/realms/A",
            "https://OP.example/realms/a", "https://op.example:443/realms/a",
            "http://op.example/realms/a", "https://op.example/realms/%61",
            "https://op.example/realms/a?", " https://op.example/realms/a",
            "https://op.example/realms/b", "",
        ])
    func otherIssuer(stated: String) {
        #expect(Self.reason(Self.body(issuer: stated)) == "discovery-issuer-mismatch")
        #expect(Self.reason(Self.body(issuer: stated), issuer: stated) == "taken")
    }

    @Test("of an issuer that only looks the same is refused")
    func normalisation() {
        let stated = Self.body(issuer: "https://op.example/caf\u{E9}")
        #expect(
            Self.reason(stated, issuer: "https://op.example/cafe\u{301}")
                == "discovery-issuer-mismatch")
    }

    @Test(
        "without what it must have, or with it in another form, is of no use",
        arguments: ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"])
    func missing(name: String) {
        for value in [JSONValue.null, .integer(1), .array([.string("https://op.example")])] {
            #expect(Self.reason(Self.body([name: value])) == "metadata-unavailable")
        }
    }

    private static let refusedURLs = [
        "http://op.example/x", "HTTPS://op.example/x", "ftp://op.example/x", "file:///etc/passwd",
        "javascript:alert(1)", "data:text/html,x", "//op.example/x", "/x", "x", "https:op.example",
        "https://", "https:///x", "https://?x", "https://:443/x", "https://user@op.example/x",
        "https://user:pw@op.example/x", "https://@op.example/x", "https://op.example/x#y",
        "https://op.example/x y", "https://op.example/\u{E9}", "https://op.example\\@evil.example/",
        "https://op.example/x\n", " https://op.example/x", "https://op.example/\0",
    ]

    @Test(
        "whose endpoints may not be asked is refused",
        arguments: ["authorization_endpoint", "token_endpoint", "jwks_uri"])
    func refusedEndpoints(name: String) {
        let long = "https://op.example/" + String(repeating: "a", count: 2048)
        for url in Self.refusedURLs + [long, "http://127.0.0.1/x"] {
            #expect(Self.reason(Self.body([name: .string(url)])) == "host-refused", "\(url)")
        }
        for url in Self.refusedURLs {
            #expect(
                Self.reason(Self.body([name: .string(url)]), allowsLoopbackHTTP: true)
                    == "host-refused", "\(url)")
        }
    }

    @Test("does without the endpoints that may not be asked and are not needed")
    func optionalEndpoints() throws {
        let (push, user) = ("pushed_authorization_request_endpoint", "userinfo_endpoint")
        func read(_ url: String) throws -> DiscoveryDocument {
            let aliases: JSONObject = ["token_endpoint": .string(url)]
            return try DiscoveryDocument(
                Self.body([
                    push: .string(url), user: .string(url), "jwks_uri": .string(Self.issuer + "/k"),
                    "mtls_endpoint_aliases": .object(aliases),
                ]), issuer: Self.issuer, allowsLoopbackHTTP: false, hosts: [])
        }
        let good = try read("https://op.example/x")
        #expect(good.pushedAuthorizationEndpoint == "https://op.example/x")
        #expect(good.userInfoEndpoint == "https://op.example/x")
        #expect(good.mutualTLSEndpoints == ["token_endpoint": "https://op.example/x"])
        for url in Self.refusedURLs + ["https://other.example/x"] {
            let document = try read(url)
            #expect(document.pushedAuthorizationEndpoint == nil, "\(url)")
            #expect(document.userInfoEndpoint == nil, "\(url)")
            #expect(document.mutualTLSEndpoints == [:], "\(url)")
        }
        #expect(Self.reason(Self.body([user: .integer(1)])) == "metadata-unavailable")
    }

    @Test("may name plain http on loopback where that is allowed, and only there")
    func loopback() {
        for host in ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "[::1]:8080", "127.255.0.9"] {
            let body = Self.body(["token_endpoint": .string("http://\(host)/token")])
            #expect(Self.reason(body, allowsLoopbackHTTP: true) == "taken", "\(host)")
            #expect(Self.reason(body) == "host-refused", "\(host)")
        }
        for host in FlowEndpointTests.notLoopback where !host.contains(" ") {
            let body = Self.body(["token_endpoint": .string("http://\(host)/token")])
            #expect(Self.reason(body, allowsLoopbackHTTP: true) == "host-refused", "\(host)")
        }
    }

    @Test("in which a member stands twice, also when escaped, is of no use")
    func duplicates() {
        let body = Self.body().dropLast()
        for name in ["issuer", #"\u0069ssuer"#, "token_endpoint", "jwks_uri"] {
            let doubled = body + Array(#","\#(name)":"https://evil.example"}"#.utf8)
            #expect(Self.reason(Array(doubled)) == "metadata-unavailable")
        }
    }

    @Test(
        "that is not strict JSON is of no use",
        arguments: ["", "[]", "null", "{", "{}x", "\u{FEFF}{}", "<html>", #"{"issuer":"a",}"#])
    func notJSON(text: String) {
        #expect(Self.reason(Array(text.utf8)) == "metadata-unavailable")
    }

    @Test("comes with the status 200 or not at all", arguments: [199, 201, 204, 301, 404, 500])
    func status(status: Int) {
        #expect(throws: FlowFailure(.metadataUnavailable)) {
            try DiscoveryDocument.process(
                HTTPResponse(status: status, body: Self.body()), issuer: Self.issuer,
                allowsLoopbackHTTP: false)
        }
        #expect(throws: FlowFailure(.metadataUnavailable)) {
            try KeySetResponse.process(
                HTTPResponse(status: status, body: Array(#"{"keys":[]}"#.utf8)))
        }
    }

    @Test(
        "leads to a key set, which must be one",
        arguments: ["", "{}", "[]", #"{"keys":{}}"#, #"{"keys":[],"keys":[]}"#, #"{"keys":[}"#])
    func keySet(text: String) {
        #expect(throws: FlowFailure(.keySetInvalid)) {
            try KeySetResponse.process(HTTPResponse(status: 200, body: Array(text.utf8)))
        }
    }

    // MARK: - What went wrong before

    @Test(
        "whose endpoint no event could hold is refused, not recorded unreadably",
        arguments: ["@", "{x}", "|", "^", "`", "<", ">", "\""])
    func unwritableEndpoints(part: String) {
        for name in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
            let body = Self.body([name: .string("https://op.example/a\(part)b")])
            #expect(Self.reason(body) == "host-refused")
        }
    }
}

@Suite("The host of an endpoint")
struct FlowEndpointTests {
    static let notLoopback = [
        "127.0.0.1.evil.example", "127.1", "127.0.1", "localhost.evil", "localhost.", "evil",
        "localhost@evil.example", "127.0.0.1@evil.example", "127.0.0.1:80@evil.example",
        "user@127.0.0.1", "128.0.0.1", "127.0.0.256", "127.0.0.-1", "0x7f.0.0.1", "2130706433",
        "0.0.0.0", "[::]", "[::2]", "[::ffff:127.0.0.1]", "::2", "", ":80", ".", "127...1",
        "evil.example:127.0.0.1", "[", "[]", "[::1", "10.0.0.1", " 127.0.0.1", "127.0.0.1 ",
    ]

    @Test(
        "is this machine by name or address",
        arguments: [
            "localhost", "localhost:8080", "127.0.0.1", "127.0.0.1:80", "127.1.2.3",
            "127.255.255.255:1", "[::1]", "[::1]:443",
        ])
    func isLoopback(authority: String) {
        #expect(EndpointURL.isLoopback(authority))
        #expect(EndpointURL.isLoopback(url: "http://\(authority)/x/y"))
        #expect(EndpointURL.isLoopback(url: "http://\(authority)"))
    }

    @Test("is not this machine because it looks like it", arguments: notLoopback)
    func isNotLoopback(authority: String) {
        #expect(!EndpointURL.isLoopback(authority))
        #expect(!EndpointURL.isLoopback(url: "http://\(authority)/127.0.0.1"))
    }

    @Test("is shown without query and fragment")
    func withoutQuery() {
        #expect(EndpointURL.withoutQuery("https://a.example/b?c#d") == "https://a.example/b")
        #expect(EndpointURL.withoutQuery("https://a.example/b#d?c") == "https://a.example/b")
        #expect(EndpointURL.withoutQuery("https://a.example/b") == "https://a.example/b")
    }

    // MARK: - What went wrong before

    @Test(
        "is not this machine by the beginning of a longer name, or by numbers that are none",
        arguments: [
            "[::1]evil.example", "[::1].evil.example", "[::1]@evil.example", "127.+0.0.1",
            "127.0.0.+1", "127.0.0.010", "127.000.0.1", "localhost:80:evil", "localhost:evil",
            "localhost:", "127.0.0.1:-1", "127.0.0.1:99999",
        ])
    func lookalikes(authority: String) {
        #expect(!EndpointURL.isLoopback(authority))
        #expect(
            !EndpointURL.isAcceptable("http://\(authority)/", allowsLoopbackHTTP: true))
    }
}
