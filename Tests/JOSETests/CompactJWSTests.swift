// SPDX-License-Identifier: Apache-2.0

import JOSE
import LedgerPrimitives
import OpenSSL
import Testing

@Suite("A compact JWS")
struct CompactJWSTests {
    @Test("of a standard is answered as it should be", arguments: Vector.load("rfc.json"))
    func standards(vector: Vector) throws {
        let keys = JSONWebKeySet((vector.members["keys"]?.arrayValue ?? []).map { JSONWebKey($0) })
        #expect(answer(Array(vector["token"].utf8), keys: keys) == vector["want"])
    }

    /// Every header here stands under a good signature, so that nothing else can be at fault.
    @Test("is judged by its header", arguments: Vector.load("headers.json"))
    func headers(vector: Vector) throws {
        let pair = try KeyPair(.elliptic(.p256), .es256, keyID: "k1")
        let weak = try PrivateKey(generating: .rsa(bits: 1024))
        let named = JSONWebKey.members(
            of: weak.publicKey, keyID: "cafe\u{301}", algorithm: .rs256)
        let keys = JSONWebKeySet([pair.published, JSONWebKey(.object(named))])
        let header =
            Base64URL.decode(vector["headerBytes"]).flatMap { $0.isEmpty ? nil : $0 }
            ?? Array(vector["header"].utf8)
        let token = try CompactJWS.sign(
            [], headerBytes: header, scheme: .ecdsa(.sha256), key: pair.privateKey)
        let allowed: [SignatureAlgorithm] = [.es256, .rs256, .edDSA]
        #expect(answer(token, keys: keys, allowing: allowed) == vector["want"])
    }

    @Test("is signed and verified under every algorithm")
    func everyAlgorithm() throws {
        let rsa = try PrivateKey(generating: .rsa(bits: 2048))
        for algorithm in SignatureAlgorithm.allCases {
            let key: PrivateKey =
                switch algorithm {
                case .es256: try PrivateKey(generating: .elliptic(.p256))
                case .es384: try PrivateKey(generating: .elliptic(.p384))
                case .es512: try PrivateKey(generating: .elliptic(.p521))
                case .edDSA: try PrivateKey(generating: .ed25519)
                default: rsa
                }
            let members = JSONWebKey.members(of: key.publicKey, keyID: "a", algorithm: algorithm)
            let keys = JSONWebKeySet([JSONWebKey(.object(members))])
            let token = try CompactJWS.sign(
                Array("{}".utf8), header: ["kid": .string("a")], algorithm: algorithm, key: key)
            #expect(answer(token, keys: keys) == "verified")
            for other in SignatureAlgorithm.allCases where other != algorithm {
                #expect(answer(token, keys: keys, allowing: [other]) == "alg-not-allowed")
            }
        }
    }

