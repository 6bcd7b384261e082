// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import JOSE
public import OpenIDConnect
public import SessionEvents

/// What we know of a provider and of our client there. Everything else comes from discovery.
public struct ProviderProfile: Equatable, Sendable {
    /// The profile's name.
    public var name: String
    /// Which of the provider's environments it is; nil where there is only one.
    public var environment: String?
    /// The issuer; nil where an account selector names it.
    public var issuer: String?
    /// Further hosts on which the provider's endpoints may lie, beside the issuer's own. A name
    /// that begins with `*.` stands for all hosts below it.
    public var hosts: [String]
    /// The client.
    public var registration: ClientRegistration
    /// What the client shows who it is with.
    public var credentials: ClientCredentials
    /// How this provider takes it.
    public var authenticationRules: ClientAuthenticationRules
    /// Flows that may be used; the first is the default.
    public var flows: [Flow]
    /// What is asked of the provider, and what is taken from it.
    public var request: RequestSettings
    /// What the checks of tokens go by.
    public var checks: CheckSettings
    /// The account selector; nil where the issuer is known.
    public var accountSelector: AccountSelector?
    /// Where permissions are registered; nil where there are none.
    public var permissions: PermissionSettings?
    /// How logins without a browser go.
    public var backchannel: BackchannelSettings
    /// What the transport keeps to.
    public var transport: TransportSettings
    /// After how many seconds a user who was sent away is taken to have given up.
    public var abandonedAfterSeconds: Int
}

/// Where the client's secret is; never the secret itself.
public enum SecretPlace: Equatable, Sendable {
    /// A file, by its absolute path; one newline at its end does not count.
    case file(String)
    /// A variable of the environment.
    case environment(String)
}

/// A key of the client's own, in a PEM file.
public struct KeyPlace: Equatable, Sendable {
    /// The file's absolute path.
    public var file: String
    /// `kid`, as in the key set that the provider has of us.
    public var keyID: String?
    /// What it signs with; nil for the usual algorithm of such a key.
    public var algorithm: SignatureAlgorithm?
}

/// What the client shows who it is with, by its place.
public struct ClientCredentials: Equatable, Sendable {
    /// Where the secret is.
    public var secret: SecretPlace?
    /// Where the key is that signs assertions, or that belongs to the certificate.
    public var key: KeyPlace?
    /// The PEM file with the client's certificate, absolute.
    public var certificateFile: String?
    /// Where the key is that signs request objects; nil when requests are not signed.
    public var requestKey: KeyPlace?
    /// Keys to which the provider encrypts.
    public var decryptionKeys: [KeyPlace] = []
}

/// Whether a request is pushed (RFC 9126).
public enum PushedAuthorizationUse: String, CaseIterable, Sendable {
    case never
    /// Where the provider demands it, or the request holds what must not stand in a URL.
    case whenNeeded = "when-needed"
    /// Where the provider has an endpoint for it.
    case optional
    case required
}

/// Whether claims are fetched from the UserInfo endpoint.
public enum UserInfoUse: String, CaseIterable, Sendable {
    case none
    case fetch
}

/// What is asked of the provider.
public struct RequestSettings: Equatable, Sendable {
    /// How the answer is to come; nil for the usual way of the flow.
    public var responseMode: ResponseMode?
    /// What the implicit flow asks for.
    public var implicitResponseType = ResponseType.idToken
    /// Whether the request is pushed.
    public var pushedAuthorization = PushedAuthorizationUse.whenNeeded
    /// Authentication context classes to ask for.
    public var acrValues: String?
    /// A hint that goes along with every login unless the caller has a better one.
    public var loginHint: String?
    /// Parameters that go along with every login.
    public var extraParameters: [FormEncoding.Parameter] = []
    /// Whether UserInfo is fetched.
    public var userInfo = UserInfoUse.none
    /// A field that asks for the id under which the provider knows a request.
    public var traceField: HTTPField?
    /// The field in which that id comes.
    public var traceResponseField: String?
}

/// What the checks of tokens go by.
public struct CheckSettings: Equatable, Sendable {
    /// Signature algorithms of ID tokens that are taken; nil takes what discovery announces.
    public var algorithms: [String]?
    /// Signature algorithms of signed responses; nil takes what discovery announces.
    public var responseAlgorithms: [String]?
    /// Clock differences put up with, for each claim.
    public var clockSkew = ClockSkew()
    /// How old `iat` may be at receipt, in seconds; nil for the usual limit.
    public var issuedAtAgeSecondsMax: Int?
    /// The nonce rule of a flow, where it is not the usual one.
    public var nonceRules: [Flow: VerificationPolicy.NonceRule] = [:]
    /// The lowest level of assurance that is taken.
    public var levelOfAssuranceMin: Int?
    /// Levels of those authentication context classes that do not say them.
    public var levelsOfAssurance: [AssuranceLevel] = []
    /// Who else may stand in `aud`.
    public var trustedAudiences: [String] = []
    /// The largest token that is taken, in bytes; nil for the usual limit.
    public var tokenBytesMax: Int?
    /// The smallest RSA key that is taken, in bits; nil for the usual limit.
    public var rsaBitsMin: Int?
    /// Which claims tell the provider's people apart; the first that is there counts.
    public var subjectClaims = ["sub"]
    /// Which claims name a person as the hint of a backchannel request does; the first that is
    /// there counts. Empty where they cannot be compared.
    public var hintClaims: [String] = []
    /// Whether access tokens must be bound to the client's certificate.
    public var demandsCertificateBinding = false
    /// Descriptions of errors that fix a finer reason.
    public var reasonTexts: [ReasonText] = []
}

/// Where permissions are registered before the user is asked.
public struct PermissionSettings: Equatable, Sendable {
    /// The issuer that keeps them.
    public var issuer: String
    /// Further hosts on which its endpoints may lie.
    public var hosts: [String]
    /// The parameter of the authorization request that carries a permission's token.
    public var parameter: String
}

/// How logins without a browser go.
public struct BackchannelSettings: Equatable, Sendable {
    /// Where CIBA requests go; nil where discovery says so.
    public var endpoint: String?
    /// How many polls may be under way at once at this provider.
    public var pollsAtOnceMax = 64
    /// Where Headless requests go: a URL, or a path behind the issuer.
    public var headlessEndpoint = "/headless/authorize"
    /// The grant type with which the answer to a Headless request is polled for.
    public var headlessGrantType = "urn:grn:params:grant-type:headless"
    /// The pause between polls of a Headless request, in seconds. A code that moves is only as
    /// fresh as the last poll.
    public var headlessPollSeconds = 5
}

/// What the transport keeps to.
public struct TransportSettings: Equatable, Sendable {
    /// Plain http to loopback is allowed; for tests and demonstrations.
    public var allowsLoopbackHTTP = false
    /// Targets on private and link-local addresses are allowed.
    public var allowsPrivateTargets = false
    /// A PEM file with the certificate authorities trusted for this provider, absolute.
    public var trustedCAFile: String?
    /// The largest answer that is taken, in bytes; nil for the usual limit.
    public var responseBytesMax: Int?
    /// How long an exchange may take, in milliseconds; nil for the usual limit.
    public var durationMillisecondsMax: Int?
}

/// What is wrong with a profile.
public struct ProfileError: Error, Equatable, CustomStringConvertible {
    /// What is wrong and what to do, without any value of the profile.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
