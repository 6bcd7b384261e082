// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// A claim as it was found.
public enum Claim<Value: Sendable>: Sendable {
    case absent
    /// It is there with a wrong type or out of range; `null` is malformed too.
    case malformed
    case value(Value)
}

extension Claim: Equatable where Value: Equatable {}

/// The claims of an ID token (OpenID Connect Core §2).
///
/// Reading them says nothing about their truth: one is made of the payload of a verified JWS only.
public struct IDToken: Sendable, Equatable {
    /// All claims.
    public let claims: JSONObject

    /// Reads a payload: an object of strict JSON, in which numbers may be of any form.
    init?(parsing payload: [UInt8]) {
        guard let value = try? JSONReader.read(payload, numbers: .anyAsText),
            let claims = value.objectValue
        else { return nil }
        self.claims = claims
    }

    /// `iss`, the provider.
    public var issuer: Claim<String> { text("iss") }
    /// `sub`, the user at that provider.
    public var subject: Claim<String> { text("sub") }
    /// `azp`, the party that the token was issued to.
    public var authorizedParty: Claim<String> { text("azp") }
    /// `nonce`, from the authorization request.
    public var nonce: Claim<String> { text("nonce") }
    /// `acr`, the class of the authentication.
    public var authenticationContext: Claim<String> { text("acr") }
    /// `at_hash`, over the access token.
    public var accessTokenHash: Claim<String> { text("at_hash") }
    /// `c_hash`, over the code.
    public var codeHash: Claim<String> { text("c_hash") }
    /// `s_hash`, over the state.
    public var stateHash: Claim<String> { text("s_hash") }
    /// `exp`, when the token ceases to be valid.
    public var expiration: Claim<Instant> { date("exp") }
    /// `nbf`, before which it is not valid.
    public var notBefore: Claim<Instant> { date("nbf") }
    /// `iat`, when it was made.
    public var issuedAt: Claim<Instant> { date("iat") }
    /// `auth_time`, when the user was authenticated.
    public var authenticationTime: Claim<Instant> { date("auth_time") }

    /// `aud`, those who are meant: one text or an array of at least one.
    public var audience: Claim<[String]> {
        switch claims["aud"] {
        case nil:
            return .absent
        case .string(let name):
            return .value([name])
        case .array(let elements):
            let names = elements.compactMap(\.stringValue)
            return names.isEmpty || names.count < elements.count ? .malformed : .value(names)
        default:
            return .malformed
        }
    }

    private func text(_ name: String) -> Claim<String> {
        guard let value = claims[name] else { return .absent }
        return value.stringValue.map(Claim.value) ?? .malformed
    }

    private func date(_ name: String) -> Claim<Instant> {
        guard let value = claims[name] else { return .absent }
        return Instant(numericDate: value).map(Claim.value) ?? .malformed
    }
}

extension Instant {
    /// Reads a NumericDate (RFC 7519 §2): seconds since 1970, perhaps with a fraction, of which
    /// milliseconds are kept. Nil for what is no number, negative, or from 2^53 on.
    public init?(numericDate value: JSONValue) {
        switch value {
        case .integer(let seconds) where seconds >= 0:
            self.init(millisecondsSince1970: seconds * 1000)
        case .number(let text):
            // No honest date needs more characters, and reading a long one takes time.
            guard text.utf8.count <= 64, let seconds = Double(text), seconds >= 0,
                seconds < 0x1p53
            else { return nil }
            self.init(millisecondsSince1970: Int64((seconds * 1000).rounded(.down)))
        default:
            return nil
        }
    }
}
