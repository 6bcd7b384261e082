// SPDX-License-Identifier: Apache-2.0

internal import EventLog
internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents
internal import Sessions

/// What a decision was made from, as far as it was recorded.
enum RecordedInput {
    /// The command, with the events that it is to lead to again: so many.
    case command(SessionCommand, events: Int)
    /// Not recorded, such as an answer that never came: the decision is taken over.
    case notRecorded
}

/// Puts the commands of a session together again from what its events recorded.
struct InputReader {
    let documents: RecordedDocuments
    let profile: RecordedProfile?
    let discovery: DiscoveryDocument?
    let state: SessionState
    /// The events from the one on whose command is asked for.
    let steps: ArraySlice<RecordedStep>

    private var step: RecordedStep { steps[steps.startIndex] }

    /// The failure that the same command led to, where the next event is one of this stage.
    private func failure(at stage: Stage) -> (event: Failed, sealed: JSONObject)? {
        guard let next = steps.dropFirst().first, case .failed(let failed) = next.event,
            failed.stage == stage
        else { return nil }
        return (failed, next.sealed)
    }

    private var reasonTexts: [ReasonText] { profile?.reasonTexts ?? [] }

    func read() throws -> RecordedInput {
        switch step.event {
        case .initiated(let event): return .command(initiate(event), events: 1)
        case .redirected(let event): return .command(redirect(event), events: 1)
        case .callback(let event): return try callback(event)
        case .polled(let event): return polled(event)
        case .tokenIssued(let event): return try tokens(event)
        case .verified(let event):
            return try verification(event.keySetDigest, event.policyDigest, event.checks, nil)
        case .failed(let event): return try failed(event)
        }
    }

    // MARK: - Beginning

    private func initiate(_ event: Initiated) -> SessionCommand {
        let sealed = step.sealed
        let archived = ArchivedDocument(
            digest: event.profileDigest ?? Digest(ofDocument: []), bytes: [])
        if !event.flow.usesRedirect {
            var request = BackchannelRequest(
                kind(sealed), scope: event.scope ?? "", acrValues: event.acrValues)
            request.bindingMessage = sealed["bindingMessage"]?.stringValue
            request.requestedExpirySeconds = event.requestedExpirySeconds
            request.authorizationDetails = sealed["authorizationDetails"]
            return .initiateBackchannel(
                BackchannelParameters(
                    provider: event.provider, environment: event.environment,
                    issuer: event.issuer ?? "", clientID: event.clientID, request: request,
                    profile: archived))
        }
        let request = AuthorizationRequest(
            registration: ClientRegistration(
                clientID: event.clientID, authentication: .none,
                redirectURI: event.redirectURI ?? "", scope: event.scope ?? ""),
            responseType: event.responseType.flatMap { ResponseType(rawValue: $0) } ?? .code,
            responseMode: event.responseMode.flatMap { ResponseMode(rawValue: $0) },
            state: sealed["state"]?.stringValue ?? "", nonce: sealed["nonce"]?.stringValue ?? "",
            codeVerifier: sealed["codeVerifier"]?.stringValue, acrValues: event.acrValues,
            loginHint: sealed["loginHint"]?.stringValue)
        return .initiate(
            LoginParameters(
                provider: event.provider, environment: event.environment, issuer: event.issuer,
                flow: event.flow, request: request, profile: archived,
                visitorID: sealed["visitorID"]?.stringValue,
                permission: sealed["permission"]?.objectValue))
    }

    private func kind(_ sealed: JSONObject) -> BackchannelRequest.Kind {
        if let address = sealed["endUserIP"]?.stringValue { return .headless(endUserIP: address) }
        if let token = sealed["loginHintToken"]?.stringValue {
            return .ciba(.loginHintToken(token))
        }
        if let token = sealed["idTokenHint"]?.stringValue { return .ciba(.idTokenHint(token)) }
        return .ciba(.loginHint(sealed["loginHint"]?.stringValue ?? ""))
    }

    private func redirect(_ event: Redirected) -> SessionCommand {
        .redirect(
            Redirection(
                endpoint: event.endpoint, discoveryDigest: event.discoveryDigest, to: event.to,
                usedPAR: event.usedPAR ?? false, exchanges: event.exchanges ?? [],
                sealed: step.sealed))
    }

    // MARK: - Callback

