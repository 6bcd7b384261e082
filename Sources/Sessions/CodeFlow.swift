// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
public import OpenIDConnect
public import SessionEvents

/// What happens in the authorization code flow, with or without PKCE.
enum CodeFlow {
    /// How much is kept of a callback that cannot be read, in bytes.
    private static let rawBytesMax = 8192

    static func initiate(_ parameters: LoginParameters) -> SessionStep {
        let request = parameters.request
        let challenge = request.codeVerifier.flatMap { Digest(PKCE.challenge(of: $0)[...]) }
        let event = Initiated(
            provider: parameters.provider, issuer: parameters.issuer,
            clientID: request.registration.clientID, flow: parameters.flow,
            scope: request.registration.scope, acrValues: request.acrValues,
            redirectURI: EndpointURL.withoutQuery(request.registration.redirectURI),
            responseMode: "query", codeChallenge: challenge,
            profileDigest: parameters.profile.digest)
        var sealed = parameters.userAgent
        sealed["state"] = .string(request.state)
        sealed["nonce"] = .string(request.nonce)
        if let verifier = request.codeVerifier { sealed["codeVerifier"] = .string(verifier) }
        return SessionStep(
            .initiated(event), sealed: sealed, documents: [parameters.profile.bytes])
    }

    static func redirect(_ redirection: Redirection) -> SessionStep {
        SessionStep(
            .redirected(
                Redirected(
                    endpoint: EndpointURL.withoutQuery(redirection.endpoint), usedPAR: false,
                    discoveryDigest: redirection.discoveryDigest)))
    }

    /// The callback is recorded in any case; when it is not what the session waits for, the
    /// session ends there.
    static func receiveCallback(
        _ input: CallbackInput, in state: SessionState
    ) throws(SessionRejection) -> [SessionStep] {
        guard state.phase == .redirected else { throw .notAwaitingCallback(state.phase) }
        guard let expected = state.secrets.state, let issuer = state.issuer else {
            throw .evidenceMissing
        }
        var event = CallbackReceived(
            responseMode: input.responseMode, stateBinding: input.binding)
        let parameters: CallbackParameters
        do {
            parameters = try CallbackParameters(input.input)
        } catch {
            // Bytes are counted, not characters, and one that is cut off becomes three.
            let raw = String(decoding: input.input.utf8.prefix(rawBytesMax - 2), as: UTF8.self)
            return [
                SessionStep(.callback(event), sealed: ["raw": .string(raw)]),
                SessionStep(failed: .callback, error),
            ]
        }
        var sealed = JSONObject()
        for (name, value) in parameters.values {
            sealed[name] = .string(value)
        }
        event.error = parameters.error.map(RegisteredNames.errorInClear)
        event.stateMatched = parameters.state.map { $0.isIdenticalInConstantTime(to: expected) }
        let received = SessionStep(.callback(event), sealed: sealed)
        let pending = PendingAuthorization(
            state: expected, issuer: issuer, promisesIssuer: input.promisesIssuer)
        do {
            _ = try pending.process(parameters)
            return [received]
        } catch {
            return [received, SessionStep(failed: .callback, error)]
        }
    }

    static func receiveTokens(_ input: TokenInput) -> [SessionStep] {
        do {
            let tokens = try TokenExchange.process(input.response)
            return [tokenIssued(tokens, input)]
        } catch {
            return [SessionStep(failed: .token, error)]
        }
    }

    private static func tokenIssued(_ tokens: TokenResponse, _ input: TokenInput) -> SessionStep {
        let header = try? CompactJWS(parsing: Array(tokens.idToken.utf8)).header
        let known = (try? JSONWebKeySet(parsing: input.keySet.bytes).keys.compactMap(\.keyID)) ?? []
        var sealed: JSONObject = ["idToken": .string(tokens.idToken)]
        var event = TokenIssued(
            endpoint: EndpointURL.withoutQuery(input.endpoint),
            tokenType: RegisteredNames.tokenTypes.containsIdentical(tokens.tokenType)
                ? tokens.tokenType : RegisteredNames.other,
            expiresInSeconds: tokens.expiresInSeconds, keySetDigest: input.keySet.digest,
            keySetSource: .own, policyDigest: input.policy.digest, policySource: .own,
            httpStatus: input.response.status,
            durationMilliseconds: input.response.durationMilliseconds)
        if let header {
            event.algorithm =
                RegisteredNames.algorithms.containsIdentical(header.algorithmName)
                ? header.algorithmName : RegisteredNames.other
            if let keyID = header.keyID {
                let clear = RegisteredNames.keyIDInClear(keyID, archived: known)
                event.keyID = clear
                if clear != keyID { sealed["keyID"] = .string(keyID) }
            }
            if let accessToken = tokens.accessToken, let algorithm = header.algorithm {
                sealed["accessTokenHash"] = .string(
                    LeftHalfHash.encode(accessToken, algorithm: algorithm))
            }
        }
        if let body = tokens.redacted(input.response.body),
            body.count <= TokenVerification.recordedBodyBytesMax
        {
            sealed["response"] = .object([
                "body": .string(Base64URL.encode(body)),
                "mediaType": .string(input.response.mediaType ?? ""),
                "status": .integer(Int64(input.response.status)),
            ])
        }
        return SessionStep(
            .tokenIssued(event), sealed: sealed,
            documents: [input.keySet.bytes, input.policy.bytes])
    }
}

extension SessionStep {
    /// The end of a session at some stage.
    init(failed stage: Stage, _ failure: FlowFailure) {
        let reason = FailureReason(failure.reason)
        let event = Failed(
            stage: stage, reason: reason, error: failure.error.map(RegisteredNames.errorInClear))
        let isRegistered = failure.error.map(RegisteredNames.errors.containsIdentical) ?? true
        self.init(
            .failed(event),
            sealed: isRegistered ? nil : failure.error.map { ["error": .string($0)] })
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
