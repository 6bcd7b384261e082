// SPDX-License-Identifier: Apache-2.0

import OpenSSL
import Testing

@Suite("A signature")
struct SignatureTests {
    /// A kind of key with a scheme for it, and the size of its signatures.
    struct Pairing: Sendable, CustomTestStringConvertible {
        let kind: PrivateKey.Kind
        let scheme: SignatureScheme
        let signatureBytes: Int

        var testDescription: String { "\(kind) \(scheme)" }
    }

    static let rsaPairings = HashFunction.allCases.flatMap { function in
        [SignatureScheme.rsaPKCS1(function), .rsaPSS(function)].map {
            Pairing(kind: .rsa(bits: 2048), scheme: $0, signatureBytes: 256)
        }
    }

    static let pairings =
        rsaPairings + [
            Pairing(kind: .elliptic(.p256), scheme: .ecdsa(.sha256), signatureBytes: 64),
            Pairing(kind: .elliptic(.p384), scheme: .ecdsa(.sha384), signatureBytes: 96),
            Pairing(kind: .elliptic(.p521), scheme: .ecdsa(.sha512), signatureBytes: 132),
            Pairing(kind: .ed25519, scheme: .ed25519, signatureBytes: 64),
        ]

    static let rsaKey = Result { try PrivateKey(generating: .rsa(bits: 2048)) }

    static func key(_ kind: PrivateKey.Kind) throws -> PrivateKey {
        kind == .rsa(bits: 2048) ? try rsaKey.get() : try PrivateKey(generating: kind)
    }

    let message = Array("It is I who wrote this".utf8)

    @Test("verifies with its key, its message and its scheme only", arguments: pairings)
    func verifies(pairing: Pairing) throws {
        let key = try Self.key(pairing.kind)
        let signature = try key.sign(message[...], scheme: pairing.scheme)
        #expect(signature.count == pairing.signatureBytes)
        let scheme = pairing.scheme
        #expect(key.publicKey.verify(signature, over: message[...], scheme: scheme))
        #expect(!key.publicKey.verify(signature, over: message[1...], scheme: scheme))
        #expect(!key.publicKey.verify(signature, over: [], scheme: scheme))
        let stranger = try PrivateKey(generating: pairing.kind)
        #expect(!stranger.publicKey.verify(signature, over: message[...], scheme: scheme))
        for other in Self.pairings.map(\.scheme) where other != scheme {
            #expect(!key.publicKey.verify(signature, over: message[...], scheme: other))
        }
    }

    @Test("is refused when any bit of it is flipped", arguments: pairings)
    func flippedBit(pairing: Pairing) throws {
        let key = try Self.key(pairing.kind)
        let signature = try key.sign(message[...], scheme: pairing.scheme)
        for bit in 0..<(signature.count * 8) {
            var changed = signature
            changed[bit / 8] ^= 1 << (bit % 8)
            let isValid = key.publicKey.verify(
                changed, over: message[...], scheme: pairing.scheme)
            #expect(!isValid, "bit \(bit)")
        }
    }

    @Test("is refused when it is shorter, longer or empty", arguments: pairings)
    func length(pairing: Pairing) throws {
        let key = try Self.key(pairing.kind)
        let signature = try key.sign(message[...], scheme: pairing.scheme)
        for changed in [[], Array(signature.dropLast()), signature + [0], [0] + signature] {
            #expect(!key.publicKey.verify(changed, over: message[...], scheme: pairing.scheme))
        }
    }

    @Test("of zeros is refused", arguments: pairings)
    func zeros(pairing: Pairing) throws {
        let key = try Self.key(pairing.kind)
        let zeros = [UInt8](repeating: 0, count: pairing.signatureBytes)
        #expect(!key.publicKey.verify(zeros, over: message[...], scheme: pairing.scheme))
    }

    @Test("of ECDSA in DER is refused, as is one whose halves are padded")
    func derEncoded() throws {
        let key = try PrivateKey(generating: .elliptic(.p256))
        let raw = try key.sign(message[...], scheme: .ecdsa(.sha256))
        var content: [UInt8] = []
        for half in [raw[..<32], raw[32...]] {
            let digits = half.drop { $0 == 0 }
            let padding: [UInt8] = digits.first.map { $0 >= 0x80 } ?? true ? [0] : []
            content += [0x02, UInt8(digits.count + padding.count)] + padding + digits
        }
        let der = [0x30, UInt8(content.count)] + content
        #expect(!key.publicKey.verify(der, over: message[...], scheme: .ecdsa(.sha256)))
        let padded = [0] + raw[..<32] + [0] + raw[32...]
        #expect(!key.publicKey.verify(padded, over: message[...], scheme: .ecdsa(.sha256)))
    }

    @Test("survives the way through DER when a half begins with zeros")
    func shortHalves() throws {
        // One signature in 128 has such a half; that none of 10,000 has does not happen.
        let key = try PrivateKey(generating: .elliptic(.p256))
        var shortHalves = 0
        for _ in 0..<10_000 where shortHalves < 4 {
            let signature = try key.sign(message[...], scheme: .ecdsa(.sha256))
            if signature[0] == 0 || signature[32] == 0 { shortHalves += 1 }
            #expect(key.publicKey.verify(signature, over: message[...], scheme: .ecdsa(.sha256)))
        }
        #expect(shortHalves == 4)
    }

    @Test("is verified by one key from many tasks at once")
    func concurrent() async throws {
        let key = try Self.rsaKey.get()
        let schemes = Self.rsaPairings.map(\.scheme)
        let message = message
        let signatures = try schemes.map { try key.sign(message[...], scheme: $0) }
        let publicKey = try PublicKey(key.publicKey.parameters)
        let valid = await withTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    (0..<300).count { round in
                        let index = (round + task) % schemes.count
                        return publicKey.verify(
                            signatures[index], over: message[...], scheme: schemes[index])
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(valid == 2400)
    }

    @Test("cannot be made under a scheme for other keys")
    func wrongScheme() throws {
        let key = try PrivateKey(generating: .ed25519)
        #expect(throws: OpenSSLError.self) {
            try key.sign(message[...], scheme: .rsaPSS(.sha256))
        }
    }
}
