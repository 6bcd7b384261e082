// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import SessionEvents

/// Says what each event of a session shows. Nothing here is inferred.
struct EvidenceWriter {
    private let story: SessionStory
    private let asked: Set<FailureCatalogue.Asked>
    private var evidence: [Explanation.Evidence] = []

    private init(_ story: SessionStory, asked: Set<FailureCatalogue.Asked>) {
        self.story = story
        self.asked = asked
    }

    /// What the events show.
    ///
    /// - Parameter asked: the settings of the request that belong to it.
    static func evidence(
        in story: SessionStory, asked: Set<FailureCatalogue.Asked>
    ) -> [Explanation.Evidence] {
        var writer = EvidenceWriter(story, asked: asked)
        for index in story.steps.indices { writer.write(index) }
        return writer.evidence
    }

    private mutating func write(_ index: Int) {
        let step = story.steps[index]
        var texts: [String] = []
        if let wait = step.waitMilliseconds, wait < 0 {
            texts.append("the clock was put back by \(words(-wait)) before this event")
        }
        switch step.event {
        case .initiated(let payload): texts += initiated(payload)
        case .redirected(let payload): texts += redirected(payload)
        case .callback(let payload): texts += callback(payload, at: index)
        case .polled(let payload): texts += polled(payload, at: index)
        case .tokenIssued(let payload): texts += tokenIssued(payload, at: index)
        case .verified: texts.append("every check passed")
        case .failed(let payload): texts += failed(payload, step)
        }
        texts += step.event.exchanges.map(\.words)
        if !step.event.isPending, let traceID = step.event.traceID {
            texts.append("the provider's trace id is \(traceID)")
        }
        evidence += texts.map { Explanation.Evidence(position: step.position, text: $0) }
    }

    private func words(_ milliseconds: Int64) -> String {
        DurationWords.text(milliseconds: milliseconds)
    }

    // MARK: - Event by event

    private func initiated(_ payload: Initiated) -> [String] {
        var texts = ["the login began with \(payload.provider), flow \(payload.flow.rawValue)"]
        if story.isReported {
            texts.append("another program ran the login and reported its steps")
        }
        if asked.contains(.scope), let scope = payload.scope {
            texts.append("the scope asked for was \(scope)")
        }
        if asked.contains(.acr) {
            if let acr = payload.acrValues {
                texts.append("the acr asked for was \(acr)")
            } else if !story.isReported {
                texts.append("no acr was asked for")
            }
        }
        if asked.contains(.redirectURI), let uri = payload.redirectURI {
            texts.append("the redirect URI sent was \(uri)")
        }
        if asked.contains(.responseMode), let mode = payload.responseMode {
            texts.append("the response mode asked for was \(mode)")
        }
        return texts
    }

    private func redirected(_ payload: Redirected) -> [String] {
        [
            payload.to == .accountSelector
                ? "the user was sent to choose an account at \(payload.endpoint)"
                : "the user was sent to \(payload.endpoint)"
        ]
    }

    private func callback(_ payload: CallbackReceived, at index: Int) -> [String] {
        var texts: [String] = []
        if let wait = wait(at: index, after: .redirected) {
            let whence = payload.from == .accountSelector ? " from the account selector" : ""
            texts.append("the callback\(whence) came after \(words(wait))")
        }
        if asked.contains(.responseMode), let mode = payload.responseMode {
            texts.append("the answer came in the response mode \(mode)")
        }
        if let error = payload.error {
            texts.append(
                error.isOther
                    ? "the callback carried an error that is not registered; its text is sealed"
                    : "the callback carried the error \(error)")
        }
        switch payload.stateMatched {
        case false?: texts.append("the callback's state is not the one that was sent")
        case true?: texts.append("the callback's state is the one that was sent")
        case nil where payload.from == nil:
            texts.append("the callback had no state that could be compared")
        case nil: break
        }
        if payload.stateBinding == StateBinding.none {
            texts.append("nothing tied the callback to the user's own session")
        }
        return texts
    }

    private func polled(_ payload: Polled, at index: Int) -> [String] {
        var texts: [String] = []
        if payload.hasGap == true { texts.append("an earlier attempt may have left unrecorded") }
        switch payload.status {
        case .accepted:
            var parts = ["the provider accepted the request"]
            parts += payload.expiresInSeconds.map { ["good for \($0) s"] } ?? []
            parts += payload.intervalSeconds.map { ["to be polled every \($0) s"] } ?? []
            texts.append(parts.joined(separator: ", "))
        case .pending:
            // A run of them is one line, which stands at the last one.
            let next = index + 1
            if next < story.steps.count, story.steps[next].event.isPending { return texts }
            texts.append(pendingRun(endingAt: index, payload.attempt))
        case .unavailable:
            texts.append(
                "poll \(payload.attempt) got no answer that says anything"
                    + (payload.httpStatus.map { " (status \($0))" } ?? ""))
        case .slowDown:
            texts.append("the provider asked for longer pauses at poll \(payload.attempt)")
        case .error:
            let question = payload.attempt == 0 ? "request" : "poll"
            let error = payload.error ?? "an error"
            texts.append(
                "the provider answered the \(question) with "
                    + (error.isOther
                        ? "an error that is not registered; its text is sealed" : error))
        }
        return texts
    }

