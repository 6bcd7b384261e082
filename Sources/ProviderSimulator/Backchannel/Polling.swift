// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import LedgerPrimitives

extension SimulatedProvider {
    static let cibaGrantType = "urn:openid:params:grant-type:ciba"

    /// Where the requests are made that are polled with a grant type; nil when it is none of those
    /// with which this broker is polled.
    func polledEndpoint(_ grantType: String) -> ProviderEndpoint? {
        let endpoints = settings.broker.endpoints
        if grantType.isIdentical(to: Self.cibaGrantType) {
            return endpoints.first { $0 == .backchannelAuthentication }
        }
        if grantType.isIdentical(to: settings.backchannel.headlessGrantType) {
            return endpoints.first { $0 == .headless }
        }
        return nil
    }

    /// Answers a poll (CIBA Core §10.1, §11).
    mutating func poll(
        _ endpoint: ProviderEndpoint, _ form: FormParameters, client: RegisteredClient,
        noting received: inout ReceivedTokenRequest, in moment: Moment
    ) throws(OAuthError) -> ProviderAnswer {
        let parameter = endpoint == .headless ? "headless_req_id" : "auth_req_id"
        guard let id = form[parameter] else {
            throw OAuthError(.invalidRequest, "\(parameter) is missing")
        }
        received.requestID = id
        let name = Array(id.utf8)
        guard var request = backchannelRequests[name], request.endpoint == endpoint,
            request.clientID.isIdentical(to: client.id)
        else { throw refusalOfPoll(name) }
        let isEarly = polls.note(
            at: moment.now, due: request.dueAt, isFirst: request.pollCount == 0)
        let step = request.takePoll(
            isHasty: isEarly && settings.backchannel.slowsHaste, at: moment.now)
        switch step {
        case .pending, .slowDown, .interlude:
            let draft = waitingAnswer(&request, step, in: moment)
            backchannelRequests[name] = request
            received.error = draft.error
            return draft.answer
        case .expired, .ending:
            backchannelRequests[name] = nil
            finishedRequests[name] = FinishedRequest(
                pollCount: Int32(clamping: request.pollCount), hasExpired: step == .expired)
            let draft = try lastAnswer(request, id: id, step, client: client, in: moment)
            received.error = draft.error
            return draft.answer
        }
    }

    /// Why a poll is refused of a request that is over, or was never made by this client.
    private mutating func refusalOfPoll(_ name: [UInt8]) -> OAuthError {
        guard let finished = finishedRequests[name] else {
            return OAuthError(.invalidGrant, "there is no such request")
        }
        polls.count += 1
        finishedRequests[name]?.pollCount += 1
        return finished.hasExpired
            ? OAuthError(.expiredToken, "the request has expired")
            : OAuthError(.invalidGrant, "the request is over")
    }

    // MARK: - While the user is waited for

    private func waitingAnswer(
        _ request: inout BackchannelRequest, _ step: BackchannelRequest.Step, in moment: Moment
    ) -> AnswerDraft {
        var draft = AnswerDraft(JSONObject(), self)
        var waitSeconds = request.intervalSeconds
        var isAwaited = true
        switch step {
        case .slowDown:
            draft.refuse("slow_down", "the poll came too early")
        case .interlude(.outage(let seconds)):
            draft.becomePage("Come back later.", status: 503)
            draft.retryAfter(seconds, &waitSeconds)
        case .interlude(.tooMany(let seconds)):
            draft.becomePage("Not so many at once.", status: 429)
            draft.retryAfter(seconds, &waitSeconds)
        case .interlude(.page):
            draft.becomePage("Welcome.", status: 200)
        case .interlude(.silence):
            draft.refuse("authorization_pending", request.pendingDescription)
            draft.delayMilliseconds = draft.slowMilliseconds
            isAwaited = false
        default:
            draft.refuse("authorization_pending", request.pendingDescription)
            draft.members["acr_data"] = acrData(request, in: moment)
        }
        request.misbehaviour.spoilWaiting(&draft, poll: request.pollCount)
        let delay = isAwaited ? draft.delayMilliseconds : 0
        request.dueAt = moment.after(seconds: waitSeconds).advanced(byMilliseconds: Int64(delay))
        return draft
    }

    /// What a client shows during a Headless login, and how far the user is.
    private func acrData(_ request: BackchannelRequest, in moment: Moment) -> JSONValue? {
        let milliseconds =
            moment.now.millisecondsSince1970 - request.acceptedAt.millisecondsSince1970
        return request.code.map { code in
            .object([
                "qrData": .string(code.text(seconds: milliseconds / 1000)),
                "hintCode": .string(
                    request.pendingCount == 1 ? "outstandingTransaction" : "userSign"),
            ])
        }
    }

    // MARK: - When it is over

    private mutating func lastAnswer(
        _ request: BackchannelRequest, id: String, _ step: BackchannelRequest.Step,
        client: RegisteredClient, in moment: Moment
    ) throws(OAuthError) -> AnswerDraft {
        var draft = AnswerDraft(JSONObject(), self)
        switch step {
        case .ending(.approves):
            return try approve(request, id: id, client: client, in: moment)
        case .ending(.declines):
            draft.refuse("access_denied", "user declined")
        case .ending(.fails(let code, let description)):
            let isOfClient = code.isIdentical(to: OAuthError.Code.invalidClient.rawValue)
            draft.refuse(code, description, status: isOfClient ? 401 : 400)
        default:
            draft.refuse("expired_token", "the request has expired")
        }
        return draft
    }

    /// The tokens, as a code would have given them, but without a nonce.
    private mutating func approve(
        _ request: BackchannelRequest, id: String, client: RegisteredClient, in moment: Moment
    ) throws(OAuthError) -> AnswerDraft {
        var facts = request.facts
        facts.authenticatedAt = moment.now
        if let permission = request.permissionID {
            permissions[permission]?.grantedBy = facts.person.bankIDNumber
        }
        let isNamed =
            request.endpoint == .backchannelAuthentication && settings.broker != .idura
            && settings.backchannel.namesRequestInToken
        return try giveTokens(
            client, facts, request.misbehaviour, requestID: isNamed ? id : nil, in: moment
        ).draft
    }
}

extension AnswerDraft {
    /// Answers with an error of the token endpoint (RFC 6749 §5.2).
    mutating func refuse(_ code: String, _ description: String?, status: Int = 400) {
        self.status = status
        members = ["error": .string(code)]
        members["error_description"] = description.map(JSONValue.string)
    }

    /// Says when to come back, which counts where it is later than usual.
    fileprivate mutating func retryAfter(_ seconds: Int?, _ waitSeconds: inout Int) {
        guard let seconds else { return }
        fields.append(HTTPField("Retry-After", "\(seconds)"))
        waitSeconds = max(waitSeconds, seconds)
    }
}
