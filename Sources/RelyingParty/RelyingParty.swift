// SPDX-License-Identifier: Apache-2.0

public import Capabilities
public import EventLog
internal import JOSE
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
    /// What opens the eID, as it came last; only while a Headless login is polled for. It starts a
    /// login, so it is for the user alone.
    public var acrData: JSONObject?
    /// What the user is to be told, where the provider made the message.
    public var messageForUser: String?
    /// What the user is at, in the provider's own word; from outside.
    public var hint: String?
    /// Subject and claims of a login that succeeded; personal.
    public var claims: JSONObject?
}

/// What a caller wants of one login beyond its profile.
public struct LoginWishes: Sendable {
    /// What is known of the user agent; sealed.
    public var userAgent = JSONObject()
    /// Who is to log in; sealed. Takes the place of the profile's hint.
    public var loginHint: String?
    /// Authentication context classes to ask for, in place of the profile's.
    public var acrValues: String?
    /// The caller's own name for the visitor, towards an account selector; sealed.
    public var visitorID: String?
    /// What the user is to permit, where the provider keeps permissions; sealed.
    public var permission: JSONObject?
    /// Who is to log in without a browser, by a token; sealed.
    public var loginHintToken: String?
    /// Who is to log in without a browser, by an ID token of an earlier login; sealed.
    public var idTokenHint: String?
    /// What the user sees on both devices, without a browser; sealed.
    public var bindingMessage: String?
    /// What a login without a browser is for in detail: a JSON array (RFC 9396); sealed.
    public var authorizationDetails: JSONValue?
    /// How long a request without a browser shall be good, in seconds.
    public var requestedExpirySeconds: Int?
    /// Where the user's device is, for Headless; sealed.
    public var endUserIP: String?

    /// No wishes.
    public init() {}
}

/// Drives logins: builds a request, sends it, takes the answer in, and records every step before
/// the next one.
public struct RelyingParty: Sendable {
    let log: EventLog
    let capabilities: Capabilities
    let documents: ProviderDocumentCache

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

    /// Begins a login: records it, sends the user to the account selector or asks the provider for
    /// its endpoints, records that the user is sent away, and only then gives the URL out. Without
    /// a browser it sends the request, and records that the provider accepted it.
    ///
    /// - Throws: ``ProfileError`` or an error of the ledger. What the provider does wrong is no
    ///   error but a failed session.
    public func start(
        _ profile: ProviderProfile, flow: Flow, _ wishes: LoginWishes = LoginWishes()
    ) async throws -> LoginResult {
        guard profile.flows.contains(flow) else {
            throw ProfileError("the profile does not have the flow `\(flow.rawValue)`")
        }
        if !flow.usesRedirect {
            return try await startBackchannel(profile, flow, wishes).driver.result
        }
        try check(profile, wishes)
        let document = CanonicalJSON.encode(profile.object)
        var driver = try SessionDriver(beginningIn: log, capabilities: capabilities)
        let request = makeRequest(profile, flow, wishes)
        let visitorID =
            profile.accountSelector == nil ? nil : wishes.visitorID ?? makeSecret()
        let parameters = LoginParameters(
            provider: profile.name, environment: profile.environment,
            issuer: profile.accountSelector == nil ? profile.issuer : nil, flow: flow,
            request: request,
            profile: ArchivedDocument(digest: Digest(ofDocument: document), bytes: document),
            visitorID: visitorID, permission: wishes.permission, userAgent: wishes.userAgent)
        var lookups = [try log.lookupEntry(.state, request.state, subject: driver.subject)]
        if let visitorID {
            lookups.append(try log.lookupEntry(.state, visitorID, subject: driver.subject))
        }
        try await driver.apply(.initiate(parameters), lookups: lookups)
        let url: String?
        if let selector = profile.accountSelector, let visitorID {
            url = selector.url(registration: profile.registration, visitorID: visitorID)
            try await driver.apply(
                .redirect(Redirection(endpoint: selector.url, to: .accountSelector)))
        } else {
            url = try await authorization(profile).run(&driver)
        }
        var result = driver.result
        result.authorizationURL = url
        return result
    }

    func authorization(_ profile: ProviderProfile) -> AuthorizationStep {
        AuthorizationStep(
            log: log, capabilities: capabilities, profile: profile, cache: documents)
    }

    /// What would be wrong with a login is said before anything is recorded.
    private func check(
        _ profile: ProviderProfile, _ wishes: LoginWishes
    ) throws(ProfileError) {
        if let selector = profile.accountSelector, selector.issuers.isEmpty {
            throw ProfileError(
                "`accountSelector.issuers` must list the issuers that the selector may name")
        }
        if wishes.permission != nil, profile.permissions == nil {
            throw ProfileError("the profile has no `permissions`, so none can be asked for")
        }
        let isPersonal = wishes.loginHint.map(AuthorizationRequest.isPersonal(loginHint:)) ?? false
        if isPersonal, profile.request.pushedAuthorization == .never {
            throw ProfileError(
                "a login hint with a person's number must not stand in a URL: the profile needs "
                    + "`pushedAuthorization: required`")
        }
    }

    private func makeRequest(
        _ profile: ProviderProfile, _ flow: Flow, _ wishes: LoginWishes
    ) -> AuthorizationRequest {
        AuthorizationRequest(
            registration: profile.registration, responseType: profile.responseType(flow),
            responseMode: profile.responseMode(flow), state: makeSecret(), nonce: makeSecret(),
            codeVerifier: flow == .pkce || flow == .jarm ? makeSecret() : nil,
            acrValues: wishes.acrValues ?? profile.request.acrValues,
            loginHint: wishes.loginHint ?? profile.request.loginHint)
    }

    func makeSecret() -> String {
        Base64URL.encode(capabilities.randomBytes(PKCE.randomBytes))
    }
}

extension SessionDriver {
    /// How the session stands now.
    var result: LoginResult {
        var result = LoginResult(
            session: subject, phase: state.phase ?? .initiated, reason: reason,
            events: eventCount, claims: claims)
        if state.phase == .polling {
            result.acrData = state.secrets.acrData
            result.messageForUser = state.secrets.messageForUser
            result.hint = hint
        }
        return result
    }
}
