// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import SessionEvents

/// Why a session ended as it did, for a person.
///
/// Evidence is what was recorded, each with the position of its event. Likely causes are what may
/// be inferred from it: the catalogue's, in the order in which this session's events bear them out.
public struct Explanation: Equatable, Sendable {
    /// Something recorded that shows it.
    public struct Evidence: Equatable, Sendable {
        /// The event.
        public let position: UInt64
        /// What it shows.
        public let text: String
    }

    /// Something that may have led to it.
    public struct Cause: Equatable, Sendable {
        /// The cause in a sentence.
        public let text: String
        /// What speaks for it in this session, if something does.
        public let evidence: Evidence?
    }

    /// The session.
    public let session: String
    /// The code; nil for a session that did not fail.
    public let reason: FailureReason?
    /// Where to begin to look; nil for a session that did not fail.
    public let failureClass: FailureClass?
    /// How much attention it needs; nil for a session that did not fail.
    public let severity: FailureSeverity?
    /// The code in a sentence.
    public let title: String
    /// What shows it.
    public let evidence: [Evidence]
    /// What may have led to it, the likeliest first.
    public let likelyCauses: [Cause]
    /// What to do.
    public let hint: String
    /// Whether the user may simply try again.
    public let retrySafe: Bool

    /// Explains a session from its events.
    ///
    /// - Returns: nil for a stream without events of a session.
    public init?(session: String, events: [RecordedEvent]) throws(EventDecodingError) {
        let story = try SessionStory(events)
        guard let last = story.steps.last?.event else { return nil }
        self.session = session
        if case .failed(let payload) = last {
            let entry = FailureCatalogue.entry(payload.reason)
            reason = payload.reason
            failureClass = entry.failureClass
            severity = entry.severity
            title = entry.title
            evidence = EvidenceWriter.evidence(in: story, asked: entry.asked)
            likelyCauses = story.ranked(entry.likelyCauses)
            hint = entry.hint
            retrySafe = entry.retrySafe
            return
        }
        reason = nil
        failureClass = nil
        severity = nil
        evidence = EvidenceWriter.evidence(in: story, asked: [])
        likelyCauses = []
        retrySafe = true
        if case .verified = last {
            title = "The login succeeded."
            hint = "Nothing needs to be done."
        } else {
            title = "The login is not over: its last event is `\(last.type.word)`."
            hint =
                story.initiated?.payload.flow.usesRedirect ?? true
                ? "Finish it with `authledger callback`, or begin a new login."
                : "Ask for its answer with `authledger poll`, or begin a new login."
        }
    }
}

extension Explanation {
    /// The explanation for programs.
    public var object: JSONObject {
        [
            "class": failureClass.map { .string($0.rawValue) } ?? .null,
            "evidence": .array(
                evidence.map {
                    .object(["position": .integer(Int64($0.position)), "text": .string($0.text)])
                }),
            "hint": .string(hint), "likelyCauses": .array(likelyCauses.map { .string($0.words) }),
            "reason": reason.map { .string($0.code) } ?? .null, "retrySafe": .bool(retrySafe),
            "session": .string(session),
            "severity": severity.map { .string($0.rawValue) } ?? .null, "title": .string(title),
        ]
    }

    /// The explanation as a page for a person.
    public var text: String {
        var page = TextPage()
        page.add((reason.map { "\($0.code): " } ?? "") + title)
        if let failureClass, let severity {
            page.add("class \(failureClass.rawValue) · severity \(severity.rawValue)")
        }
        page.add("session \(session)")
        page.add(list: evidence.map { ("at \($0.position)", [$0.text]) }, under: "What shows it:")
        page.addNumbered(
            likelyCauses.map { cause in
                [cause.text] + (cause.evidence.map { ["at \($0.position): \($0.text)"] } ?? [])
            }, under: "Likely causes, the likeliest first:")
        page.add(hint: hint, retrySafe: reason == nil ? nil : retrySafe)
        return page.text
    }
}

extension Explanation.Cause {
    /// The cause, and what speaks for it, in one text.
    fileprivate var words: String {
        text + (evidence.map { " At \($0.position): \($0.text)." } ?? "")
    }
}
