// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// Every check passed: the user is logged in. Nothing follows.
public struct Verified: SessionEventPayload {
    /// The ID token's algorithm.
    public var algorithm: String
    /// The key that verified it.
    public var keyID: String?
    /// The authentication context class reached.
    public var acr: String?
    /// The level that the policy's table gives this class.
    public var levelOfAssurance: Int?
    /// The claim by which the provider's people are told apart, as the profile has it.
    public var subjectClaim: String?
    /// The ID token's `iat`.
    public var tokenIssuedAt: Instant?
    /// The ID token's `exp`.
    public var tokenExpiresAt: Instant?
    /// Every check with its outcome.
    public var checks: [Check]
    /// Which version of the checks ran.
    public var checksVersion: Int?
    /// The archived verification policy.
    public var policyDigest: Digest?
    /// The archived key set.
    public var keySetDigest: Digest?
    /// The archived discovery document.
    public var discoveryDigest: Digest?
    /// Requests made on the way here.
    public var exchanges: [Exchange]?

    /// A payload; what is not given is absent.
    public init(
        algorithm: String, keyID: String? = nil, acr: String? = nil, levelOfAssurance: Int? = nil,
        subjectClaim: String? = nil, tokenIssuedAt: Instant? = nil, tokenExpiresAt: Instant? = nil,
        checks: [Check],
        checksVersion: Int? = nil, policyDigest: Digest? = nil, keySetDigest: Digest? = nil,
        discoveryDigest: Digest? = nil, exchanges: [Exchange]? = nil
    ) {
        self.algorithm = algorithm
        self.keyID = keyID
        self.acr = acr
        self.levelOfAssurance = levelOfAssurance
        self.subjectClaim = subjectClaim
        self.tokenIssuedAt = tokenIssuedAt
        self.tokenExpiresAt = tokenExpiresAt
        self.checks = checks
        self.checksVersion = checksVersion
        self.policyDigest = policyDigest
        self.keySetDigest = keySetDigest
        self.discoveryDigest = discoveryDigest
        self.exchanges = exchanges
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        algorithm = try members.required("algorithm", .algorithm)
        keyID = try members.optional("keyID", .keyID)
        acr = try members.optional("acr", .acr)
        levelOfAssurance = try members.optional("levelOfAssurance", .level)
        subjectClaim = try members.optional("subjectClaim", .name)
        tokenIssuedAt = try members.optional("tokenIssuedAt", .instant)
        tokenExpiresAt = try members.optional("tokenExpiresAt", .instant)
        guard let checks = try members.list("checks", Check.init(reading:)) else {
            throw MemberError("checks", .missing)
        }
        self.checks = checks
        checksVersion = try members.optional("checksVersion", .version)
        policyDigest = try members.optional("policyDigest", .digest)
        keySetDigest = try members.optional("keySetDigest", .digest)
        discoveryDigest = try members.optional("discoveryDigest", .digest)
        exchanges = try members.list("exchanges", Exchange.init(reading:))
    }

    func write(to object: inout JSONObject) {
        object.set("algorithm", algorithm, .algorithm)
        object.set("keyID", keyID, .keyID)
        object.set("acr", acr, .acr)
        object.set("levelOfAssurance", levelOfAssurance, .level)
        object.set("subjectClaim", subjectClaim, .name)
        object.set("tokenIssuedAt", tokenIssuedAt, .instant)
        object.set("tokenExpiresAt", tokenExpiresAt, .instant)
        object.set("checks", checks) { $0.object() }
        object.set("checksVersion", checksVersion, .version)
        object.set("policyDigest", policyDigest, .digest)
        object.set("keySetDigest", keySetDigest, .digest)
        object.set("discoveryDigest", discoveryDigest, .digest)
        object.set("exchanges", exchanges) { $0.object() }
    }
}
