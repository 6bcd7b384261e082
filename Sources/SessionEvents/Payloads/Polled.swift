// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// The backchannel answered.
public struct Polled: SessionEventPayload {
    /// What the answer means.
    public var status: PollStatus
    /// 0 for the request itself, then 1, 2, 3 …
    public var attempt: Int
    /// Of the request itself, where it went.
    public var endpoint: String?
    /// The error it brought.
    public var error: String?
    /// What the user is at, in the provider's own word.
    public var hint: String?
    /// Seconds to wait between polls.
    public var intervalSeconds: Int?
    /// Seconds the request stays good for.
    public var expiresInSeconds: Int?
    /// The HTTP status.
    public var httpStatus: Int?
    /// How long the answer took, in milliseconds.
    public var durationMilliseconds: Int?
    /// Whether an earlier attempt may have left unrecorded.
    public var hasGap: Bool?
    /// Of the request itself, the archived discovery document that names the endpoints.
    public var discoveryDigest: Digest?
    /// The provider's id for it.
    public var traceID: String?
    /// Requests made on the way here.
    public var exchanges: [Exchange]?

    /// A payload; what is not given is absent.
    public init(
        status: PollStatus, attempt: Int, endpoint: String? = nil, error: String? = nil,
        hint: String? = nil, intervalSeconds: Int? = nil, expiresInSeconds: Int? = nil,
        httpStatus: Int? = nil, durationMilliseconds: Int? = nil, hasGap: Bool? = nil,
        discoveryDigest: Digest? = nil, traceID: String? = nil, exchanges: [Exchange]? = nil
    ) {
        self.status = status
        self.attempt = attempt
        self.endpoint = endpoint
        self.error = error
        self.hint = hint
        self.intervalSeconds = intervalSeconds
        self.expiresInSeconds = expiresInSeconds
        self.httpStatus = httpStatus
        self.durationMilliseconds = durationMilliseconds
        self.hasGap = hasGap
        self.discoveryDigest = discoveryDigest
        self.traceID = traceID
        self.exchanges = exchanges
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        status = try members.required("status", .pollStatus)
        attempt = try members.required("attempt", .count)
        endpoint = try members.optional("endpoint", .url)
        error = try members.optional("error", .error)
        hint = try members.optional("hint", .pollHint)
        intervalSeconds = try members.optional("interval", .seconds)
        expiresInSeconds = try members.optional("expiresIn", .seconds)
        httpStatus = try members.optional("httpStatus", .httpStatus)
        durationMilliseconds = try members.optional("durationMs", .milliseconds)
        hasGap = try members.optional("gap", .truth)
        discoveryDigest = try members.optional("discoveryDigest", .digest)
        traceID = try members.optional("traceID", .traceID)
        exchanges = try members.list("exchanges", Exchange.init(reading:))
    }

    func write(to object: inout JSONObject) {
        object.set("status", status, .pollStatus)
        object.set("attempt", attempt, .count)
        object.set("endpoint", endpoint, .url)
        object.set("error", error, .error)
        object.set("hint", hint, .pollHint)
        object.set("interval", intervalSeconds, .seconds)
        object.set("expiresIn", expiresInSeconds, .seconds)
        object.set("httpStatus", httpStatus, .httpStatus)
        object.set("durationMs", durationMilliseconds, .milliseconds)
        object.set("gap", hasGap, .truth)
        object.set("discoveryDigest", discoveryDigest, .digest)
        object.set("traceID", traceID, .traceID)
        object.set("exchanges", exchanges) { $0.object() }
    }
}
