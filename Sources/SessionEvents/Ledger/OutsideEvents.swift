// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// A document of a provider was fetched: discovery or key set. Its stream is the issuer.
public struct ProviderDocumentFetched: SessionEventPayload {
    /// Which document it is.
    public enum Kind: String, CaseIterable, Sendable {
        case discovery = "authledger.provider.discovery-fetched"
        case keySet = "authledger.provider.key-set-fetched"
    }

    /// Which document it is.
    public var kind: Kind
    /// Where it was fetched, without query.
    public var url: String
    /// The HTTP status.
    public var status: Int
    /// SHA-256 of the body, byte for byte as it came.
    public var documentDigest: Digest
    /// How long it took, in milliseconds.
    public var durationMilliseconds: Int

    /// A fetch.
    public init(
        kind: Kind, url: String, status: Int, documentDigest: Digest, durationMilliseconds: Int
    ) {
        self.kind = kind
        self.url = url
        self.status = status
        self.documentDigest = documentDigest
        self.durationMilliseconds = durationMilliseconds
    }

    /// Reads the members; which document it is stands in the event's type.
    init(reading members: inout MemberReader) throws(MemberError) {
        kind = .discovery
        url = try members.required("url", .url)
        status = try members.required("status", .httpStatus)
        documentDigest = try members.required("documentDigest", .digest)
        durationMilliseconds = try members.required("durationMs", .milliseconds)
    }

    func write(to object: inout JSONObject) {
        object.set("url", url, .url)
        object.set("status", status, .httpStatus)
        object.set("documentDigest", documentDigest, .digest)
        object.set("durationMs", durationMilliseconds, .milliseconds)
    }

    /// The members of `data`.
    public var clearMembers: JSONObject {
        LedgerEvent.providerDocumentFetched(self).clearMembers
    }

    /// The digest of the document that a recorded event of this kind names.
    public static func documentDigest(in data: JSONObject) -> Digest? {
        data["documentDigest"]?.stringValue.flatMap(Digest.init(base64URL:))
    }
}

/// A callback was refused before it touched any session: its state is unknown, spent or too late.
public struct CallbackRefused: SessionEventPayload {
    /// The event's type.
    public static let type = "authledger.callback.refused"
    /// The stream of these events.
    public static let subject = "authledger/callbacks"

    /// Why.
    public var reason: FailureReason
    /// The session that the state was made for, where there is one.
    public var session: String?
    /// How many callbacks the event stands for.
    public var count = 1

    /// A refusal.
    public init(reason: FailureReason, session: String? = nil) {
        self.reason = reason
        self.session = session
    }

    init(reading members: inout MemberReader) throws(MemberError) {
        reason = try members.required("reason", .reason)
        session = try members.optional("session", .uuid)?.description
        count = try members.required("count", .part)
    }

    func write(to object: inout JSONObject) {
        object.set("reason", reason, .reason)
        object.set("session", session.flatMap { UUIDv7($0) }, .uuid)
        object.set("count", count, .part)
    }

    /// The members of `data`. Nothing of the callback itself is kept: it belongs to no session
    /// whose key could seal it, and anyone can send one.
    public var clearMembers: JSONObject { LedgerEvent.callbackRefused(self).clearMembers }
}
