// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import JOSE
public import LedgerPrimitives

/// Claims that a provider gives for an access token (OpenID Connect Core §5.3).
public struct UserInfo: Equatable, Sendable {
    /// The claims.
    public let claims: JSONObject
    /// Whether the provider signed them.
    public let isSigned: Bool

    /// The request, in the form that every provider takes (RFC 6750 §2.1).
    public static func request(
        endpoint: String, accessToken: String, limits: HTTPRequest.Limits,
        extraFields: [HTTPField] = []
    ) -> HTTPRequest {
        HTTPRequest(
            .get, endpoint,
            fields: [
                HTTPField("Accept", "application/json, application/jwt"),
                HTTPField("Authorization", "Bearer " + accessToken),
            ] + extraFields, limits: limits)
    }

    /// What a signed answer is checked with.
    public struct Expectations: Equatable, Sendable {
        /// The provider.
        public var issuer: String
        /// The client.
        public var clientID: String
        /// `sub` of the verified ID token.
        public var subject: String
        /// The algorithms agreed on.
        public var algorithms: [SignatureAlgorithm]

        /// What an answer is compared with.
        public init(
            issuer: String, clientID: String, subject: String, algorithms: [SignatureAlgorithm]
        ) {
            self.issuer = issuer
            self.clientID = clientID
            self.subject = subject
            self.algorithms = algorithms
        }
    }

    /// Reads the answer.
    ///
    /// The subject must be the ID token's, byte by byte: otherwise somebody's access token was put
    /// in place of another's (§5.3.4).
    ///
    /// - Parameter keys: the provider's keys, for an answer that is signed.
    public static func process(
        _ response: HTTPResponse, _ expected: Expectations, keys: JSONWebKeySet
    ) throws(FlowFailure) -> UserInfo {
        guard (200..<500).contains(response.status) else { throw FlowFailure(.providerOutage) }
        guard response.status == 200 else { throw FlowFailure(.userInfoInvalid) }
        let isSigned = response.mediaType == "application/jwt"
        guard isSigned || response.mediaType == "application/json" else {
            throw FlowFailure(.userInfoInvalid)
        }
        let payload = isSigned ? try signed(response.body, expected, keys) : response.body
        guard let claims = try? JSONReader.read(payload, numbers: .anyAsText).objectValue else {
            throw FlowFailure(.userInfoInvalid)
        }
        if isSigned { try checkParties(claims, expected) }
        guard let subject = claims["sub"]?.stringValue else { throw FlowFailure(.userInfoInvalid) }
        guard subject.isIdentical(to: expected.subject) else {
            throw FlowFailure(.userInfoSubjectMismatch)
        }
        return UserInfo(claims: claims, isSigned: isSigned)
    }

    private static func signed(
        _ token: [UInt8], _ expected: Expectations, _ keys: JSONWebKeySet
    ) throws(FlowFailure) -> [UInt8] {
        do {
            return try CompactJWS(parsing: token)
                .verified(with: keys, allowing: expected.algorithms).payload
        } catch {
            throw FlowFailure(.userInfoInvalid)
        }
    }

    /// A signed answer names who it is from and for (§5.3.2).
    private static func checkParties(
        _ claims: JSONObject, _ expected: Expectations
    ) throws(FlowFailure) {
        let audience =
            claims["aud"]?.stringValue.map { [$0] }
            ?? claims["aud"]?.arrayValue?.compactMap(\.stringValue) ?? []
        guard claims["iss"]?.stringValue?.isIdentical(to: expected.issuer) ?? false,
            audience.contains(where: { $0.isIdentical(to: expected.clientID) })
        else { throw FlowFailure(.userInfoInvalid) }
    }
}
