// SPDX-License-Identifier: Apache-2.0

public import Capabilities
public import EventLog
internal import HTTPMessages
public import LedgerPrimitives
internal import OpenIDConnect
public import SessionEvents
public import Sessions

/// How a session stands after a command.
public struct LoginResult: Equatable, Sendable {
    /// The session.
    public let session: String
    /// Where it stands.
    public let phase: SessionPhase
    /// Why it failed, if it did.
    public let reason: FailureReason?
    /// How many events it has.
    public let events: Int
    /// Where to send the user next; only while the session waits for a callback.
    public var authorizationURL: String?
    /// Subject and claims of a login that succeeded; personal.
    public var claims: JSONObject?
}

/// What became of a callback.
public enum CallbackResult: Equatable, Sendable {
    /// It belonged to a session, which went on.
    case taken(LoginResult)
    /// It was refused and recorded outside of any session.
    case refused(FailureReason, session: String?)
}

/// Drives logins: builds a request, sends it, takes the answer in, and records every step before
/// the next one.
public struct RelyingParty: Sendable {
    private let log: EventLog
    private let capabilities: Capabilities
    private let documents: ProviderDocumentCache

    /// A relying party that records into a log open for appending.
    ///
    /// - Parameter documents: the documents of providers that all its logins share.
    public init(
        log: EventLog, capabilities: Capabilities,
        documents: ProviderDocumentCache = ProviderDocumentCache()
    ) {
        self.log = log
        self.capabilities = capabilities
        self.documents = documents
    }

    // MARK: - Start

    /// Begins a login: records it, asks the provider for its endpoints, records that the user is
    /// sent away, and only then gives the URL out.
    ///
    /// - Parameter userAgent: what is known of the user agent; sealed.
    /// - Throws: ``ProfileError`` or an error of the ledger. What the provider does wrong is no
    ///   error but a failed session.
    public func start(
        _ profile: ProviderProfile, flow: Flow, userAgent: JSONObject = JSONObject()
    ) async throws -> LoginResult {
        guard flow == .pkce || flow == .code, profile.flows.contains(flow) else {
            throw ProfileError("the profile does not have the flow `\(flow.rawValue)`")
        }
        let request = makeRequest(profile, flow)
        let document = CanonicalJSON.encode(profile.object)
        var driver = try SessionDriver(beginningIn: log, capabilities: capabilities)
        let parameters = LoginParameters(
            provider: profile.name, issuer: profile.issuer, flow: flow, request: request,
            profile: ArchivedDocument(digest: Digest(ofDocument: document), bytes: document),
            userAgent: userAgent)
        try await driver.apply(
            .initiate(parameters),
            lookups: [try log.lookupEntry(.state, request.state, subject: driver.subject)])
        let documents = ProviderDocuments(
            log: log, capabilities: capabilities, profile: profile, cache: documents)
        do {
            let (discovery, archived) = try await documents.discovery()
            try await driver.apply(
                .redirect(
                    Redirection(
                        endpoint: discovery.authorizationEndpoint,
                        discoveryDigest: archived.digest)))
            var result = driver.result
            result.authorizationURL = request.url(endpoint: discovery.authorizationEndpoint)
            return result
        } catch let failure as FlowFailure {
            try await driver.apply(.fail(.discovery, failure))
            return driver.result
        }
    }

    private func makeRequest(_ profile: ProviderProfile, _ flow: Flow) -> AuthorizationRequest {
        AuthorizationRequest(
            registration: profile.registration, state: makeSecret(), nonce: makeSecret(),
            codeVerifier: flow == .pkce ? makeSecret() : nil, acrValues: profile.acrValues)
    }

    private func makeSecret() -> String {
        Base64URL.encode(capabilities.randomBytes(PKCE.randomBytes))
    }

    // MARK: - Callback

    /// Takes what came back through the browser and finishes the login.
    ///
    /// - Parameters:
    ///   - input: the callback URL, its query, or a form.
    ///   - session: the session that the caller's own user-agent session holds; without it the
    ///     session is found by the state, and nothing shows that it is the same user's.
    /// - Throws: an error of the ledger, or ``ProfileError`` when the profile's secret is gone.
    public func receiveCallback(
        _ input: String, session: String?
    ) async throws -> CallbackResult {
        let parameters = try? CallbackParameters(input)
        guard session != nil || parameters != nil else {
            return try await refuse(.callbackMalformed, session: nil)
        }
        guard session != nil || parameters?.state != nil else {
            return try await refuse(.stateMissing, session: nil)
        }
        let found = try parameters?.state.flatMap { try log.subject(of: .state, $0) }
        guard let subject = session ?? found, try log.streamHead(subject) != nil else {
            return try await refuse(.stateMismatch, session: nil)
        }
        // Held to the end of the process at most: a session found waiting for its tokens while
        // nobody holds it is one whose process died.
        guard let hold = try log.hold(subject) else {
            return try await refuseReplayed(subject)
        }
        defer { withExtendedLifetime(hold) {} }
        var driver = try SessionDriver(
            resuming: subject, in: log, capabilities: capabilities)
        guard !driver.isReported else { return try await refuse(.stateMismatch, session: nil) }
        switch driver.state.phase {
        case .redirected:
            let exchange = try CodeExchange(
                log: log, capabilities: capabilities, cache: documents, driver.state)
            do {
                try await driver.apply(
                    .receiveCallback(
                        CallbackInput(
                            input: input, responseMode: "query",
                            binding: session == nil ? .none : .session,
                            promisesIssuer: exchange.discovery.promisesIssuerInResponse)))
            } catch is AppendConflict {
                return try await refuseReplayed(subject)
            }
            try await exchange.finish(&driver)
        case .callbackReceived:
            try await driver.apply(.fail(.token, FlowFailure(.exchangeInterrupted)))
        case .tokenIssued:
            let exchange = try CodeExchange(
                log: log, capabilities: capabilities, cache: documents, driver.state)
            try await exchange.verify(&driver)
        default:
            return try await refuseReplayed(subject)
        }
        return .taken(driver.result)
    }

    private func refuseReplayed(_ subject: String) async throws -> CallbackResult {
        guard let reason = FailureReason("callback-replayed") else {
            return .refused(FailureReason(.stateMismatch), session: subject)
        }
        try await record(CallbackRefused(reason: reason, session: subject))
        return .refused(reason, session: subject)
    }

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

extension SessionDriver {
    /// How the session stands now.
    var result: LoginResult {
        LoginResult(
            session: subject, phase: state.phase ?? .initiated, reason: reason,
            events: eventCount, authorizationURL: nil, claims: claims)
    }
}
