// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
internal import LedgerPrimitives

/// The exchange of a code for tokens (OpenID Connect Core §3.1.3).
public enum TokenExchange {
    /// The request.
    ///
    /// - Parameter secret: the client's secret; needed by the methods that send one.
    public static func request(
        endpoint: String, registration: ClientRegistration, secret: ClientSecret?, code: String,
        codeVerifier: String?, limits: HTTPRequest.Limits
    ) -> HTTPRequest {
        var form: [FormEncoding.Parameter] = [
            .init("grant_type", "authorization_code"), .init("code", code),
            .init("redirect_uri", registration.redirectURI),
        ]
        if let codeVerifier { form.append(.init("code_verifier", codeVerifier)) }
        var fields = [
            HTTPField("Content-Type", "application/x-www-form-urlencoded"),
            HTTPField("Accept", "application/json"),
        ]
        switch registration.authentication {
        case .none:
            form.append(.init("client_id", registration.clientID))
        case .clientSecretPost:
            form.append(.init("client_id", registration.clientID))
            form.append(.init("client_secret", secret?.text ?? ""))
        case .clientSecretBasic:
            // Both parts are form-encoded first (RFC 6749 §2.3.1); client ids may hold colons.
            let pair =
                FormEncoding.encode(registration.clientID) + ":"
                + FormEncoding.encode(secret?.text ?? "")
            fields.append(HTTPField("Authorization", "Basic " + Base64.encode(Array(pair.utf8))))
        }
        return HTTPRequest(
            .post, endpoint, fields: fields, body: Array(FormEncoding.encode(form).utf8),
            limits: limits)
    }

    /// Reads the response.
    public static func process(_ response: HTTPResponse) throws(FlowFailure) -> TokenResponse {
        guard (200..<500).contains(response.status) else { throw FlowFailure(.providerOutage) }
        let members = try? JSONReader.read(response.body, numbers: .anyAsText).objectValue
        guard response.status == 200 else {
            guard let error = members?["error"]?.stringValue else {
                throw FlowFailure(.tokenResponseMalformed)
            }
            throw .token(error: error)
        }
        guard let members, response.mediaType == "application/json" else {
            throw FlowFailure(.tokenResponseMalformed)
        }
        if let error = members["error"]?.stringValue { throw .token(error: error) }
        return try TokenResponse(members)
    }
}

/// Tokens as a provider issued them (OpenID Connect Core §3.1.3.3).
public struct TokenResponse: Equatable, Sendable {
    /// The ID token in compact form; not verified.
    public let idToken: String
    /// The access token; not kept after use.
    public let accessToken: String?
    /// The refresh token; not kept.
    public let refreshToken: String?
    /// The type of the access token.
    public let tokenType: String
    /// Seconds for which the access token is good.
    public let expiresInSeconds: Int?

    init(_ members: JSONObject) throws(FlowFailure) {
        guard let idToken = members["id_token"] else { throw FlowFailure(.idTokenMissing) }
        guard let idToken = idToken.stringValue, let type = members["token_type"]?.stringValue
        else { throw FlowFailure(.tokenResponseMalformed) }
        self.idToken = idToken
        tokenType = type
        accessToken = members["access_token"]?.stringValue
        refreshToken = members["refresh_token"]?.stringValue
        expiresInSeconds = try Self.seconds(members["expires_in"])
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

extension [UInt8] {
    /// Where a part begins and ends for the first time; nil when it is not in it.
    fileprivate func firstRange(of part: [UInt8]) -> Range<Int>? {
        guard part.count <= count else { return nil }
        return (0...(count - part.count)).first { self[$0...].starts(with: part) }
            .map { $0..<($0 + part.count) }
    }

    /// Every occurrence replaced; nil when there is none.
    fileprivate func replacing(_ part: [UInt8], with replacement: [UInt8]) -> [UInt8]? {
        var output: [UInt8] = []
        var index = 0
        var isFound = false
        while index < count {
            if self[index] == part[0], self[index...].starts(with: part) {
                output += replacement
                index += part.count
                isFound = true
            } else {
                output.append(self[index])
                index += 1
            }
        }
        return isFound ? output : nil
    }
}
