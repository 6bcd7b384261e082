// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives
internal import SessionEvents

extension SessionStory {
    private typealias Field = HTTPArchiveEntry.Field

    /// Every exchange of the login, in order: those of the browser, the flow's own, and those
    /// beside it.
    var exchanges: [HTTPArchiveEntry] {
        steps.indices.flatMap { index -> [HTTPArchiveEntry] in
            let step = steps[index]
            let own = own(step, next: index + 1 < steps.count ? steps[index + 1] : nil)
            return beside(step, before: own?.startedAt ?? step.time) + (own.map { [$0] } ?? [])
        }
    }

    // MARK: - Beside the flow

    /// What was sent on the way to an event. When each began is told from the end, when the answer
    /// to the last one was there.
    private func beside(_ step: Step, before end: Instant) -> [HTTPArchiveEntry] {
        var end = end
        return step.event.exchanges.reversed().map { exchange in
            let duration = exchange.durationMilliseconds.map { Int64($0) }
            end = end.advanced(byMilliseconds: -(duration ?? 0))
            var entry = HTTPArchiveEntry(
                step: step, sender: .relyingParty, purpose: exchange.purpose,
                url: exchange.endpoint, startedAt: end, milliseconds: duration,
                status: exchange.status)
            describe(&entry)
            entry.details["traceID"] = exchange.traceID.map { .string($0) }
            return entry
        }.reversed()
    }

    /// How such a request is made.
    private func describe(_ entry: inout HTTPArchiveEntry) {
        switch entry.purpose {
        case "par":
            entry.method = "POST"
            entry.body = .form(authorizationParameters)
        case "token":
            entry.method = "POST"
            entry.body = .form(codeParameters)
        case "backchannel":
            entry.method = "POST"
            entry.body = .form(backchannelParameters)
        case "permission-token":
            entry.method = "POST"
            entry.body = .form([Field("grant_type", "client_credentials")].compactMap(\.self))
        case "permission":
            entry.method = "POST"
            entry.headers = [Field(withheld: "Authorization")]
            entry.body = .json
        case "userinfo", "grant":
            entry.method = "GET"
            entry.headers = [Field(withheld: "Authorization")]
        case "grant-keys", "permission-issuer": entry.method = "GET"
        // Other programs report purposes of their own.
        default: break
        }
    }

    // MARK: - The flow's own

    /// The exchange that an event itself is; nil where it is none.
    private func own(_ step: Step, next: Step?) -> HTTPArchiveEntry? {
        switch step.event {
        case .redirected(let payload): redirect(step, payload, next: next)
        case .callback(let payload): callback(step, payload)
        case .polled(let payload): poll(step, payload)
        case .tokenIssued(let payload): tokens(step, payload)
        case .initiated, .verified, .failed: nil
        }
    }

    /// The browser at the provider or the account selector, until it came back.
    private func redirect(_ step: Step, _ payload: Redirected, next: Step?) -> HTTPArchiveEntry {
        let query: [Field] =
            if payload.to == .accountSelector {
                [Field("client_id", initiated?.payload.clientID)].compactMap(\.self)
                    + [Field(withheld: "visitor_id")]
            } else if payload.usedPAR == true {
                [Field("client_id", initiated?.payload.clientID)].compactMap(\.self)
                    + [Field(withheld: "request_uri")]
            } else {
                authorizationParameters
            }
        var away: Int64?
        if case .callback? = next?.event { away = next?.waitMilliseconds }
        var entry = HTTPArchiveEntry(
            step: step, sender: .browser, purpose: payload.to?.rawValue ?? "authorization",
            method: "GET", url: payload.endpoint, query: query, startedAt: step.time,
            milliseconds: away.flatMap { $0 < 0 ? nil : $0 }, status: nil)
        entry.details["traceID"] = payload.traceID.map { .string($0) }
        return entry
    }

    /// The browser that came back.
    private func callback(_ step: Step, _ payload: CallbackReceived) -> HTTPArchiveEntry {
        let isForm = payload.responseMode.map { $0.hasPrefix("form_post") } ?? false
        let fields = answerParameters(payload)
        var entry = HTTPArchiveEntry(
            step: step, sender: .browser, purpose: "callback", method: isForm ? "POST" : "GET",
            url: initiated?.payload.redirectURI, startedAt: step.time, milliseconds: nil,
            status: nil)
        if isForm { entry.body = .form(fields) } else { entry.query = fields }
        entry.details["error"] = payload.error.map { .string($0) }
        entry.details["responseMode"] = payload.responseMode.map { .string($0) }
        entry.details["stateMatched"] = payload.stateMatched.map { .bool($0) }
        entry.details["traceID"] = payload.traceID.map { .string($0) }
        return entry
    }

