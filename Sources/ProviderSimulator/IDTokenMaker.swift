// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenSSL

/// Makes ID tokens as an eID broker of the north does, and spoils them as it is told.
struct IDTokenMaker {
    let issuer: String
    let client: RegisteredClient
    let grant: Grant
    let accessToken: String
    let key: ProviderKey
    /// The time by the provider's clock.
    let now: Instant
    let lifetimeSeconds: Int

    /// How long ago a token expired that is expired. No tolerance is that large.
    private static let expiredSeconds: Int64 = 360
    /// How old such a token is: its age alone must not be a reason to refuse it.
    private static let expiredAgeSeconds: Int64 = 480
    /// How far ahead the time of issue is when it is.
    private static let futureSeconds: Int64 = 3600

    /// The token in compact form.
    func make() throws(OpenSSLError) -> String {
        let header = CanonicalJSON.encode(header)
        let token: [UInt8]
        switch grant.misbehaviour {
        case .algNone:
            token = Self.unsigned(payload, header: header) + Array(".".utf8)
        case .algHS256:
            let text = Self.unsigned(payload, header: header)
            let code = hmacSHA256(key: client.secret ?? SecretBytes([]), text)
            token = text + Array(".\(Base64URL.encode(code))".utf8)
        default:
            token = try CompactJWS.sign(
                payload, headerBytes: header, scheme: key.algorithm.scheme, key: key.privateKey)
        }
        let spoiled = grant.misbehaviour == .badSignature ? Self.withFlippedBit(token) : token
        return String(decoding: spoiled, as: UTF8.self)
    }

    // MARK: - Header

    private var header: JSONObject {
        var header: JSONObject = [
            "alg": .string(key.algorithm.rawValue), "kid": .string(key.keyID),
            "typ": .string("JWT"),
        ]
        switch grant.misbehaviour {
        case .algNone: header["alg"] = .string("none")
        case .algHS256: header["alg"] = .string("HS256")
        case .unknownKeyID: header["kid"] = .string(key.keyID + "1")
        case .headerJWK: header["jwk"] = .object(key.published)
        default: break
        }
        return header
    }

    // MARK: - Payload

    private var payload: [UInt8] {
        let bytes = CanonicalJSON.encode(claims)
        guard grant.misbehaviour == .duplicateClaims else { return bytes }
        let second = CanonicalJSON.encode(.string(grant.person.subject + "1"))
        return bytes.dropLast() + Array(#","sub":"#.utf8) + second + Array("}".utf8)
    }

    private var claims: JSONObject {
        var claims = soundClaims
        let issuedAt = now.seconds
        switch grant.misbehaviour {
        case .wrongIssuer: claims["iss"] = .string(issuer + "1")
        case .wrongAudience: claims["aud"] = .string(client.id + "1")
        case .missingSubject: claims["sub"] = nil
        case .wrongNonce: claims["nonce"] = .string((grant.nonce ?? "") + "1")
        case .expired:
            claims["exp"] = .integer(issuedAt - Self.expiredSeconds)
            for name in ["iat", "nbf", "auth_time"] {
                claims[name] = .integer(issuedAt - Self.expiredAgeSeconds)
            }
        case .issuedInFuture:
            claims["iat"] = .integer(issuedAt + Self.futureSeconds)
            claims["exp"] = .integer(issuedAt + Self.futureSeconds + Int64(lifetimeSeconds))
        default: break
        }
        return claims
    }

    private var soundClaims: JSONObject {
        var claims = grant.person.claims
        claims["iss"] = .string(issuer)
        claims["aud"] = .string(client.id)
        claims["iat"] = .integer(now.seconds)
        claims["nbf"] = .integer(now.seconds)
        claims["exp"] = .integer(now.seconds + Int64(lifetimeSeconds))
        claims["auth_time"] = .integer(grant.issuedAt.seconds)
        claims["nonce"] = grant.nonce.map(JSONValue.string)
        claims["acr"] = .string(grant.person.authenticationContext)
        claims["at_hash"] = .string(LeftHalfHash.encode(accessToken, algorithm: key.algorithm))
        return claims
    }

    // MARK: - Signature

    private static func unsigned(_ payload: [UInt8], header: [UInt8]) -> [UInt8] {
        Array("\(Base64URL.encode(header)).\(Base64URL.encode(payload))".utf8)
    }

    /// The token with the last bit of its signature flipped; its spelling stays proper.
    private static func withFlippedBit(_ token: [UInt8]) -> [UInt8] {
        guard let dot = token.lastIndex(of: UInt8(ascii: ".")),
            var signature = Base64URL.decode(token[(dot + 1)...]), !signature.isEmpty
        else { return token }
        signature[signature.count - 1] ^= 1
        return token[...dot] + Array(Base64URL.encode(signature).utf8)
    }
}

extension Instant {
    /// Whole seconds since 1970, as dates stand in tokens.
    fileprivate var seconds: Int64 { millisecondsSince1970 / 1000 }
}
