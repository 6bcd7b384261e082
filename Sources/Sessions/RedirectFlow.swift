// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import LedgerPrimitives
public import OpenIDConnect
public import SessionEvents

/// What happens up to the moment when the user comes back, in every flow that goes through the
/// browser.
enum RedirectFlow {
    static func initiate(_ parameters: LoginParameters) -> SessionStep {
        let request = parameters.request
        let challenge = request.codeVerifier.flatMap { Digest(PKCE.challenge(of: $0)[...]) }
        let isImplicit = request.responseType.isImplicit
        let event = Initiated(
            provider: parameters.provider, environment: parameters.environment,
            issuer: parameters.issuer, clientID: request.registration.clientID,
            flow: parameters.flow, scope: request.registration.scope,
            acrValues: request.acrValues,
            redirectURI: EndpointURL.withoutQuery(request.registration.redirectURI),
            responseType: isImplicit ? request.responseType.rawValue : nil,
            responseMode: request.effectiveResponseMode.rawValue,
            isLegacy: isImplicit ? true : nil, codeChallenge: challenge,
            profileDigest: parameters.profile.digest)
        var sealed = parameters.userAgent
        sealed["state"] = .string(request.state)
        sealed["nonce"] = .string(request.nonce)
        sealed["codeVerifier"] = request.codeVerifier.map { .string($0) }
        sealed["loginHint"] = request.loginHint.map { .string($0) }
        sealed["visitorID"] = parameters.visitorID.map { .string($0) }
        sealed["permission"] = parameters.permission.map { .object($0) }
        return SessionStep(
            .initiated(event), sealed: sealed, documents: [parameters.profile.bytes])
    }

    /// After a selection the event names the issuer, which nobody knew at the beginning.
    static func redirect(_ redirection: Redirection, in state: SessionState) -> SessionStep {
        let isSelector = redirection.to == .accountSelector
        return SessionStep(
            .redirected(
                Redirected(
                    to: redirection.to, endpoint: EndpointURL.withoutQuery(redirection.endpoint),
                    issuer: state.isChoosingAccount ? state.issuer : nil,
                    usedPAR: isSelector ? nil : redirection.usedPAR,
                    discoveryDigest: redirection.discoveryDigest,
                    traceID: redirection.exchanges.last { $0.traceID != nil }?.traceID,
                    exchanges: redirection.exchanges.isEmpty ? nil : redirection.exchanges)),
            sealed: redirection.sealed.isEmpty ? nil : redirection.sealed)
    }

    /// The answer is recorded in any case; when it is not what the session waits for, the session
    /// ends there. The issuer is taken from our own list, never from the answer.
    static func receiveSelection(
        _ input: SelectionInput, in state: SessionState
    ) throws(SessionRejection) -> [SessionStep] {
        guard state.phase == .redirected, state.awaitsSelection else {
            throw .notAwaitingCallback(state.phase)
        }
        guard let visitorID = state.secrets.visitorID else { throw .evidenceMissing }
        var event = CallbackReceived(
            from: .accountSelector, responseMode: ResponseMode.query.rawValue,
            stateBinding: input.binding)
        let parameters: CallbackParameters
        do {
            parameters = try CallbackParameters(input.input)
        } catch {
            return CallbackStep.refused(event, CallbackStep.raw(input.input), error)
        }
        var sealed = CallbackStep.sealed(parameters)
        for parameter in parameters.selection { sealed[parameter.name] = .string(parameter.value) }
        event.error = parameters.error.map(RegisteredNames.errorInClear)
        event.stateMatched = AccountSelector.visitorID(in: parameters).map {
            $0.isIdentical(to: visitorID)
        }
        do {
            let choice = try input.selector.choice(
                in: parameters, clientID: input.clientID, visitorID: visitorID)
            sealed["chosenIssuer"] = .string(choice.issuer)
            return [SessionStep(.callback(event), sealed: sealed)]
        } catch {
            return CallbackStep.refused(event, sealed, error)
        }
    }
}

extension SessionStep {
    /// The end of a session at some stage.
    init(
        failed stage: Stage, _ failure: FlowFailure, exchanges: [Exchange] = [],
        checks: [Check]? = nil, checksVersion: Int? = nil, keySetDigest: Digest? = nil,
        policyDigest: Digest? = nil
    ) {
        let event = Failed(
            stage: stage, reason: FailureReason(failure.reason),
            error: failure.error.map(RegisteredNames.errorInClear), checks: checks,
            checksVersion: checksVersion, policyDigest: policyDigest, keySetDigest: keySetDigest,
            exchanges: exchanges.isEmpty ? nil : exchanges)
        var sealed = JSONObject()
        if let error = failure.providerError {
            if !RegisteredNames.errors.containsIdentical(error.code) {
                sealed["error"] = .string(error.code)
            }
            // Of a callback, the event before has it.
            if stage != .callback {
                sealed["errorDescription"] = error.description.map { .string($0) }
            }
        }
        self.init(.failed(event), sealed: sealed.isEmpty ? nil : sealed)
    }
}

extension FailureReason {
    /// Every reason of a flow is in the catalogue; a test holds it.
    public init(_ reason: FlowFailureReason) {
        guard let known = FailureReason(reason.rawValue) else {
            preconditionFailure("\(reason.rawValue) is not in the catalogue")
        }
        self = known
    }

    /// Every reason of a token check is in the catalogue; a test holds it.
    public init(_ reason: TokenFailureReason) {
        guard let known = FailureReason(reason.rawValue) else {
            preconditionFailure("\(reason.rawValue) is not in the catalogue")
        }
        self = known
    }
}
