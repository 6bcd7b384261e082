// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
internal import LedgerPrimitives

/// What the simulated provider answers, and how long it takes for it.
public struct ProviderAnswer: Sendable, Equatable {
    /// The response.
    public var response: HTTPResponse
    /// How long whoever sends the response waits before, in milliseconds.
    public var delayMilliseconds = 0

    init(_ response: HTTPResponse) {
        self.response = response
    }
}

/// An error of OAuth 2.0, as the token endpoint and the callback name it (RFC 6749 §4.1.2.1, §5.2).
struct OAuthError: Error, Equatable {
    enum Code: String {
        case invalidRequest = "invalid_request"
        case invalidClient = "invalid_client"
        case invalidGrant = "invalid_grant"
        case invalidScope = "invalid_scope"
        case unsupportedGrantType = "unsupported_grant_type"
        case unsupportedResponseType = "unsupported_response_type"
        case requestNotSupported = "request_not_supported"
        case requestURINotSupported = "request_uri_not_supported"
        case accessDenied = "access_denied"
        case serverError = "server_error"
    }

    let code: Code
    let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// The error as a JSON response.
    var response: HTTPResponse {
        let status =
            switch code {
            case .invalidClient: 401
            case .serverError: 500
            default: 400
            }
        var response = HTTPResponse.json(
            ["error": .string(code.rawValue), "error_description": .string(description)],
            status: status)
        if code == .invalidClient {
            response.fields.append(HTTPField("WWW-Authenticate", #"Basic realm="simulator""#))
        }
        return response
    }
}

extension HTTPResponse {
    static let doNotStore = HTTPField("Cache-Control", "no-store")

    /// A JSON response, which is not to be kept unless it says for how long.
    static func json(
        _ object: JSONObject, status: Int = 200, maxAgeSeconds: Int? = nil
    ) -> HTTPResponse {
        let caching = maxAgeSeconds.map { HTTPField("Cache-Control", "public, max-age=\($0)") }
        return HTTPResponse(
            status: status,
            fields: [HTTPField("Content-Type", "application/json"), caching ?? doNotStore],
            body: CanonicalJSON.encode(object))
    }

    /// A page for people.
    static func page(_ sentence: String, status: Int) -> HTTPResponse {
        HTTPResponse(
            status: status,
            fields: [HTTPField("Content-Type", "text/html; charset=utf-8"), doNotStore],
            body: Array("<!doctype html><title>Simulator</title><p>\(sentence)</p>".utf8))
    }

    /// Sends the browser to a URI with further parameters (RFC 9700 §4.12 on the status).
    static func redirect(
        to uri: String, parameters: [(name: String, value: String?)]
    ) -> HTTPResponse {
        let separator = uri.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
        let location = uri + separator + FormParameters.encode(parameters)
        return HTTPResponse(status: 303, fields: [HTTPField("Location", location), doNotStore])
    }
}
