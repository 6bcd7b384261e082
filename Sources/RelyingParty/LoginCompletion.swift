// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import EventLog
internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents
internal import Sessions

/// From a callback to a verdict, with the documents that the session began with.
struct LoginCompletion {
    let profile: ProviderProfile
    private let discovery: DiscoveryDocument
    private let log: EventLog
    private let capabilities: Capabilities
    private let material: ClientMaterial
    private let documents: ProviderDocuments
    private let policy: VerificationPolicy
    private let flow: Flow

    /// Reads profile and discovery document from the log, and the client's secret and keys from
    /// their places, before anything is done that could not be done again.
    init(
        log: EventLog, capabilities: Capabilities, cache: ProviderDocumentCache,
        _ state: SessionState
    ) throws {
        self.log = log
        self.capabilities = capabilities
        guard let digest = state.discoveryDigest, let issuer = state.issuer, let flow = state.flow
        else {
            throw LedgerError.damaged("a session does not know its provider", position: nil)
        }
        self.flow = flow
        profile = try cache.profile(of: state, in: log)
        material = try ClientMaterial(profile)
        documents = ProviderDocuments(
            log: log, capabilities: capabilities, issuer: issuer, profile: profile, cache: cache)
        discovery = try documents.archivedDiscovery(digest)
        policy = profile.policy(discovery, flow)
    }

    private var backchannel: Backchannel {
        Backchannel(capabilities, profile, material, issuer: discovery.issuer)
    }

    private var opening: TokenOpening {
        TokenOpening(capabilities: capabilities, keys: material.decryptionKeys)
    }

    private var usesCertificate: Bool { profile.registration.authentication.usesCertificate }

    // MARK: - Callback

    /// Whether a callback came to this session's redirect URI, as far as the input says where it
    /// came: redirect URIs tell providers apart. The port of a loopback address may be any (RFC
    /// 8252 §7.3).
    func accepts(_ input: String) -> Bool {
        guard let url = CallbackText(input).url, url.contains("://") else { return true }
        let registered = EndpointURL.withoutQuery(profile.registration.redirectURI)
        if url.isIdentical(to: registered) { return true }
        guard EndpointURL.isLoopback(url: url), EndpointURL.isLoopback(url: registered) else {
            return false
        }
        return EndpointURL.path(of: url).isIdentical(to: EndpointURL.path(of: registered))
    }

    /// Records what came back, judged.
    ///
    /// - Returns: of an implicit flow, the tokens, whose access token is kept nowhere else.
    func receive(
        _ input: String, _ binding: StateBinding, _ driver: inout SessionDriver
    ) async throws -> TokenResponse? {
        let request = profile.authorizationRequest(driver.state)
        var callback = CallbackInput(
            input: input, responseMode: request.effectiveResponseMode,
            responseType: request.responseType, binding: binding,
            promisesIssuer: discovery.promisesIssuerInResponse,
            reasonTexts: profile.checks.reasonTexts)
        let instant = capabilities.now()
        if callback.responseMode.isSigned,
            let response = try? CallbackParameters(input, in: callback.place).signedResponse()
        {
            do {
                callback.signed = try await signed(response, at: instant)
            } catch let failure as FlowFailure {
                callback.obstacle = failure
            }
        }
        try await driver.apply(.receiveCallback(callback), at: instant)
        guard request.responseType.isImplicit, driver.state.phase == .callbackReceived else {
            return nil
        }
        return try CallbackParameters(input, in: callback.place).tokens()
    }

    /// What a signed response is checked with: the keys of the session's issuer, whatever the
    /// response says.
    private func signed(
        _ response: String, at instant: Instant
    ) async throws -> CallbackInput.Signed {
        let opened: OpenedToken
        do {
            opened = try opening.open(response)
        } catch {
            throw FlowFailure(openingResponse: error)
        }
        var (keys, archived) = try await documents.keySet(discovery)
        if let keyID = Self.lackingKey(opened.token, keys) {
            (keys, archived) = try await documents.keySetThrottled(discovery, lacking: keyID)
        }
        let expectations = profile.responseExpectations(discovery)
        let policy = CanonicalJSON.encode(expectations.object)
        return CallbackInput.Signed(
            response: opened, keys: keys, keySetDigest: archived.digest,
            expectations: expectations,
            policy: ArchivedDocument(digest: Digest(ofDocument: policy), bytes: policy),
            instant: instant)
    }

    // MARK: - Tokens

