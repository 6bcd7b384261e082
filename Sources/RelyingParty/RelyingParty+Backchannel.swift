// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import EventLog
internal import LedgerPrimitives
internal import OpenIDConnect
public import SessionEvents
internal import Sessions
internal import Synchronization

/// Why a session cannot be polled for.
public enum PollRefusal: Error, Equatable {
    /// Another process polls for it, or drives it otherwise.
    case heldElsewhere
    /// It is not a login without a browser that this program runs.
    case notPolled(state: String)
}

extension RelyingParty {
    /// Begins a login without a browser, and polls until it is over.
    ///
    /// - Parameter answered: told how the login stands after each answer.
    /// - Returns: how it ended.
    /// - Throws: ``ProfileError`` or an error of the ledger.
    public func runBackchannel(
        _ profile: ProviderProfile, flow: Flow, _ wishes: LoginWishes,
        answered: @escaping @Sendable (LoginResult) async -> Void = { _ in }
    ) async throws -> LoginResult {
        let (driver, hold) = try await startBackchannel(profile, flow, wishes)
        await answered(driver.result)
        return try await poll(driver, hold, answersMax: nil, answered)
    }

    /// Polls for the answer of one session.
    ///
    /// The first poll is due a full pause after this call.
    ///
    /// - Parameters:
    ///   - answersMax: how many answers to poll for; nil until it is over.
    ///   - answered: told how the login stands after each answer.
    /// - Returns: how the session stands then.
    /// - Throws: ``PollRefusal``, ``ProfileError`` or an error of the ledger.
    public func poll(
        _ session: String, answersMax: Int? = nil,
        answered: @escaping @Sendable (LoginResult) async -> Void = { _ in }
    ) async throws -> LoginResult {
        guard let hold = try log.hold(session) else { throw PollRefusal.heldElsewhere }
        var driver = try SessionDriver(resuming: session, in: log, capabilities: capabilities)
        guard !driver.isReported, let flow = driver.state.flow, !flow.usesRedirect else {
            throw PollRefusal.notPolled(state: driver.state.phase?.rawValue ?? "")
        }
        try await resumeBackchannel(&driver)
        return try await poll(driver, hold, answersMax: answersMax, answered)
    }

    private func poll(
        _ driver: SessionDriver, _ hold: StreamHold, answersMax: Int?,
        _ answered: @escaping @Sendable (LoginResult) async -> Void
    ) async throws -> LoginResult {
        guard let login = try pendingLogin(driver, hold) else { return driver.result }
        let last = LastResult(driver.result)
        let poller = Poller(self, answersMax: answersMax) { result in
            last.set(result)
            await answered(result)
        }
        try await poller.add(login)
        await poller.close()
        try await poller.run()
        return last.value
    }

    /// Records a login without a browser and asks the provider for it.
    func startBackchannel(
        _ profile: ProviderProfile, _ flow: Flow, _ wishes: LoginWishes
    ) async throws -> (driver: SessionDriver, hold: StreamHold) {
        let request = try backchannelRequest(profile, flow, wishes)
        let document = CanonicalJSON.encode(profile.object)
        var driver = try SessionDriver(beginningIn: log, capabilities: capabilities)
        // Held from the first event on: a session that nobody holds was left by its process.
        guard let hold = try log.hold(driver.subject) else { throw PollRefusal.heldElsewhere }
        try await driver.apply(
            .initiateBackchannel(
                BackchannelParameters(
                    provider: profile.name, environment: profile.environment,
                    issuer: profile.issuer ?? "", clientID: profile.registration.clientID,
                    request: request,
                    profile: ArchivedDocument(
                        digest: Digest(ofDocument: document), bytes: document),
                    userAgent: wishes.userAgent)))
        let step = BackchannelStep(
            log: log, capabilities: capabilities, profile: profile, cache: documents)
        try await step.run(&driver)
        return (driver, hold)
    }

    /// Brings a session that its process left to where it can be polled for, or to its end.
    func resumeBackchannel(_ driver: inout SessionDriver) async throws {
        switch driver.state.phase {
        case .initiated:
            // Its answer, if the request left, was with the process that died.
            let mayHaveLeft = try log.notedAttempt(of: driver.subject) != nil
            try await driver.apply(
                .fail(
                    .authorizationRequest,
                    FlowFailure(mayHaveLeft ? .resultLost : .abandoned)))
        case .tokenIssued:
            try await completion(driver.state).verify(&driver, accessToken: nil)
        default:
            break
        }
    }

    func pendingLogin(_ driver: SessionDriver, _ hold: StreamHold) throws -> PendingLogin? {
        let profile = try documents.profile(of: driver.state, in: log)
        return try PendingLogin(
            driver, hold, patienceSeconds: profile.abandonedAfterSeconds, log, capabilities)
    }

    /// What would be wrong with the request is said before anything is recorded.
    private func backchannelRequest(
        _ profile: ProviderProfile, _ flow: Flow, _ wishes: LoginWishes
    ) throws(ProfileError) -> BackchannelRequest {
        guard profile.registration.authentication != .none else {
            throw ProfileError(
                "the flow `\(flow.rawValue)` is for clients that show who they are: "
                    + "`clientAuthentication.method` must not be none")
        }
        guard profile.issuer != nil else {
            throw ProfileError("the flow `\(flow.rawValue)` needs `issuer` in the profile")
        }
        if let seconds = wishes.requestedExpirySeconds, !(1...31_536_000).contains(seconds) {
            throw ProfileError("the requested expiry must be a positive number of seconds")
        }
        if let details = wishes.authorizationDetails {
            guard let entries = details.arrayValue, !entries.isEmpty,
                entries.allSatisfy({ $0.objectValue?["type"]?.stringValue != nil })
            else {
                throw ProfileError(
                    "authorization details must be a list of objects that have a `type`")
            }
        }
        return BackchannelRequest(
            try kind(profile, flow, wishes), scope: profile.registration.scope,
            acrValues: wishes.acrValues ?? profile.request.acrValues,
            bindingMessage: wishes.bindingMessage,
            requestedExpirySeconds: wishes.requestedExpirySeconds,
            authorizationDetails: wishes.authorizationDetails,
            extraParameters: profile.request.extraParameters)
    }

    private func kind(
        _ profile: ProviderProfile, _ flow: Flow, _ wishes: LoginWishes
    ) throws(ProfileError) -> BackchannelRequest.Kind {
        if flow == .headless {
            guard let address = wishes.endUserIP else {
                throw ProfileError("the flow `headless` needs the address of the user's device")
            }
            return .headless(endUserIP: address)
        }
        let hints: [BackchannelHint] = [
            (wishes.loginHint ?? profile.request.loginHint).map { .loginHint($0) },
            wishes.loginHintToken.map { .loginHintToken($0) },
            wishes.idTokenHint.map { .idTokenHint($0) },
        ].compactMap(\.self)
        guard let hint = hints.first, hints.count == 1 else {
            throw ProfileError(
                "the flow `ciba` needs one hint of whom it is about, and not more: a login hint, "
                    + "a login hint token or an ID token")
        }
        return .ciba(hint)
    }
}

/// How a login stood last.
private final class LastResult: Sendable {
    private let result: Mutex<LoginResult>

    init(_ result: LoginResult) {
        self.result = Mutex(result)
    }

    var value: LoginResult { result.withLock { $0 } }

    func set(_ value: LoginResult) {
        result.withLock { $0 = value }
    }
}
