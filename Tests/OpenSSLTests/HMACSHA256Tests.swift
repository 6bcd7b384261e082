// SPDX-License-Identifier: Apache-2.0

import OpenSSL
import Testing

@Suite("SHA-256, HMAC and HKDF")
struct HMACSHA256Tests {
    private struct Vector: Sendable {
        let key: [UInt8]
        let message: String
        let code: String
    }

    /// RFC 4231 §4.2, §4.3 and §4.7.
    private static let vectors = [
        Vector(
            key: [UInt8](repeating: 0x0B, count: 20), message: "Hi There",
            code: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        Vector(
            key: Array("Jefe".utf8), message: "what do ya want for nothing?",
            code: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        Vector(
            key: [UInt8](repeating: 0xAA, count: 131),
            message: "Test Using Larger Than Block-Size Key - Hash Key First",
            code: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
    ]

    private static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func hexadecimal(_ digest: InlineArray<32, UInt8>) -> String {
        hexadecimal(digest.indices.map { digest[$0] })
    }

    @Test("the codes are those of RFC 4231", arguments: vectors)
    private func published(_ vector: Vector) {
        let message = Array(vector.message.utf8)
        #expect(
            Self.hexadecimal(hmacSHA256(key: SecretBytes(vector.key), message)) == vector.code)
    }

    @Test("the derived keys are those of RFC 5869, A.3")
    func derivation() {
        let key = SecretBytes([UInt8](repeating: 0x0B, count: 22))
        let expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
        #expect(Self.hexadecimal(hkdfSHA256(key, info: []).exposed) == expected)
        #expect(Self.hexadecimal(hkdfExtractSHA256(key).hkdfExpand(info: []).exposed) == expected)
    }

    @Test("a key gives the code of each message, whatever came before it")
    func manyMessages() {
        for count in [0, 1, 31, 32, 63, 64, 65, 200] {
            let secret = SecretBytes(randomBytes(count))
            let key = HMACSHA256Key(secret)
            for length in [0, 1, 55, 56, 64, 1000] {
                let message = randomBytes(length)
                #expect(
                    Self.hexadecimal(key.code(message.span))
                        == Self.hexadecimal(hmacSHA256(key: secret, message)))
            }
        }
    }

    @Test("the openssl command agrees on hashes and codes, at the ends of blocks and between them")
    func command() throws {
        let openssl = try OpenSSLCommand()
        for count in [0, 1, 55, 56, 63, 64, 65, 1000] {
            let message = randomBytes(count)
            let key = randomBytes(count / 2 + 1)
            try openssl.write("message", message)
            let hash = try openssl.run("dgst", "-sha256", "-r", "message")
            #expect(hash.text.hasPrefix(Self.hexadecimal(SHA256.hash(message))))
            let code = try openssl.run(
                "dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:" + Self.hexadecimal(key),
                "-r", "message")
            #expect(
                code.text.hasPrefix(Self.hexadecimal(hmacSHA256(key: SecretBytes(key), message))))
        }
    }

    @Test("a hash in parts is that of the whole")
    func parts() {
        let message = randomBytes(300)
        for end in stride(from: 0, through: 300, by: 7) {
            var hash = SHA256()
            hash.update(Array(message[..<end]))
            for byte in message[end...].prefix(3) { hash.update(byte) }
            hash.update(SecretBytes(Array(message.dropFirst(end + 3))))
            #expect(
                Self.hexadecimal(hash.finalize()) == Self.hexadecimal(SHA256.hash(message)))
        }
    }
}
