// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// What `providers check` and `doctor` say.
private struct Findings: Decodable {
    struct Check: Decodable {
        let name: String
        let outcome: String
        let message: String
        let hint: String?
    }

    let ok: Bool
    let checks: [Check]

    func has(_ name: String, _ outcome: String, _ text: String = "") -> Bool {
        checks.contains {
            $0.name == name && $0.outcome == outcome
                && (text.isEmpty || $0.message.contains(text))
        }
    }
}

@Suite("providers list and show", .inTurn)
struct ProvidersListTests {
    private struct Line: Decodable {
        let name: String
        let issuer: String?
        let flows: [String]
        let builtIn: Bool
    }

    private static let profile = """
        extends: idura
        name: shop
        issuer: https://shop-test.idura.broker
        clientID: urn:shop
        redirectURI: https://shop.example/cb
        clientAuthentication: { secretFile: secret.txt }
        """

    @Test("know the profiles that are built in, without a ledger")
    func builtIn() async throws {
        let workspace = try Workspace()
        let lines = try await workspace.succeed("providers", "list", "--json")
            .jsonLines(Line.self)
        #expect(lines.map(\.name) == ["generic", "idura", "idpartner", "bankid-no"])
        #expect(lines.allSatisfy { $0.builtIn })
        #expect(lines.last?.issuer == "https://auth.current.bankid.no/auth/realms/current")
        #expect(lines[2].flows == ["jarm"])
        for name in lines.map(\.name) {
            let shown = try await workspace.succeed("providers", "show", name)
            #expect(shown.lines.contains("name: \"\(name)\""))
        }
        let production = try await workspace.succeed(
            "providers", "show", "bankid-no", "--environment", "production")
        #expect(production.stdout.contains("https://auth.bankid.no/auth/realms/prod"))
        let unknown = try await workspace.run(
            "providers", "show", "bankid-no", "--environment", "sandbox", "--json")
        #expect(unknown.status == 2)
        #expect(try unknown.error().code == "profile-invalid")
        for command in ["check", "csr"] {
            let incomplete = try await workspace.run("providers", command, "idura", "--json")
            #expect(incomplete.status == 2)
            #expect(try incomplete.error().code == "profile-incomplete")
        }
        #expect(!FileManager.default.fileExists(atPath: workspace.ledger))
    }

    @Test("know those of the ledger before those of the user, and tell what they cannot read")
    func folders() async throws {
        let workspace = try Workspace()
        let user = "../config/authledger/providers/"
        let ledger = "../data/authledger/providers/"
        try workspace.write(Self.profile, user + "shop.yaml")
        try workspace.write(Self.profile + "\nenvironment: production", ledger + "shop.yaml")
        try workspace.write("name: broken", user + "broken.yaml")
        try workspace.write(Self.profile, user + "notes.txt")
        let listed = try await workspace.run("providers", "list", "--json")
        #expect(listed.status == 0)
        let lines = try listed.jsonLines(Line.self)
        #expect(
            lines.map(\.name) == ["shop", "generic", "idura", "idpartner", "bankid-no"])
        #expect(lines[0].flows == ["pkce", "code", "ciba", "headless"])
        #expect(!lines[0].builtIn)
        #expect(listed.stderr.contains("the profile broken cannot be read: `issuer` is missing"))
        let shown: [String: AnyDecodable] = try await workspace.succeed(
            "providers", "show", "shop", "--json"
        ).json()
        #expect(shown["environment"]?.text == "production")
        #expect(shown["trace"] != nil && shown["extends"] == nil)
    }
}

/// A value that is only there or not, or a text.
private struct AnyDecodable: Decodable {
    let text: String?

    init(from decoder: any Decoder) throws {
        text = try? decoder.singleValueContainer().decode(String.self)
    }
}

@Suite("providers check", .inTurn)
struct ProvidersCheckTests {
    private struct Report: Decodable {
        let name: String
        let issuer: String?
        let environment: String?
        let flows: [String]
        let ok: Bool
    }

