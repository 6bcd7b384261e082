// SPDX-License-Identifier: Apache-2.0

import EventLog
import HTTPMessages
import JOSE
import LedgerPrimitives
import OpenSSL
import Platform
import Testing

@testable import RelyingParty

@Suite("What the client itself has")
struct ProviderCheckClientTests {
    @Test(
        "is a secret that is there and for its owner alone",
        arguments: [
            ("secret", 0o600, .ok, "holds one"), ("secret\n", 0o400, .ok, "holds one"),
            ("secret", 0o640, .warning, "can be read by others"),
            ("secret", 0o604, .warning, "chmod 600"),
            ("", 0o600, .problem, "is empty"), ("\n", 0o600, .problem, "is empty"),
            ("secret\r\n", 0o600, .warning, "line ends"),
            ("secret\n\n", 0o600, .warning, "line ends"),
            (" secret", 0o600, .warning, "outer spaces"),
        ] as [(String, UInt32, Diagnosis.Outcome, String)])
    func secret(
        content: String, permissions: UInt32, outcome: Diagnosis.Outcome, words: String
    ) async throws {
        let site = try CheckSite()
        try site.write(content, to: "secret.txt", permissions: permissions)
        let found = try await site.check()
        #expect(found.has("secret", outcome, words), "\(found)")
    }

    @Test("is a secret that can be found, in a form that does")
    func badSecret() async throws {
        let site = try CheckSite()
        let missing = "clientAuthentication: {method: client_secret_basic, secretFile: other.txt}"
        #expect(try await site.check(missing).has("secret", .problem, "No such file"))
        let variable =
            "clientAuthentication: {method: client_secret_basic, secretEnvironment: PLANTED}"
        let unset = try await site.check(variable)
        #expect(unset.has("secret", .problem, "variable with the client's secret is not set"))
        #expect(!"\(unset)".contains("PLANTED"))
        let home = "clientAuthentication: {method: client_secret_basic, secretEnvironment: PATH}"
        #expect(try await site.check(home).has("secret", .ok, "the variable holds one"))
        try site.write([0xFF], to: "secret.txt")
        #expect(try await site.check().has("secret", .problem, "not UTF-8"))
        let assertion = "clientAuthentication: {method: client_secret_jwt, secretFile: secret.txt}"
        try site.write("short", to: "secret.txt")
        #expect(try await site.check(assertion).has("secret", .warning, "32 bytes or more"))
        try site.write(String(repeating: "x", count: 32), to: "secret.txt")
        #expect(try await site.check(assertion).has("secret", .ok))
    }

    // MARK: - Keys

