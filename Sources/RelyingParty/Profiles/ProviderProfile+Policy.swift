// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
internal import JOSE
internal import LedgerPrimitives
public import OpenIDConnect
public import SessionEvents

extension ProviderProfile {
    /// The limits of every request to this provider, without the client's certificate.
    public var limits: HTTPRequest.Limits {
        var limits = HTTPRequest.Limits()
        limits.allowsLoopbackHTTP = transport.allowsLoopbackHTTP
        // Who names an issuer on this machine means this machine.
        limits.allowsPrivateTargets =
            transport.allowsPrivateTargets || issuer.map(EndpointURL.isLoopback(url:)) ?? false
            || accountSelector?.issuers.contains(where: EndpointURL.isLoopback(url:)) ?? false
        limits.trustedCAFile = transport.trustedCAFile
        limits.bodyBytesMax = transport.responseBytesMax ?? limits.bodyBytesMax
        limits.durationMillisecondsMax =
            transport.durationMillisecondsMax ?? limits.durationMillisecondsMax
        return limits
    }

    /// The request for a public document of this provider.
    func documentRequest(_ url: String) -> HTTPRequest {
        HTTPRequest(.get, url, fields: [HTTPField("Accept", "application/json")], limits: limits)
    }

    /// How the answer of a flow comes.
    public func responseMode(_ flow: Flow) -> ResponseMode? {
        request.responseMode ?? (flow == .jarm ? .jwt : nil)
    }

    /// What a flow asks for.
    public func responseType(_ flow: Flow) -> ResponseType {
        flow == .implicit ? request.implicitResponseType : .code
    }

    /// The policy of a login, given what discovery announces.
    public func policy(_ discovery: DiscoveryDocument, _ flow: Flow) -> VerificationPolicy {
        var policy = VerificationPolicy(
            issuer: discovery.issuer, audience: registration.clientID)
        policy.algorithms = tokenAlgorithms(announced: discovery.idTokenAlgorithms)
        policy.clockSkew = checks.clockSkew
        policy.issuedAtAgeSecondsMax =
            checks.issuedAtAgeSecondsMax ?? policy.issuedAtAgeSecondsMax
        policy.levelOfAssuranceMin = checks.levelOfAssuranceMin ?? 0
        policy.levelsOfAssurance = checks.levelsOfAssurance
        policy.trustedAudiences = checks.trustedAudiences
        policy.tokenBytesMax = checks.tokenBytesMax ?? policy.tokenBytesMax
        policy.rsaBitsMin = checks.rsaBitsMin ?? policy.rsaBitsMin
        policy.hintClaims = flow == .ciba ? checks.hintClaims : []
        policy.nonce = checks.nonceRules[flow] ?? (flow.usesRedirect ? .always : .whenSent)
        return policy
    }

    /// What a signed response is compared with.
    public func responseExpectations(
        _ discovery: DiscoveryDocument
    ) -> AuthorizationResponseExpectations {
        let algorithms = responseAlgorithms(
            announced: discovery.responseAlgorithms ?? discovery.idTokenAlgorithms)
        return AuthorizationResponseExpectations(
            issuer: discovery.issuer, clientID: registration.clientID,
            algorithms: algorithms.compactMap { SignatureAlgorithm(name: $0) },
            skew: checks.clockSkew)
    }

    /// With what ID tokens may be signed.
    ///
    /// - Parameter announced: what the provider announces; nil when it does not say.
    func tokenAlgorithms(announced: [String]?) -> [String] {
        Self.agreed(checks.algorithms, announced: announced ?? ["RS256"])
    }

    /// With what responses may be signed.
    ///
    /// - Parameter announced: what the provider announces for them, or else for its ID tokens.
    func responseAlgorithms(announced: [String]?) -> [String] {
        Self.agreed(
            checks.responseAlgorithms ?? checks.algorithms, announced: announced ?? ["RS256"])
    }

    /// Algorithms that we know, the profile takes and the provider announces.
    private static func agreed(_ taken: [String]?, announced: [String]) -> [String] {
        (taken ?? algorithmsKnown).filter { name in
            algorithmsKnown.contains(name) && announced.contains { $0.isIdentical(to: name) }
        }
    }

    static let algorithmsKnown = SignatureAlgorithm.allCases.map(\.rawValue)
}
