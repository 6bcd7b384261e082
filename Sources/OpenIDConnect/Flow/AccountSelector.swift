// SPDX-License-Identifier: Apache-2.0

internal import JOSE
internal import LedgerPrimitives

/// An account selector: a page where the user chooses the provider to log in with. It answers with
/// that provider's issuer, so the answer is believed only as far as a list of issuers goes.
public struct AccountSelector: Equatable, Sendable {
    /// Its address.
    public let url: String
    /// The issuers that it may name.
    public let issuers: [String]

    /// A selector.
    public init(url: String, issuers: [String]) {
        self.url = url
        self.issuers = issuers
    }

    /// What the user's choice brings to the login.
    public struct Choice: Equatable, Sendable {
        /// The issuer of the chosen provider: one of the list.
        public let issuer: String
        /// The selector's name for the provider.
        public let identityProviderID: String
        /// A token for the provider that counts once; secret.
        public let oneTimeToken: String?
    }

    /// Where to send the user.
    ///
    /// - Parameter visitorID: names the visitor towards selector and provider.
    public func url(registration: ClientRegistration, visitorID: String) -> String {
        AuthorizationRequest.url(
            endpoint: url,
            [
                .init("client_id", registration.clientID), .init("visitor_id", visitorID),
                .init("scope", registration.scope),
            ])
    }

    /// Whether a callback is an account selector's answer.
    public static func isAnswer(_ callback: CallbackParameters) -> Bool {
        callback.selected("idp_id") != nil && callback.code == nil && callback.response == nil
    }

    /// Who a selector's answer says the visitor is; good for finding the session.
    public static func visitorID(in callback: CallbackParameters) -> String? {
        callback.selected("visitor_id")
    }

    /// The choice in an answer.
    ///
    /// The visitor is looked at first, as the state is in an ordinary callback; then the client,
    /// then the issuer. No request is made to an issuer that is not on the list.
    public func choice(
        in callback: CallbackParameters, clientID: String, visitorID: String
    ) throws(FlowFailure) -> Choice {
        guard let visitor = callback.selected("visitor_id") else {
            throw FlowFailure(.stateMissing)
        }
        guard visitor.isIdenticalInConstantTime(to: visitorID) else {
            throw FlowFailure(.stateMismatch)
        }
        if let client = callback.selected("client_id"), !client.isIdentical(to: clientID) {
            throw FlowFailure(.audienceMismatch)
        }
        if let error = callback.providerError { throw .authorization(error) }
        guard let provider = callback.selected("idp_id"), !provider.isEmpty else {
            throw FlowFailure(.callbackMalformed)
        }
        guard let issuer = callback.issuer else { throw FlowFailure(.issuerMissing) }
        guard let known = issuers.first(where: { $0.isIdentical(to: issuer) }) else {
            throw FlowFailure(.issuerNotAllowed)
        }
        return Choice(
            issuer: known, identityProviderID: provider,
            oneTimeToken: callback.selected("idpartner_token"))
    }
}
