// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import LedgerPrimitives

/// What can be asked of the simulated provider.
public enum ProviderEndpoint: String, Sendable, Hashable, CaseIterable {
    case discovery
    case keySet = "key-set"
    case authorization
    case token
    case userInfo = "userinfo"
    /// Where authorization requests are pushed (RFC 9126).
    case pushedAuthorization = "par"
    /// Where logins without redirects begin (OpenID CIBA Core §7).
    case backchannelAuthentication = "bc-authorize"
    /// Where Idura's logins by an app of one's own begin.
    case headless
    /// Where IDPartner's users choose their bank.
    case accountSelector = "account-selector"
    /// The discovery document of BankID's second issuer.
    case permissionDiscovery = "permission-discovery"
    /// The keys with which that issuer signs grants.
    case grantKeySet = "grant-key-set"
    /// Where permissions are registered.
    case permissions
    /// Where the grant of one permission is.
    case permissionGrant = "permission-grant"

    /// The path behind that of the issuer. The grant of a permission has `{id}` in it.
    public func path(at broker: SimulatedBroker) -> String {
        switch self {
        case .discovery: "/.well-known/openid-configuration"
        case .keySet:
            broker.choose("/jwks", "/.well-known/jwks", "/jwks", "/protocol/openid-connect/certs")
        case .authorization:
            broker.choose("/authorize", "/oauth2/authorize", "/auth", "/precheck/auth")
        case .token:
            broker.choose("/token", "/oauth2/token", "/token", "/protocol/openid-connect/token")
        case .userInfo: broker.choose("/userinfo", "/oauth2/userinfo", "/me", "/userinfo")
        case .pushedAuthorization:
            broker.choose(
                "/par", "/oauth2/par", "/request", "/protocol/openid-connect/ext/par/request")
        case .backchannelAuthentication:
            broker.choose(
                "/bc-authorize", "/ciba/bc-authorize", "/bc-authorize", "/ciba/bc-authorize")
        case .headless: "/headless/authorize"
        case .accountSelector: "/v1/select-accounts"
        case .permissionDiscovery: Self.permissionPath + "/.well-known/openid-configuration"
        case .grantKeySet: Self.permissionPath + "/certs-grants"
        case .permissions: Self.permissionPath + "/permissions"
        case .permissionGrant: Self.permissionPath + "/permissions/{id}/grant"
        }
    }

    /// The path of BankID's second issuer behind that of the first.
    static let permissionPath = "/biometrics"

    var methods: [HTTPRequest.Method] {
        switch self {
        case .discovery, .keySet, .accountSelector, .permissionDiscovery, .grantKeySet,
            .permissionGrant:
            [.get]
        case .authorization, .userInfo: [.get, .post]
        case .token, .pushedAuthorization, .backchannelAuthentication, .headless, .permissions:
            [.post]
        }
    }

    /// Whether clients with certificates have an endpoint of their own for it (RFC 8705 §5).
    var hasAlias: Bool {
        switch self {
        case .token, .pushedAuthorization, .userInfo, .backchannelAuthentication: true
        default: false
        }
    }
}

extension SimulatedBroker {
    fileprivate func choose(
        _ generic: String, _ idura: String, _ idpartner: String, _ bankID: String
    ) -> String {
        switch self {
        case .generic: generic
        case .idura: idura
        case .idpartner: idpartner
        case .bankidNorway: bankID
        }
    }
}

/// Which path leads to which endpoint.
struct Routes: Sendable {
    struct Match: Sendable {
        let endpoint: ProviderEndpoint
        var isOverMutualTLS = false
        /// What stands for `{id}` in the path.
        var id: String?
    }

    private var exact: [[UInt8]: Match] = [:]
    /// What stands before and behind the id.
    private var patterns: [(before: String, behind: String, endpoint: ProviderEndpoint)] = []

    init(issuer: String, settings: ProviderSettings) {
        let base = RequestTarget(url: issuer).path
        for endpoint in settings.broker.endpoints {
            let path = base + endpoint.path(at: settings.broker)
            let parts = path.split(separator: "{id}", omittingEmptySubsequences: false)
            if parts.count == 2 {
                patterns.append((String(parts[0]), String(parts[1]), endpoint))
            } else {
                exact[Array(path.utf8)] = Match(endpoint: endpoint)
            }
        }
        guard settings.broker.hasMutualTLS else { return }
        let aliasBase = RequestTarget(url: settings.mutualTLSBase(issuer: issuer)).path
        for endpoint in settings.broker.endpoints where endpoint.hasAlias {
            let path = aliasBase + endpoint.path(at: settings.broker)
            exact[Array(path.utf8)] = Match(endpoint: endpoint, isOverMutualTLS: true)
        }
    }

    /// The endpoint at a path; nil when there is none.
    func match(_ path: String) -> Match? {
        if let match = exact[Array(path.utf8)] { return match }
        for pattern in patterns {
            let (before, behind) = (pattern.before.utf8, pattern.behind.utf8)
            guard path.utf8.count > before.count + behind.count, path.utf8.starts(with: before),
                path.utf8.suffix(behind.count).elementsEqual(behind)
            else { continue }
            let id = path.utf8.dropFirst(before.count).dropLast(behind.count)
            return Match(endpoint: pattern.endpoint, id: String(Substring(id)))
        }
        return nil
    }
}

extension ProviderSettings {
    /// Where the endpoints for clients with certificates begin.
    func mutualTLSBase(issuer: String) -> String { mutualTLSBaseURL ?? issuer + "/mtls" }
}