    /// The parameters that came, as a query again. An access token was not kept; that there was
    /// one shows in what followed.
    private func query(signed response: String? = nil) -> String {
        if let raw = step.sealed["raw"]?.stringValue { return raw }
        if let response { return FormEncoding.encode([.init("response", response)]) }
        let names = [
            ("state", "state"), ("code", "code"), ("error", "error"),
            ("errorDescription", "error_description"), ("iss", "iss"), ("idToken", "id_token"),
            ("response", "response"), ("client_id", "client_id"), ("idp_id", "idp_id"),
            ("idpartner_token", "idpartner_token"), ("visitor_id", "visitor_id"),
        ]
        var parameters = names.compactMap { name, parameter in
            step.sealed[name]?.stringValue.map { FormEncoding.Parameter(parameter, $0) }
        }
        let isRefused = failure(at: .callback)?.event.reason
        if responseType == .idTokenAndToken, isRefused == nil {
            parameters.append(.init("access_token", "withheld"))
            parameters.append(.init("token_type", "Bearer"))
        }
        return FormEncoding.encode(parameters)
    }

    private var responseType: ResponseType {
        state.responseType.flatMap(ResponseType.init(rawValue:)) ?? .code
    }

    private func callback(_ event: CallbackReceived) throws -> RecordedInput {
        let refusal = failure(at: .callback)
        let events = refusal == nil ? 1 : 2
        let binding = event.stateBinding ?? .none
        if event.from == .accountSelector {
            guard let selector = profile?.accountSelector else { return .notRecorded }
            return .command(
                .receiveSelection(
                    SelectionInput(
                        input: query(), binding: binding, selector: selector,
                        clientID: step.sealed["client_id"]?.stringValue ?? "")),
                events: events)
        }
        guard let mode = event.responseMode.flatMap(ResponseMode.init(rawValue:)) else {
            return .notRecorded
        }
        let signed = try signed(event)
        // What stood beside a response that was not taken is not told apart from what was in it.
        guard !mode.isSigned || signed != nil || step.sealed["response"] == nil else {
            return .notRecorded
        }
        return .command(
            .receiveCallback(
                CallbackInput(
                    input: query(signed: signed?.response.token), responseMode: mode,
                    responseType: responseType, binding: binding,
                    promisesIssuer: discovery?.promisesIssuerInResponse ?? false, signed: signed,
                    reasonTexts: reasonTexts)), events: events)
    }

    private func signed(_ event: CallbackReceived) throws -> CallbackInput.Signed? {
        guard event.checks != nil, let response = step.sealed["response"]?.stringValue,
            let keySetDigest = event.keySetDigest, let policyDigest = event.policyDigest,
            let keys = try documents.keySet(keySetDigest, JSONWebKeyLimits()),
            let expectations = try documents.responseExpectations(policyDigest)
        else { return nil }
        return CallbackInput.Signed(
            response: OpenedToken(token: response, encryption: event.encryption), keys: keys,
            keySetDigest: keySetDigest, expectations: expectations,
            policy: ArchivedDocument(digest: policyDigest, bytes: []), instant: step.time)
    }

    // MARK: - Tokens

    private func tokens(_ event: TokenIssued) throws -> RecordedInput {
        guard let idToken = step.sealed["idToken"]?.stringValue,
            let keySet = event.keySetDigest, let policy = event.policyDigest
        else { return .notRecorded }
        let origin: TokenInput.Origin
        if let endpoint = event.endpoint {
            guard let response = recordedResponse(step.sealed["response"]) else {
                return .notRecorded
            }
            origin = .endpoint(endpoint, response.lasting(event.durationMilliseconds))
        } else {
            origin = .callback(TokenResponse(recordedIDToken: idToken))
        }
        var input = TokenInput(
            origin,
            opened: event.encryption.map { OpenedToken(token: idToken, encryption: $0) },
            keySet: ArchivedDocument(
                digest: keySet, bytes: try documents.document(keySet) ?? []),
            policy: ArchivedDocument(digest: policy, bytes: []), traceID: event.traceID,
            reasonTexts: reasonTexts)
        guard let attempt = event.attempt, case .endpoint(_, let response) = origin else {
            return .command(.receiveTokens(input), events: 1)
        }
        input.poll = TokenInput.Poll(attempt: attempt, hasGap: event.hasGap ?? false)
        return .command(
            .receivePoll(
                PollInput(
                    attempt: attempt, hasGap: event.hasGap ?? false,
                    .answered(response, .success(input)), at: step.time, isLate: false,
                    traceID: event.traceID, reasonTexts: reasonTexts)), events: 1)
    }

