// SPDX-License-Identifier: Apache-2.0

internal import LedgerPrimitives

/// What an authorization request asks for (OpenID Connect Core §3).
struct ResponseType: Sendable, Equatable {
    let givesCode: Bool
    let givesIDToken: Bool
    let givesToken: Bool

    static let code = ResponseType(givesCode: true, givesIDToken: false, givesToken: false)
    static let idToken = ResponseType(givesCode: false, givesIDToken: true, givesToken: false)
    static let idTokenToken = ResponseType(givesCode: false, givesIDToken: true, givesToken: true)
    static let hybrids = [
        ResponseType(givesCode: true, givesIDToken: true, givesToken: false),
        ResponseType(givesCode: true, givesIDToken: false, givesToken: true),
        ResponseType(givesCode: true, givesIDToken: true, givesToken: true),
    ]

    private init(givesCode: Bool, givesIDToken: Bool, givesToken: Bool) {
        self.givesCode = givesCode
        self.givesIDToken = givesIDToken
        self.givesToken = givesToken
    }

    /// Reads the words of `response_type`, in any order; nil for others.
    init?(parsing text: String) {
        let words = text.utf8.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        let known = ["code", "id_token", "token"]
        let counts = known.map { word in words.count { $0.elementsEqual(word.utf8) } }
        guard counts.reduce(0, +) == words.count, counts.allSatisfy({ $0 <= 1 }) else {
            return nil
        }
        self.init(
            givesCode: counts[0] == 1, givesIDToken: counts[1] == 1, givesToken: counts[2] == 1)
    }

    /// Whether a token goes through the browser: then nothing may stand in the query.
    var isFrontChannel: Bool { givesIDToken || givesToken }

    /// As it is written.
    var text: String {
        [(givesCode, "code"), (givesIDToken, "id_token"), (givesToken, "token")]
            .filter(\.0).map(\.1).joined(separator: " ")
    }
}

/// How the answer goes back through the browser (OAuth 2.0 Multiple Response Types §2.1, Form Post
/// Response Mode, JARM §2.3).
struct ResponseMode: Sendable, Equatable {
    /// `response_mode`.
    enum Name: String, Sendable, CaseIterable {
        case query
        case fragment
        case formPost = "form_post"
        case jwt
        case queryJWT = "query.jwt"
        case fragmentJWT = "fragment.jwt"
        case formPostJWT = "form_post.jwt"
    }

    enum Carrier: Sendable {
        case query
        case fragment
        case formPost
    }

    let carrier: Carrier
    /// Whether everything stands in one signed token.
    let isSigned: Bool

    init(_ carrier: Carrier, isSigned: Bool = false) {
        self.carrier = carrier
        self.isSigned = isSigned
    }

    /// The mode of a name for a type of response.
    init(_ name: Name, for type: ResponseType) {
        switch name {
        case .query: self.init(.query)
        case .fragment: self.init(.fragment)
        case .formPost: self.init(.formPost)
        case .jwt: self.init(type.isFrontChannel ? .fragment : .query, isSigned: true)
        case .queryJWT: self.init(.query, isSigned: true)
        case .fragmentJWT: self.init(.fragment, isSigned: true)
        case .formPostJWT: self.init(.formPost, isSigned: true)
        }
    }

    /// The mode where none is asked for.
    static func standard(for type: ResponseType) -> ResponseMode {
        ResponseMode(type.isFrontChannel ? .fragment : .query)
    }
}
