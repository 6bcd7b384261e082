// SPDX-License-Identifier: Apache-2.0

public import JOSE
public import LedgerPrimitives

/// Every setting that a check of an ID token reads.
///
/// The policy of a login is archived as canonical JSON with all defaults filled in, so that a
/// check years later reads the same settings, whatever the defaults are by then.
public struct VerificationPolicy: Equatable, Sendable {
    /// When an ID token must carry the session's nonce.
    public enum NonceRule: String, CaseIterable, Sendable {
        /// Whenever one was sent with the request.
        case whenSent = "when-sent"
        /// Always; a session that sent none fails.
        case always
    }

    /// The issuer that `iss` must name, to the byte.
    public var issuer: String
    /// The client that `aud` must name.
    public var audience: String
    /// Other audiences that may stand beside it.
    public var trustedAudiences: [String] = []
    /// Signature algorithms that are taken.
    public var algorithms: [String] = ["RS256"] {
        didSet { knownAlgorithms = algorithms.compactMap(SignatureAlgorithm.init(rawValue:)) }
    }
    /// Those of them that are ours; found once, and not for every token.
    private var knownAlgorithms = [SignatureAlgorithm.rs256]
    /// Clock differences that are put up with.
    public var clockSkew = ClockSkew()
    /// How old `iat` may be at receipt, in seconds.
    public var issuedAtAgeSecondsMax = 600
    /// When a nonce is demanded.
    public var nonce = NonceRule.whenSent
    /// The lowest level of assurance that is taken; 0 takes any.
    public var levelOfAssuranceMin = 0
    /// Levels of the authentication context classes whose name does not tell.
    public var levelsOfAssurance: [AssuranceLevel] = []
    /// The claims in which the provider names its people as the hint of a backchannel request
    /// does; the first that is there counts. Empty where they cannot be compared.
    public var hintClaims: [String] = []
    /// Claims that a token must have, whatever they say; `null` counts as missing.
    public var requiredClaims: [String] = []
    /// The smallest RSA key that is taken, in bits.
    public var rsaBitsMin = 2048
    /// The largest token that is taken, in bytes.
    public var tokenBytesMax = 262_144

    /// The strictest useful policy for a client: defaults everywhere else.
    public init(issuer: String, audience: String) {
        self.issuer = issuer
        self.audience = audience
    }
}

// MARK: - Canonical form

extension VerificationPolicy {
    /// The archived form.
    ///
    /// A setting that later versions added stands in it only where it is used: the same settings
    /// have to give the same document for ever.
    public var object: JSONObject {
        var object: JSONObject = [
            "algorithms": .array(algorithms.map { .string($0) }),
            "audience": .string(audience),
            "clockSkewSeconds": .object(clockSkew.object),
            "issuedAtAgeSecondsMax": .integer(Int64(issuedAtAgeSecondsMax)),
            "issuer": .string(issuer),
            "levelOfAssuranceMin": .integer(Int64(levelOfAssuranceMin)),
            "levelsOfAssurance": .object(
                levelsOfAssurance.reduce(into: JSONObject()) {
                    $0[$1.acr] = .integer(Int64($1.level))
                }),
            "nonce": .string(nonce.rawValue),
            "rsaBitsMin": .integer(Int64(rsaBitsMin)),
            "tokenBytesMax": .integer(Int64(tokenBytesMax)),
            "trustedAudiences": .array(trustedAudiences.map { .string($0) }),
        ]
        if !hintClaims.isEmpty { object["hintClaims"] = .array(hintClaims.map { .string($0) }) }
        if !requiredClaims.isEmpty {
            object["requiredClaims"] = .array(requiredClaims.map { .string($0) })
        }
        return object
    }

    /// The names of all members of the archived form.
    static let memberNames: Set<String> = {
        var fullest = VerificationPolicy(issuer: "", audience: "")
        fullest.hintClaims = ["sub"]
        fullest.requiredClaims = ["sub"]
        return Set(fullest.object.members.map(\.name))
    }()

    /// Reads a policy in which settings may be left open.
    ///
    /// - Returns: the policy with defaults filled in, and whether any setting was left open.
    /// - Throws: ``PolicyError`` naming the first member that is unknown, missing or malformed.
    public static func complete(
        _ partial: JSONObject
    ) throws(PolicyError) -> (policy: VerificationPolicy, wasPartial: Bool) {
        if let unknown = partial.members.first(where: { !memberNames.contains($0.name) }) {
            throw PolicyError(member: unknown.name, problem: .unknown)
        }
        let reader = PolicyReader(partial: partial)
        var policy = VerificationPolicy(
            issuer: try reader.text("issuer"), audience: try reader.text("audience"))
        policy.trustedAudiences = try reader.texts("trustedAudiences") ?? policy.trustedAudiences
        policy.algorithms = try reader.texts("algorithms") ?? policy.algorithms
        policy.clockSkew = try reader.clockSkew() ?? policy.clockSkew
        policy.issuedAtAgeSecondsMax =
            try reader.number("issuedAtAgeSecondsMax", 1...31_536_000)
            ?? policy.issuedAtAgeSecondsMax
        if let rule = try reader.optionalText("nonce") {
            guard let rule = NonceRule(rawValue: rule) else { throw .malformed("nonce") }
            policy.nonce = rule
        }
        policy.levelOfAssuranceMin =
            try reader.number("levelOfAssuranceMin", 0...9) ?? policy.levelOfAssuranceMin
        policy.levelsOfAssurance = try reader.levels() ?? policy.levelsOfAssurance
        policy.hintClaims = try reader.texts("hintClaims") ?? policy.hintClaims
        policy.requiredClaims = try reader.texts("requiredClaims") ?? policy.requiredClaims
        policy.rsaBitsMin = try reader.number("rsaBitsMin", 2048...16_384) ?? policy.rsaBitsMin
        policy.tokenBytesMax =
            try reader.number("tokenBytesMax", 1024...1_048_576) ?? policy.tokenBytesMax
        let wasPartial = policy.object != partial
        return (policy, wasPartial)
    }

