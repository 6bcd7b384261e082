// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents

/// What a callback from the provider leads to.
enum CallbackStep {
    /// How much is kept of a callback that cannot be read, in bytes.
    private static let rawBytesMax = 8192

    /// The callback is recorded in any case; when it is not what the session waits for, the
    /// session ends there.
    ///
    /// Of a signed response, algorithm, signature, issuer, audience and expiry are checked before
    /// anything in it counts: then the state, an error, and the code last.
    static func receive(
        _ input: CallbackInput, in state: SessionState
    ) throws(SessionRejection) -> [SessionStep] {
        guard state.phase == .redirected, !state.awaitsSelection else {
            throw .notAwaitingCallback(state.phase)
        }
        guard let expected = state.secrets.state, let issuer = state.issuer else {
            throw .evidenceMissing
        }
        let pending = PendingAuthorization(
            state: expected, issuer: issuer, promisesIssuer: input.promisesIssuer,
            responseType: input.responseType)
        let event = CallbackReceived(
            responseMode: input.responseMode.rawValue, stateBinding: input.binding)
        let parameters: CallbackParameters
        do {
            parameters = try CallbackParameters(input.input, in: input.place)
        } catch {
            return refused(event, raw(input.input), error)
        }
        guard input.responseMode.isSigned else {
            return judge(parameters, event, sealed(parameters), pending, input)
        }
        return try receiveSigned(parameters, event, pending, input)
    }

    private static func receiveSigned(
        _ outer: CallbackParameters, _ event: CallbackReceived, _ pending: PendingAuthorization,
        _ input: CallbackInput
    ) throws(SessionRejection) -> [SessionStep] {
        var event = event
        var sealed = sealed(outer)
        sealed["response"] = outer.response.map { .string($0) }
        do {
            _ = try outer.signedResponse()
        } catch {
            return refused(event, sealed, error)
        }
        if let obstacle = input.obstacle { return refused(event, sealed, obstacle) }
        guard let signed = input.signed else { throw .evidenceMissing }
        let outcome = AuthorizationResponseJWT.verify(
            signed.response.token, keys: signed.keys, signed.expectations, at: signed.instant)
        sealed["response"] = .string(signed.response.token)
        event.describe(signed, outcome)
        guard let parameters = outcome.parameters else {
            return [
                SessionStep(.callback(event), sealed: sealed, documents: [signed.policy.bytes]),
                SessionStep(
                    failed: .callback, outcome.failure ?? FlowFailure(.jarmInvalid),
                    checks: event.checks, keySetDigest: event.keySetDigest,
                    policyDigest: event.policyDigest),
            ]
        }
        for member in Self.sealed(parameters).members { sealed[member.name] = member.value }
        // A signed response has named its issuer, which was checked.
        let promised = PendingAuthorization(
            state: pending.state, issuer: pending.issuer, promisesIssuer: false,
            responseType: pending.responseType)
        return judge(parameters, event, sealed, promised, input, documents: [signed.policy.bytes])
    }

    private static func judge(
        _ parameters: CallbackParameters, _ event: CallbackReceived, _ sealed: JSONObject,
        _ pending: PendingAuthorization, _ input: CallbackInput, documents: [[UInt8]] = []
    ) -> [SessionStep] {
        var event = event
        event.error = parameters.error.map(RegisteredNames.errorInClear)
        event.stateMatched = parameters.state.map {
            $0.isIdenticalInConstantTime(to: pending.state)
        }
        let received = SessionStep(.callback(event), sealed: sealed, documents: documents)
        do {
            _ = try pending.process(parameters)
            return [received]
        } catch {
            return [
                received, SessionStep(failed: .callback, error.refined(by: input.reasonTexts)),
            ]
        }
    }

    /// A callback with which the session ends.
    static func refused(
        _ event: CallbackReceived, _ sealed: JSONObject, _ failure: FlowFailure
    ) -> [SessionStep] {
        [SessionStep(.callback(event), sealed: sealed), SessionStep(failed: .callback, failure)]
    }

    /// What is kept of a callback that can be read. The access token of an implicit flow is not.
    static func sealed(_ parameters: CallbackParameters) -> JSONObject {
        var sealed = JSONObject()
        for (name, value) in parameters.values { sealed[name] = .string(value) }
        return sealed
    }

    /// What is kept of one that cannot.
    static func raw(_ input: String) -> JSONObject {
        // Bytes are counted, not characters, and one that is cut off becomes three.
        ["raw": .string(String(decoding: input.utf8.prefix(rawBytesMax - 2), as: UTF8.self))]
    }
}

extension CallbackReceived {
    /// Says how a signed response was checked.
    fileprivate mutating func describe(
        _ signed: CallbackInput.Signed, _ outcome: AuthorizationResponseJWT.Outcome
    ) {
        if let header = try? CompactJWS(parsing: Array(signed.response.token.utf8)).header {
            algorithm = RegisteredNames.inClear(header.algorithmName, RegisteredNames.algorithms)
            keyID = header.keyID.map {
                RegisteredNames.keyIDInClear($0, archived: signed.keys.keys.compactMap(\.keyID))
            }
        }
        encryption = signed.response.encryption
        checks = outcome.checks.map(Check.init)
        keySetDigest = signed.keySetDigest
        policyDigest = signed.policy.digest
    }
}