    private func pendingRun(endingAt index: Int, _ last: Int) -> String {
        var first = last
        for step in story.steps[..<index].reversed() {
            guard case .polled(let payload) = step.event, payload.status == .pending else { break }
            first = payload.attempt
        }
        let hints = hints(upTo: index)
        let said = hints.isEmpty ? "" : ", who was at: " + hints.joined(separator: ", then ")
        return
            (first == last
            ? "poll \(last) found no answer of the user"
            : "polls \(first) to \(last) found no answer of the user") + said
    }

    /// What the provider said the user was at, each word once, in a run of polls.
    private func hints(upTo index: Int) -> [String] {
        var hints: [String] = []
        for step in story.steps[...index].reversed() {
            guard case .polled(let payload) = step.event, payload.status == .pending else { break }
            guard let hint = payload.hint, !hint.isOther,
                !(hints.last?.isIdentical(to: hint) ?? false)
            else { continue }
            hints.append(hint)
        }
        return hints.reversed()
    }

    private func tokenIssued(_ payload: TokenIssued, at index: Int) -> [String] {
        var texts: [String] = []
        if let wait = wait(at: index, after: .callback) {
            texts.append("the exchange of the code ended after \(words(wait))")
        }
        if payload.hasGap == true { texts.append("an earlier attempt may have left unrecorded") }
        switch payload.algorithm {
        case nil: texts.append("an ID token came")
        case let name? where name.isIdentical(to: "none"):
            texts.append("an ID token came that says it has no signature")
        case let name? where name.isOther:
            texts.append("an ID token came, signed with an algorithm that is not registered")
        case let name?: texts.append("an ID token signed with \(name) came")
        }
        if let keyID = payload.keyID {
            texts.append(
                keyID.isOther
                    ? "the ID token names a key that was in no archived key set"
                    : "the ID token names the key \(keyID)")
        }
        if payload.keySetSource == .reported {
            texts.append("the key set was reported together with the token")
        }
        return texts
    }

    private func failed(_ payload: Failed, _ step: SessionStory.Step) -> [String] {
        let wait = step.waitMilliseconds.flatMap { $0 >= 1000 ? $0 : nil }
        var texts = [
            "the login ended at the stage \(payload.stage.rawValue)"
                + (wait.map { ", \(words($0)) after the event before" } ?? "")
        ]
        if let error = payload.error {
            texts.append(
                error.isOther
                    ? "the provider gave an error that is not registered; its text is sealed"
                    : "the provider gave the error \(error)")
        }
        let failed = (payload.checks ?? []).filter { $0.outcome == .failed }.map(\.name)
        if !failed.isEmpty {
            texts.append("failed checks of the ID token: \(failed.joined(separator: ", "))")
        }
        return texts
    }

    /// How long after an event of a type this one came, if that is the one before.
    private func wait(at index: Int, after type: SessionEventType) -> Int64? {
        guard index > 0, story.steps[index - 1].event.type == type,
            let wait = story.steps[index].waitMilliseconds, wait >= 0
        else { return nil }
        return wait
    }
}

extension Exchange {
    /// What became of the request.
    fileprivate var words: String {
        var text = "the request for \(purpose) to \(endpoint) "
        text += status.map { "was answered with status \($0)" } ?? "got no answer"
        if let durationMilliseconds {
            text += " after \(DurationWords.text(milliseconds: Int64(durationMilliseconds)))"
        }
        if let traceID { text += ", trace id \(traceID)" }
        return text
    }
}

extension SessionEvent {
    /// Whether this is a poll that found nothing yet.
    fileprivate var isPending: Bool {
        if case .polled(let payload) = self { payload.status == .pending } else { false }
    }

    /// Whether an earlier attempt may have left unrecorded.
    var hasGap: Bool {
        switch self {
        case .polled(let payload): payload.hasGap ?? false
        case .tokenIssued(let payload): payload.hasGap ?? false
        case .initiated, .redirected, .callback, .verified, .failed: false
        }
    }
}

extension String {
    /// Whether this stands for a value that is not registered.
    fileprivate var isOther: Bool { isIdentical(to: RegisteredNames.other) }
}