    /// A server that serves the files in a folder, and its issuer.
    private func provider(
        _ workspace: Workspace
    ) async throws -> (RunningProgram, issuer: String) {
        let server = try workspace.start(
            "/usr/bin/python3",
            ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", "site"])
        let output = try await server.output { $0.contains("port ") }
        let port = output.split(separator: "port ").last?.prefix { $0.isNumber } ?? ""
        return (server, "http://127.0.0.1:\(port)")
    }

    private func serve(_ workspace: Workspace, _ issuer: String, as name: String) throws {
        let key = String(repeating: "A", count: 42)
        try workspace.write(
            #"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"\#(key)E"}]}"#, "site/jwks")
        try workspace.write(
            """
            {"issuer":"\(name)","authorization_endpoint":"\(issuer)/auth",\
            "token_endpoint":"\(issuer)/token","jwks_uri":"\(issuer)/jwks",\
            "response_types_supported":["code"],"code_challenge_methods_supported":["S256"],\
            "id_token_signing_alg_values_supported":["EdDSA"]}
            """, "site/.well-known/openid-configuration")
    }

    private func profile(_ issuer: String) -> String {
        """
        name: local
        issuer: \(issuer)
        clientID: rp
        redirectURI: http://127.0.0.1:1/cb
        clientAuthentication: { method: client_secret_basic, secretFile: secret.txt }
        environment: here
        environments: { here: { allowLoopbackHTTP: true }, there: { allowLoopbackHTTP: false } }
        """
    }

    @Test("says that all is well, or what is not, over a real connection and without a ledger")
    func real() async throws {
        let workspace = try Workspace()
        try workspace.write("", "site/index.html")
        let (server, issuer) = try await provider(workspace)
        defer { withExtendedLifetime(server) {} }
        try serve(workspace, issuer, as: issuer)
        let secret = try workspace.write("secret\n", "secret.txt")
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: secret)
        let file = try workspace.write(profile(issuer), "local.yaml")
        let good = try await workspace.run("providers", "check", file, "--json")
        #expect(good.status == 0, "\(good)")
        let report: Report = try good.json()
        #expect(report.ok && report.name == "local" && report.issuer == issuer)
        #expect(report.environment == "here")
        #expect(report.flows == ["pkce", "code", "jarm", "implicit", "ciba", "headless"])
        let found: Findings = try good.json()
        #expect(found.checks.allSatisfy { $0.outcome == "ok" }, "\(good)")
        #expect(found.has("key-set", "ok", "EdDSA"))
        #expect(found.has("clock", "ok", "agrees"))
        let text = try await workspace.succeed("providers", "check", "./local.yaml")
        #expect(text.lines.count == found.checks.count)
        #expect(text.lines.allSatisfy { $0.hasPrefix("ok      ") })

        try serve(workspace, issuer, as: issuer + "/")
        let bad = try await workspace.run("providers", "check", file, "--json")
        #expect(bad.status == 1)
        #expect(try bad.json(Findings.self).has("issuer", "problem", "a slash at its end"))
        let words = try await workspace.run("providers", "check", file)
        #expect(words.status == 1)
        #expect(
            words.stdout.contains("\nPROBLEM issuer: ") && words.stdout.contains("\n        -> "))
        #expect(!FileManager.default.fileExists(atPath: workspace.ledger))
    }

    @Test("says when nobody is there, and ends with another status when it cannot even begin")
    func failures() async throws {
        let workspace = try Workspace()
        try workspace.write("secret", "secret.txt")
        let file = try workspace.write(profile("http://127.0.0.1:1"), "local.yaml")
        let nobody = try await workspace.run("providers", "check", file, "--json")
        #expect(nobody.status == 1)
        let found: Findings = try nobody.json()
        #expect(found.has("discovery", "problem", "nobody can be reached"))
        #expect(found.has("secret", "warning", "can be read by others"))
        let invalid = try await workspace.run(
            "providers", "check", file, "--environment", "there", "--json")
        #expect(invalid.status == 2)
        #expect(try invalid.error().code == "profile-invalid")
        #expect(try invalid.error().message.contains("allowLoopbackHTTP"))
        #expect(invalid.output.isEmpty)
        let unknown = try await workspace.run("providers", "check", "nobody", "--json")
        #expect(unknown.status == 2)
        #expect(try unknown.error().code == "provider-unknown")
    }

