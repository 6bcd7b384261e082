// SPDX-License-Identifier: Apache-2.0

import OpenSSL
import Testing

enum CertificateMaking {
    static let kinds: [PrivateKey.Kind] = [
        .rsa(bits: 2048), .elliptic(.p256), .elliptic(.p384), .elliptic(.p521), .ed25519,
    ]
    /// 2026-01-01 and a year later.
    static let notBefore: Int64 = 1_767_225_600, notAfter: Int64 = 1_798_761_600

    static func make(
        _ key: PrivateKey, name: String = "client-1", notBefore: Int64 = notBefore,
        notAfter: Int64 = notAfter, serial: [UInt8] = [1, 2, 3], hosts: [String] = []
    ) throws(OpenSSLError) -> Certificate {
        try Certificate.selfSigned(
            key: key, subjectCommonName: name, notBefore: notBefore, notAfter: notAfter,
            serial: serial, dnsNames: hosts)
    }
}

@Suite("A certificate that is made here")
struct CertificateMakingTests {
    let command: OpenSSLCommand

    init() throws {
        command = try OpenSSLCommand()
    }

    @Test("says what was asked for, to other programs too", arguments: CertificateMaking.kinds)
    func contents(kind: PrivateKey.Kind) throws {
        let key = try PrivateKey(generating: kind)
        let certificate = try CertificateMaking.make(
            key, hosts: ["rp.example", "*.login.example"])
        #expect(certificate.subject == "CN=client-1")
        #expect(certificate.notBefore == CertificateMaking.notBefore)
        #expect(certificate.notAfter == CertificateMaking.notAfter)
        #expect(certificate.publicKey.parameters == key.publicKey.parameters)
        #expect(try Certificate(pem: certificate.pem()).der == certificate.der)

        try command.write("certificate.pem", certificate.pem())
        let text = try command.run(
            "x509", "-in", "certificate.pem", "-noout", "-subject", "-issuer", "-serial", "-dates",
            "-dateopt", "iso_8601", "-ext",
            "basicConstraints,keyUsage,extendedKeyUsage,subjectAltName"
        ).text
        let lines = text.split(separator: "\n").map { $0.drop { $0 == " " } }
        #expect(
            lines == [
                "subject=CN = client-1", "issuer=CN = client-1", "serial=010203",
                "notBefore=2026-01-01 00:00:00Z", "notAfter=2027-01-01 00:00:00Z",
                "X509v3 Basic Constraints: critical", "CA:FALSE", "X509v3 Key Usage: critical",
                "Digital Signature", "X509v3 Extended Key Usage: ",
                "TLS Web Client Authentication, TLS Web Server Authentication",
                "X509v3 Subject Alternative Name: ", "DNS:rp.example, DNS:*.login.example",
            ])
    }

    @Test("is accepted by who trusts it, in its time", arguments: CertificateMaking.kinds)
    func verifies(kind: PrivateKey.Kind) throws {
        let certificate = try CertificateMaking.make(try PrivateKey(generating: kind))
        let stranger = try CertificateMaking.make(try PrivateKey(generating: kind))
        try command.write("certificate.pem", certificate.pem())
        try command.write("stranger.pem", stranger.pem())
        func isAccepted(
            trusting file: String = "certificate.pem", at seconds: Int64, _ purpose: String
        ) throws -> Bool {
            try command.run(
                "verify", "-x509_strict", "-check_ss_sig", "-attime", String(seconds), "-purpose",
                purpose, "-CAfile", file, "certificate.pem"
            ).status == 0
        }
        for purpose in ["sslclient", "sslserver"] {
            #expect(try isAccepted(at: CertificateMaking.notBefore, purpose))
            // The command takes the last second for one too late (RFC 5280 §4.1.2.5 does not).
            #expect(try isAccepted(at: CertificateMaking.notAfter - 1, purpose))
            #expect(try !isAccepted(at: CertificateMaking.notBefore - 1, purpose))
            #expect(try !isAccepted(at: CertificateMaking.notAfter + 1, purpose))
            #expect(
                try !isAccepted(
                    trusting: "stranger.pem", at: CertificateMaking.notBefore, purpose))
        }
        #expect(try !isAccepted(at: CertificateMaking.notBefore, "smimesign"))
    }

    @Test("asks for no host when it is a client's")
    func noHosts() throws {
        let certificate = try CertificateMaking.make(try PrivateKey(generating: .ed25519))
        try command.write("certificate.pem", certificate.pem())
        let text = try command.run("x509", "-in", "certificate.pem", "-noout", "-text").text
        #expect(text.contains("Extended Key Usage"))
        #expect(!text.contains("Alternative Name"))
    }

    @Test(
        "may have any time up to the year 9999, also one that is over",
        arguments: [
            (0, 0), (0, 1), (2_524_607_999, 2_524_608_000), (1_000_000_000, 253_402_300_799),
        ] as [(Int64, Int64)])
    func times(notBefore: Int64, notAfter: Int64) throws {
        let certificate = try CertificateMaking.make(
            try PrivateKey(generating: .ed25519), notBefore: notBefore, notAfter: notAfter)
        #expect(certificate.notBefore == notBefore)
        #expect(certificate.notAfter == notAfter)
    }

    @Test(
        "has no time that ends before it begins, or that cannot be written",
        arguments: [(1, 0), (-1, 1), (0, 253_402_300_800), (.min, .max)] as [(Int64, Int64)])
    func noTimes(notBefore: Int64, notAfter: Int64) throws {
        let key = try PrivateKey(generating: .ed25519)
        #expect(throws: OpenSSLError.self) {
            try CertificateMaking.make(key, notBefore: notBefore, notAfter: notAfter)
        }
    }

    @Test("has a positive serial number of at most twenty bytes")
    func serials() throws {
        let key = try PrivateKey(generating: .ed25519)
        let most = [0x7F] + [UInt8](repeating: 0xFF, count: 19)
        for serial in [[1], [0x80], [0, 0, 1], most, [0] + most] {
            let certificate = try CertificateMaking.make(key, serial: serial)
            try command.write("certificate.pem", certificate.pem())
            let text = try command.run("x509", "-in", "certificate.pem", "-noout", "-serial").text
            let digits = serial.drop { $0 == 0 }.map { byte in
                (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
            #expect(text == "serial=" + digits.joined())
        }
        let none: [[UInt8]] = [[], [0], [0, 0], [0x80] + most.dropFirst(), [1] + most]
        for serial in none {
            #expect(throws: OpenSSLError.self) { try CertificateMaking.make(key, serial: serial) }
        }
    }

    @Test(
        "is for no host whose name would be read as something else",
        arguments: [
            "", ".", "a..b", "a,DNS:b", "a, email:b@c", "a\nb", "a\0b", "æ.example", "@section",
            "a b", "a.*", "*a.example", "critical,a", "a:b",
            String(repeating: "a", count: 64), String(repeating: "a.", count: 127),
        ])
    func hostNames(host: String) throws {
        let key = try PrivateKey(generating: .ed25519)
        #expect(throws: OpenSSLError.self) {
            try CertificateMaking.make(key, hosts: ["a.example", host])
        }
    }

    @Test("has a name of one to 64 characters, and no control characters in it")
    func commonNames() throws {
        let key = try PrivateKey(generating: .ed25519)
        for name in ["a", String(repeating: "ø", count: 64), "a,b/CN=c+d"] {
            #expect(throws: Never.self) { try CertificateMaking.make(key, name: name) }
        }
        let escaped = try CertificateMaking.make(key, name: "a,b/CN=c+d").subject
        #expect(escaped == #"CN=a\,b/CN=c\+d"#)
        for name in ["", String(repeating: "ø", count: 65), "a\nb", "a\0b", "a\u{7F}"] {
            #expect(throws: OpenSSLError.self) { try CertificateMaking.make(key, name: name) }
        }
    }
}
