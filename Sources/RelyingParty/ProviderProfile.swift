// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import LedgerPrimitives
public import OpenIDConnect
public import SessionEvents

/// What we know of a provider and of our client there. Everything else comes from discovery.
public struct ProviderProfile: Equatable, Sendable {
    /// Where the client's secret is; never the secret itself.
    public enum SecretPlace: Equatable, Sendable {
        /// A file, by its absolute path; one newline at its end does not count.
        case file(String)
        /// A variable of the environment.
        case environment(String)
    }

    /// The profile's name.
    public var name: String
    /// The issuer.
    public var issuer: String
    /// The client.
    public var registration: ClientRegistration
    /// Where its secret is.
    public var secret: SecretPlace?
    /// Flows that may be used; the first is the default.
    public var flows: [Flow]
    /// Authentication context classes to ask for.
    public var acrValues: String?
    /// Signature algorithms of ID tokens that are taken; nil takes what discovery announces.
    public var algorithms: [String]?
    /// Plain http to loopback is allowed; for tests and demonstrations.
    public var allowsLoopbackHTTP: Bool
    /// A PEM file with the certificate authorities trusted for this provider, absolute.
    public var trustedCAFile: String?
    /// Clock differences put up with, in seconds.
    public var clockSkewSeconds: Int?
    /// The lowest level of assurance that is taken.
    public var levelOfAssuranceMin: Int?

    /// The limits of every request to this provider.
    public var limits: HTTPRequest.Limits {
        var limits = HTTPRequest.Limits()
        limits.allowsLoopbackHTTP = allowsLoopbackHTTP
        // Who names an issuer on this machine means this machine.
        limits.allowsPrivateTargets = EndpointURL.isLoopback(url: issuer)
        limits.trustedCAFile = trustedCAFile
        return limits
    }

    /// The policy of a login, given what discovery announces.
    public func policy(_ discovery: DiscoveryDocument) -> VerificationPolicy {
        var policy = VerificationPolicy(issuer: issuer, audience: registration.clientID)
        let announced = discovery.idTokenAlgorithms ?? ["RS256"]
        policy.algorithms = (algorithms ?? Self.algorithmsKnown).filter { name in
            Self.algorithmsKnown.contains(name) && announced.contains { $0.isIdentical(to: name) }
        }
        if let clockSkewSeconds {
            policy.clockSkew = ClockSkew(
                expirationSeconds: clockSkewSeconds, notBeforeSeconds: clockSkewSeconds,
                issuedAtSeconds: clockSkewSeconds)
        }
        policy.levelOfAssuranceMin = levelOfAssuranceMin ?? 0
        policy.nonce = .always
        return policy
    }

    private static let algorithmsKnown = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    ]
}

// MARK: - Reading

/// What is wrong with a profile.
public struct ProfileError: Error, Equatable, CustomStringConvertible {
    /// What is wrong and what to do, without any value of the profile.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension ProviderProfile {
    /// Reads the members of a profile.
    ///
    /// - Parameter directory: what relative paths are relative to.
    public init(_ members: JSONObject, relativeTo directory: String) throws(ProfileError) {
        var reader = ProfileReader(members, directory: directory)
        name = try reader.required("name", Self.isName, "a name of letters, digits and . _ -")
        allowsLoopbackHTTP = try reader.flag("allowLoopbackHTTP") ?? false
        let allowsLoopbackHTTP = allowsLoopbackHTTP
        issuer = try reader.required(
            "issuer",
            {
                EndpointURL.isAcceptable($0, allowsLoopbackHTTP: allowsLoopbackHTTP)
                    && !$0.contains("?")
            },
            "an https URL without query; plain http to loopback needs `allowLoopbackHTTP: true`")
        let authentication = try reader.authentication()
        secret = authentication.secret
        registration = ClientRegistration(
            clientID: try reader.required("clientID"), authentication: authentication.method,
            redirectURI: try reader.required("redirectURI"),
            scope: try reader.optional("scope") ?? "openid")
        flows = try reader.flows() ?? [.pkce, .code]
        acrValues = try reader.optional("acrValues")
        algorithms = try reader.texts("algorithms")
        trustedCAFile = try reader.path("trustedCAFile")
        clockSkewSeconds = try reader.number("clockSkewSeconds", 0...ClockSkew.secondsMax)
        levelOfAssuranceMin = try reader.number("levelOfAssuranceMin", 0...9)
        try reader.finish()
        try checkWritable()
    }

    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
                    || "._-".utf8.contains(byte)
            }
    }

    /// Everything that an event takes over from the profile must be of the event's form.
    private func checkWritable() throws(ProfileError) {
        let event = SessionEvent.initiated(
            Initiated(
                provider: name, issuer: issuer, clientID: registration.clientID,
                flow: flows.first ?? .pkce, scope: registration.scope, acrValues: acrValues,
                redirectURI: registration.redirectURI))
        do {
            _ = try SessionEventCodec.decode(
                type: event.type.rawValue, version: event.type.currentVersion,
                data: event.clearMembers)
        } catch .member(let error) {
            throw ProfileError("in the profile, \(error.description)")
        } catch {
            throw ProfileError("the profile cannot be written into an event")
        }
    }

    /// The archived form: absolute paths, no secrets.
    public var object: JSONObject {
        var authentication: JSONObject = [
            "method": .string(registration.authentication.rawValue)
        ]
        switch secret {
        case .file(let path): authentication["secretFile"] = .string(path)
        case .environment(let name): authentication["secretEnvironment"] = .string(name)
        case nil: break
        }
        var object: JSONObject = [
            "allowLoopbackHTTP": .bool(allowsLoopbackHTTP),
            "clientAuthentication": .object(authentication),
            "clientID": .string(registration.clientID),
            "flows": .array(flows.map { .string($0.rawValue) }),
            "issuer": .string(issuer),
            "name": .string(name),
            "redirectURI": .string(registration.redirectURI),
            "scope": .string(registration.scope),
        ]
        object["acrValues"] = acrValues.map { .string($0) }
        object["algorithms"] = algorithms.map { .array($0.map { .string($0) }) }
        object["trustedCAFile"] = trustedCAFile.map { .string($0) }
        object["clockSkewSeconds"] = clockSkewSeconds.map { .integer(Int64($0)) }
        object["levelOfAssuranceMin"] = levelOfAssuranceMin.map { .integer(Int64($0)) }
        return object
    }
}

