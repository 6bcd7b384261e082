// SPDX-License-Identifier: Apache-2.0

public import JOSE
public import LedgerPrimitives

/// Everything the checks of an ID token compare it with.
public struct IDTokenExpectations: Sendable, Equatable {
    /// The provider's issuer.
    public var issuer: String
    /// The client id that the token must be for.
    public var clientID: String
    /// Who else may stand in `aud`.
    public var trustedAudiences: [String] = []
    /// The algorithms agreed on.
    public var algorithms: [SignatureAlgorithm]
    /// What `typ` in the header may say, beside not being there.
    public var headerTypes = ["JWT"]
    /// How far the clocks may differ.
    public var skew = ClockSkew()
    /// Whether the token must carry the nonce.
    public var nonceRule = NonceRule.required
    /// The nonce that was sent; nil when none was.
    public var nonce: String?
    /// How old `iat` may be at most, in seconds, beside the skew; nil for any age.
    public var issuedAgeSecondsMax: Int? = 3600
    /// `max_age` as requested, in seconds: then `auth_time` must be there. Nil when not requested.
    public var authenticationAgeSecondsMax: Int?
    /// The most bytes of a token.
    public var tokenBytesMax = CompactJWS.bytesMax
    /// The lowest level of assurance that suffices; nil for any.
    public var assuranceLevelMin: Int?
    /// Levels of those `acr` that do not say them.
    public var assuranceLevels: [AssuranceLevel] = []
    /// Claims that must be there, whatever they say.
    public var requiredClaims: [String] = []
    /// What `at_hash` is compared with.
    public var accessToken = HashExpectation()
    /// What `c_hash` is compared with.
    public var code = HashExpectation()
    /// What `s_hash` is compared with.
    public var state = HashExpectation()
    /// The backchannel request that the token must answer; nil in flows through a browser.
    public var request: RequestExpectation?

    /// Expectations with the usual limits.
    public init(issuer: String, clientID: String, algorithms: [SignatureAlgorithm]) {
        self.issuer = issuer
        self.clientID = clientID
        self.algorithms = algorithms
    }
}

/// How far the provider's clock and ours may differ, in seconds, for each claim.
public struct ClockSkew: Sendable, Hashable {
    /// The most that is ever granted: a token that expired six minutes ago is refused by all.
    public static let secondsMax = 300
    /// What is granted unless a policy says otherwise.
    public static let secondsDefault = 60

    /// How long after `exp` a token is still taken.
    public let expirationSeconds: Int
    /// How long before `nbf` it is already taken.
    public let notBeforeSeconds: Int
    /// How far in the future `iat` may lie.
    public let issuedAtSeconds: Int

    /// Sets the tolerances; each is brought into 0 to ``secondsMax``.
    public init(
        expirationSeconds: Int = ClockSkew.secondsDefault,
        notBeforeSeconds: Int = ClockSkew.secondsDefault,
        issuedAtSeconds: Int = ClockSkew.secondsDefault
    ) {
        self.expirationSeconds = Self.clamped(expirationSeconds)
        self.notBeforeSeconds = Self.clamped(notBeforeSeconds)
        self.issuedAtSeconds = Self.clamped(issuedAtSeconds)
    }

    /// The same tolerance for every claim.
    public init(seconds: Int) {
        self.init(
            expirationSeconds: seconds, notBeforeSeconds: seconds, issuedAtSeconds: seconds)
    }

    /// The archived form: a number for each claim.
    public var object: JSONObject {
        [
            "exp": .integer(Int64(expirationSeconds)), "iat": .integer(Int64(issuedAtSeconds)),
            "nbf": .integer(Int64(notBeforeSeconds)),
        ]
    }

    private static func clamped(_ seconds: Int) -> Int { min(max(seconds, 0), secondsMax) }
}

/// What is demanded of `nonce`.
public enum NonceRule: String, Sendable, Hashable, CaseIterable {
    /// It must be there and be the one sent: redirect flows.
    case required
    /// It may be missing; if it is there it must be the one sent: backchannel flows, where none
    /// is sent.
    case ifPresent = "if-present"
    /// Nobody knows what was sent: tokens looked at without their session.
    case ignored
}

/// What a hash claim is compared with.
public struct HashExpectation: Sendable, Hashable {
    /// The hashed value, or what is left of it.
    public enum Original: Sendable, Hashable {
        /// The value itself, hashed with the function of the token's algorithm.
        case value(String)
        /// The left half of its hash in base64url, made with that function when it was at hand.
        case leftHalf(String)
    }

    /// Whether the claim must be there.
    public var isRequired: Bool
    /// What it must match; nil when that is not known.
    public var original: Original?

    /// An expectation; without arguments, that nothing is known and nothing is demanded.
    public init(_ original: Original? = nil, isRequired: Bool = false) {
        self.original = original
        self.isRequired = isRequired
    }
}

/// What ties a token to the backchannel request that it came for. There is no nonce in such a
/// flow (CIBA Core §10.3.1).
public struct RequestExpectation: Sendable, Hashable {
    /// The id of the request; nil when it is not known any more.
    public var requestID: String?
    /// When the provider accepted the request: no token for it is older.
    public var acceptedAt: Instant?
    /// Whom the request was about, as the hint names them; nil when nobody knows.
    public var person: String?
    /// The claims in which the provider names its people as a hint does; empty when nobody knows.
    public var personClaims: [String]
    /// Whether the very token came before, in another session; nil when nobody looked.
    public var isReplayed: Bool?

    /// An expectation; without arguments, that nothing is known.
    public init(
        requestID: String? = nil, acceptedAt: Instant? = nil, person: String? = nil,
        personClaims: [String] = [], isReplayed: Bool? = nil
    ) {
        self.requestID = requestID
        self.acceptedAt = acceptedAt
        self.person = person
        self.personClaims = personClaims
        self.isReplayed = isReplayed
    }
}
