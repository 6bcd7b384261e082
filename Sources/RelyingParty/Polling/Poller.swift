// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import EventLog
internal import LedgerPrimitives
internal import SessionEvents
internal import Sessions

/// Polls for the answers of all logins without a browser that this process holds, however many
/// they are.
///
/// A poll is sent when a login is due and not before: a full pause after the last answer, by a
/// clock that nobody sets. Each is noted before it is sent and recorded before anything comes of
/// it. At one provider a limited number is under way at once, and providers take turns.
actor Poller {
    /// How long a client's secrets and keys, once read, are used for polls, in milliseconds: what
    /// was replaced counts soon, and thousands of polls do not read files all the time.
    private static let materialMillisecondsMax: Int64 = 10_000
    /// Polls are spread over this part of their pause, and over no more than ``spreadMax``.
    private static let spreadDivisor: Int64 = 50
    private static let spreadMax: Int64 = 100
    /// How many logins begin their first pause in a millisecond. Where more are taken up, the later
    /// ones begin later: their polls stay apart from then on, and none has to wait for others.
    private static let takenPerMillisecond = 2

    private struct Request {
        var login: PendingLogin
        let lane: Int
        let completionKey: CompletionKey
    }

    private struct CompletionKey: Hashable {
        let profile: Digest?
        let discovery: Digest?
        let flow: Flow?
    }

    private let party: RelyingParty
    /// How many answers each login is polled for; nil until it is over.
    private let answersMax: Int?
    /// Told how a login stands after each answer.
    private let answered: @Sendable (LoginResult) async -> Void
    private var queue = PollQueue()
    private var requests: [Int: Request] = [:]
    private var answers: [Int: Int] = [:]
    private var completions: [CompletionKey: (value: LoginCompletion, readAt: Int64)] = [:]
    private var nextID = 0
    /// From when on the pause counts of the login that was taken up last, and how many have the
    /// same time.
    private var lastTakeUp: (time: Int64, logins: Int) = (0, 0)
    private var isClosed = false
    /// Why polling ends: the ledger failed.
    private var failure: (any Error)?
    private let alarm = Alarm()

    init(
        _ party: RelyingParty, answersMax: Int? = nil,
        answered: @escaping @Sendable (LoginResult) async -> Void
    ) {
        self.party = party
        self.answersMax = answersMax
        self.answered = answered
    }

    private var timer: SteadyTimer { party.capabilities.timer }

    /// How many logins are polled for.
    var count: Int { requests.count }

    /// Takes a login over; its first poll is due a full pause from now, or a bit later where many
    /// are taken over at once.
    func add(_ login: PendingLogin) throws {
        let state = login.driver.state
        let profile = try party.documents.profile(of: state, in: party.log)
        let lane = queue.lane(
            of: state.issuer ?? "", atOnceMax: profile.backchannel.pollsAtOnceMax)
        let id = nextID
        nextID += 1
        requests[id] = Request(
            login: login, lane: lane,
            completionKey: CompletionKey(
                profile: state.profileDigest, discovery: state.discoveryDigest,
                flow: state.flow))
        schedule(id, pauseFrom: takeUpTime())
        alarm.ring()
    }

    /// From when on the first pause of a login counts that is taken up now.
    private func takeUpTime() -> Int64 {
        let now = timer.steadyMilliseconds()
        if now > lastTakeUp.time {
            lastTakeUp = (now, 1)
        } else if lastTakeUp.logins < Self.takenPerMillisecond {
            lastTakeUp.logins += 1
        } else {
            lastTakeUp = (lastTakeUp.time + 1, 1)
        }
        return lastTakeUp.time
    }

    /// Lets ``run()`` end once no login is left.
    func close() {
        isClosed = true
        alarm.ring()
    }

    /// Polls until it is closed and every login is over.
    ///
    /// - Throws: an error of the ledger, after what is under way has ended.
    func run() async throws {
        await withDiscardingTaskGroup { group in
            while failure == nil, !(isClosed && requests.isEmpty), !Task.isCancelled {
                while let id = queue.take(at: timer.steadyMilliseconds()) {
                    // Whoever gives a hold up may wait for the system, and this actor shall not.
                    group.addTask { _ = await self.poll(id) }
                }
                await pause()
            }
        }
        if let failure { throw failure }
        try Task.checkCancellation()
    }

    /// Waits until the next request is due, or something else has changed.
    private func pause() async {
        let alarm = alarm
        if let due = queue.nextDue {
            let wait = due - timer.steadyMilliseconds()
            guard wait > 0 else { return }
            let timer = timer
            let ringing = Task {
                try await timer.wait(wait)
                alarm.ring()
            }
            await alarm.wait()
            ringing.cancel()
        } else {
            await alarm.wait()
        }
    }

    /// Polls once.
    ///
    /// - Returns: the login, when it is no longer polled for.
    private func poll(_ id: Int) async -> PendingLogin? {
        guard var request = requests[id] else { return nil }
        defer { alarm.ring() }
        do {
            let completion: LoginCompletion
            let reply: PollReply?
            do {
                defer { queue.finish(in: request.lane) }
                completion = try self.completion(for: request)
                reply = try await ask(request.login, completion)
            }
            // The provider has nothing to do with what follows: the next poll may go.
            alarm.ring()
            request.login = try await taken(reply, request.login, completion)
        } catch {
            requests[id] = nil
            // Somebody else drives the session after all; the others go on.
            if !(error is AppendConflict) { failure = error }
            return request.login
        }
        requests[id] = request
        let result = request.login.result
        let count = (answers[id] ?? 0) + 1
        let isOver = result.phase.isTerminal || answersMax.map({ count >= $0 }) ?? false
        if isOver {
            requests[id] = nil
            answers[id] = nil
        } else {
            if answersMax != nil { answers[id] = count }
            schedule(id, pauseFrom: timer.steadyMilliseconds())
        }
        await answered(result)
        return isOver ? request.login : nil
    }

    // Off this actor: many are under way at once.

    private nonisolated func ask(
        _ login: PendingLogin, _ completion: LoginCompletion
    ) async throws -> PollReply? {
        try await login.ask(completion, party.log, party.capabilities)
    }

    private nonisolated func taken(
        _ reply: PollReply?, _ login: PendingLogin, _ completion: LoginCompletion
    ) async throws -> PendingLogin {
        var login = login
        try await login.take(reply, completion, party.log)
        return login
    }

    private func schedule(_ id: Int, pauseFrom start: Int64) {
        guard let request = requests[id] else { return }
        let pause = request.login.pauseMilliseconds
        // A millisecond more, as times are cut to whole ones.
        let due = start + pause + 1 + spread(over: pause)
        queue.schedule(id, in: request.lane, due: min(due, request.login.deadline))
    }

    /// A random part of a pause, so that logins that began together do not stay together.
    private func spread(over pause: Int64) -> Int64 {
        let most = min(pause / Self.spreadDivisor, Self.spreadMax)
        let random = party.capabilities.randomBytes(2).reduce(Int64(0)) { $0 << 8 | Int64($1) }
        return random * (most + 1) / 65_536
    }

    private func completion(for request: Request) throws -> LoginCompletion {
        let now = timer.steadyMilliseconds()
        if let known = completions[request.completionKey],
            now - known.readAt < Self.materialMillisecondsMax
        {
            return known.value
        }
        let fresh = try party.completion(request.login.driver.state)
        completions[request.completionKey] = (fresh, now)
        return fresh
    }
}

/// Lets one task wait until another one rings, also if it rang before.
final class Alarm: Sendable {
    private let rings: AsyncStream<Void>
    private let ringing: AsyncStream<Void>.Continuation

    init() {
        (rings, ringing) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func ring() {
        ringing.yield()
    }

    func wait() async {
        for await _ in rings { return }
    }
}