    /// Gets the tokens of a callback that was recorded, unless the session ended with it, and
    /// judges them.
    ///
    /// - Parameter tokens: those that the callback brought; nil where there are none, or another
    ///   process took the callback.
    func finish(
        _ driver: inout SessionDriver, tokens received: TokenResponse? = nil
    ) async throws {
        guard driver.state.phase == .callbackReceived else { return }
        var stage = Stage.discovery
        var exchanges: [Exchange] = []
        var accessToken: String?
        do {
            // Fetched before the code is spent: without keys it would be spent in vain.
            let (_, keySet) = try await documents.keySet(discovery)
            stage = .token
            let (input, tokens) = try await tokens(
                driver.state, received, keySet, noting: &exchanges)
            accessToken = tokens?.accessToken
            try await driver.apply(.receiveTokens(input))
        } catch let failure as FlowFailure {
            try await driver.apply(
                .fail(
                    stage, failure.refined(by: profile.checks.reasonTexts), exchanges: exchanges))
        }
        try await verify(&driver, accessToken: accessToken)
    }

    private func tokens(
        _ state: SessionState, _ received: TokenResponse?, _ keySet: ArchivedDocument,
        noting exchanges: inout [Exchange]
    ) async throws -> (TokenInput, TokenResponse?) {
        let origin: TokenInput.Origin
        var traceID: String?
        if let code = state.secrets.code, flow != .implicit {
            let response = try await exchange(
                code, state, at: tokenEndpoint, noting: &exchanges)
            traceID = backchannel.traceID(of: response)
            origin = .endpoint(tokenEndpoint, response)
        } else if let received {
            origin = .callback(received)
        } else if let idToken = state.secrets.idToken {
            origin = .callback(TokenResponse(recordedIDToken: idToken))
        } else {
            throw FlowFailure(.idTokenMissing)
        }
        return input(origin, keySet, traceID: traceID)
    }

    /// What tokens are taken in with: opened where they were encrypted, with the documents that
    /// count now.
    private func input(
        _ origin: TokenInput.Origin, _ keySet: ArchivedDocument, traceID: String?
    ) -> (TokenInput, TokenResponse?) {
        let policyBytes = CanonicalJSON.encode(policy.object)
        var input = TokenInput(
            origin,
            certificateThumbprint: profile.checks.demandsCertificateBinding
                ? material.certificateThumbprint : nil, keySet: keySet,
            policy: ArchivedDocument(
                digest: Digest(ofDocument: policyBytes), bytes: policyBytes), traceID: traceID,
            reasonTexts: profile.checks.reasonTexts)
        let tokens = input.tokens
        if let idToken = tokens?.idToken {
            do {
                let opened = try opening.open(idToken)
                if opened.encryption != nil { input.opened = opened }
            } catch {
                input.obstacle = FlowFailure(openingToken: error)
            }
        }
        return (input, tokens)
    }

    private func exchange(
        _ code: String, _ state: SessionState, at endpoint: String,
        noting exchanges: inout [Exchange]
    ) async throws -> HTTPResponse {
        let form = TokenExchange.form(
            code: code, redirectURI: profile.registration.redirectURI,
            codeVerifier: state.secrets.codeVerifier)
        do {
            return try await backchannel.post(form, to: endpoint)
        } catch let failure as HTTPFailure {
            exchanges.append(
                Exchange(purpose: "token", endpoint: EndpointURL.withoutQuery(endpoint)))
            if failure.kind == .unreachable { _ = try? await documents.refetchDiscovery() }
            throw FlowFailure(exchanging: failure)
        }
    }

    // MARK: - Polling

    /// Sends one poll for the answer to a request.
    ///
    /// - Throws: ``HTTPFailure`` when there is no answer, or ``FlowFailure``.
    func poll(_ requestID: String) async throws -> HTTPResponse {
        let grantType =
            flow == .headless ? profile.backchannel.headlessGrantType : PollAnswer.cibaGrantType
        let form = PollAnswer.form(
            grantType: grantType, requestID: flow.requestIDMember, requestID)
        return try await backchannel.post(form, to: tokenEndpoint)
    }

    /// What the answer to a poll is taken in with.
    func pollOutcome(_ response: HTTPResponse, at instant: Instant) async throws
        -> PollInput.Outcome
    {
        guard case .tokens = PollAnswer.process(response, at: instant) else {
            return .answered(response, nil)
        }
        do {
            let (_, keySet) = try await documents.keySet(discovery)
            let (input, _) = input(
                .endpoint(tokenEndpoint, response), keySet,
                traceID: backchannel.traceID(of: response))
            return .answered(response, .success(input))
        } catch let failure as FlowFailure {
            return .answered(response, .failure(failure))
        }
    }

    /// The provider's id for what it answered, as far as it may stand in the clear.
    func traceID(of response: HTTPResponse) -> String? { backchannel.traceID(of: response) }

