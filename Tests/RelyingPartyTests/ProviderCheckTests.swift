// SPDX-License-Identifier: Apache-2.0

import Capabilities
import EventLog
import HTTPMessages
import JOSE
import LedgerPrimitives
import LoginSupport
import OpenIDConnect
import OpenSSL
import ProviderSimulator
import Testing

@testable import RelyingParty

@Suite("A check of a provider")
struct ProviderCheckTests {
    @Test("finds nothing wrong where nothing is, and asks for public documents only")
    func good() async throws {
        let site = try CheckSite()
        let found = try await site.check()
        #expect(found.complaints == [])
        for name in [
            "secret", "redirect-uri", "clock", "discovery", "issuer", "endpoints", "response-types",
            "response-modes", "pushed-authorization", "client-authentication", "pkce",
            "id-token-algorithms", "key-set",
        ] { #expect(found.has(name, .ok), "\(name)") }
        #expect(found.allSatisfy { $0.hint == nil })
        #expect(
            site.requests.map(\.url) == [
                CheckSite.issuer + "/.well-known/openid-configuration", CheckSite.keySetURL,
            ])
        for request in site.requests {
            #expect(request.method == .get && request.body.isEmpty)
            #expect(request.fields == [HTTPField("Accept", "application/json")])
            #expect(request.limits.clientCertificate == nil)
        }
        #expect(!"\(found)".contains("secret of the client"))
    }

    @Test("finds the simulated provider as it should be")
    func simulator() async throws {
        let rig = try LoginRig()
        let found = await ProviderCheck.examine(rig.profile, capabilities: rig.capabilities)
        #expect(found.filter { $0.outcome == .problem } == [])
        #expect(rig.wire.endpoints == [.discovery, .keySet])
    }

    @Test(
        "finds each simulated broker as its built-in profile has it",
        arguments: [
            ("generic", SimulatedBroker.generic), ("idura", .idura), ("idpartner", .idpartner),
            ("bankid-no", .bankidNorway),
        ])
    func brokers(name: String, broker: SimulatedBroker) async throws {
        let site = try CheckSite()
        let issuer = CheckSite.issuer
        let provider = SharedProvider(
            SimulatedProvider(
                issuer: issuer, key: try ProviderKey(generatingFor: broker.signatureAlgorithm),
                settings: ProviderSettings(clients: [], broker: broker)),
            now: { CheckSite.now }, randomBytes: { [UInt8](repeating: 1, count: $0) })
        let lines = """
            name: mine
            extends: \(name)
            clientID: rp
            redirectURI: https://rp.example/cb
            clientAuthentication: { secretFile: secret.txt }
            """
        let further =
            switch broker {
            case .idpartner: "accountSelector: { issuers: [\"\(issuer)\"] }"
            case .bankidNorway:
                "environments: { test: { issuer: \"\(issuer)\", "
                    + "permissions: { issuer: \"\(issuer)/biometrics\" } } }"
            case .generic, .idura: "issuer: \(issuer)"
            }
        let profile = try ProfileFile.parse(
            Array((lines + "\n" + further).utf8), directory: site.directory)
        let capabilities = Capabilities(
            now: { CheckSite.now }, randomBytes: { [UInt8](repeating: 0, count: $0) },
            send: { try await provider.send($0) })
        let found = await ProviderCheck.examine(profile, capabilities: capabilities)
        // This profile names the flow, for the sake of debugging.
        let expected = name == "idura" ? ["implicit"] : []
        #expect(found.filter { $0.outcome != .ok }.map(\.name) == expected, "\(found.complaints)")
    }