    @Test("is refused in any other spelling")
    func spellings() throws {
        let pair = try KeyPair(.elliptic(.p256), .es256, keyID: nil)
        let keys = JSONWebKeySet([pair.published])
        let token = String(decoding: try pair.sign(), as: UTF8.self)
        #expect(answer(Array(token.utf8), keys: keys) == "verified")
        let parts = token.split(separator: ".").map(String.init)
        let (header, payload, signature) = (parts[0], parts[1], parts[2])
        // The last character of 64 bytes has four spare bits.
        let spare = signature.dropLast() + (signature.hasSuffix("A") ? "B" : nextSpare(signature))
        let spellings: [(String, String)] = [
            ("\(token)=", "not-base64url signature"), ("\(token)==", "not-base64url signature"),
            ("\(header)=.\(payload).\(signature)", "not-base64url header"),
            ("\(header).\(payload)=.\(signature)", "not-base64url payload"),
            ("\(header).\(payload).\(spare)", "not-base64url signature"),
            ("\(header).\(payload).\(signature)\n", "not-base64url signature"),
            (" \(token)", "not-base64url header"),
            ("\(header).\(payload).\(signature)A", "sig-invalid"),
            ("\(header).\(payload).+/\(signature.dropFirst(2))", "not-base64url signature"),
            ("\(header).\(payload)\u{0}.\(signature)", "not-base64url payload"),
            ("", "not-compact"), (".", "not-compact"), ("..", "not-json endOfText"),
            ("\(header).\(payload)", "not-compact"), ("\(token).", "not-compact"),
            ("\(token)..", "encrypted"), ("....", "encrypted"), (".....", "not-compact"),
            (String(repeating: ".", count: 100_000), "not-compact"),
            ("\(header).\(payload).", "sig-invalid"), ("\(header)..\(signature)", "sig-invalid"),
            (#"{"payload":"e30","signatures":[]}"#, "not-compact"),
        ]
        for (spelling, want) in spellings {
            #expect(answer(Array(spelling.utf8), keys: keys) == want, "\(spelling.prefix(200))")
        }
    }

    /// The last character with the lowest of its spare bits set: the same bytes for a lenient
    /// reader.
    private func nextSpare(_ signature: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        let value = signature.last.flatMap { alphabet.firstIndex(of: $0) } ?? 0
        return String(alphabet[value | 1])
    }

    @Test("with its ECDSA signature in DER is refused")
    func derSignature() throws {
        let pair = try KeyPair(.elliptic(.p256), .es256, keyID: nil)
        let token = String(decoding: try pair.sign(), as: UTF8.self)
        let parts = token.split(separator: ".").map(String.init)
        let raw = try #require(Base64URL.decode(parts[2]))
        var content: [UInt8] = []
        for half in [raw[..<32], raw[32...]] {
            content += [0x02, 0x21, 0x00] + half
        }
        let der = Base64URL.encode([0x30, UInt8(content.count)] + content)
        let keys = JSONWebKeySet([pair.published])
        #expect(answer(Array("\(parts[0]).\(parts[1]).\(der)".utf8), keys: keys) == "sig-invalid")
    }

    @Test("larger than the limit is refused before anything of it is read")
    func size() throws {
        let keys = JSONWebKeySet([])
        let large = [UInt8](repeating: UInt8(ascii: "A"), count: 10 << 20)
        #expect(answer(large, keys: keys) == "too-large")
        let pair = try KeyPair(.elliptic(.p256), .es256, keyID: nil)
        let token = try pair.sign()
        #expect(throws: JWSError.tooLarge) {
            try CompactJWS(parsing: token, bytesMax: token.count - 1)
        }
        #expect(throws: Never.self) { try CompactJWS(parsing: token, bytesMax: token.count) }
    }

    @Test("with a kid of a megabyte is refused")
    func largeKeyID() throws {
        let pair = try KeyPair(.elliptic(.p256), .es256, keyID: nil)
        let keyID = String(repeating: "k", count: 700_000)
        let token = try pair.sign(header: ["kid": .string(keyID)])
        #expect(answer(token, keys: JSONWebKeySet([pair.published])) == "header-refused kid")
    }

    @Test("is not verified when any bit of it is flipped", arguments: [true, false])
    func mutations(hasKeyID: Bool) throws {
        let pair = try KeyPair(.elliptic(.p256), .es256, keyID: hasKeyID ? "key-1" : nil)
        let keys = JSONWebKeySet([pair.published])
        let header: JSONObject = hasKeyID ? ["kid": .string("key-1")] : [:]
        let token = try pair.sign(#"{"iss":"https://op.example","sub":"a"}"#, header: header)
        #expect(answer(token, keys: keys) == "verified")
        for bit in 0..<(token.count * 8) {
            var changed = token
            changed[bit / 8] ^= 1 << (bit % 8)
            #expect(answer(changed, keys: keys) != "verified", "bit \(bit)")
        }
    }

    @Test("cut short or with a byte left out is not verified")
    func truncations() throws {
        let pair = try KeyPair(.elliptic(.p256), .es256, keyID: nil)
        let keys = JSONWebKeySet([pair.published])
        let token = try pair.sign()
        for count in 0..<token.count {
            #expect(answer(Array(token[..<count]), keys: keys) != "verified")
            var shortened = token
            shortened.remove(at: count)
            #expect(answer(shortened, keys: keys) != "verified")
        }
    }

    @Test("gives its payload and its key once it is verified")
    func payload() throws {
        let pair = try KeyPair(.ed25519, .edDSA, keyID: "a")
        let jws = try CompactJWS(
            parsing: try pair.sign("payload", header: ["kid": .string("a"), "typ": .string("x")]))
        #expect(jws.header.type == "x")
        #expect(jws.header.keyID == "a")
        let verified = try jws.verified(
            with: JSONWebKeySet([pair.published]), allowing: [.edDSA])
        #expect(verified.payload == Array("payload".utf8))
        #expect(verified.key.keyID == "a")
        #expect(verified.algorithm == .edDSA)
    }
}
