// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import SessionEvents

extension SessionStory {
    /// How the events stand to a sign.
    func showing(_ sign: Sign) -> Showing {
        switch sign {
        case .acrNotAsked, .proofKey, .pushedRequest, .scopeWithoutOpenID:
            ofRequest(sign)
        case .boundState, .choosingAccount, .otherResponseMode, .quickReturn, .slowReturn,
            .unboundState:
            ofCallback(sign)
        case .gap, .hurriedPolls, .neverAnswered: ofPolls(sign)
        case .error, .unregisteredError: ofErrors(sign)
        case .serverError, .slowAnswer, .status, .unanswered: ofAnswers(sign)
        case .reportedKeySet, .severalFailedChecks, .slowExchange, .unsignedToken: ofToken(sign)
        case .lateEnd, .stage, .reported, .timeWentBack: ofEnd(sign)
        }
    }

    private static func shown(_ step: Step, _ text: String) -> Showing {
        .shown(Explanation.Evidence(position: step.position, text: text))
    }

    private static func words(_ milliseconds: Int64) -> String {
        DurationWords.text(milliseconds: milliseconds)
    }

    // MARK: - The request

    private func ofRequest(_ sign: Sign) -> Showing {
        guard let (step, request) = initiated else { return .open }
        switch sign {
        case .acrNotAsked:
            if request.acrValues != nil { return .denied }
            // What another program leaves out of its report may have been there.
            return isReported ? .open : Self.shown(step, "no acr was asked for")
        case .proofKey:
            return request.flow == .code && request.codeChallenge == nil ? .denied : .open
        case .scopeWithoutOpenID:
            guard let scope = request.scope else { return .open }
            let hasOpenID = scope.split(separator: " ").contains { $0 == "openid" }
            return hasOpenID ? .denied : Self.shown(step, "the scope asked for was \(scope)")
        default:
            // That a request was pushed speaks for nothing; that it was not, against a cause.
            for step in steps {
                guard case .redirected(let payload) = step.event, payload.to == nil else {
                    continue
                }
                return payload.usedPAR == false ? .denied : .open
            }
            return .open
        }
    }

    // MARK: - The callback

    /// A user who is back sooner had no time to read anything.
    private static let quickMilliseconds: Int64 = 3000
    /// A user who is back later took longer than most pages wait.
    private static let slowMilliseconds: Int64 = 300_000

    private func ofCallback(_ sign: Sign) -> Showing {
        if sign == .choosingAccount { return ofSelector }
        guard let (step, callback) = callbacks.last else { return .open }
        switch sign {
        case .boundState:
            return ofBinding(
                .session, callback, step,
                "the caller named the session that its own user agent holds")
        case .unboundState:
            return ofBinding(
                StateBinding.none, callback, step,
                "nothing tied the callback to the user's own session")
        case .otherResponseMode:
            guard let asked = initiated?.payload.responseMode, let came = callback.responseMode
            else { return .open }
            return asked.isIdentical(to: came)
                ? .denied : Self.shown(step, "the mode \(asked) was asked for, and \(came) came")
        default:
            guard let wait = step.waitMilliseconds, wait >= 0 else { return .open }
            let isShown =
                sign == .quickReturn
                ? wait < Self.quickMilliseconds : wait >= Self.slowMilliseconds
            let text = "the callback came \(Self.words(wait)) after the user was sent away"
            return isShown ? Self.shown(step, text) : .denied
        }
    }

    private var ofSelector: Showing {
        guard let last = steps.last(where: { $0.event.type != .failed }) else { return .open }
        guard case .redirected(let payload) = last.event else { return .denied }
        return payload.to == .accountSelector
            ? Self.shown(last, "the user was sent to choose an account") : .denied
    }

    private func ofBinding(
        _ binding: StateBinding, _ callback: CallbackReceived, _ step: Step, _ text: String
    ) -> Showing {
        guard let recorded = callback.stateBinding else { return .open }
        return recorded == binding ? Self.shown(step, text) : .denied
    }

    // MARK: - Polling

    /// The pause between polls that counts where the provider names none, in seconds (CIBA Core
    /// §7.3).
    private static let standardIntervalSeconds = 5

    private func ofPolls(_ sign: Sign) -> Showing {
        let polls = polls
        switch sign {
        case .gap:
            for step in steps where step.event.hasGap {
                return Self.shown(step, "an earlier attempt may have left unrecorded")
            }
            return .open
        case .neverAnswered:
            guard let (step, _) = polls.last(where: { $0.payload.status != .error }),
                polls.contains(where: { $0.payload.isWaiting })
            else { return .open }
            let count = polls.count { $0.payload.isWaiting }
            return Self.shown(step, "\(count) \(count == 1 ? "poll" : "polls") found no answer")
        default:
            var interval = Self.standardIntervalSeconds
            for (before, poll) in zip(polls, polls.dropFirst()) {
                interval = before.payload.namedIntervalSeconds ?? interval
                guard let wait = poll.step.waitMilliseconds, wait >= 0 else { continue }
                if wait < Int64(interval) * 1000 {
                    return Self.shown(
                        poll.step,
                        "poll \(poll.payload.attempt) came \(Self.words(wait)) after the one "
                            + "before, and the interval is \(interval) s")
                }
            }
            return polls.count < 2 ? .open : .denied
        }
    }

