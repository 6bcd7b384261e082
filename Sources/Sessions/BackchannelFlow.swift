// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect
public import SessionEvents

/// What happens in a flow without a browser up to the moment when the provider has accepted the
/// request.
enum BackchannelFlow {
    /// The sealed members that say whom or what a request is about.
    private static let hintNames = ["loginHint", "loginHintToken", "idTokenHint", "endUserIP"]

    static func initiate(_ parameters: BackchannelParameters) -> SessionStep {
        let request = parameters.request
        let event = Initiated(
            provider: parameters.provider, environment: parameters.environment,
            issuer: parameters.issuer, clientID: parameters.clientID, flow: parameters.flow,
            scope: request.scope, acrValues: request.acrValues,
            requestedExpirySeconds: request.requestedExpirySeconds,
            profileDigest: parameters.profile.digest)
        var sealed = parameters.userAgent
        // What the caller knows of the user agent does not say whom the request is about.
        for name in hintNames { sealed[name] = nil }
        switch request.kind {
        case .ciba(.loginHint(let text)): sealed["loginHint"] = .string(text)
        case .ciba(.loginHintToken(let token)): sealed["loginHintToken"] = .string(token)
        case .ciba(.idTokenHint(let token)): sealed["idTokenHint"] = .string(token)
        case .headless(let address): sealed["endUserIP"] = .string(address)
        }
        sealed["bindingMessage"] = request.bindingMessage.map { .string($0) }
        sealed["authorizationDetails"] = request.authorizationDetails
        return SessionStep(
            .initiated(event), sealed: sealed, documents: [parameters.profile.bytes])
    }

    /// The answer is recorded as `polled` when the provider accepted the request, and ends the
    /// session otherwise.
    static func receiveAcceptance(_ input: AcceptanceInput) -> [SessionStep] {
        let response = input.response
        do throws(FlowFailure) {
            let acceptance = try BackchannelAcceptance.process(
                response, requestID: input.flow.requestIDMember)
            let interval = acceptance.intervalSeconds ?? input.standardIntervalSeconds
            let event = Polled(
                status: .accepted, attempt: 0,
                endpoint: EndpointURL.withoutQuery(input.endpoint),
                hint: acceptance.acrData.flatMap(AcrData.hintCode).map(PollStep.hintInClear),
                intervalSeconds: PollPace(intervalSeconds: interval).intervalSeconds,
                expiresInSeconds: acceptance.expiresInSeconds, httpStatus: response.status,
                durationMilliseconds: response.durationMilliseconds,
                discoveryDigest: input.discoveryDigest, traceID: input.traceID,
                exchanges: input.exchanges.isEmpty ? nil : input.exchanges)
            var sealed: JSONObject = ["requestID": .string(acceptance.requestID)]
            sealed["messageForUser"] = acceptance.bindingMessage.map { .string($0) }
            sealed["acrData"] = acceptance.acrData.map { .object($0) }
            sealed["response"] = response.recorded(body: response.body).map { .object($0) }
            return [SessionStep(.polled(event), sealed: sealed)]
        } catch {
            let asked = Exchange(
                purpose: "backchannel", endpoint: EndpointURL.withoutQuery(input.endpoint),
                status: response.status, durationMilliseconds: response.durationMilliseconds,
                traceID: input.traceID)
            return [
                SessionStep(
                    failed: .authorizationRequest, error.refined(by: input.reasonTexts),
                    exchanges: input.exchanges + [asked])
            ]
        }
    }
}

extension Flow {
    /// The member and parameter that name a backchannel request.
    public var requestIDMember: String { self == .headless ? "headless_req_id" : "auth_req_id" }
}

/// Whom the hint of a backchannel request names.
enum HintedPerson {
    /// A hint names a person in its last part: `sub:ssn:…`.
    static func named(inLoginHint hint: String) -> String {
        hint.split(separator: ":", omittingEmptySubsequences: false).last.map(String.init) ?? hint
    }

    /// The subject of an ID token that is given as a hint. The provider has to believe it, not we:
    /// it only says whom we asked for. Nil when it cannot be read.
    static func subject(ofIDToken token: String) -> String? {
        guard let jws = try? CompactJWS(parsing: Array(token.utf8)),
            let claims = try? JSONReader.read(jws.unverifiedPayload, numbers: .anyAsText)
        else { return nil }
        return claims.objectValue?["sub"]?.stringValue
    }
}
