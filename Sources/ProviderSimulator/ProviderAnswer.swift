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

/// An error of OAuth 2.0, as the endpoints and the callback name it (RFC 6749 §4.1.2.1, §5.2, CIBA
/// Core §11, §13).
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
        case invalidRequestObject = "invalid_request_object"
        case invalidRequestURI = "invalid_request_uri"
        case invalidToken = "invalid_token"
        case accessDenied = "access_denied"
        case unauthorizedClient = "unauthorized_client"
        case invalidAuthorizationDetails = "invalid_authorization_details"
        case invalidBindingMessage = "invalid_binding_message"
        case unknownUserID = "unknown_user_id"
        case expiredLoginHintToken = "expired_login_hint_token"
        case invalidIDTokenHint = "invalid_id_token_hint"
        case expiredToken = "expired_token"
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
            case .invalidClient, .invalidToken: 401
            case .serverError: 500
            default: 400
            }
        var response = HTTPResponse.json(members, status: status)
        if status == 401 {
            let challenge =
                code == .invalidToken
                ? #"Bearer error="invalid_token""# : #"Basic realm="simulator""#
            response.fields.append(HTTPField("WWW-Authenticate", challenge))
        }
        return response
    }

    /// The members of that response.
    var members: JSONObject {
        ["error": .string(code.rawValue), "error_description": .string(description)]
    }
}

extension HTTPResponse {
    static let doNotStore = HTTPField("Cache-Control", "no-store")

    /// A JSON response, which is not to be kept.
    static func json(_ object: JSONObject, status: Int = 200) -> HTTPResponse {
        HTTPResponse(
            status: status, fields: [HTTPField("Content-Type", "application/json"), doNotStore],
            body: CanonicalJSON.encode(object))
    }

    /// A page for people.
    static func page(_ sentence: String, status: Int) -> HTTPResponse {
        HTTPResponse(
            status: status,
            fields: [HTTPField("Content-Type", "text/html; charset=utf-8"), doNotStore],
            body: Array("<!doctype html><title>Simulator</title><p>\(sentence)</p>".utf8))
    }

    /// Sends the browser to a URI (RFC 9700 §4.12 on the status).
    static func redirect(to location: String) -> HTTPResponse {
        HTTPResponse(status: 303, fields: [HTTPField("Location", location), doNotStore])
    }
}
