// SPDX-License-Identifier: Apache-2.0

internal import HTTPMessages
internal import JOSE
internal import LedgerPrimitives

/// Who a request says it is from, not yet believed (RFC 6749 §2.3.1, RFC 7521 §4.2).
struct ClaimedClient {
    enum Proof {
        case nothing
        case basic(secret: String)
        case post(secret: String)
        case assertion(String)
    }

    let id: String
    let proof: Proof

    /// The way of authentication that it tried, as far as the request shows it.
    var method: ClientAuthentication {
        switch proof {
        case .nothing: .none
        case .basic: .clientSecretBasic
        case .post: .clientSecretPost
        case .assertion(let text): Self.isCode(text) ? .clientSecretJWT : .privateKeyJWT
        }
    }

    /// Whether an assertion is one with a code made with the secret.
    private static func isCode(_ assertion: String) -> Bool {
        (try? CompactJWS(parsing: Array(assertion.utf8)))?.header.algorithmName
            .isIdentical(to: ClientAssertion.codeAlgorithm) ?? false
    }
}

extension SimulatedProvider {
    /// Finds the client in the header, in an assertion or in the body; nil when it is nowhere.
    func claimedClient(
        _ request: HTTPRequest, _ form: FormParameters
    ) throws(OAuthError) -> ClaimedClient? {
        let id = form["client_id"]
        let (secret, assertion) = (form["client_secret"], form["client_assertion"])
        if let header = request.authorization {
            guard let (headerID, headerSecret) = basicCredentials(header) else {
                throw OAuthError(.invalidClient, "the Authorization header is malformed")
            }
            let isTheSame = id?.isIdentical(to: headerID) ?? true
            guard secret == nil, assertion == nil, isTheSame else {
                throw OAuthError(.invalidRequest, "two client authentications")
            }
            return ClaimedClient(id: headerID, proof: .basic(secret: headerSecret))
        }
        if let assertion {
            guard secret == nil else {
                throw OAuthError(.invalidRequest, "two client authentications")
            }
            guard form["client_assertion_type"]?.isIdentical(to: ClientAssertion.type) ?? false
            else { throw OAuthError(.invalidClient, "client_assertion_type is another one") }
            guard let subject = ClientAssertion.claims(of: assertion)?["sub"]?.stringValue,
                id?.isIdentical(to: subject) ?? true
            else { throw OAuthError(.invalidClient, "the assertion names no client") }
            return ClaimedClient(id: subject, proof: .assertion(assertion))
        }
        guard let id else { return nil }
        return ClaimedClient(id: id, proof: secret.map { .post(secret: $0) } ?? .nothing)
    }

    /// The client, if it is one and proved it in the way it is registered with.
    ///
    /// - Parameter endpoint: the one that is asked.
    mutating func authenticate(
        _ claimed: ClaimedClient?, at endpoint: ProviderEndpoint, in moment: Moment
    ) throws(OAuthError) -> RegisteredClient {
        guard let claimed, let client = client(claimed.id) else {
            throw OAuthError(.invalidClient, "there is no such client")
        }
        switch claimed.proof {
        case .nothing where client.authentication.usesCertificate:
            try checkCertificate(of: client, in: moment)
            return client
        case _ where claimed.method != client.authentication:
            throw OAuthError(.invalidClient, "this is not how the client is registered")
        case .nothing:
            break
        case .basic(let secret), .post(let secret):
            guard client.accepts(secret: secret) else {
                throw OAuthError(.invalidClient, "the secret is wrong")
            }
        case .assertion(let text):
            try check(ClientAssertion(text, client), at: endpoint, in: moment)
        }
        return client
    }

    /// The certificate of the connection is the client's, and the connection one to an endpoint
    /// that asks for certificates.
    private func checkCertificate(
        of client: RegisteredClient, in moment: Moment
    ) throws(OAuthError) {
        guard moment.isOverMutualTLS else {
            throw OAuthError(.invalidClient, "certificates count at the alias endpoints only")
        }
        guard let certificate = moment.certificate, certificate == client.certificateThumbprint
        else { throw OAuthError(.invalidClient, "the certificate is not the client's") }
    }

    private mutating func check(
        _ assertion: ClientAssertion, at endpoint: ProviderEndpoint, in moment: Moment
    ) throws(OAuthError) {
        let audience =
            switch settings.assertionAudience {
            case .issuer: issuer
            case .endpoint: moment.isOverMutualTLS ? aliasURL(of: endpoint) : url(of: endpoint)
            }
        let demandsID = settings.broker != .idura
        try assertion.check(
            audience: audience, lifetimeSecondsMax: settings.assertionLifetimeSecondsMax,
            demandsID: demandsID, at: moment.now)
        guard isFirstUse(of: assertion.name) else {
            throw OAuthError(.invalidClient, "the assertion was used before")
        }
    }

    /// Id and secret of a Basic header, each of which is form-urlencoded inside the base64 text
    /// unless the settings say otherwise.
    private func basicCredentials(_ header: String) -> (id: String, secret: String)? {
        let words = header.split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "basic",
            let bytes = Base64.decode(String(words[1]))
        else { return nil }
        let id = bytes.prefix { $0 != UInt8(ascii: ":") }
        guard id.count < bytes.count else { return nil }
        let secret = bytes[(id.count + 1)...]
        switch settings.basicCredentials {
        case .verbatim:
            return (String(decoding: id, as: UTF8.self), String(decoding: secret, as: UTF8.self))
        case .formEncoded:
            guard let id = FormEncoding.decode(id), let secret = FormEncoding.decode(secret) else {
                return nil
            }
            return (id, secret)
        }
    }
}

extension FormParameters {
    /// The form in the body of a request.
    init(bodyOf request: HTTPRequest) throws(OAuthError) {
        let mediaType = request.field("Content-Type")?.split(separator: ";").first
        guard mediaType?.lowercased() == "application/x-www-form-urlencoded" else {
            throw OAuthError(.invalidRequest, "the body is no form")
        }
        guard let form = FormParameters(parsing: request.body) else {
            throw OAuthError(.invalidRequest, "the form is malformed")
        }
        if form.hasRepetition {
            throw OAuthError(.invalidRequest, "a parameter stands there twice")
        }
        self = form
    }
}

extension HTTPRequest {
    /// The value of the first field with this name, whatever its case.
    func field(_ name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    var authorization: String? { field("Authorization") }

    /// What stands behind `Bearer` in the header (RFC 6750 §2.1).
    var bearerToken: String? {
        let words = authorization?.split(separator: " ") ?? []
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        return String(words[1])
    }
}