    private func recordedResponse(_ recorded: JSONValue?) -> HTTPResponse? {
        guard let members = recorded?.objectValue, let status = members["status"]?.integerValue,
            let body = members["body"]?.stringValue.flatMap({ Base64URL.decode($0) })
        else { return nil }
        return HTTPResponse(
            status: Int(status),
            fields: members["mediaType"]?.stringValue.map { [HTTPField("Content-Type", $0)] } ?? [],
            body: body)
    }

    // MARK: - Polls

    private func polled(_ event: Polled) -> RecordedInput {
        if event.status == .accepted {
            guard let endpoint = event.endpoint, let digest = event.discoveryDigest,
                let response = recordedResponse(step.sealed["response"]), let flow = state.flow
            else { return .notRecorded }
            let standard = BackchannelAcceptance.standardIntervalSeconds
            return .command(
                .receiveAcceptance(
                    AcceptanceInput(
                        flow: flow, endpoint: endpoint,
                        response: response.lasting(event.durationMilliseconds),
                        discoveryDigest: digest,
                        standardIntervalSeconds: flow == .headless
                            ? profile?.headlessPollSeconds ?? standard : standard,
                        exchanges: event.exchanges ?? [], traceID: event.traceID,
                        reasonTexts: reasonTexts)), events: 1)
        }
        guard let outcome = pollOutcome(event) else { return .notRecorded }
        return .command(
            .receivePoll(
                PollInput(
                    attempt: event.attempt, hasGap: event.hasGap ?? false, outcome, at: step.time,
                    isLate: false, traceID: event.traceID, reasonTexts: reasonTexts)),
            events: event.status == .error ? 2 : 1)
    }

    /// The answer of which the event tells. Of one that asks for patience nothing else was in it;
    /// of a failing one the error and its text were.
    private func pollOutcome(_ event: Polled) -> PollInput.Outcome? {
        guard let status = event.httpStatus else {
            return event.status == .unavailable
                ? .unanswered(FlowFailure(.providerOutage)) : nil
        }
        var members = JSONObject()
        switch event.status {
        case .pending, .slowDown:
            members["error"] = .string(
                event.status == .pending ? "authorization_pending" : "slow_down")
            let said = step.sealed["pollDescription"]?.stringValue ?? state.secrets.pollDescription
            let hint = event.hint.map {
                $0.isIdentical(to: RegisteredNames.other) ? said ?? $0 : $0
            }
            if let data = step.sealed["acrData"]?.objectValue ?? currentAcrData(event, hint) {
                members["acr_data"] = .object(data)
            } else {
                members["error_description"] = hint.map { .string($0) }
            }
            members["interval"] = event.intervalSeconds.map { .integer(Int64($0)) }
        case .unavailable:
            return .answered(
                HTTPResponse(
                    status: status,
                    fields: event.intervalSeconds.map { [HTTPField("Retry-After", "\($0)")] } ?? []
                ).lasting(event.durationMilliseconds), nil)
        case .error:
            guard let failed = failure(at: .polling),
                let error = failed.sealed["error"]?.stringValue ?? event.error
            else { return nil }
            members["error"] = .string(error)
            members["error_description"] = failed.sealed["errorDescription"]
        case .accepted:
            return nil
        }
        let response = HTTPResponse(
            status: status, fields: [HTTPField("Content-Type", "application/json")],
            body: CanonicalJSON.encode(members))
        return .answered(response.lasting(event.durationMilliseconds), nil)
    }

    /// What opens the eID, where it came again as it was and so was not recorded again.
    private func currentAcrData(_ event: Polled, _ hint: String?) -> JSONObject? {
        guard let data = state.secrets.acrData, let hint, let known = AcrData.hintCode(in: data),
            known.isIdentical(to: hint)
        else { return nil }
        return data
    }

    // MARK: - Verdict

    private func verification(
        _ keySetDigest: Digest?, _ policyDigest: Digest?, _ checks: [Check]?,
        _ failure: FlowFailure?
    ) throws -> RecordedInput {
        guard
            var input = try verificationInput(keySetDigest, policyDigest, checks)
        else { return .notRecorded }
        if let failure {
            input.supplements = Supplements(
                exchanges: step.event.recordedExchanges, failure: failure)
        } else if case .verified = step.event {
            guard let supplements = try supplements(input) else { return .notRecorded }
            input.supplements = supplements
        }
        return .command(.verifyToken(input), events: 1)
    }

