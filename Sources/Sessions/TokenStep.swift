// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents

/// What the arrival of tokens leads to.
enum TokenStep {
    static func receive(_ input: TokenInput, in state: SessionState) -> [SessionStep] {
        do throws(FlowFailure) {
            let tokens: TokenResponse
            switch input.origin {
            case .endpoint(_, let response): tokens = try TokenExchange.process(response)
            case .callback(let given): tokens = given
            }
            if let obstacle = input.obstacle { throw obstacle }
            let isBound = try checkBinding(tokens, input)
            return [tokenIssued(tokens, isBound: isBound, input, state)]
        } catch {
            return [
                SessionStep(
                    failed: .token, error.refined(by: input.reasonTexts),
                    exchanges: exchanges(input))
            ]
        }
    }

    /// The request whose answer ended the session; of a good answer `token-issued` tells itself.
    private static func exchanges(_ input: TokenInput) -> [Exchange] {
        guard case .endpoint(let endpoint, let response) = input.origin else { return [] }
        return [
            Exchange(
                purpose: "token", endpoint: EndpointURL.withoutQuery(endpoint),
                status: response.status, durationMilliseconds: response.durationMilliseconds,
                traceID: input.traceID)
        ]
    }

    /// Whether the access token is bound to the client's certificate; nil where none was used.
    ///
    /// - Throws: `cert-binding-mismatch` when it is not, so that whoever finds it could use it.
    private static func checkBinding(
        _ tokens: TokenResponse, _ input: TokenInput
    ) throws(FlowFailure) -> Bool? {
        guard let thumbprint = input.certificateThumbprint, let token = tokens.accessToken else {
            return nil
        }
        switch CertificateBinding.check(accessToken: token, thumbprint: thumbprint) {
        case .bound: return true
        case .mismatch: throw FlowFailure(.certificateBindingMismatch)
        case .unreadable: return nil
        }
    }

    private static func tokenIssued(
        _ tokens: TokenResponse, isBound: Bool?, _ input: TokenInput, _ state: SessionState
    ) -> SessionStep {
        let idToken = input.opened?.token ?? tokens.idToken
        let header = try? CompactJWS(parsing: Array(idToken.utf8)).header
        let known = (try? JSONWebKeySet.keyIDs(parsing: input.keySet.bytes)) ?? []
        var sealed: JSONObject = ["idToken": .string(idToken)]
        var event = TokenIssued(
            tokenType: tokenTypeInClear(tokens.tokenType),
            expiresInSeconds: tokens.expiresInSeconds, encryption: input.opened?.encryption,
            isCertificateBound: isBound, keySetDigest: input.keySet.digest, keySetSource: .own,
            policyDigest: input.policy.digest, policySource: .own, traceID: input.traceID)
        if let header {
            event.algorithm = RegisteredNames.inClear(
                header.algorithmName, RegisteredNames.algorithms)
            if let keyID = header.keyID {
                let clear = RegisteredNames.keyIDInClear(keyID, archived: known)
                event.keyID = clear
                if clear != keyID { sealed["keyID"] = .string(keyID) }
            }
            if let algorithm = header.algorithm {
                sealHashes(of: tokens, state, algorithm, in: &sealed)
            }
        }
        if case .endpoint(let endpoint, let response) = input.origin {
            event.endpoint = EndpointURL.withoutQuery(endpoint)
            event.httpStatus = response.status
            event.durationMilliseconds = response.durationMilliseconds
            sealed["response"] = recorded(response, tokens).map { .object($0) }
        }
        if let poll = input.poll {
            event.attempt = poll.attempt
            event.hasGap = poll.hasGap ? true : nil
            event.acceptedAt = state.polling.acceptedAt
            // With this the token's own event says all that the checks compare it with.
            sealed["requestID"] = state.secrets.requestID.map { .string($0) }
        }
        if !tokens.furtherMembers.isEmpty {
            sealed["furtherMembers"] = .object(tokens.furtherMembers)
        }
        return SessionStep(
            .tokenIssued(event), sealed: sealed,
            documents: [input.keySet.bytes, input.policy.bytes])
    }

    /// Access token and code are not kept, but what the ID token says of them can be checked again.
    private static func sealHashes(
        of tokens: TokenResponse, _ state: SessionState, _ algorithm: SignatureAlgorithm,
        in sealed: inout JSONObject
    ) {
        if let accessToken = tokens.accessToken {
            sealed["accessTokenHash"] = .string(
                LeftHalfHash.encode(accessToken, algorithm: algorithm))
        }
        if let code = state.secrets.code {
            sealed["codeHash"] = .string(LeftHalfHash.encode(code, algorithm: algorithm))
        }
    }

    /// The type in its usual spelling: it is compared without regard to case (RFC 6749 §5.1).
    private static func tokenTypeInClear(_ type: String) -> String {
        if type.lowercased().isIdentical(to: "bearer"), !type.isIdentical(to: "bearer") {
            return "Bearer"
        }
        return RegisteredNames.inClear(type, RegisteredNames.tokenTypes)
    }

    private static func recorded(
        _ response: HTTPResponse, _ tokens: TokenResponse
    ) -> JSONObject? {
        guard let body = tokens.redacted(response.body),
            var recorded = response.recorded(body: body)
        else { return nil }
        // How far the provider's clock is from ours.
        recorded["date"] = response.field("Date").map { .string(String($0.prefix(64))) }
        return recorded
    }
}
