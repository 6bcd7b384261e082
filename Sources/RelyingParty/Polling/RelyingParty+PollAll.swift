// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import EventLog
internal import LedgerPrimitives
internal import SessionEvents
internal import Sessions

/// What is polled for.
public struct PollPlan: Sendable {
    /// How many answers to poll each session for; nil until it is over.
    public var answersMax: Int?
    /// Whether to take up sessions that begin later, and never to end.
    public var isFollowing = false

    /// One answer for each session.
    public static let once = PollPlan(answersMax: 1)
    /// Until every session is over.
    public static let toTheEnd = PollPlan()
}

/// What polling for all sessions found at its beginning.
public struct PollCensus: Equatable, Sendable {
    /// Sessions that were looked at.
    public internal(set) var sessions = 0
    /// Sessions that are polled for.
    public internal(set) var taken = 0
    /// Sessions that wait for an answer, and that another process holds.
    public internal(set) var heldElsewhere = 0

    /// Nothing was found yet.
    public init() {}
}

extension RelyingParty {
    /// How long until a session that another process held is looked at again, in milliseconds.
    private static let retryMilliseconds: Int64 = 5000
    /// How often the log is looked at for sessions that begin, in milliseconds.
    private static let lookMilliseconds: Int64 = 500

    /// Polls for the answers of all sessions that wait for one and that no other process holds.
    ///
    /// A session that was left by its process between two steps goes on from what was recorded.
    /// Each is due a full pause after it was taken up.
    ///
    /// - Parameters:
    ///   - plan: how long.
    ///   - looked: called for each session while they are looked for, with how many there were.
    ///   - began: told what was found, before the first poll.
    ///   - answered: told how a session stands after each answer, and once for one that needed
    ///     none.
    /// - Throws: an error of the ledger, or ``ProfileError``.
    public func pollAll(
        _ plan: PollPlan = .toTheEnd, looked: (Int) -> Void = { _ in },
        began: @Sendable (PollCensus) -> Void = { _ in },
        answered: @escaping @Sendable (LoginResult) async -> Void = { _ in }
    ) async throws {
        let poller = Poller(self, answersMax: plan.answersMax, answered: answered)
        // Whatever is recorded from here on is looked at later.
        let end = try log.head().size
        var search = PollSearch(self, poller, answered)
        try await search.takeAll(looked)
        began(search.census)
        guard plan.isFollowing else {
            await poller.close()
            return try await poller.run()
        }
        let found = search
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await poller.run() }
            group.addTask { try await follow(found, from: end) }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Takes up sessions that begin, and those that another process held, until it is cancelled.
    private func follow(_ search: PollSearch, from position: UInt64) async throws {
        var search = search
        var position = position
        let timer = capabilities.timer
        var retryAt = timer.steadyMilliseconds() + Self.retryMilliseconds
        while true {
            try await timer.wait(Self.lookMilliseconds)
            let head = try log.head().size
            if head > position {
                try log.forEachEvent(in: position..<head) { event in
                    if event.isBackchannelBeginning { search.remember(event.envelope.subject) }
                    return true
                }
                position = head
            }
            guard timer.steadyMilliseconds() >= retryAt || search.hasNews else { continue }
            retryAt = timer.steadyMilliseconds() + Self.retryMilliseconds
            try await search.takeRemembered()
        }
    }
}

/// Looks for sessions that wait for an answer, and hands them to a poller.
private struct PollSearch: Sendable {
    private let party: RelyingParty
    private let poller: Poller
    private let answered: @Sendable (LoginResult) async -> Void
    private(set) var census = PollCensus()
    /// Sessions that could not be taken up yet.
    private var remembered: [String] = []
    /// Whether one of them began lately.
    private(set) var hasNews = false

    init(
        _ party: RelyingParty, _ poller: Poller,
        _ answered: @escaping @Sendable (LoginResult) async -> Void
    ) {
        self.party = party
        self.poller = poller
        self.answered = answered
    }

    mutating func takeAll(_ looked: (Int) -> Void) async throws {
        var last: String?
        while true {
            let names = try party.log.streams(after: last, limit: 512)
            guard let end = names.last else { return }
            for name in names {
                census.sessions += 1
                looked(census.sessions)
                try await take(name)
            }
            last = end
        }
    }

    mutating func remember(_ session: String) {
        remembered.append(session)
        hasNews = true
    }

    mutating func takeRemembered() async throws {
        let sessions = remembered
        remembered = []
        hasNews = false
        for session in sessions { try await take(session) }
    }

    private mutating func take(_ session: String) async throws {
        let ends = try party.log.streamEnds(session, last: 1).events
        // Most sessions are over, and their last event says so.
        guard let first = ends.first, let last = ends.last, first.isBackchannelBeginning,
            !last.isTerminal, try party.log.dataKey(for: session) != nil
        else { return }
        guard let hold = try party.log.hold(session) else {
            census.heldElsewhere += 1
            remembered.append(session)
            return
        }
        var driver = try SessionDriver(
            resuming: session, in: party.log, capabilities: party.capabilities)
        try await party.resumeBackchannel(&driver)
        if let login = try party.pendingLogin(driver, hold) {
            census.taken += 1
            try await poller.add(login)
        } else {
            await answered(driver.result)
        }
    }
}

extension RecordedEvent {
    /// Whether a login without a browser begins here that this program runs.
    fileprivate var isBackchannelBeginning: Bool {
        guard envelope.recordedTime == nil,
            envelope.type == SessionEventType.initiated.rawValue,
            case .initiated(let initiated)? = try? SessionEventCodec.decode(self)
        else { return false }
        return !initiated.flow.usesRedirect
    }
}
