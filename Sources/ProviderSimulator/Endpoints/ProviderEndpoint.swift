// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages

/// What can be asked of the simulated provider.
public enum ProviderEndpoint: String, Sendable, Hashable, CaseIterable {
    case discovery
    case keySet = "key-set"
    case authorization
    case token
    case userInfo = "userinfo"

    /// The path behind that of the issuer.
    public var path: String {
        switch self {
        case .discovery: "/.well-known/openid-configuration"
        case .keySet: "/jwks"
        case .authorization: "/authorize"
        case .token: "/token"
        case .userInfo: "/userinfo"
        }
    }

    var methods: [HTTPRequest.Method] {
        switch self {
        case .discovery, .keySet: [.get]
        case .authorization, .userInfo: [.get, .post]
        case .token: [.post]
        }
    }
}
