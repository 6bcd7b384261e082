// SPDX-License-Identifier: Apache-2.0

import LedgerPrimitives
import OpenSSL
import Testing

@testable import JOSE

@Suite("An encrypted token")
struct CompactJWETests {
    private static let key = Result { try PrivateKey(generating: .rsa(bits: 2048)) }
    private static let substituteKey = [UInt8](repeating: 0x5A, count: 64)
    private static let plaintext = Array("header.payload.signature".utf8)

    private func token(
        _ algorithm: KeyManagementAlgorithm = .rsaOAEP,
        _ encryption: ContentEncryption = .aes256CBC,
        header: JSONObject = ["kid": .string("enc-1")]
    ) throws -> [UInt8] {
        try CompactJWE.encrypt(
            Self.plaintext, to: try Self.key.get().publicKey, header: header,
            algorithm: algorithm, encryption: encryption,
            contentKey: SecretBytes((0..<encryption.keyBytes).map { UInt8($0) }),
            vector: (0..<encryption.vectorBytes).map { UInt8($0) })
    }

    private func open(
        _ token: [UInt8], keys: [DecryptionKey]? = nil,
        algorithms: [KeyManagementAlgorithm] = KeyManagementAlgorithm.allCases,
        encryptions: [ContentEncryption] = ContentEncryption.allCases
    ) throws -> [UInt8] {
        let own = DecryptionKey(keyID: "enc-1", key: try Self.key.get())
        return try CompactJWE(parsing: token).decrypted(
            with: keys ?? [own], algorithms: algorithms, encryptions: encryptions,
            substituteKey: Self.substituteKey)
    }

    @Test(
        "comes out as it went in",
        arguments: KeyManagementAlgorithm.allCases, ContentEncryption.allCases)
    func roundTrip(algorithm: KeyManagementAlgorithm, encryption: ContentEncryption) throws {
        let token = try token(algorithm, encryption)
        #expect(CompactJWE.hasForm(of: token))
        #expect(try open(token) == Self.plaintext)
    }

    /// RFC 7516 appendix A.2 has RSA1_5; appendix A.1 has RSA-OAEP with A256GCM and its key.
    @Test("of RFC 7516 appendix A.1 is opened with the key that stands there")
    func published() throws {
        let key = try PrivateKey(pem: Array(PublishedJWE.privateKey.utf8))
        let plaintext = try CompactJWE(parsing: Array(PublishedJWE.token.utf8)).decrypted(
            with: [DecryptionKey(keyID: nil, key: key)], algorithms: [.rsaOAEP],
            encryptions: [.aes256GCM], substituteKey: Self.substituteKey)
        #expect(
            String(decoding: plaintext, as: UTF8.self)
                == "The true sign of intelligence is not knowledge but imagination.")
    }

    @Test("of which any bit was changed is refused")
    func mutations() throws {
        for encryption in ContentEncryption.allCases {
            let token = try token(.rsaOAEP, encryption)
            for index in stride(from: 0, to: token.count, by: 7) {
                var changed = token
                changed[index] ^= 0x01
                #expect(throws: JWEError.self, "byte \(index)") { () throws in
                    _ = try open(changed)
                }
            }
        }
    }

    @Test("fails alike when its key and when its content cannot be opened")
    func noOracle() throws {
        let parts = try token().split(
            separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        for part in [1, 2, 3, 4] {
            var changed = parts.map { Base64URL.decode($0) ?? [] }
            changed[part][changed[part].count / 2] ^= 0x10
            let text = changed.map { Base64URL.encode($0) }.joined(separator: ".")
            #expect(throws: JWEError.undecryptable) { () throws in _ = try open(Array(text.utf8)) }
        }
        let other = DecryptionKey(
            keyID: "enc-1", key: try PrivateKey(generating: .rsa(bits: 2048)))
        #expect(throws: JWEError.undecryptable) { () throws in
            _ = try open(try token(), keys: [other])
        }
    }

    @Test(
        "is refused for what its header asks",
        arguments: [
            ("zip", "DEF"), ("crit", "exp"), ("jku", "https://evil.test/keys"), ("x5u", "x"),
            ("jwk", "x"),
        ])
    func refusedHeader(name: String, value: String) throws {
        let token = try token(header: ["kid": .string("enc-1"), name: .string(value)])
        #expect(throws: JWEError.headerRefused) { () throws in _ = try open(token) }
    }

    @Test("is refused when its algorithms are not those agreed on")
    func algorithms() throws {
        let token = try token()
        #expect(throws: JWEError.algorithmNotAllowed) { () throws in
            _ = try open(token, algorithms: [.rsaOAEP256])
        }
        #expect(throws: JWEError.algorithmNotAllowed) { () throws in
            _ = try open(token, encryptions: [.aes256GCM])
        }
        for header in [
            #"{"alg":"RSA1_5","enc":"A256GCM"}"#, #"{"alg":"dir","enc":"A256GCM"}"#,
            #"{"alg":"RSA-OAEP","enc":"A256KW"}"#,
        ] {
            let text = "\(Base64URL.encode(Array(header.utf8))).AA.AA.AA.AA"
            #expect(throws: JWEError.algorithmNotAllowed) { () throws in
                _ = try open(Array(text.utf8))
            }
        }
    }

    @Test("goes to the key of its kid and to no other")
    func keySelection() throws {
        let token = try token()
        let key = try Self.key.get()
        #expect(throws: JWEError.noKey) { () throws in
            _ = try open(token, keys: [DecryptionKey(keyID: "enc-2", key: key)])
        }
        #expect(throws: JWEError.noKey) { () throws in _ = try open(token, keys: []) }
        let nameless = try self.token(header: [:])
        #expect(try open(nameless) == Self.plaintext)
        let two = [DecryptionKey(keyID: "a", key: key), DecryptionKey(keyID: "b", key: key)]
        #expect(throws: JWEError.noKey) { () throws in _ = try open(nameless, keys: two) }
    }

    @Test(
        "of another form is refused",
        arguments: [
            "", "a.b.c", "a.b.c.d", "....", "e30.AA.AA.AA.AA", "!.AA.AA.AA.AA",
            "eyJhbGciOiJSU0EtT0FFUCJ9.AA.AA.AA.AA", "e30.AA.AA.AA.AA.AA",
        ])
    func malformed(text: String) {
        #expect(throws: JWEError.self) { () throws in _ = try CompactJWE(parsing: Array(text.utf8))
        }
    }

    @Test("larger than the limit is not looked at")
    func tooLarge() throws {
        let token = try token()
        #expect(throws: JWEError.tooLarge) { () throws in
            _ = try CompactJWE(parsing: token, bytesMax: token.count - 1)
        }
    }
}
