// SPDX-License-Identifier: Apache-2.0

import OpenSSL
import Testing

@Suite("A public key")
struct PublicKeyTests {
    @Test("made of a key's numbers is that key")
    func roundTrip() throws {
        for pairing in SignatureTests.pairings {
            let key = try SignatureTests.key(pairing.kind)
            let copy = try PublicKey(key.publicKey.parameters)
            #expect(copy.parameters == key.publicKey.parameters)
            let signature = try key.sign([1, 2, 3], scheme: pairing.scheme)
            #expect(copy.verify(signature, over: [1, 2, 3], scheme: pairing.scheme))
        }
    }

    @Test("is refused when its point is not on the curve", arguments: EllipticCurve.allCases)
    func offCurve(curve: EllipticCurve) throws {
        let key = try PrivateKey(generating: .elliptic(curve))
        guard case .elliptic(_, let x, var y) = key.publicKey.parameters else {
            Issue.record("no point")
            return
        }
        y[y.count - 1] ^= 1
        #expect(throws: OpenSSLError.self) { try PublicKey(.elliptic(curve, x: x, y: y)) }
        let zeros = [UInt8](repeating: 0, count: curve.coordinateBytes)
        #expect(throws: OpenSSLError.self) { try PublicKey(.elliptic(curve, x: zeros, y: zeros)) }
    }

    @Test("is refused when a coordinate has the wrong length")
    func coordinateLength() throws {
        let key = try PrivateKey(generating: .elliptic(.p256))
        guard case .elliptic(_, let x, let y) = key.publicKey.parameters else {
            Issue.record("no point")
            return
        }
        for (x, y) in [([0] + x, y), (x, y + [0]), ([], []), (x + y, [])] {
            #expect(throws: OpenSSLError.self) { try PublicKey(.elliptic(.p256, x: x, y: y)) }
        }
        #expect(throws: OpenSSLError.self) { try PublicKey(.elliptic(.p384, x: x, y: y)) }
        #expect(throws: OpenSSLError.self) { try PublicKey(.ed25519(x + [0])) }
        #expect(throws: OpenSSLError.self) { try PublicKey(.ed25519([])) }
    }

    @Test("of RSA made of nonsense verifies nothing and ends nothing")
    func nonsense() {
        let signature = [UInt8](repeating: 7, count: 256)
        for number: [UInt8] in [[], [0], [1], [2], Array(repeating: 0xFF, count: 256)] {
            for exponent: [UInt8] in [[], [0], [1], [3], Array(repeating: 0xFF, count: 300)] {
                guard let key = try? PublicKey(.rsa(modulus: number, exponent: exponent)) else {
                    continue
                }
                for scheme in [SignatureScheme.rsaPKCS1(.sha256), .rsaPSS(.sha512)] {
                    #expect(!key.verify(signature, over: [1], scheme: scheme))
                    #expect(!key.verify([], over: [1], scheme: scheme))
                }
            }
        }
    }
}
