// SPDX-License-Identifier: Apache-2.0

import JOSE
import LedgerPrimitives
import OpenSSL
import ProviderSimulator

/// What clients own: keys, certificates, and the tokens that they make with them.
enum ClientKit {
    static let assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    static let thumbprint = Digest(SHA256.hash(Array("a certificate".utf8)))

    private static let signing = Result { try PrivateKey(generating: .elliptic(.p256)) }
    private static let decrypting = Result { try PrivateKey(generating: .rsa(bits: 2048)) }
    private static let partner = Result { try ProviderKey(generatingFor: .ps256, keyID: "ps") }

    /// A provider's key for PS256.
    static var ps256: ProviderKey { get throws { try partner.get() } }
    static var decryptionKey: PrivateKey { get throws { try decrypting.get() } }

    /// The client's keys as the provider has them.
    static var keySet: JSONWebKeySet {
        get throws {
            let members = JSONWebKey.members(
                of: try signing.get().publicKey, keyID: "client-1", algorithm: .es256)
            return JSONWebKeySet([JSONWebKey(.object(members))])
        }
    }

    /// The client's key to which tokens are encrypted.
    static var encryptionKey: ClientEncryptionKey {
        get throws {
            ClientEncryptionKey(keyID: "client-enc", key: try decrypting.get().publicKey)
        }
    }

    /// Signs claims as the client.
    static func sign(
        _ claims: JSONObject, type: String? = nil, keyID: String = "client-1"
    ) throws -> String {
        var header: JSONObject = ["kid": .string(keyID)]
        header["typ"] = type.map(JSONValue.string)
        let token = try CompactJWS.sign(
            CanonicalJSON.encode(claims), header: header, algorithm: .es256,
            key: try signing.get())
        return String(decoding: token, as: UTF8.self)
    }

    /// The claims of a good assertion, or of a request object.
    static func claims(_ clientID: String, audience: String, at now: Instant) -> JSONObject {
        let seconds = now.millisecondsSince1970 / 1000
        return [
            "iss": .string(clientID), "sub": .string(clientID), "aud": .string(audience),
            "iat": .integer(seconds), "exp": .integer(seconds + 60),
            "jti": .string(Base64URL.encode(randomBytes(12))),
        ]
    }

    /// An assertion; a malformed one when the key cannot sign.
    static func assertion(
        _ method: ClientAuthentication, _ clientID: String, audience: String, at now: Instant,
        _ change: (inout JSONObject) -> Void = { _ in }
    ) -> String {
        var claims = claims(clientID, audience: audience, at: now)
        change(&claims)
        if method == .clientSecretJWT { return code(claims, secret: Login.secret) }
        return (try? sign(claims)) ?? "unsigned"
    }

    /// A token with a code made with a secret.
    static func code(_ claims: JSONObject, secret: String) -> String {
        let header = Base64URL.encode(Array(#"{"alg":"HS256"}"#.utf8))
        let text = "\(header).\(Base64URL.encode(CanonicalJSON.encode(claims)))"
        let code = hmacSHA256(key: SecretBytes(Array(secret.utf8)), Array(text.utf8))
        return "\(text).\(Base64URL.encode(code))"
    }

    /// The signed token inside of an encrypted one.
    static func decrypt(_ token: String) throws -> String {
        let jwe = try CompactJWE(parsing: Array(token.utf8))
        let plaintext = try jwe.decrypted(
            with: [DecryptionKey(keyID: "client-enc", key: try decrypting.get())],
            algorithms: [.rsaOAEP], encryptions: [.aes256CBC], substituteKey: randomBytes(64))
        return String(decoding: plaintext, as: UTF8.self)
    }

    /// The claims of a signed token whose signature is a published key's.
    static func claims(
        of token: String, keys: JSONWebKeySet, type: String? = nil
    ) throws -> JSONObject {
        let jws = try CompactJWS(parsing: Array(token.utf8))
            .verified(with: keys, allowing: SignatureAlgorithm.allCases)
        let isOfType = type == nil || jws.header.type == type
        let value = try JSONReader.read(jws.payload, numbers: .anyAsText)
        guard isOfType, let claims = value.objectValue else { throw OtherToken() }
        return claims
    }
}

/// A token of another type than the one that was waited for.
struct OtherToken: Error {}