    @Test("compares the redirect URI with those of the other profiles that are known")
    func redirectURI() async throws {
        let workspace = try Workspace()
        let folder = "../config/authledger/providers/"
        func profile(_ name: String, _ port: Int) -> String {
            """
            name: \(name)
            issuer: http://127.0.0.1:\(port)
            allowLoopbackHTTP: true
            clientID: rp
            redirectURI: https://rp.example/cb
            clientAuthentication: { method: none }
            """
        }
        try workspace.write(profile("one", 1), folder + "one.yaml")
        let alone: Findings = try await workspace.run("providers", "check", "one", "--json").json()
        #expect(alone.has("redirect-uri", "ok", "no other profile is known"))
        try workspace.write(profile("two", 2), folder + "two.yaml")
        try workspace.write("name: broken", folder + "broken.yaml")
        let both = try await workspace.run("providers", "check", "one", "--json")
        #expect(
            try both.json(Findings.self).has("redirect-uri", "problem", "also the one of two"))
        #expect(both.stderr.contains("the profile broken cannot be read"))
        let quiet = try await workspace.run("providers", "check", "one", "--json", "--quiet")
        #expect(quiet.stderr.isEmpty)
    }
}

@Suite("providers csr", .inTurn)
struct ProvidersCSRTests {
    private struct Made: Decodable {
        let key: String
        let request: String?
        let certificate: String?
        let subject: String
        let thumbprint: String?
    }

    private static let plain = """
        name: bank
        issuer: https://bank.example
        clientID: urn:shop
        redirectURI: https://shop.example/cb
        """

    private static let secret =
        plain + "\nclientAuthentication: { method: client_secret_basic, secretFile: s }"

    private static func mutual(_ method: String = "tls_client_auth") -> String {
        plain + "\nclientAuthentication:\n  { method: \(method), privateKeyFile: own/tls.pem, "
            + "certificateFile: own/tls.crt }"
    }

    private func permissions(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return try #require(attributes[.posixPermissions] as? Int)
    }

    private func openssl(_ workspace: Workspace, _ arguments: String...) async throws -> String {
        let outcome = try await workspace.start("/usr/bin/openssl", arguments).end()
        guard outcome.status == 0 else { throw TestFailure(outcome.description) }
        return outcome.stdout
    }

    @Test("makes a key for its owner alone and a request that others can verify")
    func request() async throws {
        let workspace = try Workspace()
        let file = try workspace.write(Self.secret, "folder/bank.yaml")
        let outcome = try await workspace.succeed("providers", "csr", file, "--json")
        let made: Made = try outcome.json()
        #expect(made.key == workspace.files + "/folder/bank-tls.key")
        #expect(made.request == workspace.files + "/folder/bank-tls.csr")
        #expect(made.certificate == nil && made.thumbprint == nil)
        #expect(made.subject == "CN=urn:shop")
        #expect(try permissions(made.key) == 0o600)
        let request = try #require(made.request)
        let text = try await openssl(
            workspace, "req", "-in", request, "-verify", "-noout", "-text", "-nameopt", "RFC2253")
        #expect(text.contains("Subject: CN=urn:shop"))
        #expect(text.contains("Public-Key: (3072 bit)"))
        #expect(text.contains("sha256WithRSAEncryption"))
        let own = try await openssl(workspace, "pkey", "-in", made.key, "-pubout")
        let asked = try await openssl(workspace, "req", "-in", request, "-pubkey", "-noout")
        #expect(own == asked)
        #expect(!outcome.stdout.contains("PRIVATE"))
        let left = try FileManager.default.contentsOfDirectory(
            atPath: workspace.files + "/folder")
        #expect(left.sorted() == ["bank-tls.csr", "bank-tls.key", "bank.yaml"])
    }

