// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import EventLog
internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect
public import SessionEvents
internal import Sessions

/// What became of a callback.
public enum CallbackResult: Equatable, Sendable {
    /// It belonged to a session, which went on.
    case taken(LoginResult)
    /// It was refused and recorded outside of any session.
    case refused(FailureReason, session: String?)
}

extension RelyingParty {
    /// Takes what came back through the browser: an account selector's answer, after which the user
    /// is sent on, or the provider's, with which the login is finished.
    ///
    /// - Parameters:
    ///   - input: the callback URL, its query, or a form.
    ///   - session: the session that the caller's own user-agent session holds; without it the
    ///     session is found by the state, and nothing shows that it is the same user's.
    ///   - profile: the profile whose redirect URI the callback came to, where the caller knows it:
    ///     an encrypted response is opened with its keys to find the session.
    /// - Throws: an error of the ledger, or ``ProfileError`` when what the profile points to is
    ///   gone.
    public func receiveCallback(
        _ input: String, session: String?, profile: ProviderProfile? = nil
    ) async throws -> CallbackResult {
        let hint = try CallbackHint(input, profile, capabilities)
        guard session != nil || hint.isReadable else {
            return try await refuse(.callbackMalformed, session: nil)
        }
        guard session != nil || hint.state != nil else {
            return try await refuse(.stateMissing, session: nil)
        }
        let found = try hint.state.flatMap { try log.subject(of: .state, $0) }
        guard let subject = session ?? found, try log.streamHead(subject) != nil else {
            return try await refuse(.stateMismatch, session: nil)
        }
        // Held to the end of the process at most: a session found waiting for its tokens while
        // nobody holds it is one whose process died.
        guard let hold = try log.hold(subject) else {
            return try await refuse(.callbackReplayed, session: subject)
        }
        defer { withExtendedLifetime(hold) {} }
        var driver = try SessionDriver(resuming: subject, in: log, capabilities: capabilities)
        guard !driver.isReported, driver.state.flow?.usesRedirect ?? false else {
            return try await refuse(.stateMismatch, session: nil)
        }
        let binding: StateBinding = session == nil ? .none : .session
        return try await take(input, hint, binding, &driver)
    }

    private func take(
        _ input: String, _ hint: CallbackHint, _ binding: StateBinding,
        _ driver: inout SessionDriver
    ) async throws -> CallbackResult {
        let subject = driver.subject
        let state = driver.state
        switch state.phase {
        case .redirected where state.awaitsSelection:
            return try await takeSelection(input, binding, &driver)
        case .redirected:
            let completion = try completion(state)
            if hint.isSelection, completion.profile.accountSelector != nil {
                // The answer that was taken already, once more.
                return try await refuse(.callbackReplayed, session: subject)
            }
            guard completion.accepts(input) else {
                return try await refuse(.redirectURIMismatch, session: subject)
            }
            let tokens: TokenResponse?
            do {
                tokens = try await completion.receive(input, binding, &driver)
            } catch is AppendConflict {
                return try await refuse(.callbackReplayed, session: subject)
            }
            try await completion.finish(&driver, tokens: tokens)
        case .callbackReceived where state.isChoosingAccount:
            return .taken(try await sendOn(&driver))
        case .callbackReceived, .tokenIssued:
            try await resume(&driver)
        default:
            return try await refuse(.callbackReplayed, session: subject)
        }
        return .taken(driver.result)
    }

    /// Goes on where another process ended after the provider's callback. A code may have left and
    /// is never sent again; tokens that were recorded get their verdict.
    func resume(_ driver: inout SessionDriver) async throws {
        let state = driver.state
        if state.phase == .tokenIssued {
            try await completion(state).verify(&driver, accessToken: nil)
        } else if state.flow == .implicit, state.secrets.idToken != nil {
            try await completion(state).finish(&driver)
        } else {
            try await driver.apply(.fail(.token, FlowFailure(.exchangeInterrupted)))
        }
    }

