// SPDX-License-Identifier: Apache-2.0

import JOSE
import LedgerPrimitives
import OpenSSL
import Testing

@Suite("A JSON web key")
struct JSONWebKeyTests {
    @Test("is usable or says why not", arguments: Vector.load("keys.json"))
    func usability(vector: Vector) throws {
        let key = JSONWebKey(try #require(vector.members["key"]))
        #expect(key.unusableReason?.rawValue ?? "usable" == vector["want"])
        #expect((key.publicKey == nil) == (key.unusableReason != nil))
    }

    @Test("has the thumbprint of RFC 8037 A.3")
    func thumbprint() throws {
        let key = JSONWebKey([
            "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            "kid": "of no weight",
        ])
        let thumbprint = try #require(key.thumbprint)
        #expect(thumbprint.base64URL == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
    }

    @Test("of every kind is written as it is read")
    func roundTrip() throws {
        let kinds: [PrivateKey.Kind] = [
            .rsa(bits: 2048), .elliptic(.p256), .elliptic(.p384), .elliptic(.p521), .ed25519,
        ]
        for kind in kinds {
            let key = try PrivateKey(generating: kind)
            let members = JSONWebKey.members(of: key.publicKey, keyID: "a", algorithm: nil)
            let read = JSONWebKey(.object(members))
            #expect(read.publicKey?.parameters == key.publicKey.parameters)
            #expect(read.keyID == "a")
        }
    }

    @Test("keeps the limits of a policy")
    func limits() throws {
        let key = try PrivateKey(generating: .rsa(bits: 2048))
        let value = JSONValue.object(
            JSONWebKey.members(of: key.publicKey, keyID: nil, algorithm: nil))
        var limits = JSONWebKeyLimits()
        limits.rsaModulusBitsMin = 2049
        #expect(JSONWebKey(value, limits: limits).unusableReason == .modulusTooSmall)
        limits.rsaModulusBitsMin = 1024
        limits.rsaModulusBitsMax = 2047
        #expect(JSONWebKey(value, limits: limits).unusableReason == .modulusTooLarge)
        limits.rsaModulusBitsMax = 2048
        #expect(JSONWebKey(value, limits: limits).unusableReason == nil)
    }

    @Test("made at random is never taken for one of the ROCA generator")
    func noFalseAlarm() throws {
        for _ in 0..<20 {
            let key = try PrivateKey(generating: .rsa(bits: 1024))
            var limits = JSONWebKeyLimits()
            limits.rsaModulusBitsMin = 1024
            let members = JSONWebKey.members(of: key.publicKey, keyID: nil, algorithm: nil)
            #expect(JSONWebKey(.object(members), limits: limits).unusableReason == nil)
        }
    }
}

extension JSONWebKey {
    init(_ texts: [String: String]) {
        var members = JSONObject()
        for (name, text) in texts {
            members[name] = .string(text)
        }
        self.init(.object(members))
    }
}
