// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import EventLog
internal import HTTPMessages
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents
internal import Sessions

/// What came of a poll, before it is recorded.
struct PollReply: Sendable {
    fileprivate var input: PollInput
    /// Nil where none came.
    fileprivate var response: HTTPResponse?
}

/// A login whose answer is polled for by this process.
struct PendingLogin: Sendable {
    private(set) var driver: SessionDriver
    /// As long as it is there, no other process polls for this session.
    private let hold: StreamHold
    /// When the request runs out, by the steady clock.
    let deadline: Int64
    /// The number of an attempt that may have left unrecorded, in an earlier process.
    private var lostAttempt: Int?

    /// A login that waits for its answer.
    ///
    /// - Returns: nil when the session does not wait for one.
    init?(
        _ driver: SessionDriver, _ hold: StreamHold, patienceSeconds: Int,
        _ log: EventLog, _ capabilities: Capabilities
    ) throws {
        let polling = driver.state.polling
        guard driver.state.phase == .polling, driver.state.secrets.requestID != nil,
            let deadline = polling.deadline(patienceSeconds: patienceSeconds)
        else { return nil }
        self.driver = driver
        self.hold = hold
        // The wall clock says how much is left, and is not asked again: it may be set meanwhile.
        let whole = Int64(min(polling.expiresInSeconds ?? patienceSeconds, patienceSeconds)) * 1000
        let left =
            deadline.millisecondsSince1970 - capabilities.now().millisecondsSince1970
        self.deadline =
            capabilities.timer.steadyMilliseconds() + min(max(left, 0), whole)
        lostAttempt = try driver.lostAttempt(in: log)
    }

    /// The session that was begun or resumed, as it stands now.
    var result: LoginResult { driver.result }

    /// The pause before the next poll, in milliseconds from the last answer.
    var pauseMilliseconds: Int64 { Int64(driver.state.polling.pace?.pauseSeconds ?? 1) * 1000 }

    /// Notes a poll and sends it.
    ///
    /// - Returns: what came; nil when the time of the login has passed, and nothing was sent.
    /// - Throws: an error of the ledger.
    func ask(
        _ completion: LoginCompletion, _ log: EventLog, _ capabilities: Capabilities
    ) async throws -> PollReply? {
        let timer = capabilities.timer
        guard let requestID = driver.state.secrets.requestID,
            timer.steadyMilliseconds() < deadline
        else { return nil }
        let attempt = max(driver.state.polling.attempt, lostAttempt ?? 0) + 1
        try await log.noteAttempt(attempt, of: driver.subject)
        var input = PollInput(
            attempt: attempt, hasGap: lostAttempt != nil,
            .unanswered(FlowFailure(.providerOutage)), at: capabilities.now(), isLate: false,
            reasonTexts: completion.profile.checks.reasonTexts)
        do {
            let response = try await completion.poll(requestID)
            input.instant = capabilities.now()
            input.isLate = timer.steadyMilliseconds() >= deadline
            input.traceID = completion.traceID(of: response)
            return PollReply(input: input, response: response)
        } catch let failure as HTTPFailure {
            input.outcome = .unanswered(FlowFailure(asking: failure))
        } catch let failure as FlowFailure {
            input.outcome = .unanswered(failure)
        }
        return PollReply(input: input, response: nil)
    }

    /// Records what a poll brought and what comes of it, or ends the login when its time has
    /// passed.
    ///
    /// - Throws: an error of the ledger; then the answer, if there was one, is lost to us, and the
    ///   note of the attempt stays.
    mutating func take(
        _ reply: PollReply?, _ completion: LoginCompletion, _ log: EventLog
    ) async throws {
        guard let reply else {
            try await driver.apply(.fail(.polling, .runOut(hasGap: lostAttempt != nil)))
            return
        }
        var input = reply.input
        if let response = reply.response {
            input.outcome = try await completion.pollOutcome(response, at: input.instant)
        }
        let tokens = input.takeTokens()
        try await driver.apply(
            .receivePoll(input), at: input.instant, lookups: try lookups(tokens, input, log))
        lostAttempt = nil
        try await completion.verify(&driver, accessToken: tokens?.accessToken)
    }

    /// By the ID token a second session that gets the very same is found.
    private func lookups(
        _ tokens: TokenResponse?, _ input: PollInput, _ log: EventLog
    ) throws -> [LookupEntry] {
        guard !input.isLate, case .answered(_, .success(let taken)?) = input.outcome,
            let token = taken.opened?.token ?? tokens?.idToken
        else { return [] }
        return [try log.lookupEntry(.idToken, token, subject: driver.subject)]
    }
}

extension SessionDriver {
    /// The number of a poll that may have left, and of which nobody recorded what it came to; nil
    /// when there is none.
    func lostAttempt(in log: EventLog) throws -> Int? {
        guard let noted = try log.notedAttempt(of: subject), noted > state.polling.attempt else {
            return nil
        }
        return noted
    }
}

extension FlowFailure {
    /// Why a login failed whose request has run out.
    ///
    /// - Parameter hasGap: whether the answer to a poll was lost. The tokens may have been in it,
    ///   so nobody knows what the user said.
    static func runOut(hasGap: Bool) -> FlowFailure {
        FlowFailure(hasGap ? .resultLost : .pollTimeout)
    }
}

extension PollInput {
    /// The tokens of a poll that brought some, marked as this poll's.
    fileprivate mutating func takeTokens() -> TokenResponse? {
        guard case .answered(let response, .success(var taken)?) = outcome else { return nil }
        taken.poll = TokenInput.Poll(attempt: attempt, hasGap: hasGap)
        outcome = .answered(response, .success(taken))
        return taken.tokens
    }
}