    func completion(_ state: SessionState) throws -> LoginCompletion {
        try LoginCompletion(log: log, capabilities: capabilities, cache: documents, state)
    }

    // MARK: - Account selector

    private func takeSelection(
        _ input: String, _ binding: StateBinding, _ driver: inout SessionDriver
    ) async throws -> CallbackResult {
        let profile = try documents.profile(of: driver.state, in: log)
        guard let selector = profile.accountSelector else {
            throw LedgerError.damaged("the archived profile has no account selector", position: nil)
        }
        do {
            try await driver.apply(
                .receiveSelection(
                    SelectionInput(
                        input: input, binding: binding, selector: selector,
                        clientID: profile.registration.clientID)))
        } catch is AppendConflict {
            return try await refuse(.callbackReplayed, session: driver.subject)
        }
        guard driver.state.phase == .callbackReceived else { return .taken(driver.result) }
        return .taken(try await sendOn(&driver))
    }

    /// Sends the user to the provider that was chosen.
    private func sendOn(_ driver: inout SessionDriver) async throws -> LoginResult {
        let profile = try documents.profile(of: driver.state, in: log)
        let url = try await authorization(profile).run(&driver)
        var result = driver.result
        result.authorizationURL = url
        return result
    }

    // MARK: - Refusals

    private func refuse(
        _ reason: FlowFailureReason, session: String?
    ) async throws -> CallbackResult {
        let reason = FailureReason(reason)
        try await record(CallbackRefused(reason: reason, session: session))
        return .refused(reason, session: session)
    }

    private func record(_ refusal: CallbackRefused) async throws {
        while true {
            let draft = EventDraft(
                id: capabilities.makeUUIDv7(), source: log.info.origin,
                type: CallbackRefused.type, typeVersion: 1, subject: CallbackRefused.subject,
                time: capabilities.now(), clear: refusal.clearMembers)
            let head = try log.streamHead(CallbackRefused.subject)
            let event = try log.prepare(draft, after: head, dataKey: nil)
            do {
                _ = try await log.append(AppendBatch(events: [event]))
                return
            } catch is AppendConflict {
                // Another refusal came in between; look again.
            }
        }
    }
}

/// What a callback lets one see before its session is known: good for finding the session, and for
/// nothing else.
struct CallbackHint {
    /// Whether it has the form of a callback.
    let isReadable: Bool
    /// The state it brings, or the visitor that a selector's answer names.
    let state: String?
    /// Whether it looks like an account selector's answer.
    let isSelection: Bool

    init(_ input: String, _ profile: ProviderProfile?, _ capabilities: Capabilities) throws {
        let readings = [CallbackText.Place.query, .fragment].map {
            try? CallbackParameters(input, in: $0)
        }
        let parameters = readings.compactMap { $0 }
        isReadable = readings[0] != nil
        isSelection = parameters.contains(where: AccountSelector.isAnswer)
        let plain = parameters.lazy.compactMap { $0.state ?? AccountSelector.visitorID(in: $0) }
        if let state = plain.first {
            self.state = state
        } else {
            let response = parameters.lazy.compactMap(\.response).first
            state = try response.flatMap { try Self.state(in: $0, profile, capabilities) }
        }
    }

    /// The state inside a signed response; an encrypted one is opened with the profile's keys.
    private static func state(
        in response: String, _ profile: ProviderProfile?, _ capabilities: Capabilities
    ) throws -> String? {
        if let state = AuthorizationResponseJWT.unverifiedState(in: response) { return state }
        guard let profile, !profile.credentials.decryptionKeys.isEmpty else { return nil }
        let opening = TokenOpening(
            capabilities: capabilities, keys: try ClientMaterial(profile).decryptionKeys)
        return (try? opening.open(response)).flatMap {
            AuthorizationResponseJWT.unverifiedState(in: $0.token)
        }
    }
}
