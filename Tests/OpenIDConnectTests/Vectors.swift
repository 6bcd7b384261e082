// SPDX-License-Identifier: Apache-2.0

import Foundation
import JOSE
import LedgerPrimitives
import OpenIDConnect
import OpenSSL

/// One case of a file in `Vectors/`: an object with a description and the expected answer.
struct Vector: Sendable, CustomStringConvertible {
    let members: JSONObject

    /// All cases of a file beside this one.
    static func load(_ name: String) -> [Vector] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(components: "Vectors", name)
        guard let data = try? Data(contentsOf: file),
            let value = try? JSONReader.read(Array(data), numbers: .anyAsText, depthMax: 8)
        else { fatalError("\(name) cannot be read") }
        return (value.arrayValue ?? []).compactMap(\.objectValue).map(Vector.init)
    }

    subscript(name: String) -> String { members[name]?.stringValue ?? "" }

    var description: String { self["desc"] }
}

/// A provider that signs whatever claims a test gives it, and a client that expects a good login.
struct Login {
    static let now = Instant(millisecondsSince1970: 1_700_000_000_000)
    static let nonce = "caf\u{E9}-n"

    let key: PrivateKey
    let keys: JSONWebKeySet
    var expectations: IDTokenExpectations

    init() throws {
        key = try PrivateKey(generating: .elliptic(.p256))
        keys = JSONWebKeySet([
            JSONWebKey(
                .object(
                    JSONWebKey.members(of: key.publicKey, keyID: "k1", algorithm: .es256)))
        ])
        expectations = IDTokenExpectations(
            issuer: "https://op.example", clientID: "client", algorithms: [.es256])
        expectations.nonce = Self.nonce
        expectations.trustedAudiences = ["trusted"]
    }

    /// The claims of a good login as JSON texts, some of them replaced; an empty text leaves one
    /// out.
    static func payload(_ changes: [String: String] = [:]) -> [UInt8] {
        let usual = [
            "iss": #""https://op.example""#, "sub": #""a""#, "aud": #""client""#,
            "exp": "1700000300", "iat": "1700000000", "nonce": "\"\(nonce)\"",
        ]
        let members = usual.merging(changes) { _, new in new }
            .filter { !$0.value.isEmpty }
            .map { "\"\($0.key)\":\($0.value)" }
        return Array("{\(members.sorted().joined(separator: ","))}".utf8)
    }

    func token(_ payload: [UInt8] = payload(), header: JSONObject = [:]) throws -> [UInt8] {
        try CompactJWS.sign(payload, header: header, algorithm: .es256, key: key)
    }

    func verdict(on token: [UInt8], at instant: Instant = now) -> Verdict {
        IDTokenVerifier(expectations).verify(token, keys: keys, at: instant)
    }

    func verdict(_ changes: [String: String] = [:], at instant: Instant = now) throws -> Verdict {
        verdict(on: try token(Self.payload(changes)), at: instant)
    }
}

extension CheckOutcome {
    /// The short form of the expected answers in the vectors: the reason, or the outcome.
    var code: String {
        guard case .failed(let reason, _) = self else { return name }
        return reason.rawValue
    }
}
