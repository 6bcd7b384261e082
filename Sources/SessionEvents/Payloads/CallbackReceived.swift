// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

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
    /// The provider's id for it.
    public var traceID: String?
    /// Requests made on the way here.
    public var exchanges: [Exchange]?

    /// A payload; what is not given is absent.
    public init(
        from: Waypoint? = nil, responseMode: String? = nil, error: String? = nil,
        stateMatched: Bool? = nil, stateBinding: StateBinding? = nil, traceID: String? = nil,
        exchanges: [Exchange]? = nil
    ) {
        self.from = from
        self.responseMode = responseMode
        self.error = error
        self.stateMatched = stateMatched
        self.stateBinding = stateBinding
        self.traceID = traceID
        self.exchanges = exchanges
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        from = try members.optional("from", .waypoint)
        responseMode = try members.optional("responseMode", .responseMode)
        error = try members.optional("error", .error)
        stateMatched = try members.optional("stateMatched", .truth)
        stateBinding = try members.optional("stateBinding", .stateBinding)
        traceID = try members.optional("traceID", .traceID)
        exchanges = try members.list("exchanges", Exchange.init(reading:))
    }

    func write(to object: inout JSONObject) {
        object.set("from", from, .waypoint)
        object.set("responseMode", responseMode, .responseMode)
        object.set("error", error, .error)
        object.set("stateMatched", stateMatched, .truth)
        object.set("stateBinding", stateBinding, .stateBinding)
        object.set("traceID", traceID, .traceID)
        object.set("exchanges", exchanges) { $0.object() }
    }
}
