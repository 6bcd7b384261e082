// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import LedgerPrimitives

/// The exchange of a code for tokens (OpenID Connect Core §3.1.3).
public enum TokenExchange {
    /// The parameters of the request, beside the client's authentication.
    public static func form(
        code: String, redirectURI: String, codeVerifier: String?
    ) -> [FormEncoding.Parameter] {
        var form: [FormEncoding.Parameter] = [
            .init("grant_type", "authorization_code"), .init("code", code),
            .init("redirect_uri", redirectURI),
        ]
        if let codeVerifier { form.append(.init("code_verifier", codeVerifier)) }
        return form
    }

    /// Reads the response.
    public static func process(_ response: HTTPResponse) throws(FlowFailure) -> TokenResponse {
        try TokenResponse(members(of: response))
    }

    /// The members of a successful answer of a token endpoint (RFC 6749 §5.1, §5.2).
    static func members(of response: HTTPResponse) throws(FlowFailure) -> JSONObject {
        guard (200..<500).contains(response.status) else { throw FlowFailure(.providerOutage) }
        let members = try? JSONReader.read(response.body, numbers: .anyAsText).objectValue
        let error = members.flatMap(ProviderError.init(in:))
        guard response.status == 200 else {
            throw error.map { .token($0) }
                ?? FlowFailure(wordless: response.status, otherwise: .tokenResponseMalformed)
        }
        guard let members, response.mediaType == "application/json" else {
            throw FlowFailure(.tokenResponseMalformed)
        }
        if let error { throw .token(error) }
        return members
    }
}

extension ProviderError {
    /// The error in the members of an answer (RFC 6749 §5.2); nil when there is none.
    init?(in members: JSONObject) {
        guard let code = members["error"]?.stringValue else { return nil }
        self.init(code, description: members["error_description"]?.stringValue)
    }
}

/// Tokens as a provider issued them (OpenID Connect Core §3.1.3.3).
public struct TokenResponse: Equatable, Sendable {
    /// The ID token in compact form; not verified. It may be encrypted.
    public let idToken: String
    /// The access token; not kept after use.
    public let accessToken: String?
    /// The refresh token; not kept.
    public let refreshToken: String?
    /// The type of the access token.
    public let tokenType: String
    /// Seconds for which the access token is good.
    public let expiresInSeconds: Int?
    /// What else the answer holds: claims that some providers give there. Nobody signed them.
    public let furtherMembers: JSONObject

    /// Members that are no claims.
    private static let ownMembers: Set<String> = [
        "access_token", "refresh_token", "id_token", "token_type", "expires_in", "scope",
        "refresh_expires_in", "not-before-policy", "session_state", "iat", "state",
        "issued_token_type", "authorization_details", "bankid_proof",
    ]

    init(_ members: JSONObject) throws(FlowFailure) {
        guard let idToken = members["id_token"] else { throw FlowFailure(.idTokenMissing) }
        guard let idToken = idToken.stringValue, let type = members["token_type"]?.stringValue
        else { throw FlowFailure(.tokenResponseMalformed) }
        self.idToken = idToken
        tokenType = type
        accessToken = members["access_token"]?.stringValue
        refreshToken = members["refresh_token"]?.stringValue
        expiresInSeconds = try Self.seconds(members["expires_in"])
        var further = JSONObject()
        for member in members.members where !Self.ownMembers.containsIdentical(member.name) {
            further[member.name] = member.value
        }
        furtherMembers = further
    }

    /// An ID token that came through the browser and was recorded; what came beside it was not.
    public init(recordedIDToken: String) {
        idToken = recordedIDToken
        accessToken = nil
        refreshToken = nil
        tokenType = Self.noType
        expiresInSeconds = nil
        furtherMembers = JSONObject()
    }

    /// Stands for the type of an access token that is not there (RFC 8693 §2.2.1).
    private static let noType = "N_A"

    /// Tokens that came through the browser (OpenID Connect Core §3.2.2.5).
    init(
        idToken: String, accessToken: String?, tokenType: String?, expiresIn: String?
    ) throws(FlowFailure) {
        guard accessToken == nil || tokenType != nil else {
            throw FlowFailure(.callbackMalformed)
        }
        self.idToken = idToken
        self.accessToken = accessToken
        refreshToken = nil
        self.tokenType = tokenType ?? Self.noType
        expiresInSeconds = try Self.seconds(expiresIn.map { .string($0) })
        furtherMembers = JSONObject()
    }

    /// A whole number of seconds, which some providers send as a string.
    private static func seconds(_ member: JSONValue?) throws(FlowFailure) -> Int? {
        guard let member else { return nil }
        let number = member.integerValue.map { Int($0) } ?? member.stringValue.flatMap { Int($0) }
        guard let number, (0...31_536_000).contains(number) else {
            throw FlowFailure(.tokenResponseMalformed)
        }
        return number
    }

    /// The body of a token response with access and refresh token replaced; nil when they cannot
    /// be found in it byte by byte, so that it must not be kept.
    public func redacted(_ body: [UInt8]) -> [UInt8]? {
        var redacted = body
        for secret in [accessToken, refreshToken].compactMap({ $0 }) where !secret.isEmpty {
            guard let result = redacted.replacing(Array(secret.utf8), with: Array("withheld".utf8))
            else { return nil }
            redacted = result
        }
        return isWithheld(redacted) ? redacted : nil
    }

    /// Whether a body is a token response without the secrets, also where they were spelled with
    /// escapes.
    private func isWithheld(_ body: [UInt8]) -> Bool {
        let secrets = [accessToken, refreshToken].compactMap { $0 }.filter { !$0.isEmpty }
        guard let value = try? JSONReader.read(body, numbers: .anyAsText) else { return false }
        return !value.contains { text in
            secrets.contains { Array(text.utf8).firstRange(of: Array($0.utf8)) != nil }
        }
    }
}

extension JSONValue {
    /// Whether any text in it passes a test, names of members included.
    fileprivate func contains(_ isFound: (String) -> Bool) -> Bool {
        switch self {
        case .string(let text), .number(let text): isFound(text)
        case .array(let elements): elements.contains { $0.contains(isFound) }
        case .object(let object):
            object.members.contains { isFound($0.name) || $0.value.contains(isFound) }
        case .null, .bool, .integer: false
        }
    }
}
