// SPDX-License-Identifier: Apache-2.0

import HTTPMessages
import LedgerPrimitives
import LoginSupport
import OpenIDConnect
import SessionEvents
import Testing

@testable import RelyingParty

/// A profile in YAML, and what is to be said of it; nil when it is good.
struct ProfileCase: Sendable, CustomTestStringConvertible {
    let yaml: String
    let message: String?

    var testDescription: String { message ?? "good" }

    private static let least = """
        name: op
        issuer: https://op.example
        clientID: rp
        redirectURI: https://rp.example/cb
        clientAuthentication: {method: client_secret_basic, secretFile: s}
        """

    /// The least good profile, with lines added and others, by their beginning, left out.
    private static func with(_ lines: String, without left: String? = nil) -> String {
        let kept = least.split(separator: "\n").filter { line in
            left.map { !line.hasPrefix($0 + ":") } ?? true
        }
        return (kept + [Substring(lines)]).joined(separator: "\n")
    }

    private static func replacing(_ name: String, _ value: String) -> String {
        with("\(name): \(value)", without: name)
    }

    static let good: [ProfileCase] = [
        least, with("flows: [code]"), with("", without: "redirectURI"),
        with("flows: [ciba]", without: "redirectURI"), with("scope: openid profile"),
        with("acrValues: low high"), with("hosts: [\"*.a.example\", \"[::1]\", 192.0.2.1]"),
        with("extraParameters: { z: a, ui_locales: nb, a: z }"), with("scope: \"null\""),
        with("levelsOfAssurance: { z: 1, a: 2, \"urn:m\": 3 }"), with("algorithms: [ES256, RS256]"),
        with("clockSkewSeconds: 0"), with("clockSkewSeconds: 300"),
        with("levelOfAssuranceMin: 3"), with("trustedCAFile: ca.pem"),
        with("# comment\nallowLoopbackHTTP: false"), replacing("clientID", "\"123\""),
        replacing("redirectURI", "com.example.app:/cb"), replacing("name", "A.b_c-9"),
        replacing("issuer", "https://op.example/realms/a/"),
        replacing("issuer", "http://127.0.0.1:80/a\nallowLoopbackHTTP: true"),
        replacing("clientAuthentication", "{method: none}"),
        replacing("clientAuthentication", "{method: client_secret_post, secretEnvironment: S}"),
    ].map { ProfileCase(yaml: $0, message: nil) }

    private static let nameMessage = "`name` must be a name of letters, digits and . _ -"
    private static let issuerMessage =
        "`issuer` must be an https URL without query; plain http to loopback needs "
        + "`allowLoopbackHTTP: true`"
    private static let secretMessage =
        "`clientAuthentication` must have either `secretFile` or `secretEnvironment`"
    private static let methodMessage =
        "`clientAuthentication.method` must be one of none, client_secret_basic, "
        + "client_secret_post, client_secret_jwt, private_key_jwt, tls_client_auth, "
        + "self_signed_tls_client_auth"
    private static let flowsMessage =
        "`flows` must be a list of code, pkce, jarm, implicit, ciba, headless"
    private static let mappingMessage = "the file must be a mapping of names to values"

    static let bad: [ProfileCase] =
        forms + members.map { ProfileCase(yaml: $0.yaml, message: $0.message) }

    private static let forms: [ProfileCase] = [
        ("", mappingMessage), ("- a", mappingMessage), ("PLANTED", mappingMessage),
        ("? [a]\n: b", mappingMessage), ("a: {b: [", "the file is not YAML"),
        ("a: *PLANTED", "the file is not YAML"),
        (with("scope: a\nscope: PLANTED"), "the file is not YAML"),
        (
            with("x: " + String(repeating: "[", count: 20) + String(repeating: "]", count: 20)),
            mappingMessage
        ),
    ].map { ProfileCase(yaml: $0, message: $1) }

