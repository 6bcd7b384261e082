// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents

/// What a poll leads to.
enum PollStep {
    /// The poll is recorded in any case, tokens as `token-issued`. An answer after which nothing
    /// can come ends the session.
    ///
    /// An answer right behind a gap that ends the request may be the second one to a question
    /// whose first answer was lost, with the tokens: then nobody knows what the user said. Behind
    /// a poll that got no answer this is so when the provider says that the request is used up.
    static func receive(
        _ input: PollInput, in state: SessionState
    ) throws(SessionRejection) -> [SessionStep] {
        guard state.phase == .polling, state.polling.pace != nil else {
            throw .notPolling(state.phase)
        }
        switch input.outcome {
        case .unanswered(let failure):
            guard failure.reason == .providerOutage else {
                return over(failure, input, nil, state)
            }
            return [SessionStep(.polled(event(.unavailable, input)))]
        case .answered(let response, let tokens):
            return answered(response, tokens, input, state)
        }
    }

    private static func answered(
        _ response: HTTPResponse, _ tokens: Result<TokenInput, FlowFailure>?,
        _ input: PollInput, _ state: SessionState
    ) -> [SessionStep] {
        switch PollAnswer.process(response, at: input.instant) {
        case .pending(let waiting):
            return [waitingStep(.pending, waiting, input, response, state)]
        case .slowDown(let waiting):
            return [waitingStep(.slowDown, waiting, input, response, state)]
        case .unavailable(let retryAfterSeconds):
            var event = event(.unavailable, input, response)
            event.intervalSeconds = retryAfterSeconds
            return [SessionStep(.polled(event))]
        case .over(let failure):
            return over(failure, input, response, state)
        case .tokens:
            // Our patience may end while the answer is on its way.
            guard !input.isLate, let tokens else {
                return over(FlowFailure(.pollTimeout), input, response, state)
            }
            let steps: [SessionStep]
            switch tokens {
            case .success(let input): steps = TokenStep.receive(input, in: state)
            case .failure(let failure): return over(failure, input, response, state)
            }
            guard case .failed(let failed)? = steps.first?.event else { return steps }
            let event = event(.error, input, response)
            // The poll says itself what the exchange was.
            var ended = failed
            ended.exchanges = nil
            return [
                SessionStep(.polled(event)),
                SessionStep(.failed(ended), sealed: steps[0].sealed),
            ]
        }
    }

    private static func waitingStep(
        _ status: PollStatus, _ waiting: PollAnswer.Waiting, _ input: PollInput,
        _ response: HTTPResponse, _ state: SessionState
    ) -> SessionStep {
        var event = event(status, input, response)
        if status == .slowDown, var pace = state.polling.pace {
            pace.slowDown(naming: waiting.intervalSeconds)
            event.intervalSeconds = pace.intervalSeconds
        }
        var sealed = JSONObject()
        let hint = waiting.acrData.flatMap(AcrData.hintCode) ?? waiting.description
        if let hint {
            let clear = hintInClear(hint)
            event.hint = clear
            // What was said before needs no second record.
            if !clear.isIdentical(to: hint),
                !(state.secrets.pollDescription?.isIdentical(to: hint) ?? false)
            {
                sealed["pollDescription"] = .string(hint)
            }
        }
        if let data = waiting.acrData, data != state.secrets.acrData {
            sealed["acrData"] = .object(data)
        }
        return SessionStep(.polled(event), sealed: sealed.isEmpty ? nil : sealed)
    }

    private static func over(
        _ failure: FlowFailure, _ input: PollInput, _ response: HTTPResponse?,
        _ state: SessionState
    ) -> [SessionStep] {
        var event = event(.error, input, response)
        event.error = failure.error.map(RegisteredNames.errorInClear)
        let isUsedUp = failure.error?.isIdentical(to: "invalid_grant") ?? false
        let ended =
            input.hasGap || state.polling.mayHaveMissedTokens && isUsedUp
            ? FlowFailure(.resultLost, error: failure.providerError)
            : failure.refined(by: input.reasonTexts)
        return [SessionStep(.polled(event)), SessionStep(failed: .polling, ended)]
    }

    private static func event(
        _ status: PollStatus, _ input: PollInput, _ response: HTTPResponse? = nil
    ) -> Polled {
        Polled(
            status: status, attempt: input.attempt, httpStatus: response?.status,
            durationMilliseconds: response?.durationMilliseconds,
            hasGap: input.hasGap ? true : nil, traceID: input.traceID)
    }

    /// A provider's word for what the user is at, as far as it may stand in the clear.
    static func hintInClear(_ hint: String) -> String {
        RegisteredNames.inClear(hint, RegisteredNames.pollHints)
    }
}
