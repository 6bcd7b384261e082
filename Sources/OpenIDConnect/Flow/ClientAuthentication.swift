// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import JOSE
public import LedgerPrimitives
public import OpenSSL

/// A key of the client's own with which it signs assertions and request objects.
public struct ClientSigningKey: Sendable {
    /// `kid`, as in the key set that the provider has of us.
    public let keyID: String?
    /// What it signs with.
    public let algorithm: SignatureAlgorithm
    /// The key.
    public let key: PrivateKey

    /// Names a key.
    public init(keyID: String?, algorithm: SignatureAlgorithm, key: PrivateKey) {
        self.keyID = keyID
        self.algorithm = algorithm
        self.key = key
    }

    /// Signs claims under a header of its own.
    func sign(_ claims: JSONObject, type: String?) throws(FlowFailure) -> String {
        var header = JSONObject()
        header["kid"] = keyID.map { .string($0) }
        header["typ"] = type.map { .string($0) }
        do {
            let token = try CompactJWS.sign(
                CanonicalJSON.encode(claims), header: header, algorithm: algorithm, key: key)
            return String(decoding: token, as: UTF8.self)
        } catch {
            throw FlowFailure(.clientAuthenticationFailed)
        }
    }
}

/// What the client shows who it is with.
public enum ClientCredential: Sendable {
    /// Nothing, or the TLS connection does it.
    case none
    /// A secret that the provider knows too.
    case secret(ClientSecret)
    /// A key whose public half the provider knows.
    case key(ClientSigningKey)
}

/// Providers differ in how they take a client's authentication.
public struct ClientAuthenticationRules: Equatable, Sendable {
    /// Who an assertion is meant for.
    public enum Audience: String, CaseIterable, Sendable {
        /// The issuer: nobody else can then use an assertion that was sent to the wrong place.
        case issuer
        /// The URL of the endpoint that is asked.
        case endpoint
    }

    /// Whether id and secret are form-encoded before they become a Basic header (RFC 6749 §2.3.1).
    public var isBasicFormEncoded = true
    /// Whether `client_id` stands in the body too; nil leaves it to the method: with an assertion
    /// or a certificate it does.
    public var sendsClientID: Bool?
    /// `aud` of assertions.
    public var audience = Audience.issuer
    /// How long an assertion is good for, in seconds.
    public var assertionLifetimeSeconds = 60

    /// The rules of the specifications.
    public init() {}
}

/// The time and the random bytes that a request is made with.
public struct RequestOccasion: Sendable {
    /// Now.
    public let instant: Instant
    /// Names this request among all others: `jti` of an assertion.
    public let uniqueID: String

    /// An occasion.
    public init(at instant: Instant, uniqueID: String) {
        self.instant = instant
        self.uniqueID = uniqueID
    }
}

/// Makes requests to the backchannel endpoints of a provider in the client's name.
public struct BackchannelClient: Sendable {
    /// The client.
    public let registration: ClientRegistration
    /// What it shows who it is with.
    public let credential: ClientCredential
    /// How this provider takes it.
    public let rules: ClientAuthenticationRules
    /// The provider's issuer.
    public let issuer: String
    /// The limits of every request; they hold the client's certificate where one is used.
    public let limits: HTTPRequest.Limits
    /// Fields that go along with every request.
    public let extraFields: [HTTPField]

    /// A client at a provider.
    public init(
        registration: ClientRegistration, credential: ClientCredential,
        rules: ClientAuthenticationRules = ClientAuthenticationRules(), issuer: String,
        limits: HTTPRequest.Limits, extraFields: [HTTPField] = []
    ) {
        self.registration = registration
        self.credential = credential
        self.rules = rules
        self.issuer = issuer
        self.limits = limits
        self.extraFields = extraFields
    }

    /// A form for an endpoint, with the client's authentication.
    ///
    /// - Throws: `client-auth-failed` when the assertion cannot be signed.
    public func post(
        _ form: [FormEncoding.Parameter], to endpoint: String, on occasion: RequestOccasion
    ) throws(FlowFailure) -> HTTPRequest {
        var form = form
        var fields =
            [
                HTTPField("Content-Type", "application/x-www-form-urlencoded"),
                HTTPField("Accept", "application/json"),
            ] + extraFields
        try authenticate(&form, &fields, endpoint, occasion)
        return HTTPRequest(
            .post, endpoint, fields: fields, body: Array(FormEncoding.encode(form).utf8),
            limits: limits)
    }

    private func authenticate(
        _ form: inout [FormEncoding.Parameter], _ fields: inout [HTTPField], _ endpoint: String,
        _ occasion: RequestOccasion
    ) throws(FlowFailure) {
        let method = registration.authentication
        let sendsID = rules.sendsClientID ?? (method != .clientSecretBasic)
        // A body with the secret or without any credential says nothing without the id.
        if sendsID || method == .none || method == .clientSecretPost {
            form.removeAll { $0.name.isIdentical(to: "client_id") }
            form.append(.init("client_id", registration.clientID))
        }
        switch (method, credential) {
        case (.none, _), (.tlsClientAuth, _), (.selfSignedTLSClientAuth, _):
            break
        case (.clientSecretBasic, .secret(let secret)):
            fields.append(HTTPField("Authorization", "Basic " + basic(secret)))
        case (.clientSecretPost, .secret(let secret)):
            form.append(.init("client_secret", secret.text))
        case (.clientSecretJWT, .secret(let secret)):
            append(assertion: authenticated(claims(endpoint, occasion), by: secret), to: &form)
        case (.privateKeyJWT, .key(let key)):
            append(
                assertion: try key.sign(claims(endpoint, occasion), type: "JWT"), to: &form)
        default:
            throw FlowFailure(.clientAuthenticationFailed)
        }
    }

    /// Id and secret for the `Authorization` header. Both are form-encoded first: client ids may
    /// hold colons.
    private func basic(_ secret: ClientSecret) -> String {
        let parts = [registration.clientID, secret.text].map {
            rules.isBasicFormEncoded ? FormEncoding.encode($0) : $0
        }
        return Base64.encode(Array(parts.joined(separator: ":").utf8))
    }

    private func append(assertion: String, to form: inout [FormEncoding.Parameter]) {
        form.append(
            .init(
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))
        form.append(.init("client_assertion", assertion))
    }

    /// The claims of an assertion (RFC 7523 §3): for this provider, once, and soon over.
    private func claims(_ endpoint: String, _ occasion: RequestOccasion) -> JSONObject {
        let now = occasion.instant.secondsSince1970
        return [
            "aud": .string(rules.audience == .issuer ? issuer : endpoint),
            "exp": .integer(now + Int64(rules.assertionLifetimeSeconds)),
            "iat": .integer(now),
            "iss": .string(registration.clientID),
            "jti": .string(occasion.uniqueID),
            "sub": .string(registration.clientID),
        ]
    }

    /// An assertion under HS256. Only here is an HMAC of use: the provider knows that we know the
    /// secret, and nobody else has to be shown.
    private func authenticated(_ claims: JSONObject, by secret: ClientSecret) -> String {
        let header = CanonicalJSON.encode(["alg": .string("HS256"), "typ": .string("JWT")])
        let text = Base64URL.encode(header) + "." + Base64URL.encode(CanonicalJSON.encode(claims))
        let code = hmacSHA256(key: SecretBytes(Array(secret.text.utf8)), Array(text.utf8))
        return text + "." + Base64URL.encode(code)
    }
}
