// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import EventLog
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents
internal import Sessions

/// What a sweep found.
public struct SweepResult: Equatable, Sendable {
    /// Sessions that were looked at.
    public internal(set) var sessions = 0
    /// Sessions that are open and may still go on.
    public internal(set) var waiting = 0
    /// Sessions that were ended or brought to their verdict, with how they ended.
    public internal(set) var ended: [LoginResult] = []
}

extension RelyingParty {
    /// Ends the logins that nobody will finish: users that never came back, requests that ran out
    /// while nobody polled, and sessions whose process died.
    ///
    /// A session is left alone while a process holds it, and before the time has passed that its
    /// profile or the provider gives a user. What a token is still waiting for its verdict gets
    /// one.
    ///
    /// - Parameters:
    ///   - seconds: the time a user is given, in place of each profile's.
    ///   - isDry: whether to look only.
    ///   - looked: called for each session, with how many there were so far.
    /// - Throws: an error of the ledger, or ``ProfileError``.
    public func sweep(
        olderThan seconds: Int? = nil, isDry: Bool = false, looked: (Int) -> Void = { _ in }
    ) async throws -> SweepResult {
        var result = SweepResult()
        var last: String?
        while true {
            let names = try log.streams(after: last, limit: 512)
            guard let end = names.last else { return result }
            for name in names {
                result.sessions += 1
                looked(result.sessions)
                try await sweep(name, seconds, isDry, &result)
            }
            last = end
        }
    }

    private func sweep(
        _ session: String, _ seconds: Int?, _ isDry: Bool, _ result: inout SweepResult
    ) async throws {
        // Most sessions are over, and their last event says so.
        let ends = try log.streamEnds(session, last: 1).events
        guard let first = ends.first, let last = ends.last,
            first.envelope.recordedTime == nil,
            case .initiated? = try? SessionEventCodec.decode(first), !last.isTerminal
        else { return }
        guard try log.dataKey(for: session) != nil, let hold = try log.hold(session) else {
            result.waiting += 1
            return
        }
        defer { withExtendedLifetime(hold) {} }
        var driver = try SessionDriver(resuming: session, in: log, capabilities: capabilities)
        let profile = try documents.profile(of: driver.state, in: log)
        let patience = seconds ?? profile.abandonedAfterSeconds
        let lastMoment =
            driver.state.polling.deadline(patienceSeconds: patience)
            ?? last.envelope.time.advanced(byMilliseconds: Int64(patience) * 1000)
        guard lastMoment <= capabilities.now() else {
            result.waiting += 1
            return
        }
        if !isDry { try await end(&driver) }
        result.ended.append(driver.result)
    }

    /// What is known of why a session stands where it stands, and no more.
    private func end(_ driver: inout SessionDriver) async throws {
        switch driver.state.phase {
        case .initiated where !(driver.state.flow?.usesRedirect ?? true):
            try await resumeBackchannel(&driver)
        case .polling:
            let hasGap = try driver.lostAttempt(in: log) != nil
            try await driver.apply(.fail(.polling, .runOut(hasGap: hasGap)))
        case .initiated:
            try await driver.apply(.fail(.authorizationRequest, FlowFailure(.abandoned)))
        case .redirected:
            try await driver.apply(.fail(.callback, FlowFailure(.abandoned)))
        case .callbackReceived where driver.state.isChoosingAccount:
            try await driver.apply(.fail(.authorizationRequest, FlowFailure(.abandoned)))
        case .callbackReceived, .tokenIssued:
            try await resume(&driver)
        default:
            break
        }
    }
}

extension RecordedEvent {
    /// Whether nothing follows in its session.
    var isTerminal: Bool {
        envelope.type == SessionEventType.verified.rawValue
            || envelope.type == SessionEventType.failed.rawValue
    }
}
