// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives

/// What came back through the user's browser (OpenID Connect Core §3.1.2.5, §3.2.2.5, RFC 9207,
/// JARM).
public struct CallbackParameters: Equatable, Sendable {
    /// The state; nil when there was none.
    public let state: String?
    /// The authorization code.
    public let code: String?
    /// The error code.
    public let error: String?
    /// What the provider says about the error.
    public let errorDescription: String?
    /// The issuer of the response.
    public let issuer: String?
    /// The signed answer (JARM).
    public let response: String?
    /// The ID token of an implicit flow.
    public let idToken: String?
    /// The access token of an implicit flow; not kept after use.
    public let accessToken: String?
    /// Its type.
    public let tokenType: String?
    /// How long it is good for.
    public let expiresIn: String?
    /// What an account selector answered, as far as it is one's answer.
    public let selection: [FormEncoding.Parameter]

    /// What an account selector brings, beside `iss`.
    private static let selectionNames = ["client_id", "idp_id", "idpartner_token", "visitor_id"]

    /// Reads a callback URL, or the query or form alone.
    ///
    /// - Parameter place: where the answer was asked to come. Parameters in another part of a URL
    ///   are not read: whoever sends them there is not the provider, or lets others see them.
    /// - Throws: `callback-malformed` for broken escapes, and for a parameter that stands twice:
    ///   two readers could then take different ones.
    public init(
        _ input: String, in place: CallbackText.Place = .query
    ) throws(FlowFailure) {
        guard let parameters = FormEncoding.decode(CallbackText(input).parameters(in: place))
        else { throw FlowFailure(.callbackMalformed) }
        try self.init(parameters)
    }

    /// Takes parameters that were read already: the members of a signed answer.
    init(_ parameters: [FormEncoding.Parameter]) throws(FlowFailure) {
        func value(_ name: String) throws(FlowFailure) -> String? {
            let found = parameters.filter { $0.name.isIdentical(to: name) }
            guard found.count <= 1 else { throw FlowFailure(.callbackMalformed) }
            return found.first?.value
        }
        state = try value("state")
        code = try value("code")
        error = try value("error")
        errorDescription = try value("error_description")
        issuer = try value("iss")
        response = try value("response")
        idToken = try value("id_token")
        accessToken = try value("access_token")
        tokenType = try value("token_type")
        expiresIn = try value("expires_in")
        var selection: [FormEncoding.Parameter] = []
        for name in Self.selectionNames {
            if let value = try value(name) { selection.append(.init(name, value)) }
        }
        self.selection = selection
    }

    /// The tokens of an implicit flow (OpenID Connect Core §3.2.2.5).
    public func tokens() throws(FlowFailure) -> TokenResponse {
        guard let idToken, !idToken.isEmpty else { throw FlowFailure(.idTokenMissing) }
        return try TokenResponse(
            idToken: idToken, accessToken: accessToken, tokenType: tokenType,
            expiresIn: expiresIn)
    }

    /// A value of an account selector's answer.
    func selected(_ name: String) -> String? {
        selection.first { $0.name.isIdentical(to: name) }?.value
    }

    /// The error that the provider gave.
    var providerError: ProviderError? {
        error.map { ProviderError($0, description: errorDescription) }
    }

    /// What is kept of it: every value that was given, but for the access token.
    public var values: [(name: String, value: String)] {
        [
            ("state", state), ("code", code), ("error", error),
            ("errorDescription", errorDescription), ("iss", issuer), ("idToken", idToken),
        ].compactMap { name, value in value.map { (name, $0) } }
    }
}

/// The text of a callback, taken apart as far as its form goes.
public struct CallbackText: Equatable, Sendable {
    /// The part of a callback that holds the answer.
    public enum Place: Sendable {
        case query
        case fragment
        /// The body of a form; it has no URL around it.
        case form
    }

    /// The URL without query and fragment; nil when the input is parameters alone.
    public let url: String?
    /// What stands behind the number sign.
    private let fragment: String
    /// What stands between question mark and number sign; the whole input where it is no URL.
    private let query: String

    /// Takes an input apart: a URL, a path with a query, or parameters alone. Line breaks do not
    /// count.
    ///
    /// Bytes are compared, not characters: a character may be several of them, `\r\n` among
    /// others. A URL has a colon, a slash or a question mark before anything that parameters begin
    /// with.
    public init(_ input: String) {
        let bytes = input.utf8.filter { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
        let front = bytes.prefix { $0 != UInt8(ascii: "#") }
        fragment = String(decoding: bytes.dropFirst(front.count + 1), as: UTF8.self)
        let first = front.first { ":/?=&".utf8.contains($0) }
        let isURL = first.map { ":/?".utf8.contains($0) } ?? false
        let path = isURL ? front.prefix { $0 != UInt8(ascii: "?") } : front[0..<0]
        query = String(decoding: isURL ? front.dropFirst(path.count + 1) : front, as: UTF8.self)
        url = isURL ? String(decoding: path, as: UTF8.self) : nil
    }

    /// The parameters, still encoded. A text that is no URL was taken out of the right place by
    /// whoever hands it over.
    func parameters(in place: Place) -> String {
        switch place {
        case .query: query
        case .fragment: url == nil && fragment.isEmpty ? query : fragment
        case .form: url == nil ? query : ""
        }
    }
}

/// What a session knows of the answer it waits for.
public struct PendingAuthorization: Equatable, Sendable {
    /// What a callback brought, once it is the one that was waited for.
    public enum Answer: Equatable, Sendable {
        /// A code to exchange.
        case code(String)
        /// The tokens themselves.
        case tokens(TokenResponse)
    }

    /// The state that was sent.
    public let state: String
    /// The issuer the user was sent to.
    public let issuer: String
    /// Whether that issuer names itself in every response.
    public let promisesIssuer: Bool
    /// What was asked for.
    public let responseType: ResponseType

    /// What is waited for.
    public init(
        state: String, issuer: String, promisesIssuer: Bool, responseType: ResponseType = .code
    ) {
        self.state = state
        self.issuer = issuer
        self.promisesIssuer = promisesIssuer
        self.responseType = responseType
    }

    /// The answer in a callback, if all is well: first the state, then the issuer, then an error,
    /// then the code or the tokens.
    public func process(_ callback: CallbackParameters) throws(FlowFailure) -> Answer {
        guard let state = callback.state else { throw FlowFailure(.stateMissing) }
        guard state.isIdenticalInConstantTime(to: self.state) else {
            throw FlowFailure(.stateMismatch)
        }
        if let issuer = callback.issuer {
            guard issuer.isIdentical(to: self.issuer) else { throw FlowFailure(.issuerMismatch) }
        } else if promisesIssuer {
            throw FlowFailure(.issuerMissing)
        }
        if let error = callback.providerError { throw .authorization(error) }
        return try responseType.isImplicit ? tokens(callback) : code(callback)
    }

    /// Tokens beside a code were not asked for: the answer is not the one to this request.
    private func code(_ callback: CallbackParameters) throws(FlowFailure) -> Answer {
        guard let code = callback.code, !code.isEmpty, callback.idToken == nil,
            callback.accessToken == nil
        else { throw FlowFailure(.callbackMalformed) }
        return .code(code)
    }

    private func tokens(_ callback: CallbackParameters) throws(FlowFailure) -> Answer {
        guard callback.code == nil else { throw FlowFailure(.callbackMalformed) }
        guard (callback.accessToken != nil) == (responseType == .idTokenAndToken) else {
            throw FlowFailure(.callbackMalformed)
        }
        return .tokens(try callback.tokens())
    }
}
