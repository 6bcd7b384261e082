// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LedgerPrimitives
internal import SessionEvents

/// Evidence from the ends of a session, of which only those members were read that it is made of.
///
/// It is the evidence that ``Reverification/evidence(session:)`` finds; sessions of a form in which
/// that is not certain are left to that.
struct EvidenceExcerpt {
    /// The evidence; nil when the session has no token.
    let evidence: TokenEvidence?

    private static let checks = "checks"
    private static let first = ExcerptRequest(
        members: ["clientID", "flow", "issuer", "profileDigest", "provider"],
        opensBoxOf: SessionEventType.initiated.rawValue)
    private static let laterMembers = [
        "acceptedAt", "algorithm", "keyID", "keySetDigest", "policyDigest", "reason", "stage",
    ]
    private static let later = ExcerptRequest(
        members: laterMembers, opensBoxOf: SessionEventType.tokenIssued.rawValue)
    /// What was found out about a token of the backchannel stands in the checks alone.
    private static let laterWithChecks = ExcerptRequest(
        members: laterMembers + [checks], opensBoxOf: SessionEventType.tokenIssued.rawValue)

    /// What to read of an event, of which the first one of its session is known unless it is that.
    static func request(_ first: ExcerptedEvent?) -> ExcerptRequest {
        guard let first else { return Self.first }
        let flow = first.excerpt.data["flow"]?.stringValue.flatMap(Flow.init(rawValue:))
        return flow?.usesRedirect == true ? later : laterWithChecks
    }

    /// Nil when the session must be read in the ordinary way.
    init?(_ ends: StreamEnds) throws {
        let types = ends.events.map { SessionEventType(rawValue: $0.excerpt.type) }
        guard types.first == .initiated else { return nil }
        guard types.contains(.tokenIssued) else {
            // Nothing but a verdict follows a token, so there is none before the last two either.
            guard !types.contains(nil) else { return nil }
            evidence = nil
            return
        }
        guard types.count == 3, types[1] == .tokenIssued,
            types[2] == .verified || types[2] == .failed
        else { return nil }
        var evidence = TokenEvidence(session: ends.subject)
        for event in ends.events {
            guard let payload = try Self.payload(event.excerpt) else { return nil }
            try evidence.take(payload, at: event.position, event.excerpt.time) { event.sealed }
        }
        self.evidence = evidence
    }

    private static func payload(_ excerpt: LeafExcerpt) throws -> SessionEvent? {
        var data = excerpt.data
        let isVerdict = excerpt.type.isIdentical(to: SessionEventType.verified.rawValue)
        // A payload has its checks, also where nobody reads them.
        if isVerdict, data[checks] == nil { data[checks] = .array([]) }
        let payload = try SessionEventCodec.decode(
            type: excerpt.type, version: excerpt.typeVersion, data: data)
        if case .failed(let failed) = payload, failed.mayRefuseWhatFollowedTheToken { return nil }
        return payload
    }
}
