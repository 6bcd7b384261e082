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
        /// Whether it begins a login through a browser.
        let beginsRedirect: Bool
        /// Whether what follows from it depends on what was not asked for.
        let isIncomplete: Bool

        init(_ type: SessionEventType, _ event: SessionEvent?) {
            self.type = type
            self.event = event
            verdict = event.map(RecordedVerdict.init) ?? RecordedVerdict()
            beginsRedirect =
                if case .initiated(let begun)? = event { begun.flow.usesRedirect } else { false }
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

    /// What to read of an event, of which the first one of its session is known unless it is that.
    func request(_ first: ExcerptedEvent?) -> ExcerptRequest {
        guard let first else { return self.first }
        return payload(first)?.beginsRedirect == true ? later : laterWithChecks
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
        if let known = event.text.reading as? Payload { return known }
        let payload = read(event.text.bytes)
        event.text.reading = payload
        return payload
    }

    private func read(_ text: [UInt8]) -> Payload? {
        if let known = payloads[text] { return known }
        if payloads.count == Self.payloadsMax { payloads.removeAll() }
        let read = Self.read(text)
        payloads[text] = .some(read)
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