    private var tokenEndpoint: String {
        discovery.endpoint(
            "token_endpoint", otherwise: discovery.tokenEndpoint,
            usesCertificate: usesCertificate)
    }

    // MARK: - Verdict

    /// Checks an ID token that was recorded. A key that is not known yet gets one more look: the
    /// provider may have changed its keys a moment ago.
    ///
    /// - Parameter accessToken: for UserInfo; nil when there is none any more.
    func verify(_ driver: inout SessionDriver, accessToken: String?) async throws {
        guard driver.state.phase == .tokenIssued, let digest = driver.state.keySetDigest,
            let policyDigest = driver.state.policyDigest
        else { return }
        // The policy that was recorded with the token counts, also if this program is a later one
        // that would make another.
        let policy = try documents.archivedPolicy(policyDigest)
        var isReplayed: Bool?
        if !flow.usesRedirect, let token = driver.state.secrets.idToken {
            isReplayed = try log.subjects(of: .idToken, token)
                .contains { !$0.isIdentical(to: driver.subject) }
        }
        var input = VerificationInput(
            keys: try documents.archivedKeySet(digest, policy.keyLimits),
            keySetDigest: digest, policy: policy, policyDigest: policyDigest,
            subjectClaims: profile.checks.subjectClaims, isReplayed: isReplayed)
        if let token = driver.state.secrets.idToken,
            let keyID = Self.lackingKey(token, input.keys)
        {
            do {
                let (_, fresh) =
                    flow == .implicit
                    ? try await documents.keySetThrottled(discovery, lacking: keyID)
                    : try await documents.keySet(discovery, lacking: keyID)
                input.keys = try documents.archivedKeySet(fresh.digest, policy.keyLimits)
                input.keySetDigest = fresh.digest
            } catch is FlowFailure {
                // The keys at hand decide.
            }
        }
        // Nothing more is asked of a provider whose token was refused.
        if asksForMore(driver.state),
            let token = try TokenVerification.acceptedToken(input, in: driver.state)
        {
            input.supplements = try await supplements(token, input, driver.state, accessToken)
        }
        try await driver.apply(.verifyToken(input))
    }

    /// The key that a token names, unless it is in the set.
    private static func lackingKey(_ token: String, _ keys: JSONWebKeySet) -> String? {
        guard let keyID = try? CompactJWS(parsing: Array(token.utf8)).header.keyID else {
            return nil
        }
        return keys.has(keyID: keyID) ? nil : keyID
    }

    // MARK: - Supplements

    /// Whether anything is asked for once the token is accepted.
    private func asksForMore(_ state: SessionState) -> Bool {
        profile.request.userInfo == .fetch || state.secrets.permissionID != nil
    }

    private func supplements(
        _ token: IDToken, _ input: VerificationInput, _ state: SessionState,
        _ accessToken: String?
    ) async throws -> Supplements? {
        var supplements = Supplements()
        do {
            if profile.request.userInfo == .fetch {
                try await fetchUserInfo(token, input, accessToken, &supplements)
            }
            if let permissionID = state.secrets.permissionID, let settings = profile.permissions {
                let client = PermissionClient(
                    capabilities: capabilities, profile: profile, settings: settings,
                    backchannel: backchannel)
                supplements.grant = try await client.grant(
                    permissionID, discovery, &supplements.exchanges)
            }
        } catch let failure as FlowFailure {
            supplements.failure = failure
        }
        return supplements
    }

    private func fetchUserInfo(
        _ token: IDToken, _ input: VerificationInput, _ accessToken: String?,
        _ supplements: inout Supplements
    ) async throws {
        guard case .value(let subject) = token.subject else { return }
        guard let announced = discovery.userInfoEndpoint else {
            throw FlowFailure(.flowUnsupported)
        }
        // It was with the process that got it, and is not kept anywhere else.
        guard let accessToken else { throw FlowFailure(.resultLost) }
        let endpoint = discovery.endpoint(
            "userinfo_endpoint", otherwise: announced, usesCertificate: usesCertificate)
        let request = UserInfo.request(
            endpoint: endpoint, accessToken: accessToken, limits: backchannel.client.limits,
            extraFields: backchannel.client.extraFields)
        let response = try await backchannel.exchange(
            "userinfo", endpoint, noting: &supplements.exchanges
        ) { try await capabilities.send(request) }
        supplements.userInfoResponse = response.recorded(body: response.body)
        supplements.userInfo = try UserInfo.process(
            response,
            UserInfo.Expectations(
                issuer: discovery.issuer, clientID: profile.registration.clientID,
                subject: subject,
                algorithms: input.policy.algorithms.compactMap { SignatureAlgorithm(name: $0) }),
            keys: input.keys)
    }
}
