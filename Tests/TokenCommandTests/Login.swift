// SPDX-License-Identifier: Apache-2.0

import Foundation
import JOSE
import LedgerPrimitives
import OpenSSL

/// A provider that signs whatever a test gives it, and files for a client that expects a good
/// login. Every value in the claims is a word that no answer to a bad token may hold.
struct Login {
    static let issuer = "https://op-secret.example"
    static let audience = "client-secret"
    static let nonce = "nonce-secret"
    static let instant = "2023-11-14T22:13:20Z"
    /// Words of claims and of header values.
    static let secrets = ["secret", "1700000300", "1700000000"]

    let key: PrivateKey
    let folder: Folder
    let keysPath: String
    let noncePath: String

    init() throws {
        key = try PrivateKey(generating: .elliptic(.p256))
        folder = try Folder()
        let published = JSONWebKey.members(of: key.publicKey, keyID: "k1", algorithm: .es256)
        let set: JSONObject = ["keys": .array([.object(published)])]
        keysPath = try folder.write("keys.json", CanonicalJSON.encode(set))
        noncePath = try folder.write("nonce.txt", "\(Self.nonce)\n")
    }

    /// The claims of a good login as JSON texts, some of them replaced or added; an empty text
    /// leaves one out.
    static func payload(_ changes: KeyValuePairs<String, String> = [:]) -> [UInt8] {
        var members: [(name: String, text: String)] = [
            ("iss", "\"\(issuer)\""), ("sub", #""sub-secret""#), ("aud", "\"\(audience)\""),
            ("exp", "1700000300"), ("iat", "1700000000"), ("nonce", "\"\(nonce)\""),
            ("name", #""Åse Secret-secret""#),
        ]
        for change in changes {
            members.removeAll { $0.name == change.key }
            if !change.value.isEmpty { members.append((change.key, change.value)) }
        }
        return Array("{\(members.map { "\"\($0.name)\":\($0.text)" }.joined(separator: ","))}".utf8)
    }

    /// A token under a header that may say anything, with a good signature.
    func token(
        _ payload: [UInt8] = payload(), header: String = #"{"alg":"ES256","kid":"k1"}"#
    ) throws -> [UInt8] {
        try token(payload, headerBytes: Array(header.utf8))
    }

    func token(_ payload: [UInt8], headerBytes: [UInt8]) throws -> [UInt8] {
        try CompactJWS.sign(
            payload, headerBytes: headerBytes, scheme: .ecdsa(.sha256), key: key)
    }

    /// A token with parts that are put in as they are.
    static func token(header: String, payload: [UInt8], signature: [UInt8]) -> [UInt8] {
        let parts = [Array(header.utf8), payload, signature].map { Base64URL.encode($0) }
        return Array(parts.joined(separator: ".").utf8)
    }

    /// Verifies a token in full, or as some other arguments say.
    func verify(
        _ token: [UInt8], _ changes: [String: String?] = [:], json: Bool = true
    ) throws -> Run {
        var options: [String: String?] = [
            "--jwks": keysPath, "--issuer": Self.issuer, "--audience": Self.audience,
            "--nonce-file": noncePath, "--at": Self.instant,
        ]
        options.merge(changes) { _, new in new }
        let file = try folder.write("\(UUID().uuidString).jwt", token)
        let arguments = options.sorted { $0.key < $1.key }.flatMap { option in
            option.value.map { [option.key, $0] } ?? []
        }
        return try Program.token(["verify", file] + arguments + (json ? ["--json"] : []))
    }
}
