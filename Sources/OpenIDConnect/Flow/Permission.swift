// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import JOSE
public import LedgerPrimitives

/// A permission that is registered before the user is asked for it: a payment, a card, a text
/// (BankID with biometrics, "code flow for payments"). It takes two issuers: one gives the client a
/// token, the other keeps permissions and signs what users granted.
public enum Permission {
    /// What the issuer of permissions says of itself.
    public struct Issuer: Equatable, Sendable {
        /// Where permissions are registered.
        public let permissionsEndpoint: String
        /// The keys that sign what users granted.
        public let grantKeySetURL: String

        /// Reads the answer to a request for the issuer's discovery document.
        public init(
            _ response: HTTPResponse, issuer: String, allowsLoopbackHTTP: Bool, hosts: [String]?
        ) throws(FlowFailure) {
            guard response.status == 200 else { throw FlowFailure(.metadataUnavailable) }
            let members = try EndpointReader.members(response.body, issuer: issuer)
            let reader = EndpointReader(
                rule: EndpointRule(
                    issuer: issuer, allowsLoopbackHTTP: allowsLoopbackHTTP, hosts: hosts))
            permissionsEndpoint = try reader.required("permissions_endpoint", in: members)
            grantKeySetURL = try reader.required("jwks_uri_grants", in: members)
        }
    }

    /// The scopes of the token with which permissions are registered.
    public static let scope = "openid permissions/client"

    /// What the permission issuer made of a permission.
    public struct Registration: Equatable, Sendable {
        /// Its name at the issuer.
        public let permissionID: String
        /// What stands for it in the authorization request; secret.
        public let token: String
        /// What the user is shown on both screens; personal.
        public let bindingMessage: String?
    }

    /// The parameters of the request for a client's own token (RFC 6749 §4.4).
    public static let tokenForm: [FormEncoding.Parameter] = [
        .init("grant_type", "client_credentials"), .init("scope", scope),
    ]

    /// The token in the answer.
    public static func accessToken(in response: HTTPResponse) throws(FlowFailure) -> String {
        let members = try TokenExchange.members(of: response)
        guard let token = members["access_token"]?.stringValue, !token.isEmpty else {
            throw FlowFailure(.tokenResponseMalformed)
        }
        return token
    }

    /// The request that registers a permission.
    ///
    /// - Parameter permission: the permission as the issuer's documentation has it: `type`, `loa`,
    ///   `intents`, `permission` and whatever else belongs to it.
    public static func request(
        _ permission: JSONObject, endpoint: String, accessToken: String,
        limits: HTTPRequest.Limits, lifetimeSeconds: Int = 600, at instant: Instant
    ) -> HTTPRequest {
        var members = permission
        let now = instant.secondsSince1970
        members["iat"] = members["iat"] ?? .integer(now)
        members["exp"] = members["exp"] ?? .integer(now + Int64(lifetimeSeconds))
        return HTTPRequest(
            .post, endpoint,
            fields: [
                HTTPField("Content-Type", "application/json"),
                HTTPField("Accept", "application/json"),
                HTTPField("Authorization", "Bearer " + accessToken),
            ], body: CanonicalJSON.encode(members), limits: limits)
    }

    /// Reads what the issuer made of it.
    public static func process(_ response: HTTPResponse) throws(FlowFailure) -> Registration {
        guard (200..<500).contains(response.status) else { throw FlowFailure(.providerOutage) }
        let members = try? JSONReader.read(response.body, numbers: .anyAsText).objectValue
        guard response.status == 200 || response.status == 201 else {
            throw FlowFailure(
                .permissionRefused, error: members.flatMap(ProviderError.init(in:)))
        }
        guard let id = members?["permissionId"]?.stringValue, isName(id),
            let token = members?["permissionToken"]?.stringValue, !token.isEmpty
        else { throw FlowFailure(.responseMalformed) }
        return Registration(
            permissionID: id, token: token,
            bindingMessage: members?["bindingMessage"]?.stringValue)
    }

    /// A name that can stand in a path as it is.
    private static func isName(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
                    || "-_".utf8.contains(byte)
            }
    }

    /// The request for what the user granted.
    public static func grantRequest(
        _ permissionID: String, endpoint: String, accessToken: String, limits: HTTPRequest.Limits
    ) -> HTTPRequest {
        HTTPRequest(
            .get, endpoint + "/" + permissionID + "/grant",
            fields: [
                HTTPField("Accept", "application/jwt, application/json"),
                HTTPField("Authorization", "Bearer " + accessToken),
            ], limits: limits)
    }

    /// The grant in the answer, which is the token itself or stands in a member `grant`.
    public static func grant(in response: HTTPResponse) throws(FlowFailure) -> String {
        guard (200..<500).contains(response.status) else { throw FlowFailure(.providerOutage) }
        guard response.status == 200 else { throw FlowFailure(.permissionRefused) }
        let members = try? JSONReader.read(response.body, numbers: .anyAsText).objectValue
        guard
            let grant = members?["grant"]?.stringValue
                ?? (members == nil ? String(validating: response.body, as: UTF8.self) : nil)
        else { throw FlowFailure(.responseMalformed) }
        return grant
    }

    /// The claims of a grant that is the permission issuer's, for this permission.
    ///
    /// - Parameter keys: the issuer's keys for grants, which are not those of its tokens.
    public static func verify(
        _ grant: String, permissionID: String, issuer: String, keys: JSONWebKeySet,
        algorithms: [SignatureAlgorithm]
    ) throws(FlowFailure) -> JSONObject {
        let payload: [UInt8]
        do {
            payload = try CompactJWS(parsing: Array(grant.utf8))
                .verified(with: keys, allowing: algorithms).payload
        } catch {
            throw FlowFailure(.permissionRefused)
        }
        guard let claims = try? JSONReader.read(payload, numbers: .anyAsText).objectValue,
            claims["iss"]?.stringValue?.isIdentical(to: issuer) ?? false,
            claims["permissionId"]?.stringValue?.isIdentical(to: permissionID) ?? false
        else { throw FlowFailure(.permissionRefused) }
        return claims
    }
}
