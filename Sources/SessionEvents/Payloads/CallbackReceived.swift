// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// Parameters, a form, a fragment or a JARM response came back.
public struct CallbackReceived: SessionEventPayload {
    /// Where from, if not from the provider.
    public var from: Waypoint?
    /// How it came.
    public var responseMode: String?
    /// The error it brought.
    public var error: String?
    /// Whether its state was the session's.
    public var stateMatched: Bool?
    /// Who tied it to the session.
    public var stateBinding: StateBinding?
    /// Of a signed response, its algorithm.
    public var algorithm: String?
    /// Of a signed response, the key it names.
    public var keyID: String?
    /// Of a signed response that was encrypted, how and to which key.
    public var encryption: Encryption?
    /// Of a signed response, the checks that ran.
    public var checks: [Check]?
    /// The archived key set that a signed response was checked with.
    public var keySetDigest: Digest?
    /// The archived policy that it was checked with.
    public var policyDigest: Digest?
    /// The provider's id for it.
    public var traceID: String?
    /// Requests made on the way here.
    public var exchanges: [Exchange]?

    /// A payload; what is not given is absent.
    public init(
        from: Waypoint? = nil, responseMode: String? = nil, error: String? = nil,
        stateMatched: Bool? = nil, stateBinding: StateBinding? = nil, algorithm: String? = nil,
        keyID: String? = nil, encryption: Encryption? = nil, checks: [Check]? = nil,
        keySetDigest: Digest? = nil, policyDigest: Digest? = nil, traceID: String? = nil,
        exchanges: [Exchange]? = nil
    ) {
        self.from = from
        self.responseMode = responseMode
        self.error = error
        self.stateMatched = stateMatched
        self.stateBinding = stateBinding
        self.algorithm = algorithm
        self.keyID = keyID
        self.encryption = encryption
        self.checks = checks
        self.keySetDigest = keySetDigest
        self.policyDigest = policyDigest
        self.traceID = traceID
        self.exchanges = exchanges
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        from = try members.optional("from", .waypoint)
        responseMode = try members.optional("responseMode", .responseMode)
        error = try members.optional("error", .error)
        stateMatched = try members.optional("stateMatched", .truth)
        stateBinding = try members.optional("stateBinding", .stateBinding)
        algorithm = try members.optional("algorithm", .algorithm)
        keyID = try members.optional("keyID", .keyID)
        encryption = try members.object("encryption", Encryption.init(reading:))
        checks = try members.list("checks", Check.init(reading:))
        keySetDigest = try members.optional("keySetDigest", .digest)
        policyDigest = try members.optional("policyDigest", .digest)
        traceID = try members.optional("traceID", .traceID)
        exchanges = try members.list("exchanges", Exchange.init(reading:))
    }

    func write(to object: inout JSONObject) {
        object.set("from", from, .waypoint)
        object.set("responseMode", responseMode, .responseMode)
        object.set("error", error, .error)
        object.set("stateMatched", stateMatched, .truth)
        object.set("stateBinding", stateBinding, .stateBinding)
        object.set("algorithm", algorithm, .algorithm)
        object.set("keyID", keyID, .keyID)
        object.set("encryption", encryption) { $0.object() }
        object.set("checks", checks) { $0.object() }
        object.set("keySetDigest", keySetDigest, .digest)
        object.set("policyDigest", policyDigest, .digest)
        object.set("traceID", traceID, .traceID)
        object.set("exchanges", exchanges) { $0.object() }
    }
}