    private static let members: [(yaml: String, message: String)] = [
        (with("", without: "name"), "`name` is missing from the profile"),
        (with("", without: "issuer"), "`issuer` is missing from the profile"),
        (with("", without: "clientID"), "`clientID` is missing from the profile"),
        (
            with("flows: [ciba, pkce]", without: "redirectURI"),
            "`redirectURI` is missing from the profile"
        ),
        (
            with("", without: "clientAuthentication"),
            "`clientAuthentication` is missing, or has no members"
        ),
        (replacing("name", "PLANTED/x"), nameMessage), (replacing("name", "\u{E5}"), nameMessage),
        (replacing("name", String(repeating: "a", count: 65)), nameMessage),
        (replacing("name", "12"), "`name` must be a text"),
        (replacing("name", "yes"), "`name` must be a text"),
        (replacing("name", ""), "`name` must be a text"),
        (replacing("issuer", "http://PLANTED.example"), issuerMessage),
        (replacing("issuer", "http://127.0.0.1"), issuerMessage),
        (replacing("issuer", "https://PLANTED@op.example"), issuerMessage),
        (replacing("issuer", "https://op.example?PLANTED"), issuerMessage),
        (replacing("issuer", "\"https://op.example#PLANTED\""), issuerMessage),
        (
            replacing("issuer", "http://127.0.0.1.PLANTED.example\nallowLoopbackHTTP: true"),
            issuerMessage
        ),
        (with("allowLoopbackHTTP: PLANTED"), "`allowLoopbackHTTP` must be true or false"),
        (replacing("clientID", "12345"), "`clientID` must be a text"),
        (
            replacing("clientID", "\"PLANTED x\""),
            "in the profile, `clientID` must be up to 256 printable ASCII characters without "
                + "spaces"
        ),
        (
            replacing("redirectURI", "https://rp.example/cb?PLANTED"),
            "in the profile, `redirectURI` must be an absolute URI without user, query and "
                + "fragment, up to 2048 bytes"
        ),
        (with("flows: [PLANTED]"), flowsMessage),
        (with("flows: []"), "`flows` must be a list of texts"),
        (with("flows: code"), "`flows` must be a list of texts"),
        (with("flows: [1]"), "`flows` must be a list of texts"),
        (with("algorithms: {a: PLANTED}"), "`algorithms` must be a list of texts"),
        (
            with("scope: \"openid  PLANTED\""),
            "in the profile, `scope` must be up to 1024 printable ASCII characters; single spaces "
                + "separate the entries"
        ),
        (
            with("hosts: [\"https://PLANTED.example\"]"),
            "`hosts` must be a list of names of hosts, without scheme, port and path; `*.` in "
                + "front stands for every host below"
        ),
        (
            with("extraParameters: { state: PLANTED }"),
            "`extraParameters` and `permissions.parameter` must not name what a request has "
                + "anyway, or has from another member"
        ),
        (
            with("permissions: { issuer: \"https://p.example\", parameter: request }"),
            "`extraParameters` and `permissions.parameter` must not name what a request has "
                + "anyway, or has from another member"
        ),
        (with("trustedAudiences: [\"\"]"), "`trustedAudiences` must be a list of texts"),
        (with("description: ~"), "`description` must be a text"),
        (with("scope: null"), "`scope` must be a text"),
        (
            with("clockSkewSeconds: 301"),
            "`clockSkewSeconds` must be a whole number from 0 to 300"
        ),
        (
            with("clockSkewSeconds: \"1\""),
            "`clockSkewSeconds` must be a whole number from 0 to 300"
        ),
        (
            with("levelOfAssuranceMin: -1"),
            "`levelOfAssuranceMin` must be a whole number from 0 to 9"
        ),
        (with("plantedMember: x"), "the profile has an unknown member `plantedMember`"),
        (with("\"PLANTED 01019\": x"), "the profile has an unknown member"),
        (with("clientSecret: PLANTED"), "the profile has an unknown member `clientSecret`"),
        (replacing("clientAuthentication", "{method: PLANTED, secretFile: s}"), methodMessage),
        (replacing("clientAuthentication", "{method: client_secret_basic}"), secretMessage),
        (
            replacing(
                "clientAuthentication", "{method: none, secretFile: a, secretEnvironment: b}"),
            "`clientAuthentication` must have no secret with the method none"
        ),
        (
            replacing(
                "clientAuthentication",
                "{method: client_secret_post, secretFile: PLANTED, secretEnvironment: b}"),
            secretMessage
        ),
        (
            replacing("clientAuthentication", "{method: client_secret_basic, secret: PLANTED}"),
            "the profile has an unknown member `clientAuthentication.secret`"
        ),
        (
            replacing("clientAuthentication", "PLANTED"),
            "`clientAuthentication` is missing, or has no members"
        ),
        (
            replacing("clientAuthentication", "{secretFile: s}"),
            "`clientAuthentication.method` is missing from the profile"
        ),
    ]
}

@Suite("A profile")
struct ProfileTests {
    private static func parse(_ yaml: String) throws -> ProviderProfile {
        try ProfileFile.parse(Array(yaml.utf8), directory: "/etc/rp")
    }