    /// What the ID token was checked with; nil when a document is missing.
    func verificationInput(
        _ keySetDigest: Digest?, _ policyDigest: Digest?, _ checks: [Check]?
    ) throws -> VerificationInput? {
        guard let keySetDigest = keySetDigest ?? state.keySetDigest,
            let policyDigest = policyDigest ?? state.policyDigest,
            let policy = try documents.policy(policyDigest),
            let keys = try documents.keySet(keySetDigest, policy.keyLimits)
        else { return nil }
        // Whether the token had come before can only be known from what was recorded of it.
        let replay = checks?.first { $0.name == TokenCheck.replay.rawValue }?.outcome
        return VerificationInput(
            keys: keys, keySetDigest: keySetDigest, policy: policy, policyDigest: policyDigest,
            subjectClaims: profile?.subjectClaims ?? ["sub"],
            isReplayed: replay.flatMap {
                $0 == .passed ? false : $0 == .failed ? true : nil
            })
    }

    /// What completed a login that was verified; nil when the answer was too large to be kept.
    private func supplements(_ input: VerificationInput) throws -> Supplements? {
        let exchanges = step.event.recordedExchanges
        var supplements = Supplements(
            grant: step.sealed["grant"]?.stringValue, exchanges: exchanges)
        guard exchanges.contains(where: { $0.purpose == "userinfo" }) else { return supplements }
        guard let response = recordedResponse(step.sealed["userInfoResponse"]),
            let token = try? TokenVerification.acceptedToken(input, in: state),
            case .value(let subject) = token.subject
        else { return nil }
        supplements.userInfoResponse = step.sealed["userInfoResponse"]?.objectValue
        do throws(FlowFailure) {
            supplements.userInfo = try UserInfo.process(
                response,
                UserInfo.Expectations(
                    issuer: input.policy.issuer, clientID: input.policy.audience, subject: subject,
                    algorithms: input.policy.algorithms.compactMap {
                        SignatureAlgorithm(name: $0)
                    }),
                keys: input.keys)
        } catch {
            supplements.failure = error
        }
        return supplements
    }

    private func failed(_ event: Failed) throws -> RecordedInput {
        let reason = FlowFailureReason(rawValue: event.reason.code)
        switch event.stage {
        case .verification where reason == .permissionRefused, .userinfo:
            guard let reason else { return .notRecorded }
            return try verification(
                event.keySetDigest, event.policyDigest, event.checks,
                FlowFailure(reason, error: providerError(event)))
        case .verification:
            return try verification(event.keySetDigest, event.policyDigest, event.checks, nil)
        case .token:
            return tokenRefusal(event)
        case .discovery, .authorizationRequest, .callback, .polling:
            return .notRecorded
        }
    }

    /// A refusal by the token endpoint: what is known of it is its error and its text.
    private func tokenRefusal(_ event: Failed) -> RecordedInput {
        guard let exchange = event.exchanges?.last, let status = exchange.status,
            let error = providerError(event)
        else { return .notRecorded }
        var members: JSONObject = ["error": .string(error.code)]
        members["error_description"] = error.description.map { .string($0) }
        let response = HTTPResponse(
            status: status, fields: [HTTPField("Content-Type", "application/json")],
            body: CanonicalJSON.encode(members)
        ).lasting(exchange.durationMilliseconds)
        let nothing = ArchivedDocument(digest: Digest(ofDocument: []), bytes: [])
        return .command(
            .receiveTokens(
                TokenInput(
                    .endpoint(exchange.endpoint, response), keySet: nothing, policy: nothing,
                    traceID: exchange.traceID, reasonTexts: reasonTexts)), events: 1)
    }

    private func providerError(_ event: Failed) -> ProviderError? {
        (step.sealed["error"]?.stringValue ?? event.error).map {
            ProviderError($0, description: step.sealed["errorDescription"]?.stringValue)
        }
    }
}

extension HTTPResponse {
    /// The same answer, which took so long.
    fileprivate func lasting(_ milliseconds: Int?) -> HTTPResponse {
        var response = self
        response.durationMilliseconds = milliseconds ?? 0
        return response
    }
}

extension SessionEvent {
    /// The requests that were made on the way to a verdict.
    fileprivate var recordedExchanges: [Exchange] {
        switch self {
        case .verified(let event): event.exchanges ?? []
        case .failed(let event): event.exchanges ?? []
        case .initiated, .redirected, .callback, .polled, .tokenIssued: []
        }
    }
}
