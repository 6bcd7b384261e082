// SPDX-License-Identifier: Apache-2.0

/// How an answer comes back through the browser (OAuth 2.0 Multiple Response Types §2.1, Form
/// Post, JARM §2.3). The raw values are the registered names.
public enum ResponseMode: String, CaseIterable, Sendable {
    case query
    case fragment
    case formPost = "form_post"
    /// A signed answer, in the query for a code and in the fragment for tokens.
    case jwt
    case queryJWT = "query.jwt"
    case fragmentJWT = "fragment.jwt"
    case formPostJWT = "form_post.jwt"

    /// Whether the answer is a signed one (JARM).
    public var isSigned: Bool {
        switch self {
        case .jwt, .queryJWT, .fragmentJWT, .formPostJWT: true
        case .query, .fragment, .formPost: false
        }
    }
}

/// What the provider is asked to answer with (OAuth 2.0 Multiple Response Types §3). Hybrid types
/// are not among them: nothing that they bring is worth a code that a browser has seen beside its
/// tokens.
public enum ResponseType: String, CaseIterable, Sendable {
    case code
    /// Implicit.
    case idToken = "id_token"
    /// Implicit, with an access token for UserInfo.
    case idTokenAndToken = "id_token token"

    /// Whether tokens come through the browser.
    public var isImplicit: Bool { self != .code }

    /// How the answer comes unless the request says otherwise.
    public var standardMode: ResponseMode { isImplicit ? .fragment : .query }
}
