// SPDX-License-Identifier: Apache-2.0

public import JOSE
internal import LedgerPrimitives

/// Which provider the simulated one plays: where its endpoints are, what it says of itself, and
/// what its tokens look like, as the broker documents it. Everything is invented but the form.
public enum SimulatedBroker: String, Sendable, Hashable, CaseIterable {
    /// Nobody in particular: everything that this simulator can do.
    case generic
    /// Idura Verify: PAR, Basic and `private_key_jwt`, ID tokens without `acr` and `at_hash`.
    case idura
    /// IDPartner: account selector, PAR, signed responses and PS256.
    case idpartner
    /// BankID OIDC of Norway: an unstable `sub`, levels of assurance, permissions up front.
    case bankidNorway = "bankid-no"

    /// What its keys sign with.
    public var signatureAlgorithm: SignatureAlgorithm { self == .idpartner ? .ps256 : .rs256 }

    /// Which endpoints it has.
    public var endpoints: [ProviderEndpoint] {
        let common: [ProviderEndpoint] = [
            .discovery, .keySet, .authorization, .token, .userInfo, .pushedAuthorization,
        ]
        return switch self {
        case .generic, .idura: common + [.backchannelAuthentication, .headless]
        case .idpartner: common + [.accountSelector]
        case .bankidNorway:
            common + [
                .backchannelAuthentication, .permissionDiscovery, .grantKeySet, .permissions,
                .permissionGrant,
            ]
        }
    }

    /// How long its ID tokens are valid, in seconds.
    var tokenLifetimeSeconds: Int {
        switch self {
        case .generic, .bankidNorway: 300
        case .idura: 1200
        case .idpartner: 60
        }
    }

    /// How long a signed authorization response is valid, in seconds.
    var responseLifetimeSeconds: Int { self == .idpartner ? 60 : 600 }

    /// How long a pushed request waits for its user, in seconds.
    var pushedRequestLifetimeSeconds: Int { self == .idura ? 120 : 60 }

    /// How long a client assertion may be valid, in seconds.
    var assertionLifetimeSecondsMax: Int { self == .idura ? 300 : 3600 }

    /// Whether authorization requests have to be pushed.
    var requiresPushedRequests: Bool { self == .idpartner }

    /// Whether it names itself in every authorization response (RFC 9207).
    var namesItself: Bool { self == .generic || self == .idpartner }

    /// Whether it has endpoints for clients with certificates.
    var hasMutualTLS: Bool { self == .generic || self == .idpartner }

    /// Whether it has logins without redirects.
    var hasBackchannel: Bool { endpoints.contains(.backchannelAuthentication) }

    /// `token_type` as it spells it.
    var tokenType: String { self == .bankidNorway ? "bearer" : "Bearer" }

    /// What can be asked for, hybrids aside.
    var responseTypes: [ResponseType] {
        switch self {
        case .generic: [.code, .idToken, .idTokenToken]
        case .idura: [.code, .idToken]
        case .idpartner, .bankidNorway: [.code]
        }
    }

    /// How it answers.
    var responseModes: [ResponseMode.Name] {
        switch self {
        case .generic: ResponseMode.Name.allCases
        case .idura, .bankidNorway: [.query, .fragment, .formPost]
        case .idpartner: [.jwt, .queryJWT, .fragmentJWT, .formPostJWT]
        }
    }

    /// How its clients may authenticate themselves.
    var authenticationMethods: [ClientAuthentication] {
        switch self {
        case .generic: ClientAuthentication.allCases
        case .idura: [.none, .clientSecretBasic, .clientSecretPost, .privateKeyJWT]
        case .idpartner: [.clientSecretBasic, .privateKeyJWT, .tlsClientAuth]
        case .bankidNorway: [.clientSecretBasic]
        }
    }

    /// The key under the name that the broker gives it. Idura names keys as certificates are: by
    /// 40 hexadecimal digits in capitals.
    func named(_ key: ProviderKey) -> ProviderKey {
        guard self == .idura, !key.isNamed else { return key }
        let digits = Hexadecimal.encode(Array(BrokerIdentifier.bytes(key.keyID).prefix(20)))
        return ProviderKey(
            key.privateKey, algorithm: key.algorithm, keyID: digits.uppercased())
    }
}
