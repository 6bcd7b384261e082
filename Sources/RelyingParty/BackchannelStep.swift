// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import EventLog
internal import HTTPMessages
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents
internal import Sessions

/// Asks the provider for a login without a browser, and records that it accepted.
struct BackchannelStep {
    let log: EventLog
    let capabilities: Capabilities
    let profile: ProviderProfile
    let cache: ProviderDocumentCache

    /// Brings a session to where its answer is polled for, or to its end.
    ///
    /// - Throws: ``ProfileError`` when what the profile points to is gone, or an error of the
    ///   ledger.
    func run(_ driver: inout SessionDriver) async throws {
        guard let issuer = driver.state.issuer, let flow = driver.state.flow else {
            throw LedgerError.damaged("a session does not know its issuer", position: nil)
        }
        var stage = Stage.discovery
        var exchanges: [Exchange] = []
        do {
            let documents = ProviderDocuments(
                log: log, capabilities: capabilities, issuer: issuer, profile: profile,
                cache: cache)
            let (discovery, archived) = try await documents.discovery()
            // Without keys the answer could not be judged, and the user would approve in vain.
            _ = try await documents.keySet(discovery)
            stage = .authorizationRequest
            let endpoint = try endpoint(flow, discovery)
            let (response, traceID) = try await ask(
                driver, at: endpoint, issuer: issuer, noting: &exchanges)
            // The acceptance says itself what this exchange was.
            exchanges.removeLast()
            try await driver.apply(
                .receiveAcceptance(
                    AcceptanceInput(
                        flow: flow, endpoint: endpoint, response: response,
                        discoveryDigest: archived.digest,
                        standardIntervalSeconds: flow == .headless
                            ? profile.backchannel.headlessPollSeconds
                            : BackchannelAcceptance.standardIntervalSeconds,
                        exchanges: exchanges, traceID: traceID,
                        reasonTexts: profile.checks.reasonTexts)))
        } catch let failure as FlowFailure {
            try await driver.apply(
                .fail(stage, failure.refined(by: profile.checks.reasonTexts), exchanges: exchanges))
        }
    }

    private func ask(
        _ driver: SessionDriver, at endpoint: String, issuer: String,
        noting exchanges: inout [Exchange]
    ) async throws -> (HTTPResponse, traceID: String?) {
        let material = try ClientMaterial(profile)
        let backchannel = Backchannel(capabilities, profile, material, issuer: issuer)
        var parameters = try profile.backchannelRequest(driver.state).parameters
        if driver.state.flow == .ciba, let key = material.requestKey {
            parameters = try RequestObject.backchannelParameters(
                signing: parameters, with: key, clientID: profile.registration.clientID,
                issuer: issuer, on: backchannel.occasion())
        }
        try await log.noteAttempt(0, of: driver.subject)
        let form = parameters
        let response = try await backchannel.exchange(
            "backchannel", endpoint, noting: &exchanges
        ) { try await backchannel.post(form, to: endpoint) }
        return (response, backchannel.traceID(of: response))
    }

    /// Where the request goes: where the profile says, or else where discovery does.
    private func endpoint(
        _ flow: Flow, _ discovery: DiscoveryDocument
    ) throws(FlowFailure) -> String {
        let settings = profile.backchannel
        if flow == .headless {
            let place = settings.headlessEndpoint
            guard place.hasPrefix("/") else { return place }
            let issuer = discovery.issuer
            return (issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer) + place
        }
        guard discovery.allowsPolling,
            let known = settings.endpoint ?? discovery.backchannelEndpoint
        else { throw FlowFailure(.flowUnsupported) }
        return discovery.endpoint(
            "backchannel_authentication_endpoint", otherwise: known,
            usesCertificate: profile.registration.authentication.usesCertificate)
    }
}

extension ProviderProfile {
    /// The request of a session, from what was chosen when it began.
    func backchannelRequest(_ state: SessionState) throws -> BackchannelRequest {
        let secrets = state.secrets
        let kind: BackchannelRequest.Kind
        if let address = secrets.endUserIP {
            kind = .headless(endUserIP: address)
        } else if let hint = secrets.backchannelHint {
            kind = .ciba(hint)
        } else {
            throw LedgerError.damaged("a session does not know whom it is about", position: nil)
        }
        return BackchannelRequest(
            kind, scope: registration.scope, acrValues: state.acrValues,
            bindingMessage: secrets.bindingMessage,
            requestedExpirySeconds: state.requestedExpirySeconds,
            authorizationDetails: secrets.authorizationDetails,
            extraParameters: request.extraParameters)
    }
}

extension SessionSecrets {
    fileprivate var backchannelHint: BackchannelHint? {
        loginHint.map { .loginHint($0) } ?? loginHintToken.map { .loginHintToken($0) }
            ?? idTokenHint.map { .idTokenHint($0) }
    }
}