    @Test(
        "says why a document cannot be had, and goes no further",
        arguments: [
            (HTTPFailure.Kind.unreachable, "nobody can be reached", "resolved"),
            (.timedOut, "no answer within 15000 ms", "timeoutMilliseconds"),
            (.untrusted, "TLS certificate of the peer", "trustedCAFile"),
            (.refused, "may not be asked", "allowPrivateTargets"),
            (.tooLarge, "more than 1048576 bytes", "responseBytesMax"),
            (.interrupted, "broken off", "try again"),
            (.clientCertificate, "wants a certificate", "everybody may see them"),
        ])
    func failure(kind: HTTPFailure.Kind, words: String, hint: String) async throws {
        for (name, url) in [
            ("discovery", CheckSite.issuer + "/.well-known/openid-configuration"),
            ("key-set", CheckSite.keySetURL),
        ] {
            let site = try CheckSite()
            site.answer(.failure(HTTPFailure(kind, mayHaveBeenSent: false)), at: url)
            let found = try await site.check()
            #expect(found.has(name, .problem, words) && found.has(name, .problem, hint))
            #expect(found.complaints.count == 1)
            #expect(site.requests.last?.url == url)
        }
    }

    @Test(
        "says what a status means",
        arguments: [
            (301, "no redirect is followed"), (404, "final slash"), (403, "does not let us in"),
            (429, "cannot answer now"), (503, "cannot answer now"), (204, "issuer is right"),
        ])
    func status(status: Int, words: String) async throws {
        for (name, url) in [
            ("discovery", CheckSite.issuer + "/.well-known/openid-configuration"),
            ("key-set", CheckSite.keySetURL),
        ] {
            let site = try CheckSite()
            site.serve([], at: url, status: status)
            let found = try await site.check()
            #expect(found.has(name, .problem, "status \(status)"))
            #expect(found.has(name, .problem, words))
        }
    }

