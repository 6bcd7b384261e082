// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import LedgerPrimitives

/// An OpenID Provider as a value: requests go in, answers come out.
///
/// It approves every login by itself and knows only invented persons. Time and randomness are
/// arguments, so the same requests give the same answers but for signatures that are random by
/// nature. ``SharedProvider`` lets many tasks ask it, ``ProviderServer`` puts it on a socket.
public struct SimulatedProvider: Sendable {
    /// The issuer: an absolute URL without a slash at its end.
    public let issuer: String
    /// How it is set up.
    public var settings: ProviderSettings
    /// The published keys; the last one signs.
    public private(set) var keys: [ProviderKey]
    /// What the token endpoint received, in order; beyond ``receivedMax`` only counted.
    public internal(set) var tokenRequests: [ReceivedTokenRequest] = []

    /// How many token requests are kept.
    public static let receivedMax = 10_000

    /// What has been promised for the logins to come, the next one first.
    var logins: [SimulatedLogin] = []
    /// By the bytes of the code.
    var grants: [[UInt8]: Grant] = [:]
    /// By the bytes of the access token.
    var accesses: [[UInt8]: Access] = [:]
    private var counts: [ProviderEndpoint: Int] = [:]

    /// A provider.
    public init(issuer: String, key: ProviderKey, settings: ProviderSettings) {
        precondition(issuer.utf8.last != UInt8(ascii: "/"), "the issuer ends in a slash")
        self.issuer = issuer
        self.settings = settings
        keys = [key]
    }

    /// How many requests came to an endpoint, refused ones included.
    public func requests(to endpoint: ProviderEndpoint) -> Int { counts[endpoint, default: 0] }

    /// The URL of an endpoint.
    public func url(of endpoint: ProviderEndpoint) -> String { issuer + endpoint.path }

    /// Signs with another key from now on.
    ///
    /// - Parameter keepingOld: Whether the old keys stay published; without it, tokens that were
    ///   signed with them can no longer be verified with what is published.
    public mutating func rotateKeys(to key: ProviderKey, keepingOld: Bool) {
        keys = (keepingOld ? keys : []) + [key]
    }

    /// Settles the next login about which nothing is settled yet: it is taken by the next
    /// authorization request that is in order.
    public mutating func prepare(_ login: SimulatedLogin) {
        logins.append(login)
    }

    /// Answers a request. Of the URL only path and query count.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - now: The true time; the provider's own clock may be set differently.
    ///   - randomBytes: Gives so many random bytes, for codes and access tokens.
    public mutating func respond(
        to request: HTTPRequest, at now: Instant, randomBytes: (Int) -> [UInt8]
    ) -> ProviderAnswer {
        let target = RequestTarget(url: request.url)
        guard let endpoint = endpoint(at: target.path) else {
            return ProviderAnswer(.page("There is nothing here.", status: 404))
        }
        counts[endpoint, default: 0] += 1
        guard endpoint.methods.contains(request.method) else {
            let allowed = endpoint.methods.map(\.rawValue).joined(separator: ", ")
            var response = HTTPResponse.page("Not in this way.", status: 405)
            response.fields.append(HTTPField("Allow", allowed))
            return ProviderAnswer(response)
        }
        let now = now.advanced(byMilliseconds: Int64(settings.clockOffsetSeconds) * 1000)
        switch endpoint {
        case .discovery: return ProviderAnswer(discovery)
        case .keySet: return ProviderAnswer(keySet)
        case .authorization:
            let text = request.method == .get ? Array(target.query.utf8) : request.body
            return ProviderAnswer(authorize(text, at: now, randomBytes: randomBytes))
        case .token: return token(request, at: now, randomBytes: randomBytes)
        case .userInfo: return ProviderAnswer(userInfo(request, at: now))
        }
    }

    private func endpoint(at path: String) -> ProviderEndpoint? {
        let base = RequestTarget(url: issuer).path
        return ProviderEndpoint.allCases.first { (base + $0.path).isIdentical(to: path) }
    }

    /// The client of an id.
    func client(_ id: String) -> RegisteredClient? {
        settings.clients.first { $0.id.isIdentical(to: id) }
    }
}

/// What a code stands for.
struct Grant: Sendable {
    let clientID: String
    let redirectURI: String
    let scope: String
    let nonce: String?
    /// The `code_challenge`; its method is S256.
    let challenge: String?
    let person: SimulatedPerson
    let misbehaviour: Misbehaviour
    let issuedAt: Instant
    let expiresAt: Instant
    /// A code counts once, whether or not anything came of it.
    var isUsed = false
    /// Taken back when the code comes a second time (RFC 6749 §4.1.2).
    var accessToken: [UInt8]?
}

/// What an access token stands for.
struct Access: Sendable {
    let person: SimulatedPerson
    let expiresAt: Instant
}
