// SPDX-License-Identifier: Apache-2.0

import OpenSSL
import Testing

@Suite("A certificate request")
struct CertificateRequestTests {
    let command: OpenSSLCommand

    init() throws {
        command = try OpenSSLCommand()
    }

    private func text(_ request: [UInt8], _ options: String...) throws -> String {
        try command.write("request.pem", request)
        let option = try #require(options.first)
        let answer = try command.run(
            "req", "-in", "request.pem", "-noout", option, "-nameopt", "RFC2253")
        #expect(answer.status == 0)
        return answer.text
    }

    @Test("is signed by its key and names it", arguments: CertificateMaking.kinds)
    func signed(kind: PrivateKey.Kind) throws {
        let key = try PrivateKey(generating: kind)
        let request = try CertificateRequest.make(
            key: key, subject: [("C", "NO"), ("O", "Ære, \"Sønner\""), ("CN", "client-1")],
            dnsNames: ["rp.example", "*.login.example"])
        try command.write("request.pem", request)
        try command.write("key.pem", key.pem())
        let verdict = try command.run("req", "-in", "request.pem", "-verify", "-noout")
        #expect(verdict.messages.hasSuffix("self-signature verify OK"))
        #expect(
            try text(request, "-subject")
                == #"subject=CN=client-1,O=\C3\86re\, \"S\C3\B8nner\",C=NO"#)
        let own = try command.run("pkey", "-in", "key.pem", "-pubout").text
        #expect(try text(request, "-pubkey") == own)
        let everything = try text(request, "-text")
        #expect(everything.contains("DNS:rp.example, DNS:*.login.example"))
        #expect(everything.contains("Version: 1 (0x0)"))
        let algorithm =
            switch kind {
            case .rsa: "sha256WithRSAEncryption"
            case .elliptic: "ecdsa-with-SHA256"
            case .ed25519: "ED25519"
            }
        #expect(everything.contains("Signature Algorithm: " + algorithm))
        #expect(!String(decoding: request, as: UTF8.self).contains("PRIVATE"))
    }

    @Test("does not verify when a byte of it is another")
    func changed() throws {
        let key = try PrivateKey(generating: .ed25519)
        let request = try CertificateRequest.make(key: key, subject: [("CN", "client-1")])
        try command.write("request.pem", request)
        try command.run("req", "-in", "request.pem", "-outform", "DER", "-out", "request.der")
        var der = try command.read("request.der")
        der[der.count - 1] ^= 1
        try command.write("request.der", der)
        let answer = try command.run(
            "req", "-in", "request.der", "-inform", "DER", "-verify", "-noout")
        #expect(answer.messages.contains("self-signature verify failure"))
    }

    @Test("becomes a certificate for its key at an authority")
    func issued() throws {
        let key = try PrivateKey(generating: .elliptic(.p256))
        let request = try CertificateRequest.make(
            key: key,
            subject: [("CN", "client-1"), ("serialNumber", "123"), ("2.5.4.97", "NTRNO-9")],
            dnsNames: ["rp.example"])
        try command.write("request.pem", request)
        try command.run(
            "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", "authority.key", "-out",
            "authority.pem", "-subj", "/CN=authority")
        let answer = try command.run(
            "x509", "-req", "-in", "request.pem", "-CA", "authority.pem", "-CAkey",
            "authority.key", "-copy_extensions", "copy", "-out", "certificate.pem")
        #expect(answer.status == 0)
        let certificate = try Certificate(pem: command.read("certificate.pem"))
        #expect(certificate.matches(key))
        #expect(certificate.subject.hasSuffix("serialNumber=123,CN=client-1"))
        #expect(certificate.subject.contains("NTRNO-9"))
        let verified = try command.run("verify", "-CAfile", "authority.pem", "certificate.pem")
        #expect(verified.status == 0)
        let names = try command.run(
            "x509", "-in", "certificate.pem", "-noout", "-ext", "subjectAltName")
        #expect(names.text.hasSuffix("DNS:rp.example"))
    }

    @Test("asks for no extension when there is no host")
    func noHosts() throws {
        let key = try PrivateKey(generating: .ed25519)
        let request = try CertificateRequest.make(key: key, subject: [("CN", "client-1")])
        let everything = try text(request, "-text")
        #expect(everything.contains("Subject: CN=client-1"))
        #expect(!everything.contains("X509v3"))
    }

    @Test("is not made of names that are none")
    func refused() throws {
        let key = try PrivateKey(generating: .ed25519)
        let subjects: [[(name: String, value: String)]] = [
            [], [("CN", "")], [("", "a")], [("NoSuchName", "a")], [("CN\0", "a")], [("9.9.9", "a")],
            [("C", "NOR")], [("CN", String(repeating: "a", count: 65))], [("CN", "a\nb")],
            [("CN", "a"), ("O", "b\0c")], Array(repeating: ("OU", "a"), count: 101),
            [("CN", String(repeating: "a", count: 10_000_000))],
        ]
        for subject in subjects {
            #expect(throws: OpenSSLError.self, "\(subject.first?.name ?? "")") {
                try CertificateRequest.make(key: key, subject: subject)
            }
        }
        for hosts in [["a,DNS:b"], ["a", ""], Array(repeating: "a", count: 101)] {
            #expect(throws: OpenSSLError.self) {
                try CertificateRequest.make(key: key, subject: [("CN", "a")], dnsNames: hosts)
            }
        }
    }
}