    @Test("takes a subject, hosts and a kind of key")
    func choices() async throws {
        let workspace = try Workspace()
        let file = try workspace.write(Self.mutual(), "bank.yaml")
        try workspace.write("", "own/x")
        let made: Made = try await workspace.succeed(
            "providers", "csr", file, "--json", "--kind", "ec", "--subject", "C=NO", "--subject",
            "O=Søster, Bank + Sons ", "--subject", "CN=#rp", "--dns", "rp.example", "--dns",
            "*.rp.example"
        ).json()
        #expect(made.key == workspace.files + "/own/tls.pem")
        #expect(made.request == workspace.files + "/own/tls.csr")
        let request = try #require(made.request)
        let text = try await openssl(
            workspace, "req", "-in", request, "-verify", "-noout", "-text", "-nameopt", "RFC2253")
        #expect(text.contains("DNS:rp.example, DNS:*.rp.example"))
        #expect(text.contains("ASN1 OID: prime256v1"))
        let subject = try await openssl(
            workspace, "req", "-in", request, "-noout", "-subject", "-nameopt", "RFC2253")
        #expect(subject == "subject=" + made.subject + "\n")
        #expect(made.subject == "CN=\\#rp,O=S\\C3\\B8ster\\, Bank \\+ Sons\\ ,C=NO")
    }

    @Test("never writes over what is there, and says what to do next")
    func nothingLost() async throws {
        let workspace = try Workspace()
        let file = try workspace.write(Self.mutual(), "bank.yaml")
        try workspace.write("", "own/x")
        let text = try await workspace.succeed("providers", "csr", file, "--kind", "ec").stdout
        #expect(text.contains("What to do next:\n1. Send "))
        #expect(text.contains("Put the certificate that comes back into"))
        #expect(text.contains("\n3. authledger providers check "))
        let before = try workspace.snapshot(workspace.files)
        for options in [[], ["--out", "other.csr"], ["--existing-key"]] {
            let again = try await workspace.start(["providers", "csr", file, "--json"] + options)
                .end()
            #expect(again.status == 2)
            #expect(try again.error().code == "file-exists")
        }
        #expect(try workspace.snapshot(workspace.files) == before)
        let renewed: Made = try await workspace.succeed(
            "providers", "csr", file, "--existing-key", "--out", "next.csr", "--json"
        ).json()
        #expect(renewed.request == workspace.files + "/next.csr")
        let first = try await openssl(
            workspace, "req", "-in", "own/tls.csr", "-pubkey", "-noout")
        #expect(
            try await openssl(workspace, "req", "-in", "next.csr", "-pubkey", "-noout") == first)
        try workspace.write("x", "no.key")
        let malformed = try await workspace.run(
            "providers", "csr", file, "--existing-key", "--key", "no.key", "--out", "z", "--json")
        #expect(malformed.status == 2)
        #expect(try malformed.error().code == "key-malformed")
    }

    @Test("makes a certificate that is signed by its own key, which check and doctor look at")
    func selfSigned() async throws {
        let workspace = try await Workspace.withLedger()
        let folder = workspace.root + "/config/authledger/providers"
        try workspace.write("", "../config/authledger/providers/own/x")
        try workspace.write(
            Self.mutual("self_signed_tls_client_auth"),
            "../config/authledger/providers/bank.yaml")
        let made: Made = try await workspace.succeed(
            "providers", "csr", "bank", "--self-signed", "--days", "40", "--json"
        ).json()
        let certificate = try #require(made.certificate)
        #expect(certificate == folder + "/own/tls.crt")
        #expect(made.request == nil)
        #expect(made.subject == "CN=urn:shop")
        #expect(made.thumbprint?.utf8.count == 43)
        let verified = try await openssl(
            workspace, "verify", "-CAfile", certificate, certificate)
        #expect(verified.hasSuffix(": OK\n"))
        let found: Findings = try await workspace.succeed("doctor", "--json").json()
        #expect(found.has("certificate bank", "ok", "is valid until"))
        let other = workspace.root + "/config/authledger/providers/own/2"
        let short: Made = try await workspace.succeed(
            "providers", "csr", "bank", "--self-signed", "--days", "10", "--json", "--key",
            other + ".pem", "--out", other + ".crt"
        ).json()
        #expect(short.thumbprint != made.thumbprint)
        try workspace.write(
            Self.mutual().replacing("own/tls", with: "own/2"),
            "../config/authledger/providers/soon.yaml")
        try workspace.write("name: broken", "../config/authledger/providers/broken.yaml")
        let warned: Findings = try await workspace.succeed("doctor", "--json").json()
        #expect(warned.has("certificate soon", "warning", "in 10 days"))
        #expect(warned.has("profile broken", "warning", "missing"))
        #expect(warned.has("certificate bank", "ok"))
    }

    @Test(
        "is told what cannot go together",
        arguments: [
            ["--days", "3"], ["--self-signed", "--days", "0"], ["--self-signed", "--days", "9999"],
            ["--subject", "CN=a", "--common-name", "a"], ["--subject", "CN"], ["--subject", "=a"],
            ["--subject", "NOSUCH=a"], ["--subject", "C=Norway"], ["--dns", "a b"],
            ["--self-signed", "--subject", "O=a"], ["--kind", "dsa"],
            ["--common-name", String(repeating: "a", count: 65)],
        ])
    func usage(options: [String]) async throws {
        let workspace = try Workspace()
        let file = try workspace.write(Self.secret, "bank.yaml")
        let outcome = try await workspace.start(
            ["providers", "csr", file, "--json"] + options
        ).end()
        #expect(outcome.status == 2, "\(outcome)")
        #expect(outcome.output.isEmpty)
        let left = try FileManager.default.contentsOfDirectory(atPath: workspace.files)
        #expect(left == ["bank.yaml"])
    }
}

