// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives

/// A request that came to the token endpoint, and what was answered.
///
/// A description never shows the code or the verifier; the client secret is not kept at all.
public struct ReceivedTokenRequest: Sendable {
    /// When it came, by the provider's clock.
    public let receivedAt: Instant
    /// The client that it said to be from.
    public internal(set) var clientID: String?
    /// How that client authenticated itself, rightly or not.
    public internal(set) var authentication: ClientAuthentication?
    /// `grant_type`.
    public internal(set) var grantType: String?
    /// `redirect_uri`.
    public internal(set) var redirectURI: String?
    /// `code`.
    public internal(set) var code: String?
    /// `code_verifier`.
    public internal(set) var codeVerifier: String?
    /// `auth_req_id` or `headless_req_id`, of a poll.
    public internal(set) var requestID: String?
    /// The status of the answer.
    public internal(set) var status = 0
    /// `error` in the answer; nil when there was none.
    public internal(set) var error: String?

    init(receivedAt: Instant) {
        self.receivedAt = receivedAt
    }
}

extension ReceivedTokenRequest: CustomStringConvertible, CustomReflectable {
    /// Client, way of authentication, status and error.
    public var description: String {
        let outcome = error.map { "\(status) \($0)" } ?? "\(status)"
        return "\(clientID ?? "nobody") (\(authentication?.rawValue ?? "unknown")): \(outcome)"
    }

    /// Without children: nothing that prints a value by its parts finds the code.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
