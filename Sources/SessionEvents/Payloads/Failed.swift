// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// The session is over without a login. Nothing follows.
public struct Failed: SessionEventPayload {
    /// Where it failed.
    public var stage: Stage
    /// Why, as far as is known.
    public var reason: FailureReason
    /// The error the provider gave.
    public var error: String?
    /// The checks that ran, with their outcomes.
    public var checks: [Check]?
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
        stage: Stage, reason: FailureReason, error: String? = nil, checks: [Check]? = nil,
        checksVersion: Int? = nil, policyDigest: Digest? = nil, keySetDigest: Digest? = nil,
        discoveryDigest: Digest? = nil, exchanges: [Exchange]? = nil
    ) {
        self.stage = stage
        self.reason = reason
        self.error = error
        self.checks = checks
        self.checksVersion = checksVersion
        self.policyDigest = policyDigest
        self.keySetDigest = keySetDigest
        self.discoveryDigest = discoveryDigest
        self.exchanges = exchanges
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        stage = try members.required("stage", .stage)
        reason = try members.required("reason", .reason)
        error = try members.optional("error", .error)
        checks = try members.list("checks", Check.init(reading:))
        checksVersion = try members.optional("checksVersion", .version)
        policyDigest = try members.optional("policyDigest", .digest)
        keySetDigest = try members.optional("keySetDigest", .digest)
        discoveryDigest = try members.optional("discoveryDigest", .digest)
        exchanges = try members.list("exchanges", Exchange.init(reading:))
    }

    func write(to object: inout JSONObject) {
        object.set("stage", stage, .stage)
        object.set("reason", reason, .reason)
        object.set("error", error, .error)
        object.set("checks", checks) { $0.object() }
        object.set("checksVersion", checksVersion, .version)
        object.set("policyDigest", policyDigest, .digest)
        object.set("keySetDigest", keySetDigest, .digest)
        object.set("discoveryDigest", discoveryDigest, .digest)
        object.set("exchanges", exchanges) { $0.object() }
    }
}
