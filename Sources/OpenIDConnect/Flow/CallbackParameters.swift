// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives

/// What came back through the user's browser (OpenID Connect Core §3.1.2.5, RFC 9207).
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

    /// Reads a callback URL, or the query or form alone.
    ///
    /// - Throws: `callback-malformed` for broken escapes, and for a parameter that stands twice:
    ///   two readers could then take different ones.
    public init(_ input: String) throws(FlowFailure) {
        guard let parameters = FormEncoding.decode(Self.query(of: input)) else {
            throw FlowFailure(.callbackMalformed)
        }
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
    }

    /// The query of a URL, or the input itself where it is no URL, without line breaks and
    /// fragment.
    ///
    /// Bytes are compared, not characters: a character may be several of them, `\r\n` among others.
    /// A URL has a colon, a slash or a question mark before anything that a query begins with.
    private static func query(of input: String) -> String {
        let bytes = input.utf8.filter { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
            .prefix { $0 != UInt8(ascii: "#") }
        let first = bytes.first { ":/?=&".utf8.contains($0) }
        let isURL = first.map { ":/?".utf8.contains($0) } ?? false
        let query =
            isURL ? bytes.drop { $0 != UInt8(ascii: "?") }.dropFirst() : bytes[...]
        return String(decoding: query, as: UTF8.self)
    }

    /// What is kept of it: every value that was given.
    public var values: [(name: String, value: String)] {
        [
            ("state", state), ("code", code), ("error", error),
            ("errorDescription", errorDescription), ("iss", issuer),
        ].compactMap { name, value in value.map { (name, $0) } }
    }
}

/// What a session knows of the answer it waits for.
public struct PendingAuthorization: Equatable, Sendable {
    /// The state that was sent.
    public let state: String
    /// The issuer the user was sent to.
    public let issuer: String
    /// Whether that issuer names itself in every response.
    public let promisesIssuer: Bool

    /// What is waited for.
    public init(state: String, issuer: String, promisesIssuer: Bool) {
        self.state = state
        self.issuer = issuer
        self.promisesIssuer = promisesIssuer
    }

    /// The code of a callback, if all is well: first the state, then the issuer, then an error,
    /// then the code.
    public func process(_ callback: CallbackParameters) throws(FlowFailure) -> String {
        guard let state = callback.state else { throw FlowFailure(.stateMissing) }
        guard state.isIdenticalInConstantTime(to: self.state) else {
            throw FlowFailure(.stateMismatch)
        }
        if let issuer = callback.issuer {
            guard issuer.isIdentical(to: self.issuer) else { throw FlowFailure(.issuerMismatch) }
        } else if promisesIssuer {
            throw FlowFailure(.issuerMissing)
        }
        if let error = callback.error { throw .authorization(error: error) }
        guard let code = callback.code, !code.isEmpty else {
            throw FlowFailure(.callbackMalformed)
        }
        return code
    }
}
