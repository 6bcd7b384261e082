// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Platform
import ProviderSimulator
import RelyingParty

/// Providers that are logged in with.
enum LoginBroker: String, CaseIterable, ExpressibleByArgument {
    case generic
    case idura
    case bankIDNorway = "bankid-no"

    /// Loopback only, and of no use anywhere else.
    static let clientSecret = "secret-of-the-benchmark"
    private static let clientID = "bench"
    private static let redirectURI = "http://127.0.0.1/callback"

    /// Whether the requests of its profile are pushed.
    var pushes: Bool { self != .generic }

    private var simulated: SimulatedBroker {
        switch self {
        case .generic: .generic
        case .idura: .idura
        case .bankIDNorway: .bankidNorway
        }
    }

    /// - Parameter backchannelSeconds: how long requests without a browser are good, whose users
    ///   follow ``PollScripts``; nil where there are none.
    func settings(backchannelSeconds: Int?) -> ProviderSettings {
        let client = RegisteredClient(
            id: Self.clientID, secret: Self.clientSecret, redirectURIs: [Self.redirectURI])
        var settings = ProviderSettings(clients: [client], broker: simulated)
        if let backchannelSeconds {
            settings.backchannel = PollScripts.settings(lifetimeSeconds: backchannelSeconds)
        }
        return settings
    }

    /// Writes a profile as a user would, and reads it.
    func profile(issuer: String, folder: String) throws -> ProviderProfile {
        let base = self == .generic ? ["name: generic"] : ["extends: \(rawValue)"]
        let lines =
            base + [
                "issuer: \(issuer)", "allowLoopbackHTTP: true", "clientID: \(Self.clientID)",
                "redirectURI: \(Self.redirectURI)",
                "clientAuthentication: { method: client_secret_basic, secretFile: secret }",
            ]
        try Directory.createWithParents(folder)
        try File(folder + "/secret", .creating(permissions: 0o600)).write(
            Array(Self.clientSecret.utf8))
        try File(folder + "/profile.yaml", .creating(permissions: 0o600)).write(
            Array((lines.joined(separator: "\n") + "\n").utf8))
        return try ProfileFile.read(folder + "/profile.yaml")
    }
}
