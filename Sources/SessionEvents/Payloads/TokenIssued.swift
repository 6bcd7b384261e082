// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// Tokens were received. The event's time is the instant of all checks.
public struct TokenIssued: SessionEventPayload {
    /// The token endpoint.
    public var endpoint: String?
    /// Which poll brought them: 1, 2, 3 …
    public var attempt: Int?
    /// When the provider accepted the request that was polled for.
    public var acceptedAt: Instant?
    /// The type of the access token.
    public var tokenType: String?
    /// Seconds the access token is good for.
    public var expiresInSeconds: Int?
    /// The ID token's algorithm.
    public var algorithm: String?
    /// The key the ID token names.
    public var keyID: String?
    /// Of an ID token that was encrypted, how and to which key.
    public var encryption: Encryption?
    /// Whether the access token counts only with the client's certificate (RFC 8705 §3).
    public var isCertificateBound: Bool?
    /// The archived key set that counts for the checks.
    public var keySetDigest: Digest?
    /// Who says that this was the key set.
    public var keySetSource: DocumentSource?
    /// The archived verification policy.
    public var policyDigest: Digest?
    /// Who says that this was the policy.
    public var policySource: DocumentSource?
    /// Whether we filled in settings that the policy left open.
    public var policyCompleted: Bool?
    /// The archived discovery document.
    public var discoveryDigest: Digest?
    /// The HTTP status.
    public var httpStatus: Int?
    /// How long the answer took, in milliseconds.
    public var durationMilliseconds: Int?
    /// Whether an earlier attempt may have left unrecorded.
    public var hasGap: Bool?
    /// The provider's id for it.
    public var traceID: String?
    /// Requests made on the way here.
    public var exchanges: [Exchange]?

    /// A payload; what is not given is absent.
    public init(
        endpoint: String? = nil, attempt: Int? = nil, acceptedAt: Instant? = nil,
        tokenType: String? = nil, expiresInSeconds: Int? = nil,
        algorithm: String? = nil, keyID: String? = nil, encryption: Encryption? = nil,
        isCertificateBound: Bool? = nil, keySetDigest: Digest? = nil,
        keySetSource: DocumentSource? = nil, policyDigest: Digest? = nil,
        policySource: DocumentSource? = nil, policyCompleted: Bool? = nil,
        discoveryDigest: Digest? = nil, httpStatus: Int? = nil, durationMilliseconds: Int? = nil,
        hasGap: Bool? = nil, traceID: String? = nil, exchanges: [Exchange]? = nil
    ) {
        self.endpoint = endpoint
        self.attempt = attempt
        self.acceptedAt = acceptedAt
        self.tokenType = tokenType
        self.expiresInSeconds = expiresInSeconds
        self.algorithm = algorithm
        self.keyID = keyID
        self.encryption = encryption
        self.isCertificateBound = isCertificateBound
        self.keySetDigest = keySetDigest
        self.keySetSource = keySetSource
        self.policyDigest = policyDigest
        self.policySource = policySource
        self.policyCompleted = policyCompleted
        self.discoveryDigest = discoveryDigest
        self.httpStatus = httpStatus
        self.durationMilliseconds = durationMilliseconds
        self.hasGap = hasGap
        self.traceID = traceID
        self.exchanges = exchanges
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        endpoint = try members.optional("endpoint", .url)
        attempt = try members.optional("attempt", .count)
        acceptedAt = try members.optional("acceptedAt", .instant)
        tokenType = try members.optional("tokenType", .tokenType)
        expiresInSeconds = try members.optional("expiresIn", .seconds)
        algorithm = try members.optional("algorithm", .algorithm)
        keyID = try members.optional("keyID", .keyID)
        encryption = try members.object("encryption", Encryption.init(reading:))
        isCertificateBound = try members.optional("certificateBound", .truth)
        keySetDigest = try members.optional("keySetDigest", .digest)
        keySetSource = try members.optional("keySetSource", .documentSource)
        policyDigest = try members.optional("policyDigest", .digest)
        policySource = try members.optional("policySource", .documentSource)
        policyCompleted = try members.optional("policyCompleted", .truth)
        discoveryDigest = try members.optional("discoveryDigest", .digest)
        httpStatus = try members.optional("httpStatus", .httpStatus)
        durationMilliseconds = try members.optional("durationMs", .milliseconds)
        hasGap = try members.optional("gap", .truth)
        traceID = try members.optional("traceID", .traceID)
        exchanges = try members.list("exchanges", Exchange.init(reading:))
    }

    func write(to object: inout JSONObject) {
        object.set("endpoint", endpoint, .url)
        object.set("attempt", attempt, .count)
        object.set("acceptedAt", acceptedAt, .instant)
        object.set("tokenType", tokenType, .tokenType)
        object.set("expiresIn", expiresInSeconds, .seconds)
        object.set("algorithm", algorithm, .algorithm)
        object.set("keyID", keyID, .keyID)
        object.set("encryption", encryption) { $0.object() }
        object.set("certificateBound", isCertificateBound, .truth)
        object.set("keySetDigest", keySetDigest, .digest)
        object.set("keySetSource", keySetSource, .documentSource)
        object.set("policyDigest", policyDigest, .digest)
        object.set("policySource", policySource, .documentSource)
        object.set("policyCompleted", policyCompleted, .truth)
        object.set("discoveryDigest", discoveryDigest, .digest)
        object.set("httpStatus", httpStatus, .httpStatus)
        object.set("durationMs", durationMilliseconds, .milliseconds)
        object.set("gap", hasGap, .truth)
        object.set("traceID", traceID, .traceID)
        object.set("exchanges", exchanges) { $0.object() }
    }
}
