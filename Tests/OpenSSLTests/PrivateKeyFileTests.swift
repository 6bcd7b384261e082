// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import OpenSSL

@Suite("A private key in a file")
struct PrivateKeyFileTests {
    @Test(
        "is the same key when it is read again",
        arguments: [
            PrivateKey.Kind.rsa(bits: 2048), .elliptic(.p256), .elliptic(.p384), .elliptic(.p521),
            .ed25519,
        ])
    func roundTrip(kind: PrivateKey.Kind) throws {
        let key = try PrivateKey(generating: kind)
        let read = try PrivateKey(pem: try key.pem())
        #expect(read.publicKey.parameters == key.publicKey.parameters)
        let scheme: SignatureScheme =
            switch kind {
            case .rsa: .rsaPSS(.sha256)
            case .elliptic: .ecdsa(.sha256)
            case .ed25519: .ed25519
            }
        let message = Array("signed by the key that was read".utf8)[...]
        let signature = try read.sign(message, scheme: scheme)
        #expect(key.publicKey.verify(signature, over: message, scheme: scheme))
    }

    @Test(
        "that is none of ours is refused, and nobody is asked for a passphrase",
        arguments: [
            "", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            // An EC key on a curve that no algorithm of ours has.
            """
            -----BEGIN PRIVATE KEY-----
            MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQgAQIDBAUGBwgJCgsMDQ4P
            """,
            """
            -----BEGIN ENCRYPTED PRIVATE KEY-----
            MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjZ0m6sJ0ZyzgICCAAw
            DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEJq9
            -----END ENCRYPTED PRIVATE KEY-----
            """,
        ])
    func refused(text: String) {
        #expect(throws: OpenSSLError.self) { () throws in
            _ = try PrivateKey(pem: Array(text.utf8))
        }
    }

    @Test("larger than any key is not looked at")
    func tooLarge() {
        #expect(throws: OpenSSLError.self) { () throws in
            _ = try PrivateKey(pem: [UInt8](repeating: 0x41, count: PrivateKey.pemBytesMax + 1))
        }
    }

    @Test("of a modulus that the key does not fit is refused for decrypting")
    func decryptsItsOwn() throws {
        let key = try PrivateKey(generating: .rsa(bits: 2048))
        let secret = SecretBytes(Array(0..<64))
        let encrypted = try key.publicKey.encryptOAEP(secret, hash: .sha1)
        #expect(try key.decryptOAEP(encrypted, hash: .sha1).exposed == secret.exposed)
        #expect(throws: OpenSSLError.self) { () throws in
            _ = try key.decryptOAEP(encrypted, hash: .sha256)
        }
        let elliptic = try PrivateKey(generating: .elliptic(.p256))
        #expect(throws: OpenSSLError.self) { () throws in
            _ = try elliptic.decryptOAEP(encrypted, hash: .sha1)
        }
    }
}