    @Test(
        "says what came in place of a document",
        arguments: [
            ("<html>", "text/html; charset=utf-8", "a page for people"),
            ("<html>", "application/json", "not strict JSON: this byte cannot stand here"),
            (#"{"issuer":"a","issuer":"b"}"#, "application/json", "stands twice"),
            ("[]", "application/json", "no object"), ("", "application/json", "ends too early"),
        ])
    func body(text: String, mediaType: String, words: String) async throws {
        let site = try CheckSite()
        site.serve(
            Array(text.utf8), at: CheckSite.issuer + "/.well-known/openid-configuration",
            [HTTPField("Content-Type", mediaType)])
        let found = try await site.check()
        #expect(found.has("discovery", .problem, words))
        #expect(site.requests.count == 1)
    }

    // MARK: - Issuer

    @Test("says what another issuer differs in, and looks on where it is the same place")
    func issuer() async throws {
        let site = try CheckSite()
        site.serveDiscovery(["issuer": .string("https://op.example/")])
        let close = try await site.check()
        #expect(close.has("issuer", .problem, "it has a slash at its end, https://op.example/"))
        #expect(close.has("issuer", .problem, "as the provider writes it"))
        #expect(close.has("key-set", .ok))
        site.serveDiscovery(["issuer": .string("https://evil.example")])
        let other = try await site.check()
        #expect(other.has("issuer", .problem, "another host, https://evil.example"))
        #expect(other.has("issuer", .problem, "the right provider"))
        #expect(!other.contains { $0.name == "key-set" || $0.name == "endpoints" })
        site.serveDiscovery(["issuer": .string("https://op.example/\u{1B}[31m")])
        let odd = try await site.check()
        #expect(odd.has("issuer", .problem, "another path"))
        #expect(!"\(odd)".contains("31m"))
        site.serveDiscovery(["issuer": .null])
        #expect(try await site.check().has("issuer", .problem, "does not say whose it is"))
    }

    // MARK: - Endpoints

    @Test(
        "names endpoints that every login needs and that are not there or must not be asked",
        arguments: ["authorization_endpoint", "token_endpoint", "jwks_uri"])
    func endpoints(name: String) async throws {
        let site = try CheckSite()
        for (value, finding, words) in [
            (JSONValue.null, "endpoints", "`\(name)` is missing"),
            (.integer(1), "endpoints", "`\(name)` is missing"),
            (.string("http://op.example/x"), "endpoints", "no https URL"),
            (.string("https://other.example/x"), "hosts", "`\(name)` is on other.example"),
        ] {
            site.serveDiscovery([name: value])
            let found = try await site.check()
            #expect(found.has(finding, .problem, words), "\(found.complaints)")
            #expect(!found.has("endpoints", .ok))
        }
        site.serveDiscovery([name: .string("https://other.example/x")])
        site.serve(Array(#"{"keys":[]}"#.utf8), at: "https://other.example/x")
        let found = try await site.check("hosts: [\"*.example\"]")
        #expect(found.has("endpoints", .ok))
    }

    @Test("says which optional endpoints are not used, and minds only where they are needed")
    func optionalEndpoints() async throws {
        let site = try CheckSite()
        let (push, user) = ("pushed_authorization_request_endpoint", "userinfo_endpoint")
        for name in [push, user] {
            site.serveDiscovery([name: .string("https://other.example/x")])
            #expect(
                try await site.check().has(
                    "hosts", .warning,
                    "`\(name)` is on other.example, where the profile does not "
                        + "let it be: not used"))
            site.serveDiscovery([name: .string("http://op.example/x")])
            #expect(try await site.check().has("endpoints", .warning, "`\(name)` is no https URL"))
        }
        site.serveDiscovery([
            push: .string("https://other.example/x"), user: .string("https://other.example/x"),
        ])
        let needed = try await site.check("pushedAuthorization: required\nuserInfo: fetch")
        #expect(needed.has("pushed-authorization", .problem, "must not be asked"))
        #expect(needed.has("userinfo", .problem, "must not be asked"))
        site.serveDiscovery()
        let missing = try await site.check("pushedAuthorization: required\nuserInfo: fetch")
        #expect(missing.has("pushed-authorization", .problem, "no endpoint"))
        #expect(missing.has("userinfo", .problem, "no endpoint"))
    }

    @Test("looks at the endpoints for certificates where the client has one")
    func aliases() async throws {
        let site = try CheckSite()
        try site.write(CheckSite.key(.es256).pem(), to: "tls.key")
        try site.write(CheckSite.certificate(CheckSite.key(.es256)), to: "tls.crt")
        site.serveDiscovery([
            "mtls_endpoint_aliases": .object([
                "token_endpoint": .string("https://mtls.example/token"),
                "device_authorization_endpoint": .string("https://mtls.example/device"),
            ])
        ])
        let lines = """
            clientAuthentication:
              { method: tls_client_auth, privateKeyFile: tls.key, certificateFile: tls.crt }
            certificateBoundTokens: true
            """
        let found = try await site.check(lines)
        #expect(found.has("hosts", .warning, "the alias of `token_endpoint` is on mtls.example"))
        #expect(!"\(found)".contains("device"))
        #expect(found.has("certificate-bound-tokens", .warning))
        #expect(found.has("certificate", .ok))
        #expect(try await site.check().complaints == [])
    }

    // MARK: - Clock

    @Test(
        "holds the provider's clock against this machine's",
        arguments: [
            (0, .ok, "agrees"), (4, .ok, "agrees"), (-5, .ok, "agrees"),
            (5, .warning, "5 s ahead of"), (60, .warning, "60 s ahead of"),
            (61, .problem, "61 s ahead of this machine's, and 60 s are put up with"),
            (-20, .warning, "s behind"), (-30, .problem, "and 20 s are put up with"),
        ] as [(Int64, Diagnosis.Outcome, String)])
    func clock(seconds: Int64, outcome: Diagnosis.Outcome, words: String) async throws {
        let site = try CheckSite()
        let date = CheckSite.now.advanced(byMilliseconds: seconds * 1000).httpDate
        site.serve(
            CanonicalJSON.encode(CheckSite.discovery()),
            at: CheckSite.issuer + "/.well-known/openid-configuration", [HTTPField("Date", date)])
        let found = try await site.check("clockSkewSeconds: { exp: 20, nbf: 60, iat: 100 }")
        #expect(found.has("clock", outcome, words), "\(found)")
    }

    // MARK: - Account selector and permissions

    @Test("looks at every issuer that an account selector may name")
    func selector() async throws {
        let site = try CheckSite()
        let (one, two) = ("https://one.example", "https://two.example")
        site.serveDiscovery(of: one)
        site.serveKeys([try CheckSite.publicKey(.es256)], at: one + "/jwks")
        site.serveDiscovery(["issuer": .string(one)], of: two)
        var profile = try site.profile("accountSelector: { url: https://s.example }")
        profile.issuer = nil
        let empty = try await site.check(profile)
        #expect(empty.has("account-selector", .problem, "lists no issuer"))
        #expect(site.requests.isEmpty)
        profile.accountSelector = .init(url: "https://s.example", issuers: [one, two])
        let found = try await site.check(profile)
        #expect(found.has("account-selector", .ok, "2 issuers"))
        #expect(found.has("key-set", .ok, one + ": "))
        #expect(found.has("issuer", .problem, two + ": the provider names another issuer"))
        #expect(site.requests.count == 3)
        #expect(!site.requests.contains { $0.url.hasPrefix("https://s.example") })
    }

    @Test("looks at the issuer that keeps permissions")
    func permissions() async throws {
        let site = try CheckSite()
        let issuer = "https://permissions.example"
        let lines = "permissions: { issuer: \(issuer) }"
        site.serveDiscovery([
            "pushed_authorization_request_endpoint": .string(CheckSite.issuer + "/par")
        ])
        #expect(try await site.check(lines).has("permissions", .problem, "status 404"))
        site.serveDiscovery(of: issuer)
        let bare = try await site.check(lines)
        #expect(bare.has("permissions", .problem, "`permissions_endpoint` is missing"))
        #expect(bare.has("permissions", .problem, "`jwks_uri_grants` is missing"))
        let members: JSONObject = [
            "permissions_endpoint": .string(issuer + "/permissions"),
            "jwks_uri_grants": .string("https://keys.example/grants"),
        ]
        site.serveDiscovery(members, of: issuer)
        #expect(
            try await site.check(lines).has("permissions", .problem, "`permissions.hosts`"))
        site.serveKeys([], at: "https://keys.example/grants")
        let hosts = "permissions: { issuer: \(issuer), hosts: [keys.example] }"
        #expect(try await site.check(hosts).has("permissions", .problem, "no usable one"))
        site.serveKeys([try CheckSite.publicKey(.es256)], at: "https://keys.example/grants")
        let found = try await site.check(hosts)
        #expect(found.has("permissions", .ok, "1 usable key for grants"))
        #expect(found.complaints == [])
        site.serveDiscovery(["issuer": .string(CheckSite.issuer)], of: issuer)
        #expect(try await site.check(hosts).has("permissions", .problem, "another host"))
        site.serveDiscovery()
        #expect(
            try await site.check(hosts).has(
                "pushed-authorization", .warning, "no login can ask for a permission"))
    }
}

