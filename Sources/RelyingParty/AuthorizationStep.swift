// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import EventLog
internal import HTTPMessages
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents
internal import Sessions

/// Sends the user to the provider: discovery, whatever has to be registered or pushed beforehand,
/// and the record of the redirect, before the URL is given out.
struct AuthorizationStep {
    let log: EventLog
    let capabilities: Capabilities
    let profile: ProviderProfile
    let cache: ProviderDocumentCache

    /// Brings a session to where the user goes to the provider.
    ///
    /// - Returns: the URL for the user; nil when the session ended here.
    func run(_ driver: inout SessionDriver) async throws -> String? {
        guard let issuer = driver.state.issuer else {
            throw LedgerError.damaged("a session does not know its issuer", position: nil)
        }
        var stage = Stage.discovery
        var exchanges: [Exchange] = []
        do {
            let documents = ProviderDocuments(
                log: log, capabilities: capabilities, issuer: issuer, profile: profile,
                cache: cache)
            var (discovery, archived) = try await documents.discovery()
            stage = .authorizationRequest
            var plan = Plan(request: profile.authorizationRequest(driver.state))
            do {
                try await prepare(&plan, driver.state, discovery, &exchanges)
            } catch let failure as FlowFailure where failure.reason == .providerOutage {
                // The endpoint may have moved since the document was fetched.
                let known = archived.digest
                (discovery, archived) = try await documents.refetchDiscovery()
                guard archived.digest != known else { throw failure }
                plan = Plan(request: profile.authorizationRequest(driver.state))
                try await prepare(&plan, driver.state, discovery, &exchanges)
            }
            try await driver.apply(
                .redirect(
                    Redirection(
                        endpoint: discovery.authorizationEndpoint,
                        discoveryDigest: archived.digest, usedPAR: plan.isPushed,
                        exchanges: exchanges, sealed: plan.sealed)))
            return plan.url
        } catch let failure as FlowFailure {
            try await driver.apply(
                .fail(stage, failure.refined(by: profile.checks.reasonTexts), exchanges: exchanges))
            return nil
        }
    }

    /// What becomes of a request on its way.
    private struct Plan {
        var request: AuthorizationRequest
        var url = ""
        var isPushed = false
        /// What later steps need of what was registered.
        var sealed = JSONObject()
    }

    private func prepare(
        _ plan: inout Plan, _ state: SessionState, _ discovery: DiscoveryDocument,
        _ exchanges: inout [Exchange]
    ) async throws {
        if let permission = state.secrets.permission {
            try await register(permission, discovery, &plan, &exchanges)
        }
        plan.url = try await url(discovery, &plan, &exchanges)
    }

    // MARK: - Request

    private func url(
        _ discovery: DiscoveryDocument, _ plan: inout Plan, _ exchanges: inout [Exchange]
    ) async throws -> String {
        let endpoint = discovery.authorizationEndpoint
        let isPersonal =
            plan.request.loginHint.map(AuthorizationRequest.isPersonal(loginHint:)) ?? false
        let pushes = try pushes(
            discovery, mustPush: isPersonal || plan.sealed["permissionID"] != nil)
        var parameters = plan.request.parameters
        guard pushes || profile.credentials.requestKey != nil else {
            return AuthorizationRequest.url(endpoint: endpoint, parameters)
        }
        let material = try ClientMaterial(profile)
        let backchannel = Backchannel(
            capabilities, profile, material, issuer: discovery.issuer)
        if let key = material.requestKey {
            parameters = try RequestObject.parameters(
                signing: parameters, with: key, clientID: profile.registration.clientID,
                issuer: discovery.issuer, on: backchannel.occasion())
        }
        guard pushes, let pushed = discovery.pushedAuthorizationEndpoint else {
            return AuthorizationRequest.url(endpoint: endpoint, parameters)
        }
        let target = discovery.endpoint(
            "pushed_authorization_request_endpoint", otherwise: pushed,
            usesCertificate: profile.registration.authentication.usesCertificate)
        let response = try await backchannel.exchange("par", target, noting: &exchanges) {
            try await backchannel.post(parameters, to: target)
        }
        let receipt = try PushedAuthorization.process(response)
        plan.isPushed = true
        plan.sealed["requestURI"] = .string(receipt.requestURI)
        return plan.request.url(endpoint: endpoint, pushedAs: receipt.requestURI)
    }

    /// Whether the request goes to the provider beforehand.
    ///
    /// - Throws: `flow-unsupported` when it has to and cannot.
    private func pushes(
        _ discovery: DiscoveryDocument, mustPush: Bool
    ) throws(FlowFailure) -> Bool {
        let use = profile.request.pushedAuthorization
        let isPossible = discovery.pushedAuthorizationEndpoint != nil
        if use == .required || mustPush || discovery.requiresPushedAuthorization {
            guard isPossible else { throw FlowFailure(.flowUnsupported) }
            return true
        }
        return use == .optional && isPossible
    }

    // MARK: - Permission

    /// Registers what the user is to permit: with a token of the one issuer at the other.
    private func register(
        _ permission: JSONObject, _ discovery: DiscoveryDocument, _ plan: inout Plan,
        _ exchanges: inout [Exchange]
    ) async throws {
        guard let settings = profile.permissions else { throw FlowFailure(.flowUnsupported) }
        let client = PermissionClient(
            capabilities: capabilities, profile: profile, settings: settings,
            backchannel: Backchannel(
                capabilities, profile, try ClientMaterial(profile), issuer: discovery.issuer))
        let registration = try await client.register(permission, discovery, &exchanges)
        plan.request.extraParameters.append(.init(settings.parameter, registration.token))
        plan.sealed["permissionID"] = .string(registration.permissionID)
        plan.sealed["bindingMessage"] = registration.bindingMessage.map { .string($0) }
    }
}

extension ProviderProfile {
    /// The request of a session, from what was chosen when it began.
    func authorizationRequest(_ state: SessionState) -> AuthorizationRequest {
        let flow = state.flow ?? .pkce
        var extra = request.extraParameters
        if let provider = state.secrets.identityProviderID {
            extra.append(.init("identity_provider_id", provider))
            if let visitor = state.secrets.visitorID { extra.append(.init("visitor_id", visitor)) }
            if let token = state.secrets.oneTimeToken {
                extra.append(.init("idpartner_token", token))
            }
        }
        return AuthorizationRequest(
            registration: registration, responseType: responseType(flow),
            responseMode: responseMode(flow), state: state.secrets.state ?? "",
            nonce: state.secrets.nonce ?? "", codeVerifier: state.secrets.codeVerifier,
            acrValues: state.acrValues, loginHint: state.secrets.loginHint,
            extraParameters: extra)
    }
}
