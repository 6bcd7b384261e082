// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import LedgerPrimitives
internal import SessionEvents

/// Makes evidence from the ends of sessions, of which only those members are read that it is made
/// of. For one thread: it keeps the payloads that events have in common.
///
/// It is the evidence that ``Reverification/evidence(session:)`` finds; sessions of a form in which
/// that is not certain are left to that.
final class EvidenceExcerpts {
    /// A payload, of which only what was asked for is there.
    private final class Payload {
        let type: SessionEventType
        /// Nil for one that cannot be read without what was not asked for.
        let event: SessionEvent?
        /// What it says by itself of the token of its session.
        let verdict: RecordedVerdict
        /// Whether what follows from it depends on what was not asked for.
        let isIncomplete: Bool

        init(_ type: SessionEventType, _ event: SessionEvent?) {
            self.type = type
            self.event = event
            verdict = event.map(RecordedVerdict.init) ?? RecordedVerdict()
            isIncomplete =
                switch event {
                case .failed(let failed)?: failed.mayRefuseWhatFollowedTheToken
                case nil: true
                default: false
                }
        }
    }

    private static let checks = "checks"
    private static let laterMembers = [
        "acceptedAt", "algorithm", "keyID", "keySetDigest", "policyDigest", "reason", "stage",
    ]
    private static let recentMax = 16
    /// More than there are in a ledger in which all sessions begin and end alike.
    private static let payloadsMax = 4096

    private let first = ExcerptRequest(
        members: ["clientID", "flow", "issuer", "profileDigest", "provider"],
        opensBoxOf: SessionEventType.initiated.rawValue)
    private let later = ExcerptRequest(
        members: EvidenceExcerpts.laterMembers,
        opensBoxOf: SessionEventType.tokenIssued.rawValue)
    /// What was found out about a token of the backchannel stands in the checks alone.
    private let laterWithChecks = ExcerptRequest(
        members: EvidenceExcerpts.laterMembers + [EvidenceExcerpts.checks],
        opensBoxOf: SessionEventType.tokenIssued.rawValue)
    /// By the text that they were read from; nil for what is none.
    private var payloads: [[UInt8]: Payload?] = [:]
    /// Those of them that were read last.
    private var recent: [(text: [UInt8], payload: Payload?)] = []
    private var oldest = 0

    /// What to read of an event, of which the first one of its session is known unless it is that.
    func request(_ first: ExcerptedEvent?) -> ExcerptRequest {
        guard let first else { return self.first }
        guard case .initiated(let begun)? = payload(first)?.event, begun.flow.usesRedirect else {
            return laterWithChecks
        }
        return later
    }

    /// What the ends of a session come to.
    enum Found {
        case evidence(TokenEvidence)
        /// The session has no token.
        case noToken
        /// The session must be read in the ordinary way.
        case unclear
    }

    /// Makes the evidence.
    func evidence(_ ends: StreamEnds) throws -> Found {
        var payloads: [Payload] = []
        payloads.reserveCapacity(ends.events.count)
        for event in ends.events {
            guard let payload = payload(event) else { return .unclear }
            payloads.append(payload)
        }
        guard payloads.first?.type == .initiated else { return .unclear }
        guard payloads.contains(where: { $0.type == .tokenIssued }) else {
            // Nothing but a verdict follows a token, so none is before the last two either.
            return .noToken
        }
        guard payloads.count == 3, payloads[1].type == .tokenIssued,
            payloads[2].type == .verified || payloads[2].type == .failed,
            !payloads[2].isIncomplete, let begun = payloads[0].event, let token = payloads[1].event
        else { return .unclear }
        var evidence = TokenEvidence(session: ends.subject, recorded: payloads[2].verdict)
        let (first, second) = (ends.events[0], ends.events[1])
        evidence.take(begun, at: first.position, first.time, sealed: first.sealed)
        evidence.take(token, at: second.position, second.time, sealed: second.sealed)
        return .evidence(evidence)
    }

    private func payload(_ event: ExcerptedEvent) -> Payload? {
        // Comparing with the few that came last costs less than hashing.
        if let index = recent.firstIndex(where: { $0.text == event.text }) {
            return recent[index].payload
        }
        let payload = read(event)
        if recent.count < Self.recentMax {
            recent.append((event.text, payload))
        } else {
            recent[oldest] = (event.text, payload)
            oldest = (oldest + 1) % Self.recentMax
        }
        return payload
    }

    private func read(_ event: ExcerptedEvent) -> Payload? {
        if let known = payloads[event.text] { return known }
        if payloads.count == Self.payloadsMax { payloads.removeAll() }
        let read = Self.read(event.text)
        payloads[event.text] = .some(read)
        return read
    }

    private static func read(_ text: [UInt8]) -> Payload? {
        guard let leaf = try? JSONReader.read(text, numbers: .integersOnly).objectValue,
            let type = leaf["type"]?.stringValue,
            let version = leaf["typeversion"]?.integerValue,
            var data = leaf["data"]?.objectValue
        else { return nil }
        let isVerified = type.isIdentical(to: SessionEventType.verified.rawValue)
        // A payload has its checks, also where nobody reads them.
        if isVerified, data[checks] == nil { data[checks] = .array([]) }
        let event = try? SessionEventCodec.decode(type: type, version: Int(version), data: data)
        return SessionEventType(rawValue: type).map { Payload($0, event) }
    }
}
