// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
internal import JOSE
public import LedgerPrimitives

/// An OpenID Provider as a value: requests go in, answers come out.
///
/// It approves every login by itself, unless a script says otherwise, and knows only invented
/// persons. Time and randomness are arguments, so the same requests give the same answers but for
/// signatures that are random by nature. ``SharedProvider`` lets many tasks ask it,
/// ``ProviderServer`` puts it on a socket.
public struct SimulatedProvider: Sendable {
    /// The issuer: an absolute URL without a slash at its end.
    public let issuer: String
    /// How it is set up.
    public var settings: ProviderSettings {
        didSet { routes = Routes(issuer: issuer, settings: settings) }
    }
    /// The published keys; the last one for an algorithm signs.
    public private(set) var keys: [ProviderKey]
    /// What the token endpoint received, in order; beyond ``receivedMax`` only counted.
    public internal(set) var tokenRequests: [ReceivedTokenRequest] = []

    /// How well clients kept to the interval between polls.
    public internal(set) var polls = PollStatistics()

    /// How many token requests are kept.
    public static let receivedMax = 10_000

    /// What has been promised for the logins to come.
    var logins = LoginQueue()
    /// By the bytes of the code.
    var grants: [[UInt8]: Grant] = [:]
    /// By the bytes of the access token.
    var accesses: [[UInt8]: Access] = [:]
    /// By the bytes of the `request_uri`.
    var pushedRequests: [[UInt8]: PushedRequest] = [:]
    /// Those that wait for their users, by the bytes of their names.
    var backchannelRequests: [[UInt8]: BackchannelRequest] = [:]
    /// Those that are over, by the bytes of their names.
    var finishedRequests: [[UInt8]: FinishedRequest] = [:]
    /// How many scripts of the settings were taken.
    var scriptsTaken = 0
    /// The tokens that were given last, by client and person.
    var givenTokens: [[UInt8]: GivenTokens] = [:]
    /// The clients that have one-time tokens of the account selector, by the bytes of the token.
    var selectorTokens: [[UInt8]: String] = [:]
    /// By the bytes of their ids.
    var permissions: [[UInt8]: Permission] = [:]
    /// Ids by the bytes of the tokens that stand for them.
    var permissionIDs: [[UInt8]: [UInt8]] = [:]
    /// Assertions and request objects that came, which count once.
    var usedTokens: Set<Digest> = []
    private var routes: Routes
    private var counts: [ProviderEndpoint: Int] = [:]

    /// A provider.
    public init(issuer: String, key: ProviderKey, settings: ProviderSettings) {
        precondition(issuer.utf8.last != UInt8(ascii: "/"), "the issuer ends in a slash")
        self.issuer = issuer
        self.settings = settings
        keys = [settings.broker.named(key)]
        routes = Routes(issuer: issuer, settings: settings)
    }

    /// How many requests came to an endpoint, refused ones included.
    public func requests(to endpoint: ProviderEndpoint) -> Int { counts[endpoint, default: 0] }

    /// The URL of an endpoint. That of a grant has `{id}` in it.
    public func url(of endpoint: ProviderEndpoint) -> String {
        issuer + endpoint.path(at: settings.broker)
    }

    /// Which endpoint a URL leads to; nil when it leads to none. Only path and query count.
    public func endpoint(at url: String) -> ProviderEndpoint? {
        routes.match(RequestTarget(url: url).path)?.endpoint
    }

    /// Signs with another key from now on.
    ///
    /// - Parameter keepingOld: Whether the old keys stay published; without it, tokens that were
    ///   signed with them can no longer be verified with what is published.
    public mutating func rotateKeys(to key: ProviderKey, keepingOld: Bool) {
        keys = (keepingOld ? keys : []) + [settings.broker.named(key)]
    }

    /// Settles the next login about which nothing is settled yet: it is taken by the next
    /// authorization request, or request for a login without redirects, that is in order.
    public mutating func prepare(_ login: SimulatedLogin) {
        logins.append(login)
    }

