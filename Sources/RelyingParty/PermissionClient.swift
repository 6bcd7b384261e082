// SPDX-License-Identifier: Apache-2.0

internal import Capabilities
internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
internal import OpenIDConnect
internal import SessionEvents

/// Registers permissions and fetches what users granted. Two issuers take part: one knows the
/// client, the other keeps permissions; nothing of the one is taken for the other's.
struct PermissionClient {
    let capabilities: Capabilities
    let profile: ProviderProfile
    let settings: PermissionSettings
    let backchannel: Backchannel

    /// Registers a permission before the user is asked.
    func register(
        _ permission: JSONObject, _ discovery: DiscoveryDocument, _ exchanges: inout [Exchange]
    ) async throws -> Permission.Registration {
        let token = try await accessToken(discovery, &exchanges)
        let issuer = try await issuer(&exchanges)
        let endpoint = issuer.permissionsEndpoint
        let response = try await backchannel.exchange(
            "permission", endpoint, noting: &exchanges
        ) {
            try await capabilities.send(
                Permission.request(
                    permission, endpoint: endpoint, accessToken: token, limits: profile.limits,
                    at: capabilities.now()))
        }
        return try Permission.process(response)
    }

    /// What the user granted, in the words of the permission's issuer, once it is verified.
    func grant(
        _ permissionID: String, _ discovery: DiscoveryDocument, _ exchanges: inout [Exchange]
    ) async throws -> String {
        let token = try await accessToken(discovery, &exchanges)
        let issuer = try await issuer(&exchanges)
        let request = Permission.grantRequest(
            permissionID, endpoint: issuer.permissionsEndpoint, accessToken: token,
            limits: profile.limits)
        // The address holds the permission's name, which is not for the clear.
        let response = try await backchannel.exchange(
            "grant", issuer.permissionsEndpoint, noting: &exchanges
        ) { try await capabilities.send(request) }
        let grant = try Permission.grant(in: response)
        let keys = try await backchannel.exchange(
            "grant-keys", issuer.grantKeySetURL, noting: &exchanges
        ) { try await capabilities.send(profile.documentRequest(issuer.grantKeySetURL)) }
        _ = try Permission.verify(
            grant, permissionID: permissionID, issuer: settings.issuer,
            keys: try KeySetResponse.process(keys), algorithms: SignatureAlgorithm.allCases)
        return grant
    }

    private func accessToken(
        _ discovery: DiscoveryDocument, _ exchanges: inout [Exchange]
    ) async throws -> String {
        let endpoint = discovery.endpoint(
            "token_endpoint", otherwise: discovery.tokenEndpoint,
            usesCertificate: profile.registration.authentication.usesCertificate)
        let response = try await backchannel.exchange(
            "permission-token", endpoint, noting: &exchanges
        ) { try await backchannel.post(Permission.tokenForm, to: endpoint) }
        return try Permission.accessToken(in: response)
    }

    private func issuer(_ exchanges: inout [Exchange]) async throws -> Permission.Issuer {
        let url = DiscoveryDocument.url(ofIssuer: settings.issuer)
        let response = try await backchannel.exchange(
            "permission-issuer", url, noting: &exchanges
        ) { try await capabilities.send(profile.documentRequest(url)) }
        return try Permission.Issuer(
            response, issuer: settings.issuer,
            allowsLoopbackHTTP: profile.transport.allowsLoopbackHTTP, hosts: settings.hosts)
    }
}