@Suite("Two issuers that are not the same")
struct IssuerDifferenceTests {
    @Test(
        "differ in what is said",
        arguments: [
            ("https://a.example", "https://a.example/", "it has a slash at its end", true),
            ("https://a.example/x/", "https://a.example/x", "it has no slash at its end", true),
            ("https://a.example", "https://A.example", "its host has other letter case", true),
            ("https://a.example", "HTTPS://a.example", "its scheme has other letter case", true),
            ("https://a.example/x", "https://a.example/X", "its path has other letter case", true),
            ("https://a.example", "https://a.example:443", "it names the default port", true),
            ("https://a.example:443", "https://a.example", "it leaves the default port out", true),
            ("https://a.example", "http://a.example", "its scheme is http", true),
            ("https://a.example", "https://a.example:8443", "it is on another port", false),
            ("https://a.example", "https://b.example", "it is on another host", false),
            ("https://[::1]/x", "https://[::2]/x", "it is on another host", false),
            ("https://a.example/x", "https://a.example/y", "it has another path", false),
            ("https://a.example", "https://a.example?x", "it has a query or a fragment", true),
            ("https://a.example", "a.example", "no URL of http or https", false),
            ("https://a.example", "", "no URL of http or https", false),
            (
                "https://a.example", "http://A.example:80/",
                "its scheme is http, its host has other letter case, it names the default port, "
                    + "it has a slash at its end", true
            ),
            ("https://a.example/\u{E9}", "https://a.example/e\u{301}", "another path", false),
        ])
    func words(expected: String, stated: String, words: String, isClose: Bool) {
        let difference = IssuerDifference(expected: expected, stated: stated)
        #expect(difference.words.hasSuffix(words), "\(difference.words)")
        #expect(difference.isClose == isClose)
    }
}
