// SPDX-License-Identifier: Apache-2.0

import Foundation
import JOSE
import LedgerPrimitives
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

extension JWSError {
    /// The short form of the expected answers in the vectors.
    var code: String {
        switch self {
        case .tooLarge: "too-large"
        case .encrypted: "encrypted"
        case .notCompact: "not-compact"
        case .notBase64URL(let part): "not-base64url \(part.rawValue)"
        case .headerNotJSON(let error): "not-json \(error.problem)"
        case .headerMalformed: "header-malformed"
        case .headerRefused(let member): "header-refused \(member.rawValue)"
        case .criticalExtension: "crit-unsupported"
        case .algorithmNotAllowed: "alg-not-allowed"
        case .noKey(.keyIDUnknown): "kid-unknown"
        case .noKey(.keyIDMissing): "key-missing"
        case .noKey(.misfit): "key-misfit"
        case .noKey(.unusable(let reason)): "key-unusable \(reason.rawValue)"
        case .signatureInvalid: "sig-invalid"
        }
    }
}

/// Parses and verifies in one step; the answer in the short form.
func answer(
    _ token: [UInt8], keys: JSONWebKeySet,
    allowing algorithms: [SignatureAlgorithm] = SignatureAlgorithm.allCases
) -> String {
    do throws(JWSError) {
        _ = try CompactJWS(parsing: token).verified(with: keys, allowing: algorithms)
        return "verified"
    } catch {
        return error.code
    }
}

/// A pair of keys and the set in which a provider publishes the public one.
struct KeyPair {
    let privateKey: PrivateKey
    let algorithm: SignatureAlgorithm
    let published: JSONWebKey

    init(_ kind: PrivateKey.Kind, _ algorithm: SignatureAlgorithm, keyID: String?) throws {
        privateKey = try PrivateKey(generating: kind)
        self.algorithm = algorithm
        published = JSONWebKey(
            .object(
                JSONWebKey.members(
                    of: privateKey.publicKey, keyID: keyID, algorithm: algorithm)))
    }

    func sign(_ payload: String = "{}", header: JSONObject = [:]) throws -> [UInt8] {
        try CompactJWS.sign(
            Array(payload.utf8), header: header, algorithm: algorithm, key: privateKey)
    }
}