    @Test(
        "that is good is read, and comes back from its archived form", arguments: ProfileCase.good)
    func good(profile: ProfileCase) throws {
        let read = try Self.parse(profile.yaml)
        let archived = CanonicalJSON.encode(read.object)
        let members = try #require(
            try JSONReader.read(archived, numbers: .integersOnly).objectValue)
        #expect(try ProviderProfile(members, relativeTo: "/") == read)
    }

    @Test("that is bad is refused in words without its values", arguments: ProfileCase.bad)
    func bad(profile: ProfileCase) {
        #expect {
            try Self.parse(profile.yaml)
        } throws: { error in
            let text = "\(error)"
            return text == profile.message && !text.contains("PLANTED")
        }
    }

    @Test("that is not UTF-8 is refused")
    func badUTF8() {
        #expect(throws: ProfileError("the file is not UTF-8")) {
            try ProfileFile.parse([0xFF], directory: "/")
        }
    }

    @Test("has defaults, and paths from where it lies")
    func defaults() throws {
        let profile = try Self.parse(ProfileCase.good[0].yaml)
        #expect(profile.registration.scope == "openid")
        #expect(profile.flows == [.pkce, .code, .jarm, .implicit, .ciba, .headless])
        let yaml = ProfileCase.good[0].yaml
        for (mode, flows) in [
            ("query", [Flow.pkce, .code]), ("form_post", [.pkce, .code, .implicit]),
            ("form_post.jwt", [.pkce, .code, .jarm]),
        ] {
            let read = try Self.parse(yaml + "\nresponseMode: \(mode)")
            #expect(read.flows == flows + [.ciba, .headless])
        }
        #expect(profile.credentials.secret == .file("/etc/rp/s"))
        #expect(!profile.transport.allowsLoopbackHTTP)
        #expect(!profile.limits.allowsPrivateTargets)
        #expect(!profile.limits.allowsLoopbackHTTP)
    }

    @Test("of an issuer on this machine lets requests go to this machine")
    func limits() throws {
        let local = try Self.parse(
            ProfileCase.good.first { $0.yaml.contains("127.0.0.1") }?.yaml ?? "")
        #expect(local.limits.allowsPrivateTargets)
        #expect(local.limits.allowsLoopbackHTTP)
    }

    @Test("takes the algorithms that it names and the provider announces, and that are known")
    func algorithms() throws {
        func document(_ algorithms: String) throws -> DiscoveryDocument {
            try DiscoveryDocument(
                Array(
                    (#"{"issuer":"https://op.example","jwks_uri":"https://a.example","#
                        + #""token_endpoint":"https://a.example","#
                        + #""authorization_endpoint":"https://a.example""#
                        + algorithms + "}").utf8),
                issuer: "https://op.example", allowsLoopbackHTTP: false)
        }
        let announced =
            #","id_token_signing_alg_values_supported":["none","HS256","ES256","RS256"]"#
        var profile = try Self.parse(ProfileCase.good[0].yaml)
        #expect(try profile.policy(document(announced), .pkce).algorithms == ["RS256", "ES256"])
        #expect(try profile.policy(document(""), .pkce).algorithms == ["RS256"])
        profile.checks.algorithms = ["none", "HS256", "PS256", "ES256"]
        #expect(try profile.policy(document(announced), .pkce).algorithms == ["ES256"])
        #expect(try profile.policy(document(""), .pkce).algorithms == [])
        #expect(try profile.policy(document(""), .pkce).nonce == .always)
    }

    @Test("says where the secret is; it is read with one newline at its end left out")
    func secret() throws {
        let rig = try LoginRig()
        var profile = rig.profile
        for (content, expected) in [
            ("a", "a"), ("a\n", "a"), ("a\n\n", "a\n"), ("a ", "a "), ("", ""),
        ] {
            try rig.write(content, to: "other.secret")
            profile.credentials.secret = .file(rig.directory + "/other.secret")
            let client = try ClientMaterial(profile).client(profile, issuer: LoginRig.issuer)
            let request = try client.post(
                [], to: "https://a.example",
                on: RequestOccasion(
                    at: Instant(millisecondsSince1970: 0), uniqueID: "unique"))
            let pair = "urn%3Arp:" + FormEncoding.encode(expected)
            #expect(
                request.fields.last?.value == "Basic " + Base64.encode(Array(pair.utf8)))
        }
        profile.credentials.secret = .environment("AUTHLEDGER_TEST_NO_SUCH_VARIABLE")
        #expect(throws: ProfileError("the variable with the client's secret is not set")) {
            try ClientMaterial(profile)
        }
        profile.credentials.secret = nil
        #expect(throws: ProfileError.self) { try ClientMaterial(profile) }
    }

    // MARK: - What went wrong before

    @Test("in which aliases multiply is refused before it fills the memory")
    func aliasBomb() {
        let levels = (1...9).map { level in
            "a\(level): &a\(level) ["
                + (0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ",")
                + "]"
        }
        let yaml = (["a0: &a0 [x]"] + levels).joined(separator: "\n")
        #expect(throws: ProfileError("the file must be a mapping of names to values")) {
            try Self.parse(yaml)
        }
    }

    @Test("of a public client with a secret is refused: it would never be used")
    func publicClientWithSecret() throws {
        for secret in ["secretFile: s", "secretEnvironment: S"] {
            let yaml = ProfileCase.good[0].yaml.replacing(
                "method: client_secret_basic, secretFile: s", with: "method: none, \(secret)")
            #expect(
                throws: ProfileError(
                    "`clientAuthentication` must have no secret with the method none")
            ) {
                try Self.parse(yaml)
            }
        }
    }
}
