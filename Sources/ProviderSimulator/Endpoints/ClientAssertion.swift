// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives
internal import OpenSSL

/// A token with which a client proves who it is (RFC 7523 §3, OpenID Connect Core §9).
struct ClientAssertion {
    /// `client_assertion_type`.
    static let type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    /// The one algorithm with a shared secret.
    static let codeAlgorithm = "HS256"

    private let text: String
    private let client: RegisteredClient
    private let claims: JSONObject

    init(_ text: String, _ client: RegisteredClient) {
        self.text = text
        self.client = client
        claims = Self.claims(of: text) ?? JSONObject()
    }

    /// What it says, believed or not; nil when it says nothing that can be read.
    static func claims(of text: String) -> JSONObject? {
        guard let jws = try? CompactJWS(parsing: Array(text.utf8)) else { return nil }
        return try? JSONReader.read(jws.unverifiedPayload, numbers: .anyAsText).objectValue
    }

    /// A name for it by which a second use is noticed.
    var name: String {
        (claims["jti"]?.stringValue).map { "\(client.id.utf8.count) \(client.id) \($0)" } ?? text
    }

    /// Checks everything but whether it came before.
    func check(
        audience: String, lifetimeSecondsMax: Int, demandsID: Bool, at now: Instant
    ) throws(OAuthError) {
        let refused = { (text: String) in OAuthError(.invalidClient, text) }
        let isAuthentic =
            client.authentication == .clientSecretJWT ? hasCode : isSigned
        guard isAuthentic else { throw refused("the assertion is not signed by the client") }
        let id = JSONValue.string(client.id)
        guard claims["iss"] == id, claims["sub"] == id else {
            throw refused("iss and sub must be the client")
        }
        guard claims.isMeant(for: audience) else { throw refused("aud is something else") }
        guard claims.isCurrent(at: now, lifetimeSecondsMax: lifetimeSecondsMax) else {
            throw refused("the assertion is not valid now, or for too long")
        }
        if demandsID, claims["jti"]?.stringValue?.isEmpty ?? true {
            throw refused("jti is missing")
        }
    }

    private var isSigned: Bool {
        let jws = try? CompactJWS(parsing: Array(text.utf8))
            .verified(with: client.keys, allowing: SignatureAlgorithm.allCases)
        return jws != nil
    }

    private var hasCode: Bool {
        let bytes = Array(text.utf8)
        guard let secret = client.secret, let dot = bytes.lastIndex(of: UInt8(ascii: ".")),
            let code = Base64URL.decode(bytes[(dot + 1)...])
        else { return false }
        return isEqualInConstantTime(code, hmacSHA256(key: secret, Array(bytes[..<dot])))
    }
}