    // MARK: - Errors and answers

    private func ofErrors(_ sign: Sign) -> Showing {
        let errors = errors
        let isUnregistered = sign == .unregisteredError
        let listed: [String] =
            if case .error(let codes) = sign { codes } else { [RegisteredNames.other] }
        for (step, code) in errors where listed.contains(where: { $0.isIdentical(to: code) }) {
            return Self.shown(
                step,
                isUnregistered
                    ? "the provider gave an error that is not registered; its text is sealed"
                    : "the provider gave the error \(code)")
        }
        return errors.isEmpty ? .open : .denied
    }

    /// An answer that takes longer is worth a word, in milliseconds.
    private static let slowAnswerMilliseconds = 5000

    private func ofAnswers(_ sign: Sign) -> Showing {
        let answers = answers
        if answers.isEmpty { return .open }
        for answer in answers {
            let text: String? =
                switch sign {
                case .unanswered:
                    answer.isAnswered ? nil : "the request for \(answer.purpose) got no answer"
                case .slowAnswer:
                    answer.milliseconds.flatMap { taken in
                        taken < Self.slowAnswerMilliseconds
                            ? nil : "an answer took \(Self.words(Int64(taken)))"
                    }
                case .status(let wanted):
                    answer.status == wanted ? "an answer had the status \(wanted)" : nil
                default:
                    answer.status.flatMap { $0 >= 500 ? "an answer had the status \($0)" : nil }
                }
            if let text { return Self.shown(answer.step, text) }
        }
        if sign == .slowAnswer {
            return answers.contains { $0.milliseconds != nil } ? .denied : .open
        }
        return answers.contains { $0.status != nil } ? .denied : .open
    }

    // MARK: - The token

    /// Codes live for ten minutes at most (RFC 6749 §4.1.2), and often for less than one.
    private static let slowExchangeMilliseconds: Int64 = 30_000
    private static let promptExchangeMilliseconds: Int64 = 10_000

    private func ofToken(_ sign: Sign) -> Showing {
        switch sign {
        case .slowExchange:
            guard let step = exchange, let wait = step.waitMilliseconds, wait >= 0 else {
                return .open
            }
            if wait < Self.promptExchangeMilliseconds { return .denied }
            return wait < Self.slowExchangeMilliseconds
                ? .open
                : Self.shown(step, "the exchange ended \(Self.words(wait)) after the callback")
        case .severalFailedChecks:
            guard let (step, payload) = failed else { return .open }
            // Before its verification there is no token that could have failed.
            guard let checks = payload.checks else {
                return payload.stage == .verification ? .open : .denied
            }
            let names = checks.filter { $0.outcome == .failed }.map(\.name)
            return names.count < 2
                ? .denied : Self.shown(step, "failed checks: \(names.joined(separator: ", "))")
        case .unsignedToken:
            guard let (step, payload) = tokenIssued, let algorithm = payload.algorithm else {
                return .open
            }
            return algorithm.isIdentical(to: "none")
                ? Self.shown(step, "the token's algorithm is none") : .denied
        default:
            guard let (step, payload) = tokenIssued, let source = payload.keySetSource else {
                return .open
            }
            return source == .reported
                ? Self.shown(step, "the key set was reported together with the token") : .denied
        }
    }

    // MARK: - The end and the whole

    /// A session that ends so much later than the event before was found, not driven.
    private static let lateEndMilliseconds: Int64 = 60_000

    private func ofEnd(_ sign: Sign) -> Showing {
        switch sign {
        case .lateEnd:
            guard let step = failed?.step, let wait = step.waitMilliseconds, wait >= 0 else {
                return .open
            }
            return wait < Self.lateEndMilliseconds
                ? .denied
                : Self.shown(step, "the session ended \(Self.words(wait)) after the event before")
        case .stage(let stage):
            guard let (step, payload) = failed else { return .open }
            return payload.stage == stage
                ? Self.shown(step, "the login ended at the stage \(stage.rawValue)") : .denied
        case .reported:
            guard let first = steps.first else { return .open }
            return isReported
                ? Self.shown(first, "another program ran the login and reported its steps")
                : .denied
        default:
            for step in steps {
                if let wait = step.waitMilliseconds, wait < 0 {
                    return Self.shown(
                        step, "the clock was put back by \(Self.words(-wait)) before this event")
                }
            }
            return .open
        }
    }
}
