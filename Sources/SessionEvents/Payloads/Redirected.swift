// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// The user was sent to the provider, or to an account selector.
public struct Redirected: SessionEventPayload {
    /// Where, if not to the authorization endpoint.
    public var to: Waypoint?
    /// The address, without its query.
    public var endpoint: String
    /// The issuer, where an account selector named it.
    public var issuer: String?
    /// Whether the request was pushed beforehand (RFC 9126).
    public var usedPAR: Bool?
    /// The archived discovery document.
    public var discoveryDigest: Digest?
    /// The provider's id for the request.
    public var traceID: String?
    /// Requests made on the way here.
    public var exchanges: [Exchange]?

    /// A payload; what is not given is absent.
    public init(
        to: Waypoint? = nil, endpoint: String, issuer: String? = nil, usedPAR: Bool? = nil,
        discoveryDigest: Digest? = nil, traceID: String? = nil, exchanges: [Exchange]? = nil
    ) {
        self.to = to
        self.endpoint = endpoint
        self.issuer = issuer
        self.usedPAR = usedPAR
        self.discoveryDigest = discoveryDigest
        self.traceID = traceID
        self.exchanges = exchanges
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        to = try members.optional("to", .waypoint)
        endpoint = try members.required("endpoint", .url)
        issuer = try members.optional("issuer", .url)
        usedPAR = try members.optional("par", .truth)
        discoveryDigest = try members.optional("discoveryDigest", .digest)
        traceID = try members.optional("traceID", .traceID)
        exchanges = try members.list("exchanges", Exchange.init(reading:))
    }

    func write(to object: inout JSONObject) {
        object.set("to", to, .waypoint)
        object.set("endpoint", endpoint, .url)
        object.set("issuer", issuer, .url)
        object.set("par", usedPAR, .truth)
        object.set("discoveryDigest", discoveryDigest, .digest)
        object.set("traceID", traceID, .traceID)
        object.set("exchanges", exchanges) { $0.object() }
    }
}
