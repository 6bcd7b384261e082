// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import JOSE
internal import LedgerPrimitives

/// What a provider says of itself (OpenID Connect Discovery 1.0 §3, RFC 8414 §2).
public struct DiscoveryDocument: Equatable, Sendable {
    /// The provider's issuer.
    public let issuer: String
    /// Where users are sent.
    public let authorizationEndpoint: String
    /// Where codes are exchanged.
    public let tokenEndpoint: String
    /// Where the keys are.
    public let keySetURL: String
    /// Whether `iss` comes with every authorization response (RFC 9207 §3).
    public let promisesIssuerInResponse: Bool
    /// The signature algorithms of ID tokens; nil when it does not say.
    public let idTokenAlgorithms: [String]?
    /// The signature algorithms of authorization responses (JARM §4); nil when it does not say.
    public let responseAlgorithms: [String]?
    /// Where requests are pushed (RFC 9126 §5); nil when they cannot be.
    public let pushedAuthorizationEndpoint: String?
    /// Whether every request must be pushed.
    public let requiresPushedAuthorization: Bool
    /// Where backchannel requests go (CIBA Core §4); nil when they cannot be made.
    public let backchannelEndpoint: String?
    /// Whether the answer to one can be polled for.
    public let allowsPolling: Bool
    /// Where claims are given for an access token.
    public let userInfoEndpoint: String?
    /// Endpoints for clients that show a certificate, by their name here (RFC 8705 §5).
    public let mutualTLSEndpoints: [String: String]

    /// Where the document of an issuer is (§4).
    public static func url(ofIssuer issuer: String) -> String {
        (issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer)
            + "/.well-known/openid-configuration"
    }

    /// Reads a document and holds it against the issuer it was asked of (§4.3).
    ///
    /// - Parameters:
    ///   - allowsLoopbackHTTP: whether endpoints may be plain http on loopback.
    ///   - hosts: further hosts on which endpoints may lie; nil for any host.
    public init(
        _ body: [UInt8], issuer: String, allowsLoopbackHTTP: Bool, hosts: [String]? = nil
    ) throws(FlowFailure) {
        let members = try EndpointReader.members(body, issuer: issuer)
        let reader = EndpointReader(
            rule: EndpointRule(
                issuer: issuer, allowsLoopbackHTTP: allowsLoopbackHTTP, hosts: hosts))
        self.issuer = issuer
        authorizationEndpoint = try reader.required("authorization_endpoint", in: members)
        tokenEndpoint = try reader.required("token_endpoint", in: members)
        keySetURL = try reader.required("jwks_uri", in: members)
        pushedAuthorizationEndpoint = try reader.optional(
            "pushed_authorization_request_endpoint", in: members)
        userInfoEndpoint = try reader.optional("userinfo_endpoint", in: members)
        backchannelEndpoint = try reader.optional(
            "backchannel_authentication_endpoint", in: members)
        allowsPolling =
            members["backchannel_token_delivery_modes_supported"]?.arrayValue?
            .contains { $0 == .string("poll") } ?? true
        var aliases: [String: String] = [:]
        let aliasMembers = members["mtls_endpoint_aliases"]?.objectValue ?? [:]
        for member in aliasMembers.members {
            aliases[member.name] = try reader.optional(member.name, in: aliasMembers)
        }
        mutualTLSEndpoints = aliases
        promisesIssuerInResponse =
            members["authorization_response_iss_parameter_supported"]?.boolValue ?? false
        requiresPushedAuthorization =
            members["require_pushed_authorization_requests"]?.boolValue ?? false
        func list(_ name: String) -> [String]? {
            members[name]?.arrayValue?.compactMap(\.stringValue)
        }
        idTokenAlgorithms = list("id_token_signing_alg_values_supported")
        responseAlgorithms = list("authorization_signing_alg_values_supported")
    }

    /// Reads the response to a request for the document.
    public static func process(
        _ response: HTTPResponse, issuer: String, allowsLoopbackHTTP: Bool, hosts: [String]? = nil
    ) throws(FlowFailure) -> DiscoveryDocument {
        guard response.status == 200 else { throw FlowFailure(.metadataUnavailable) }
        return try DiscoveryDocument(
            response.body, issuer: issuer, allowsLoopbackHTTP: allowsLoopbackHTTP, hosts: hosts)
    }

    /// Which endpoint a client asks: the one for clients that show a certificate, if it is such a
    /// client and there is one, or else the ordinary one.
    public func endpoint(_ name: String, otherwise: String, usesCertificate: Bool) -> String {
        usesCertificate ? mutualTLSEndpoints[name] ?? otherwise : otherwise
    }
}

/// Takes endpoints out of a discovery document.
struct EndpointReader {
    let rule: EndpointRule

    /// The members of a document that is the issuer's, byte by byte.
    static func members(_ body: [UInt8], issuer: String) throws(FlowFailure) -> JSONObject {
        guard let members = try? JSONReader.read(body, numbers: .anyAsText).objectValue,
            let stated = members["issuer"]?.stringValue
        else { throw FlowFailure(.metadataUnavailable) }
        guard stated.isIdentical(to: issuer) else {
            throw FlowFailure(.discoveryIssuerMismatch)
        }
        return members
    }

    /// An endpoint that a login may do without; one that may not be asked is passed over, as if the
    /// provider did not have it.
    func optional(_ name: String, in members: JSONObject) throws(FlowFailure) -> String? {
        guard let member = members[name] else { return nil }
        guard let url = member.stringValue else { throw FlowFailure(.metadataUnavailable) }
        return rule.verdict(on: url) == .fine ? url : nil
    }

    func required(_ name: String, in members: JSONObject) throws(FlowFailure) -> String {
        guard let url = members[name]?.stringValue else { throw FlowFailure(.metadataUnavailable) }
        guard rule.verdict(on: url) == .fine else { throw FlowFailure(.hostRefused) }
        return url
    }
}

/// A provider's keys as fetched.
public enum KeySetResponse {
    /// Reads the response to a request for a key set.
    public static func process(
        _ response: HTTPResponse
    ) throws(FlowFailure) -> JSONWebKeySet {
        guard response.status == 200 else { throw FlowFailure(.metadataUnavailable) }
        do {
            return try JSONWebKeySet(parsing: response.body)
        } catch {
            throw FlowFailure(.keySetInvalid)
        }
    }
}
