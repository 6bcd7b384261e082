// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// Parameters were chosen; nothing has been sent yet, not even for discovery.
public struct Initiated: SessionEventPayload {
    /// The profile's name.
    public var provider: String
    /// Which of the provider's environments it is, as the profile names it.
    public var environment: String?
    /// The issuer, unless an account selector has yet to name it.
    public var issuer: String?
    /// The client's id at the provider.
    public var clientID: String
    /// How the login goes.
    public var flow: Flow
    /// The scopes asked for.
    public var scope: String?
    /// The authentication context classes asked for.
    public var acrValues: String?
    /// Where the answer is to come back.
    public var redirectURI: String?
    /// What the provider is asked to answer with.
    public var responseType: String?
    /// How the answer is to come back.
    public var responseMode: String?
    /// How many seconds a backchannel request shall be good for.
    public var requestedExpirySeconds: Int?
    /// Whether the flow is one that is kept for debugging only.
    public var isLegacy: Bool?
    /// The PKCE challenge (RFC 7636), S256.
    public var codeChallenge: Digest?
    /// The archived provider profile.
    public var profileDigest: Digest?
    /// The archived verification policy.
    public var policyDigest: Digest?

    /// A payload; what is not given is absent.
    public init(
        provider: String, environment: String? = nil, issuer: String? = nil, clientID: String,
        flow: Flow, scope: String? = nil, acrValues: String? = nil, redirectURI: String? = nil,
        responseType: String? = nil, responseMode: String? = nil,
        requestedExpirySeconds: Int? = nil, isLegacy: Bool? = nil,
        codeChallenge: Digest? = nil, profileDigest: Digest? = nil, policyDigest: Digest? = nil
    ) {
        self.provider = provider
        self.environment = environment
        self.issuer = issuer
        self.clientID = clientID
        self.flow = flow
        self.scope = scope
        self.acrValues = acrValues
        self.redirectURI = redirectURI
        self.responseType = responseType
        self.responseMode = responseMode
        self.requestedExpirySeconds = requestedExpirySeconds
        self.isLegacy = isLegacy
        self.codeChallenge = codeChallenge
        self.profileDigest = profileDigest
        self.policyDigest = policyDigest
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        provider = try members.required("provider", .name)
        environment = try members.optional("environment", .name)
        issuer = try members.optional("issuer", .url)
        clientID = try members.required("clientID", .clientID)
        flow = try members.required("flow", .flow)
        scope = try members.optional("scope", .tokenList)
        acrValues = try members.optional("acrValues", .tokenList)
        redirectURI = try members.optional("redirectURI", .redirectURI)
        responseType = try members.optional("responseType", .responseType)
        responseMode = try members.optional("responseMode", .responseMode)
        requestedExpirySeconds = try members.optional("requestedExpiry", .seconds)
        isLegacy = try members.optional("legacy", .truth)
        codeChallenge = try members.optional("codeChallenge", .digest)
        profileDigest = try members.optional("profileDigest", .digest)
        policyDigest = try members.optional("policyDigest", .digest)
    }

    func write(to object: inout JSONObject) {
        object.set("provider", provider, .name)
        object.set("environment", environment, .name)
        object.set("issuer", issuer, .url)
        object.set("clientID", clientID, .clientID)
        object.set("flow", flow, .flow)
        object.set("scope", scope, .tokenList)
        object.set("acrValues", acrValues, .tokenList)
        object.set("redirectURI", redirectURI, .redirectURI)
        object.set("responseType", responseType, .responseType)
        object.set("responseMode", responseMode, .responseMode)
        object.set("requestedExpiry", requestedExpirySeconds, .seconds)
        object.set("legacy", isLegacy, .truth)
        object.set("codeChallenge", codeChallenge, .digest)
        object.set("profileDigest", profileDigest, .digest)
        object.set("policyDigest", policyDigest, .digest)
    }
}