    /// The request of a flow without a browser, or asking for what came of it.
    private func poll(_ step: Step, _ payload: Polled) -> HTTPArchiveEntry {
        let isRequest = payload.attempt == 0
        var entry = posted(
            step, purpose: isRequest ? "backchannel" : "poll",
            to: isRequest ? payload.endpoint : payload.endpoint ?? tokenIssued?.payload.endpoint,
            isRequest ? backchannelParameters : pollParameters, payload.durationMilliseconds,
            payload.httpStatus)
        entry.details["attempt"] = .integer(Int64(payload.attempt))
        entry.details["error"] = payload.error.map { .string($0) }
        entry.details["gap"] = payload.hasGap.map { .bool($0) }
        entry.details["hint"] = payload.hint.map { .string($0) }
        entry.details["pollStatus"] = .string(payload.status.rawValue)
        entry.details["traceID"] = payload.traceID.map { .string($0) }
        return entry
    }

    /// The exchange of the code, or the poll that brought the tokens. In the implicit flow they
    /// came with the callback.
    private func tokens(_ step: Step, _ payload: TokenIssued) -> HTTPArchiveEntry? {
        let flow = initiated?.payload.flow
        guard flow != .implicit || payload.endpoint != nil else { return nil }
        let isPoll = !(flow?.usesRedirect ?? true)
        var entry = posted(
            step, purpose: "token", to: payload.endpoint,
            isPoll ? pollParameters : codeParameters, payload.durationMilliseconds,
            payload.httpStatus)
        entry.details["attempt"] = payload.attempt.map { .integer(Int64($0)) }
        entry.details["gap"] = payload.hasGap.map { .bool($0) }
        entry.details["traceID"] = payload.traceID.map { .string($0) }
        return entry
    }

    private func posted(
        _ step: Step, purpose: String, to url: String?, _ fields: [Field], _ duration: Int?,
        _ status: Int?
    ) -> HTTPArchiveEntry {
        HTTPArchiveEntry(
            step: step, sender: .relyingParty, purpose: purpose, method: "POST", url: url,
            body: .form(fields),
            startedAt: step.time.advanced(byMilliseconds: -Int64(duration ?? 0)),
            milliseconds: duration.map { Int64($0) }, status: status)
    }

    // MARK: - Parameters

    /// Of a request for authorization, those that every provider is sent.
    private var authorizationParameters: [Field] {
        guard let begun = initiated?.payload else { return [] }
        let challenge = begun.codeChallenge?.base64URL
        // Where the events do not name it, the flow has but one.
        let type = begun.responseType ?? (begun.flow == .implicit ? nil : "code")
        return [
            Field("response_type", type), Field("client_id", begun.clientID),
            Field("redirect_uri", begun.redirectURI), Field("scope", begun.scope),
            Field(withheld: "state"), Field(withheld: "nonce"),
            Field("response_mode", begun.responseMode), Field("code_challenge", challenge),
            Field("code_challenge_method", challenge.map { _ in "S256" }),
            Field("acr_values", begun.acrValues),
        ].compactMap(\.self)
    }

    /// Of an answer that came through the browser.
    private func answerParameters(_ payload: CallbackReceived) -> [Field] {
        // What an account selector answers with is not the provider's.
        if payload.from == .accountSelector {
            return [Field("error", payload.error)].compactMap(\.self)
        }
        if payload.algorithm != nil { return [Field(withheld: "response")] }
        let state = payload.stateMatched.map { _ in Field(withheld: "state") }
        if let error = payload.error {
            return [Field("error", error), state].compactMap(\.self)
        }
        return answerNames.map { Field(withheld: $0) } + [state].compactMap(\.self)
    }

    /// The parameters that the response type asks for.
    private var answerNames: [String] {
        guard let begun = initiated?.payload else { return [] }
        let type = begun.responseType ?? (begun.flow == .implicit ? "id_token" : "code")
        let names = ["code": "code", "id_token": "id_token", "token": "access_token"]
        return type.split(separator: " ").compactMap { names[String($0)] }
    }

    private var codeParameters: [Field] {
        let begun = initiated?.payload
        let isProven = begun?.codeChallenge != nil || begun?.flow == .pkce
        return [
            Field("grant_type", "authorization_code"), Field(withheld: "code"),
            Field("redirect_uri", begun?.redirectURI),
            isProven ? Field(withheld: "code_verifier") : nil,
        ].compactMap(\.self)
    }

    /// Of a request without a browser, those that do not say whom it is about.
    private var backchannelParameters: [Field] {
        let begun = initiated?.payload
        return [
            Field("scope", begun?.scope), Field("acr_values", begun?.acrValues),
            Field("requested_expiry", begun?.requestedExpirySeconds.map { "\($0)" }),
        ].compactMap(\.self)
    }

    private var pollParameters: [Field] {
        initiated?.payload.flow == .headless
            ? [Field(withheld: "grant_type"), Field(withheld: "headless_req_id")]
            : [Field("grant_type", "urn:openid:params:grant-type:ciba")].compactMap(\.self)
                + [Field(withheld: "auth_req_id")]
    }
}
