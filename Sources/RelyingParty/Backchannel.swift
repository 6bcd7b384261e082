// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import HTTPMessages
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents

/// Sends a login's requests to the backchannel endpoints of one provider, and notes each.
struct Backchannel {
    let capabilities: Capabilities
    let profile: ProviderProfile
    let client: BackchannelClient

    init(
        _ capabilities: Capabilities, _ profile: ProviderProfile, _ material: ClientMaterial,
        issuer: String
    ) {
        self.capabilities = capabilities
        self.profile = profile
        client = material.client(profile, issuer: issuer)
    }

    /// What a request is made with: each has a name of its own.
    func occasion() -> RequestOccasion {
        RequestOccasion(
            at: capabilities.now(), uniqueID: Base64URL.encode(capabilities.randomBytes(16)))
    }

    /// Sends a form in the client's name.
    func post(
        _ form: [FormEncoding.Parameter], to endpoint: String
    ) async throws -> HTTPResponse {
        try await capabilities.send(try client.post(form, to: endpoint, on: occasion()))
    }

    /// The provider's id for what it answered, as far as it may stand in the clear.
    func traceID(of response: HTTPResponse) -> String? {
        RegisteredNames.traceIDInClear(
            profile.request.traceResponseField.flatMap { response.field($0) })
    }

    /// Sends a request beside the flow's own and notes it, whatever comes of it.
    ///
    /// - Throws: ``FlowFailure`` when there is no answer.
    func exchange(
        _ purpose: String, _ endpoint: String, noting exchanges: inout [Exchange],
        _ send: () async throws -> HTTPResponse
    ) async throws -> HTTPResponse {
        var noted = Exchange(purpose: purpose, endpoint: EndpointURL.withoutQuery(endpoint))
        do {
            let response = try await send()
            noted.status = response.status
            noted.durationMilliseconds = response.durationMilliseconds
            noted.traceID = traceID(of: response)
            exchanges.append(noted)
            return response
        } catch let failure as HTTPFailure {
            exchanges.append(noted)
            throw FlowFailure(asking: failure)
        }
    }
}

extension FlowFailure {
    /// What it means when a request gets no answer.
    ///
    /// - Parameter unanswered: what it means when nothing more is known.
    init(asking failure: HTTPFailure, unanswered: FlowFailureReason = .providerOutage) {
        switch failure.kind {
        case .refused: self.init(.hostRefused)
        case .tooLarge: self.init(.responseTooLarge)
        case .clientCertificate: self.init(.clientAuthenticationFailed)
        case .unreachable, .timedOut, .untrusted, .interrupted: self.init(unanswered)
        }
    }

    /// What it means when a code was sent and no answer came. A code that may have left is spent.
    init(exchanging failure: HTTPFailure) {
        self.init(
            asking: failure,
            unanswered: failure.mayHaveBeenSent ? .exchangeInterrupted : .providerOutage)
    }
}
