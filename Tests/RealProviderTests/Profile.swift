// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What is special about a profile.
struct ProfileChanges {
    /// Another secret than the client's.
    var secret: String?
    /// Another certificate than the client's.
    var certificate: RealProvider.Certificate?
    /// Whether the provider's authority is trusted.
    var trusted = true
    /// Which issuer, of those that Glewlwyd has.
    var issuer = RealProvider.Issuer.first
    /// Members of `clientAuthentication`, which go before those that the method has.
    var authentication: [String: String] = [:]
    /// Further members, by name, as YAML.
    var members: [String: String] = [:]
}

extension Ledger {
    /// A profile of a client of the provider; the path of its file.
    func profile(
        _ provider: RealProvider, _ clientName: String = "basic",
        _ changes: ProfileChanges = ProfileChanges()
    ) throws -> String {
        let client = try provider.client(clientName)
        let path = newProfile(clientName)
        var authentication = ["method": client.method]
        if let secret = changes.secret ?? client.secret {
            try Data("\(secret)\n".utf8).write(to: URL(filePath: path + ".txt"))
            authentication["secretFile"] = path + ".txt"
        }
        authentication["certificateFile"] =
            changes.certificate?.certificateFile ?? client.certificateFile
        authentication["privateKeyFile"] =
            changes.certificate?.privateKeyFile ?? client.privateKeyFile
        authentication["keyID"] = client.keyID
        authentication["algorithm"] = client.algorithm
        if client.method.hasSuffix("_jwt") {
            // Both providers want it so.
            authentication["audience"] = "endpoint"
            authentication["clientIDInBody"] = "true"
        }
        authentication.merge(changes.authentication) { _, new in new }
        var members = [
            "name": clientName, "issuer": provider.issuer(changes.issuer),
            "clientID": client.clientID, "redirectURI": provider.redirectURI, "scope": "openid",
            "clientAuthentication": Self.inYAML(authentication),
        ]
        if let authority = provider.authority {
            if changes.trusted { members["trustedCAFile"] = authority }
        } else {
            members["allowLoopbackHTTP"] = "true"
        }
        members.merge(changes.members) { _, new in new }
        let lines = members.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\n" }
        try Data(lines.joined().utf8).write(to: URL(filePath: path + ".yaml"))
        return path + ".yaml"
    }

    private static func inYAML(_ members: [String: String]) -> String {
        let pairs = members.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        return "{ " + pairs.joined(separator: ", ") + " }"
    }
}
