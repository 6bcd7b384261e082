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
    /// For how long it was taken as fresh, in seconds: what the answer said or, where it said
    /// nothing, what we chose, within our limit.
    public var maxAgeSeconds: Int?
    /// SHA-256 of the certificates that the peer presented, each in DER, its own first; at most
    /// ``tlsChainCountMax``. Empty when they are not known.
    public var tlsChain: [Digest]

    /// How many certificates of a chain are recorded at most.
    public static let tlsChainCountMax = 10

    /// A fetch. Of a longer chain the first certificates are recorded.
    public init(
        kind: Kind, url: String, status: Int, documentDigest: Digest, durationMilliseconds: Int,
        maxAgeSeconds: Int? = nil, tlsChain: [Digest] = []
    ) {
        self.kind = kind
        self.url = url
        self.status = status
        self.documentDigest = documentDigest
        self.durationMilliseconds = durationMilliseconds
        self.maxAgeSeconds = maxAgeSeconds
        self.tlsChain = Array(tlsChain.prefix(Self.tlsChainCountMax))
    }

    /// Reads the members; which document it is stands in the event's type.
    init(reading members: inout MemberReader) throws(MemberError) {
        kind = .discovery
        url = try members.required("url", .url)
        status = try members.required("status", .httpStatus)
        documentDigest = try members.required("documentDigest", .digest)
        durationMilliseconds = try members.required("durationMs", .milliseconds)
        maxAgeSeconds = try members.optional("maxAge", .seconds)
        tlsChain = try members.optional("tlsChain", .certificates) ?? []
    }

    func write(to object: inout JSONObject) {
        object.set("url", url, .url)
        object.set("status", status, .httpStatus)
        object.set("documentDigest", documentDigest, .digest)
        object.set("durationMs", durationMilliseconds, .milliseconds)
        object.set("maxAge", maxAgeSeconds, .seconds)
        object.set("tlsChain", tlsChain.isEmpty ? nil : tlsChain, .certificates)
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

extension MemberKind where Value == [Digest] {
    /// Certificates by their SHA-256.
    static var certificates: MemberKind {
        MemberKind(
            expectation: "one to ten digests, each base64url of 32 bytes without padding",
            read: { value in
                guard let elements = value.arrayValue,
                    (1...ProviderDocumentFetched.tlsChainCountMax).contains(elements.count)
                else { return nil }
                let digests = elements.compactMap { MemberKind<Digest>.digest.read($0) }
                return digests.count == elements.count ? digests : nil
            },
            write: { .array($0.map { .string($0.base64URL) }) })
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
