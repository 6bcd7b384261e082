// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import EventLog
internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents
internal import Sessions

/// From a code to a verified ID token, with the documents that the session began with.
struct CodeExchange {
    let discovery: DiscoveryDocument
    private let log: EventLog
    private let capabilities: Capabilities
    private let profile: ProviderProfile
    private let secret: ClientSecret?
    private let documents: ProviderDocuments
    private let policy: VerificationPolicy

    /// Reads profile and discovery document from the log, and the client's secret from its place,
    /// before anything is done that could not be done again.
    init(
        log: EventLog, capabilities: Capabilities, cache: ProviderDocumentCache,
        _ state: SessionState
    ) throws {
        self.log = log
        self.capabilities = capabilities
        guard let profileDigest = state.profileDigest,
            let bytes = try log.blob(profileDigest),
            let members = try? JSONReader.read(bytes, numbers: .integersOnly).objectValue,
            let discoveryDigest = state.discoveryDigest
        else {
            throw LedgerError.damaged("the archived profile of a session is missing", position: nil)
        }
        profile = try ProviderProfile(members, relativeTo: "/")
        secret = try profile.readSecret()
        documents = ProviderDocuments(
            log: log, capabilities: capabilities, profile: profile, cache: cache)
        discovery = try documents.archivedDiscovery(discoveryDigest)
        policy = profile.policy(discovery)
    }

    /// Exchanges the code of a callback that was recorded, unless the session ended with it.
    func finish(_ driver: inout SessionDriver) async throws {
        guard driver.state.phase == .callbackReceived, let code = driver.state.secrets.code else {
            return
        }
        var stage = Stage.discovery
        do {
            // Fetched before the code is spent: without keys it would be spent in vain.
            let (_, keySet) = try await documents.keySet(discovery)
            stage = .token
            let response = try await exchange(code, driver.state)
            let policyBytes = CanonicalJSON.encode(policy.object)
            try await driver.apply(
                .receiveTokens(
                    TokenInput(
                        endpoint: discovery.tokenEndpoint, response: response, keySet: keySet,
                        policy: ArchivedDocument(
                            digest: Digest(ofDocument: policyBytes), bytes: policyBytes))))
        } catch let failure as FlowFailure {
            try await driver.apply(.fail(stage, failure))
        }
        try await verify(&driver)
    }

    private func exchange(_ code: String, _ state: SessionState) async throws -> HTTPResponse {
        let request = TokenExchange.request(
            endpoint: discovery.tokenEndpoint, registration: profile.registration, secret: secret,
            code: code, codeVerifier: state.secrets.codeVerifier, limits: profile.limits)
        do {
            return try await capabilities.send(request)
        } catch let failure as HTTPFailure {
            throw FlowFailure(exchanging: failure)
        }
    }

    /// Checks an ID token that was recorded. A key that is not known yet gets one more look: the
    /// provider may have changed its keys a moment ago.
    func verify(_ driver: inout SessionDriver) async throws {
        guard driver.state.phase == .tokenIssued, let digest = driver.state.keySetDigest,
            let bytes = try log.blob(digest), let policyDigest = driver.state.policyDigest
        else { return }
        // The policy that was recorded with the token counts, also if this program is a later one
        // that would make another.
        let policy = try documents.archivedPolicy(policyDigest)
        var input = VerificationInput(
            keys: try JSONWebKeySet(parsing: bytes, limits: policy.keyLimits),
            keySetDigest: digest, policy: policy, policyDigest: policyDigest)
        if let keyID = lackingKey(input.keys, driver.state) {
            do {
                let (_, fresh) = try await documents.keySet(discovery, lacking: keyID)
                input.keys = try JSONWebKeySet(parsing: fresh.bytes, limits: policy.keyLimits)
                input.keySetDigest = fresh.digest
            } catch is FlowFailure {
                // The keys at hand decide.
            }
        }
        try await driver.apply(.verifyToken(input))
    }

    /// The key that the token names, unless it is in the set.
    private func lackingKey(_ keys: JSONWebKeySet, _ state: SessionState) -> String? {
        guard let token = state.secrets.idToken,
            let keyID = try? CompactJWS(parsing: Array(token.utf8)).header.keyID
        else { return nil }
        return keys.keys.contains { $0.keyID?.isIdentical(to: keyID) ?? false } ? nil : keyID
    }
}