@Suite("The doctor and certificates", .inTurn)
struct CertificateDoctorTests {
    @Test("that are over are a problem, and those that are not there a thing to look at")
    func expired() async throws {
        let workspace = try await Workspace.withLedger()
        let script = """
            import datetime, sys
            from cryptography import x509
            from cryptography.hazmat.primitives import hashes, serialization
            from cryptography.hazmat.primitives.asymmetric import ec
            key = ec.generate_private_key(ec.SECP256R1())
            name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "rp")])
            now = datetime.datetime.utcnow()
            made = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
                .public_key(key.public_key()).serial_number(1)
                .not_valid_before(now - datetime.timedelta(days=9))
                .not_valid_after(now - datetime.timedelta(days=2)).sign(key, hashes.SHA256()))
            open(sys.argv[1], "wb").write(made.public_bytes(serialization.Encoding.PEM))
            """
        let folder = "../data/authledger/providers/"
        func profile(_ name: String) -> String {
            """
            name: \(name)
            issuer: https://bank.example
            clientID: rp
            redirectURI: https://shop.example/cb
            clientAuthentication:
              { method: tls_client_auth, privateKeyFile: k, certificateFile: \(name).crt }
            """
        }
        try workspace.write(profile("gone"), folder + "gone.yaml")
        let missing: Findings = try await workspace.succeed("doctor", "--json").json()
        #expect(missing.has("certificate gone", "warning", "No such file"))
        let program = try workspace.write(script, "make.py")
        let made = try await workspace.start(
            "/usr/bin/python3", [program, workspace.ledger + "/providers/gone.crt"]
        ).end()
        #expect(made.status == 0, "\(made)")
        let outcome = try await workspace.run("doctor", "--json")
        #expect(outcome.status == 1, "\(outcome)")
        let found: Findings = try outcome.json()
        #expect(found.has("certificate gone", "problem", "expired on"))
        #expect(
            found.checks.first { $0.name == "certificate gone" }?.hint
                == "authledger providers csr gone")
    }
}