    @Test("is a key that can be read, for the algorithm, and for its owner alone")
    func keys() async throws {
        let site = try CheckSite()
        try site.write(CheckSite.key(.es256).pem(), to: "key.pem")
        func lines(_ more: String = "") -> String {
            "clientAuthentication: {method: private_key_jwt, privateKeyFile: key.pem\(more)}"
        }
        #expect(try await site.check(lines()).has("key", .ok, "is a P-256 key, for ES256"))
        #expect(
            try await site.check(lines(", algorithm: RS256")).has(
                "key", .problem, "is a P-256 key, and none for RS256"))
        try site.write(CheckSite.key(.es256).pem(), to: "key.pem", permissions: 0o644)
        #expect(try await site.check(lines()).has("key", .warning, "can be read by others"))
        try site.write(CheckSite.key(.rs256).pem(), to: "key.pem")
        #expect(
            try await site.check(lines(", algorithm: PS256")).has(
                "key", .ok, "is an RSA key of 2048 bits, for PS256"))
        try site.write(PrivateKey(generating: .rsa(bits: 1024)).pem(), to: "key.pem")
        #expect(try await site.check(lines()).has("key", .warning, "RSA key of 1024 bits"))
        try site.write("-----BEGIN PRIVATE KEY-----", to: "key.pem")
        #expect(try await site.check(lines()).has("key", .problem, "is not a private key in PEM"))
        try Directory.removeFile(site.directory + "/key.pem")
        #expect(try await site.check(lines()).has("key", .problem, "No such file"))
    }

    @Test("are keys for requests, and for what the provider encrypts")
    func otherKeys() async throws {
        let site = try CheckSite()
        try site.write(CheckSite.key(.es384).pem(), to: "p384.pem")
        try site.write(CheckSite.key(.rs256).pem(), to: "rsa.pem")
        let found = try await site.check(
            """
            requestObject: { privateKeyFile: p384.pem, algorithm: PS256 }
            decryption:
              - { privateKeyFile: rsa.pem }
              - { privateKeyFile: p384.pem }
            """)
        #expect(found.has("request-key", .problem, "P-384 key, and none for PS256"))
        #expect(found.has("decryption-key", .ok, "rsa.pem is an RSA key of 2048 bits"))
        #expect(found.has("decryption-key", .problem, "only RSA-OAEP and RSA-OAEP-256 are known"))
    }

    // MARK: - Certificates

    private static let certificateLines =
        "clientAuthentication: {method: tls_client_auth, privateKeyFile: k, certificateFile: c}"

    @Test(
        "is a certificate whose time has come, and has not gone",
        arguments: [
            (-1, 365, .ok, "is valid until 2027-09-21"),
            (-1, 30, .ok, "is valid until 2026-10-21"),
            (-1, 29, .warning, "expires on 2026-10-20, in 29 days"),
            (-1, 1, .warning, "expires on 2026-09-22, in 1 day"),
            (-9, -1, .problem, "expired on 2026-09-20"),
            (-9, -1, .problem, "providers csr op"),
            (1, 365, .problem, "is valid only from 2026-09-22 on"),
        ] as [(Int64, Int64, Diagnosis.Outcome, String)])
    func certificate(
        first: Int64, last: Int64, outcome: Diagnosis.Outcome, words: String
    ) async throws {
        let site = try CheckSite()
        let key = try CheckSite.key(.es256)
        try site.write(key.pem(), to: "k")
        try site.write(CheckSite.certificate(key, from: first, to: last), to: "c")
        let found = try await site.check(Self.certificateLines)
        #expect(found.has("certificate", outcome, words), "\(found)")
        let profile = try site.profile(Self.certificateLines)
        let diagnosis = ProviderCheck.certificate(
            of: profile, knownAs: "op", at: CheckSite.now)
        #expect(diagnosis?.outcome == outcome)
        #expect(diagnosis?.name == "certificate op")
        #expect(ProviderCheck.certificate(of: try site.profile(), at: CheckSite.now) == nil)
    }

    @Test(
        "is a certificate whose days are counted as its date is, a second later too",
        arguments: [(10, 1, "in 10 days"), (1, 1, "in 1 day"), (0, -1, "on 2026-09-21, today")]
            as [(Int64, Int64, String)])
    func certificateDays(last: Int64, secondsLater: Int64, words: String) throws {
        let site = try CheckSite()
        let key = try CheckSite.key(.es256)
        try site.write(CheckSite.certificate(key, to: last), to: "c")
        let now = CheckSite.now.millisecondsSince1970 + secondsLater * 1000
        let diagnosis = ProviderCheck.certificate(
            of: try site.profile(Self.certificateLines), knownAs: "op",
            at: Instant(millisecondsSince1970: now))
        #expect(diagnosis?.outcome == .warning)
        #expect(diagnosis?.message.hasSuffix(words) == true, "\(String(describing: diagnosis))")
    }

    @Test("is a certificate that can be read and belongs to the key")
    func badCertificate() async throws {
        let site = try CheckSite()
        try site.write(CheckSite.key(.es256).pem(), to: "k")
        #expect(
            try await site.check(Self.certificateLines).has("certificate", .problem, "No such file")
        )
        try site.write("x", to: "c")
        #expect(
            try await site.check(Self.certificateLines).has(
                "certificate", .problem, "is not a certificate in PEM"))
        try site.write(CheckSite.certificate(CheckSite.key(.rs256)), to: "c")
        #expect(
            try await site.check(Self.certificateLines).has(
                "certificate", .problem, "is not for the key in `privateKeyFile`"))
        #expect(site.requests.allSatisfy { $0.limits.clientCertificate == nil })
    }

    @Test("is an authority to trust that is one")
    func authority() async throws {
        let site = try CheckSite()
        let lines = "trustedCAFile: ca.pem"
        #expect(try await site.check(lines).has("trusted-ca", .problem, "No such file"))
        try site.write("x", to: "ca.pem")
        #expect(try await site.check(lines).has("trusted-ca", .problem, "not a certificate"))
        try site.write(CheckSite.certificate(CheckSite.key(.es256), from: -9, to: -1), to: "ca.pem")
        #expect(try await site.check(lines).has("trusted-ca", .problem, "expired on"))
        try site.write(CheckSite.certificate(CheckSite.key(.es256)), to: "ca.pem")
        #expect(try await site.check(lines).has("trusted-ca", .ok))
    }

    // MARK: - Redirect URI

    @Test("is a redirect URI that no other provider's profile has")
    func redirectURI() async throws {
        let site = try CheckSite()
        let own = try site.profile()
        let same = try site.profile("name: again\nclientID: other")
        let other = try site.profile("name: other\nissuer: https://other.example")
        var selector = try site.profile("name: selector\naccountSelector: {url: https://s.example}")
        selector.issuer = nil
        let away = try site.profile(
            "name: away\nissuer: https://other.example\nredirectURI: https://rp.example/cb/")
        #expect(try await site.check(own, among: [same, away]).has("redirect-uri", .ok))
        let found = try await site.check(own, among: [same, other, away, selector])
        #expect(found.has("redirect-uri", .problem, "it is also the one of other, selector"))
        #expect(found.has("redirect-uri", .problem, "one of its own with each provider"))
        #expect(try await site.check(selector, among: [selector]).has("redirect-uri", .ok))
        let local = "redirectURI: http://127.0.0.1:8080/cb"
        let near = try site.profile("name: near\nissuer: https://other.example\n" + local)
        #expect(
            try await site.check(site.profile(local), among: [near]).has(
                "redirect-uri", .warning, "also the one of near"))
        #expect(
            try await site.check("redirectURI: http://rp.example/cb").has(
                "redirect-uri", .warning, "plain http"))
        #expect(try await site.check("redirectURI: app.example:/cb").has("redirect-uri", .ok))
    }
}
