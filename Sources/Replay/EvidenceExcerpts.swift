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
        let event: SessionEvent
        /// Whether what follows from it depends on what was not asked for.
        let isIncomplete: Bool

        init(event: SessionEvent, isIncomplete: Bool) {
            self.event = event
            self.isIncomplete = isIncomplete
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
        let payloads = ends.events.map(payload)
        guard case .initiated? = payloads.first??.event else { return .unclear }
        guard payloads.contains(where: { $0?.event.type == .tokenIssued }) else {
            // Nothing but a verdict follows a token, so there is none before the last two either.
            return payloads.contains { $0 == nil } ? .unclear : .noToken
        }
        guard payloads.count == 3, payloads[1]?.event.type == .tokenIssued,
            let last = payloads[2], last.event.isVerdict, !last.isIncomplete
        else { return .unclear }
        var evidence = TokenEvidence(session: ends.subject)
        for (event, payload) in zip(ends.events, payloads) {
            guard let payload else { return .unclear }
            try evidence.take(payload.event, at: event.position, event.time) { event.sealed }
        }
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
        guard
            let event = try? SessionEventCodec.decode(
                type: type, version: Int(version), data: data)
        else { return nil }
        guard case .failed(let failed) = event else {
            return Payload(event: event, isIncomplete: false)
        }
        return Payload(event: event, isIncomplete: failed.mayRefuseWhatFollowedTheToken)
    }
}

extension SessionEvent {
    fileprivate var isVerdict: Bool { type == .verified || type == .failed }
}
