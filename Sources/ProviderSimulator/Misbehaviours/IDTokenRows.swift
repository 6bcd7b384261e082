// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import OpenIDConnect

extension Misbehaviour {
    /// What is wrong with the ID token.
    static let idTokenRows: [Misbehaviour: Row] = [
        .badSignature: Row(
            "a bit of the signature is flipped", .idToken(.signature),
            .token(.idToken) { $0.signature = .flipped }),
        .algNone: Row(
            "the ID token is not signed: `alg` is `none`", .idToken(.alg),
            .token(.idToken) { $0.becomeUnsigned() }),
        .algHS256: Row(
            "the ID token is signed with the client secret", .idToken(.alg),
            .token(.idToken) { $0.signWithSecret() }),
        .unknownKeyID: Row(
            "`kid` names no published key", .idToken(.key),
            .token(.idToken) { $0.header.appendOne(to: "kid") }),
        .headerJWK: Row(
            "the header brings the key along", .idToken(.header),
            .token(.idToken) { $0.header["jwk"] = .object($0.key.published) }),
        .duplicateClaims: Row(
            "`sub` stands twice in the payload", .idToken(.claims),
            .token(.idToken) { $0.repeatClaim("sub") }),
        .wrongIssuer: Row(
            "`iss` is another issuer", .idToken(.iss),
            .token(.idToken) { $0.claims.appendOne(to: "iss") }),
        .missingSubject: Row(
            "`sub` is missing", .idToken(.sub), .token(.idToken) { $0.claims["sub"] = nil }),
        .wrongAudience: Row(
            "`aud` is another client", .idToken(.aud),
            .token(.idToken) { $0.claims.appendOne(to: "aud") }),
        .expired: Row(
            "`exp` is six minutes ago", .idToken(.exp), .token(.idToken) { $0.expire() }),
        .issuedInFuture: Row(
            "`iat` is an hour ahead", .idToken(.iat), .token(.idToken) { $0.issueInFuture() }),
        .wrongNonce: Row(
            "`nonce` is another one", .idToken(.nonce),
            .token(.idToken) { $0.claims.appendOne(to: "nonce") }),
    ]
}