    /// Answers a request. Of the URL only path and query count.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - now: The true time; the provider's own clock may be set differently.
    ///   - certificate: The SHA-256 hash of the certificate that the client presented, in DER; nil
    ///     when it presented none.
    ///   - randomBytes: Gives so many random bytes, for codes and access tokens.
    public mutating func respond(
        to request: HTTPRequest, at now: Instant, presenting certificate: Digest? = nil,
        randomBytes: (Int) -> [UInt8]
    ) -> ProviderAnswer {
        let target = RequestTarget(url: request.url)
        guard let match = routes.match(target.path) else {
            return ProviderAnswer(.page("There is nothing here.", status: 404))
        }
        counts[match.endpoint, default: 0] += 1
        guard match.endpoint.methods.contains(request.method) else {
            let allowed = match.endpoint.methods.map(\.rawValue).joined(separator: ", ")
            var response = HTTPResponse.page("Not in this way.", status: 405)
            response.fields.append(HTTPField("Allow", allowed))
            return ProviderAnswer(response)
        }
        return withoutActuallyEscaping(randomBytes) { randomBytes in
            let moment = Moment(
                now: now.advanced(byMilliseconds: Int64(settings.clockOffsetSeconds) * 1000),
                certificate: certificate, isOverMutualTLS: match.isOverMutualTLS,
                randomBytes: randomBytes)
            var answer = self.answer(to: request, target, match, in: moment)
            trace(request, &answer, in: moment)
            return answer
        }
    }

    private mutating func answer(
        to request: HTTPRequest, _ target: RequestTarget, _ match: Routes.Match, in moment: Moment
    ) -> ProviderAnswer {
        switch match.endpoint {
        case .discovery: discovery
        case .keySet: keySet
        case .authorization:
            ProviderAnswer(
                authorize(
                    request.method == .get ? Array(target.query.utf8) : request.body, in: moment))
        case .token: token(request, in: moment)
        case .userInfo: userInfo(request, in: moment)
        case .pushedAuthorization: pushAuthorization(request, in: moment)
        case .backchannelAuthentication: startBackchannel(request, in: moment)
        case .headless: startHeadless(request, in: moment)
        case .accountSelector:
            ProviderAnswer(selectAccount(Array(target.query.utf8), in: moment))
        case .permissionDiscovery: ProviderAnswer(permissionDiscovery)
        case .grantKeySet: ProviderAnswer(grantKeySet)
        case .permissions: registerPermission(request, in: moment)
        case .permissionGrant: permissionGrant(match.id ?? "", request, in: moment)
        }
    }

    /// Idura names every exchange when it is asked to; its support can find it by that name.
    private func trace(
        _ request: HTTPRequest, _ answer: inout ProviderAnswer, in moment: Moment
    ) {
        guard settings.broker == .idura,
            request.field("Prefer")?.utf8.elementsEqual("return-trace-id".utf8) ?? false
        else { return }
        answer.response.fields.append(
            HTTPField("Trace-Id", Hexadecimal.encode(moment.randomBytes(16))))
    }

    /// The client of an id.
    func client(_ id: String) -> RegisteredClient? {
        settings.clients.first { $0.id.isIdentical(to: id) }
    }

    /// The newest key for an algorithm, or else the newest.
    func signingKey(for algorithm: SignatureAlgorithm?) -> ProviderKey {
        keys.last { $0.algorithm == algorithm } ?? keys[keys.count - 1]
    }
}

/// Logins that were settled beforehand, in their order.
struct LoginQueue: Sendable {
    private var logins: [SimulatedLogin] = []
    private var takenCount = 0

    /// What was settled about the next login; nil when nothing was.
    var first: SimulatedLogin? { takenCount < logins.count ? logins[takenCount] : nil }

    mutating func append(_ login: SimulatedLogin) { logins.append(login) }

    /// Takes what was settled about the next login.
    mutating func take() -> SimulatedLogin? {
        guard let login = first else { return nil }
        takenCount += 1
        return login
    }
}

/// What a code stands for.
struct Grant: Sendable {
    let clientID: String
    let redirectURI: String
    /// The `code_challenge`; its method is S256.
    let challenge: String?
    let facts: LoginFacts
    let misbehaviour: Misbehaviour
    let expiresAt: Instant
    /// A code counts once, whether or not anything came of it.
    var isUsed = false
    /// Taken back when the code comes a second time (RFC 6749 §4.1.2).
    var accessToken: [UInt8]?
}

/// Tokens that belong together.
struct GivenTokens: Sendable {
    let accessToken: String
    let idToken: String
}

/// What an access token stands for.
struct Access: Sendable {
    let clientID: String
    let scope: String
    /// Whom it tells about; nil when it was given to the client itself.
    let facts: LoginFacts?
    /// The certificate that must come with it; nil when anyone may bring it.
    let certificate: Digest?
    let misbehaviour: Misbehaviour
    let expiresAt: Instant
}
