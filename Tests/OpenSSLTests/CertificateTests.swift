// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import OpenSSL

@Suite("A certificate")
struct CertificateTests {
    let command: OpenSSLCommand

    init() throws {
        command = try OpenSSLCommand()
    }

    /// Made by another program, for a name with everything that needs an escape.
    private func foreign(_ key: String = "ed25519") throws -> Certificate {
        try command.run(
            "req", "-x509", "-newkey", key, "-nodes", "-utf8", "-keyout", "key.pem", "-out",
            "certificate.pem", "-days", "3", "-subj",
            "/C=NO/O=Ære, \\\"Sønner\\\" \\+ Co./CN= #a\\\\b;<c> ")
        return try Certificate(pem: command.read("certificate.pem"))
    }

    @Test("that another program made is read as that program reads it")
    func foreignCertificate() throws {
        let certificate = try foreign()
        func ask(_ options: String...) throws -> String {
            let process = try #require(options.first)
            return try command.run(
                "x509", "-in", "certificate.pem", "-noout", process, "-nameopt", "RFC2253",
                "-sha256", "-dateopt", "iso_8601"
            ).text
        }
        let subject = #"CN=\ #a\\b\;\<c\>\ ,O=\C3\86re\, \"S\C3\B8nner\" \+ Co.,C=NO"#
        #expect(certificate.subject == subject)
        #expect(try ask("-subject") == "subject=" + subject)
        #expect(
            try ask("-dates").split(separator: "\n").map(String.init) == [
                "notBefore=" + Self.text(certificate.notBefore),
                "notAfter=" + Self.text(certificate.notAfter),
            ])
        #expect(certificate.notAfter - certificate.notBefore == 3 * 86_400)
        let hex = certificate.thumbprintSHA256.map { String(format: "%02X", $0) }
        #expect(try ask("-fingerprint") == "sha256 Fingerprint=" + hex.joined(separator: ":"))
        let der = try command.run("x509", "-in", "certificate.pem", "-outform", "DER").output
        #expect(certificate.der == der)
        #expect(try certificate.pem() == command.read("certificate.pem"))
        #expect(certificate.matches(try PrivateKey(pem: command.read("key.pem"))))
    }

    private static func text(_ seconds: Int64) -> String {
        let style = Date.ISO8601FormatStyle(dateTimeSeparator: .space)
        return Date(timeIntervalSince1970: TimeInterval(seconds)).formatted(style)
    }

    @Test(
        "shows the key that it is for, of any kind that signs",
        arguments: ["rsa:2048", "rsa:3072", "ed25519"])
    func keys(kind: String) throws {
        let certificate = try foreign(kind)
        let key = try PrivateKey(pem: command.read("key.pem"))
        #expect(certificate.publicKey.parameters == key.publicKey.parameters)
        #expect(certificate.matches(key))
    }

    @Test("belongs to its own key and to no other", arguments: CertificateMaking.kinds)
    func mismatch(kind: PrivateKey.Kind) throws {
        let key = try PrivateKey(generating: kind)
        let certificate = try CertificateMaking.make(key)
        #expect(certificate.matches(key))
        #expect(certificate.matches(try PrivateKey(pem: key.pem())))
        for other in CertificateMaking.kinds {
            #expect(!certificate.matches(try PrivateKey(generating: other)), "\(other)")
        }
        #expect(certificate.matches(key))
    }

    @Test("is the first of its file, whatever stands around it")
    func firstOfChain() throws {
        let first = try CertificateMaking.make(try PrivateKey(generating: .ed25519))
        let second = try CertificateMaking.make(try PrivateKey(generating: .elliptic(.p256)))
        let key = try PrivateKey(generating: .ed25519)
        let text = Array("subject=somebody\n".utf8)
        let file = try text + key.pem() + text + first.pem() + text + second.pem()
        #expect(try Certificate(pem: file).der == first.der)
    }

    @Test(
        "is not in a text without one",
        arguments: [
            "", "no certificate", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n####\n-----END CERTIFICATE-----\n",
            """
            -----BEGIN CERTIFICATE-----
            Proc-Type: 4,ENCRYPTED
            DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF

            AAAAAAAAAAAAAAAAAAAAAA==
            -----END CERTIFICATE-----
            """,
        ])
    func noCertificate(text: String) {
        #expect(throws: OpenSSLError.self) { try Certificate(pem: Array(text.utf8)) }
    }

    @Test("is not taken in part, nor with something behind it")
    func truncated() throws {
        let certificate = try CertificateMaking.make(try PrivateKey(generating: .ed25519))
        #expect(try Certificate(der: certificate.der).der == certificate.der)
        for count in 0..<certificate.der.count {
            #expect(throws: OpenSSLError.self, "\(count)") {
                try Certificate(der: Array(certificate.der[..<count]))
            }
        }
        #expect(throws: OpenSSLError.self) { try Certificate(der: certificate.der + [0]) }
        let pem = try certificate.pem()
        for count in stride(from: 0, to: pem.count - 26, by: 7) {
            #expect(throws: OpenSSLError.self, "\(count)") {
                try Certificate(pem: Array(pem[..<count]))
            }
        }
    }

    @Test("with a flipped bit is another, or none")
    func flippedBits() throws {
        let key = try PrivateKey(generating: .elliptic(.p256))
        let certificate = try CertificateMaking.make(key)
        for bit in 0..<(certificate.der.count * 8) {
            var changed = certificate.der
            changed[bit / 8] ^= 1 << (bit % 8)
            guard let other = try? Certificate(der: changed) else { continue }
            #expect(other.thumbprintSHA256 != certificate.thumbprintSHA256, "bit \(bit)")
            // Whatever can be read of it can be asked for.
            _ = (other.matches(key), try other.pem())
        }
    }

    @Test("larger than any is not looked at")
    func tooLarge() throws {
        let certificate = try CertificateMaking.make(try PrivateKey(generating: .ed25519))
        let room = Certificate.bytesMax - (try certificate.pem().count)
        let padding = [UInt8](repeating: 0x0A, count: room)
        #expect(try Certificate(pem: padding + certificate.pem()).der == certificate.der)
        #expect(throws: OpenSSLError.self) {
            try Certificate(pem: padding + [0x0A] + certificate.pem())
        }
        #expect(throws: OpenSSLError.self) {
            try Certificate(der: [0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF])
        }
        let huge = [UInt8](repeating: 0x30, count: 50_000_000)
        #expect(throws: OpenSSLError.self) { try Certificate(der: huge) }
        #expect(throws: OpenSSLError.self) { try Certificate(pem: huge) }
    }

    @Test("for a key of a kind that signs nothing here is refused")
    func foreignKey() throws {
        try command.run("genpkey", "-algorithm", "ed448", "-out", "key.pem")
        let made = try command.run(
            "req", "-x509", "-key", "key.pem", "-out", "certificate.pem", "-subj", "/CN=x")
        #expect(made.status == 0)
        let pem = try command.read("certificate.pem")
        #expect(throws: OpenSSLError.self) { try Certificate(pem: pem) }
    }

    @Test("is used by many tasks at once")
    func concurrent() async throws {
        let key = try PrivateKey(generating: .elliptic(.p384))
        let other = try PrivateKey(generating: .elliptic(.p384))
        let certificate = try CertificateMaking.make(key)
        let right = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<200).count { _ in
                        certificate.matches(key) && !certificate.matches(other)
                            && certificate.thumbprintSHA256.count == 32
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(right == 1600)
    }
}