    /// This policy with some settings in the place of its own; of the tolerated clock differences
    /// those that are named.
    ///
    /// - Throws: ``PolicyError`` naming the first member that is unknown or malformed.
    public func replacing(
        _ settings: JSONObject
    ) throws(PolicyError) -> VerificationPolicy {
        var changed = object
        for setting in settings.members {
            guard let skew = setting.value.objectValue, setting.name == Self.clockSkewName else {
                changed[setting.name] = setting.value
                continue
            }
            var claims = clockSkew.object
            for claim in skew.members {
                claims[claim.name] = claim.value
            }
            changed[setting.name] = .object(claims)
        }
        return try Self.complete(changed).policy
    }

    private static let clockSkewName = "clockSkewSeconds"
}

/// What is wrong with a policy.
public struct PolicyError: Error, Equatable {
    /// What is wrong with the member.
    public enum Problem: Equatable, Sendable {
        case unknown
        case missing
        case malformed
    }

    /// The member's name; not to be shown when it is unknown, as it may be anything.
    public let member: String
    /// What is wrong with it.
    public let problem: Problem

    static func malformed(_ member: String) -> PolicyError {
        PolicyError(member: member, problem: .malformed)
    }
}

/// Takes members out of a partial policy.
private struct PolicyReader {
    /// As many as a provider's profile may list: what was archived must be readable.
    private static let textsMax = 256

    let partial: JSONObject

    func optionalText(_ name: String) throws(PolicyError) -> String? {
        guard let member = partial[name] else { return nil }
        guard let text = member.stringValue, (1...2048).contains(text.utf8.count) else {
            throw .malformed(name)
        }
        return text
    }

    func text(_ name: String) throws(PolicyError) -> String {
        guard let text = try optionalText(name) else {
            throw PolicyError(member: name, problem: .missing)
        }
        return text
    }

    func texts(_ name: String) throws(PolicyError) -> [String]? {
        guard let member = partial[name] else { return nil }
        let texts = member.arrayValue?.compactMap(\.stringValue)
        guard let texts, texts.count == member.arrayValue?.count,
            texts.count <= Self.textsMax, texts.allSatisfy({ (1...2048).contains($0.utf8.count) })
        else { throw .malformed(name) }
        return texts
    }

    func number(_ name: String, _ range: ClosedRange<Int>) throws(PolicyError) -> Int? {
        guard let member = partial[name] else { return nil }
        guard let number = member.integerValue, range.contains(Int(number)) else {
            throw .malformed(name)
        }
        return Int(number)
    }

    /// One number for every claim, or a number for each of them.
    func clockSkew() throws(PolicyError) -> ClockSkew? {
        let name = "clockSkewSeconds"
        let range = 0...ClockSkew.secondsMax
        guard let claims = partial[name]?.objectValue else {
            return try number(name, range).map(ClockSkew.init(seconds:))
        }
        var seconds: [String: Int] = [:]
        for member in claims.members {
            guard let value = member.value.integerValue, range.contains(Int(value)),
                ["exp", "iat", "nbf"].contains(member.name)
            else { throw .malformed(name) }
            seconds[member.name] = Int(value)
        }
        let standard = ClockSkew.secondsDefault
        return ClockSkew(
            expirationSeconds: seconds["exp"] ?? standard,
            notBeforeSeconds: seconds["nbf"] ?? standard,
            issuedAtSeconds: seconds["iat"] ?? standard)
    }

    func levels() throws(PolicyError) -> [AssuranceLevel]? {
        let name = "levelsOfAssurance"
        guard let member = partial[name] else { return nil }
        guard let table = member.objectValue, table.members.count <= 256 else {
            throw .malformed(name)
        }
        var levels: [AssuranceLevel] = []
        for row in table.members {
            guard let level = row.value.integerValue, (0...9).contains(level) else {
                throw .malformed(name)
            }
            levels.append(AssuranceLevel(acr: row.name, level: Int(level)))
        }
        return levels
    }
}

// MARK: - Use

extension VerificationPolicy {
    /// What a token of one session is compared with under this policy.
    ///
    /// Settings name algorithms as texts, so that a policy can be kept that names one we do not
    /// know; such a one is simply never met.
    ///
    /// - Parameters:
    ///   - nonce: the nonce that was sent; nil when none was.
    ///   - accessToken: what `at_hash` is compared with.
    public func expectations(
        nonce: String?, accessToken: HashExpectation = HashExpectation()
    ) -> IDTokenExpectations {
        var expectations = IDTokenExpectations(
            issuer: issuer, clientID: audience, algorithms: knownAlgorithms)
        expectations.trustedAudiences = trustedAudiences
        expectations.skew = clockSkew
        expectations.nonceRule = self.nonce == .always || nonce != nil ? .required : .ifPresent
        expectations.nonce = nonce
        expectations.issuedAgeSecondsMax = issuedAtAgeSecondsMax
        expectations.tokenBytesMax = tokenBytesMax
        expectations.assuranceLevelMin = levelOfAssuranceMin == 0 ? nil : levelOfAssuranceMin
        expectations.assuranceLevels = levelsOfAssurance
        expectations.requiredClaims = requiredClaims
        expectations.accessToken = accessToken
        return expectations
    }

    /// How keys are judged under this policy.
    public var keyLimits: JSONWebKeyLimits {
        var limits = JSONWebKeyLimits()
        limits.rsaModulusBitsMin = rsaBitsMin
        return limits
    }
}