/// Takes members out of a profile.
private struct ProfileReader {
    private let members: JSONObject
    private let directory: String
    private var taken: Set<String> = []

    init(_ members: JSONObject, directory: String) {
        self.members = members
        self.directory = directory
    }

    private mutating func take(_ name: String) -> JSONValue? {
        taken.insert(name)
        return members[name]
    }

    mutating func optional(_ name: String) throws(ProfileError) -> String? {
        guard let member = take(name) else { return nil }
        guard let text = member.stringValue, !text.isEmpty else {
            throw ProfileError("`\(name)` must be a text")
        }
        return text
    }

    mutating func required(
        _ name: String, _ isFit: (String) -> Bool = { _ in true },
        _ expectation: String = "a text"
    ) throws(ProfileError) -> String {
        guard let text = try optional(name) else {
            throw ProfileError("`\(name)` is missing from the profile")
        }
        guard isFit(text) else { throw ProfileError("`\(name)` must be \(expectation)") }
        return text
    }

    mutating func flag(_ name: String) throws(ProfileError) -> Bool? {
        guard let member = take(name) else { return nil }
        guard let flag = member.boolValue else {
            throw ProfileError("`\(name)` must be true or false")
        }
        return flag
    }

    mutating func number(_ name: String, _ range: ClosedRange<Int>) throws(ProfileError) -> Int? {
        guard let member = take(name) else { return nil }
        guard let number = member.integerValue, range.contains(Int(number)) else {
            throw ProfileError(
                "`\(name)` must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return Int(number)
    }

    mutating func texts(_ name: String) throws(ProfileError) -> [String]? {
        guard let member = take(name) else { return nil }
        let texts = member.arrayValue?.compactMap(\.stringValue)
        guard let texts, texts.count == member.arrayValue?.count, !texts.isEmpty else {
            throw ProfileError("`\(name)` must be a list of texts")
        }
        return texts
    }

    mutating func path(_ name: String) throws(ProfileError) -> String? {
        try optional(name).map { $0.hasPrefix("/") ? $0 : directory + "/" + $0 }
    }

    mutating func flows() throws(ProfileError) -> [Flow]? {
        guard let names = try texts("flows") else { return nil }
        let flows = names.compactMap(Flow.init(rawValue:))
        guard flows.count == names.count else {
            let known = Flow.allCases.map(\.rawValue).joined(separator: ", ")
            throw ProfileError("`flows` must be a list of \(known)")
        }
        return flows
    }

    mutating func authentication() throws(ProfileError) -> (
        method: ClientRegistration.AuthenticationMethod, secret: ProviderProfile.SecretPlace?
    ) {
        guard let members = take("clientAuthentication")?.objectValue else {
            throw ProfileError("`clientAuthentication` is missing, or has no members")
        }
        var reader = ProfileReader(members, directory: directory)
        let names = ClientRegistration.AuthenticationMethod.allCases.map(\.rawValue)
        let method = ClientRegistration.AuthenticationMethod(
            rawValue: try reader.required("method"))
        guard let method else {
            throw ProfileError(
                "`clientAuthentication.method` must be one of \(names.joined(separator: ", "))")
        }
        let file = try reader.path("secretFile")
        let variable = try reader.optional("secretEnvironment")
        try reader.finish()
        if method == .none {
            guard file == nil, variable == nil else {
                throw ProfileError(
                    "`clientAuthentication` must have no secret with the method none")
            }
            return (method, nil)
        }
        guard (file == nil) != (variable == nil) else {
            throw ProfileError(
                "`clientAuthentication` must have either `secretFile` or `secretEnvironment`")
        }
        return (method, file.map { .file($0) } ?? variable.map { .environment($0) })
    }

    func finish() throws(ProfileError) {
        for member in members.members where !taken.contains(member.name) {
            let isPlain = member.name.utf8.allSatisfy { (0x61...0x7A).contains($0 | 0x20) }
            throw ProfileError(
                "the profile has an unknown member" + (isPlain ? " `\(member.name)`" : ""))
        }
    }
}
