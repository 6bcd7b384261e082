// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import JOSE
public import LedgerPrimitives
public import OpenIDConnect
public import SessionEvents

/// What a login begins with.
public struct LoginParameters: Sendable {
    /// The profile's name.
    public var provider: String
    /// Which of the provider's environments it is.
    public var environment: String?
    /// The issuer; nil while an account selector has yet to name it.
    public var issuer: String?
    /// How the login goes.
    public var flow: Flow
    /// The request that the user will be sent with, chosen values included.
    public var request: AuthorizationRequest
    /// The profile, to be archived.
    public var profile: ArchivedDocument
    /// Names the visitor towards an account selector; nil without one. Sealed.
    public var visitorID: String?
    /// A permission to be asked for; sealed.
    public var permission: JSONObject?
    /// Personal data of the user agent, as far as the caller knows them; sealed.
    public var userAgent: JSONObject

    /// Parameters of a login.
    public init(
        provider: String, environment: String? = nil, issuer: String?, flow: Flow,
        request: AuthorizationRequest, profile: ArchivedDocument, visitorID: String? = nil,
        permission: JSONObject? = nil, userAgent: JSONObject = JSONObject()
    ) {
        self.provider = provider
        self.environment = environment
        self.issuer = issuer
        self.flow = flow
        self.request = request
        self.profile = profile
        self.visitorID = visitorID
        self.permission = permission
        self.userAgent = userAgent
    }
}

/// Where the user is sent.
public struct Redirection: Sendable {
    /// The authorization endpoint, or the account selector.
    public var endpoint: String
    /// The archived discovery document that names it; nil for an account selector.
    public var discoveryDigest: Digest?
    /// Set when the user is to choose a provider there.
    public var to: Waypoint?
    /// Whether the request was pushed beforehand.
    public var usedPAR: Bool
    /// Requests made on the way here.
    public var exchanges: [Exchange]
    /// What those requests brought that later steps need; sealed.
    public var sealed: JSONObject

    /// A redirection.
    public init(
        endpoint: String, discoveryDigest: Digest? = nil, to: Waypoint? = nil,
        usedPAR: Bool = false, exchanges: [Exchange] = [], sealed: JSONObject = JSONObject()
    ) {
        self.endpoint = endpoint
        self.discoveryDigest = discoveryDigest
        self.to = to
        self.usedPAR = usedPAR
        self.exchanges = exchanges
        self.sealed = sealed
    }
}

/// An account selector's answer.
public struct SelectionInput: Sendable {
    /// The URL or query as it came.
    public var input: String
    /// Who tied it to this session.
    public var binding: StateBinding
    /// The selector, with the issuers that it may name.
    public var selector: AccountSelector
    /// The client that the answer must be for.
    public var clientID: String

    /// An answer.
    public init(
        input: String, binding: StateBinding, selector: AccountSelector, clientID: String
    ) {
        self.input = input
        self.binding = binding
        self.selector = selector
        self.clientID = clientID
    }
}

/// A signed token as it came, or as it was inside an encrypted one. Opening is not repeated in a
/// replay: what was inside is recorded and checked again.
public struct OpenedToken: Equatable, Sendable {
    /// The signed token.
    public var token: String
    /// How it was encrypted, as far as it may stand in the clear; nil where it was not.
    public var encryption: Encryption?

    /// A signed token.
    public init(token: String, encryption: Encryption? = nil) {
        self.token = token
        self.encryption = encryption
    }
}

/// What came back through the browser.
public struct CallbackInput: Sendable {
    /// What a signed response is checked with.
    public struct Signed: Sendable {
        /// The response, opened where it was encrypted.
        public var response: OpenedToken
        /// The keys of the session's issuer.
        public var keys: JSONWebKeySet
        /// The archived key set.
        public var keySetDigest: Digest
        /// What the response must say.
        public var expectations: AuthorizationResponseExpectations
        /// Those settings in their archived form.
        public var policy: ArchivedDocument
        /// When it came.
        public var instant: Instant

        /// What a response is checked with.
        public init(
            response: OpenedToken, keys: JSONWebKeySet, keySetDigest: Digest,
            expectations: AuthorizationResponseExpectations, policy: ArchivedDocument,
            instant: Instant
        ) {
            self.response = response
            self.keys = keys
            self.keySetDigest = keySetDigest
            self.expectations = expectations
            self.policy = policy
            self.instant = instant
        }
    }

    /// The callback URL, its query, or a form, as it came.
    public var input: String
    /// How it was asked to come.
    public var responseMode: ResponseMode
    /// What was asked for.
    public var responseType: ResponseType
    /// Who tied it to this session.
    public var binding: StateBinding
    /// Whether the issuer names itself in every response, by the discovery document in use.
    public var promisesIssuer: Bool
    /// Of a signed response, what it is checked with; nil where there is none, or ``obstacle``
    /// says why it cannot be checked.
    public var signed: Signed?
    /// Why a signed response cannot be checked: keys that are not to be had, or a box that does
    /// not open.
    public var obstacle: FlowFailure?
    /// Descriptions of errors that fix a finer reason.
    public var reasonTexts: [ReasonText]

    /// A callback.
    public init(
        input: String, responseMode: ResponseMode, responseType: ResponseType = .code,
        binding: StateBinding, promisesIssuer: Bool, signed: Signed? = nil,
        obstacle: FlowFailure? = nil, reasonTexts: [ReasonText] = []
    ) {
        self.input = input
        self.responseMode = responseMode
        self.responseType = responseType
        self.binding = binding
        self.promisesIssuer = promisesIssuer
        self.signed = signed
        self.obstacle = obstacle
        self.reasonTexts = reasonTexts
    }

    /// Where in the callback the answer is looked for.
    public var place: CallbackText.Place {
        switch responseMode {
        case .query, .queryJWT: .query
        case .fragment, .fragmentJWT: .fragment
        case .formPost, .formPostJWT: .form
        case .jwt: .query
        }
    }
}

/// Tokens, with the documents that were current when they came.
public struct TokenInput: Sendable {
    /// Where tokens come from.
    public enum Origin: Sendable {
        /// The token endpoint, by its URL, and what it answered.
        case endpoint(String, HTTPResponse)
        /// The browser.
        case callback(TokenResponse)
    }

    /// Where they come from.
    public var origin: Origin
    /// The ID token, where it was encrypted.
    public var opened: OpenedToken?
    /// Why an encrypted ID token could not be opened.
    public var obstacle: FlowFailure?
    /// SHA-256 of the client's certificate, where the access token is to be bound to it.
    public var certificateThumbprint: [UInt8]?
    /// Bytes and digest of the key set in use.
    public var keySet: ArchivedDocument
    /// Bytes and digest of the policy in use.
    public var policy: ArchivedDocument
    /// The provider's id for the exchange.
    public var traceID: String?
    /// The poll that brought them; nil where a code or the browser did.
    public var poll: Poll?
    /// Descriptions of errors that fix a finer reason.
    public var reasonTexts: [ReasonText]

    /// Which poll brought tokens.
    public struct Poll: Sendable {
        /// Its number.
        public var attempt: Int
        /// Whether an earlier one may have left unrecorded.
        public var hasGap: Bool

        /// A poll.
        public init(attempt: Int, hasGap: Bool) {
            self.attempt = attempt
            self.hasGap = hasGap
        }
    }

    /// The tokens, as far as they can be read.
    public var tokens: TokenResponse? {
        switch origin {
        case .endpoint(_, let response): try? TokenExchange.process(response)
        case .callback(let tokens): tokens
        }
    }

    /// Tokens.
    public init(
        _ origin: Origin, opened: OpenedToken? = nil, obstacle: FlowFailure? = nil,
        certificateThumbprint: [UInt8]? = nil, keySet: ArchivedDocument,
        policy: ArchivedDocument, traceID: String? = nil, reasonTexts: [ReasonText] = []
    ) {
        self.origin = origin
        self.opened = opened
        self.obstacle = obstacle
        self.certificateThumbprint = certificateThumbprint
        self.keySet = keySet
        self.policy = policy
        self.traceID = traceID
        self.reasonTexts = reasonTexts
    }
}

/// What an ID token is checked with, beside what the session knows itself.
public struct VerificationInput: Sendable {
    /// The keys.
    public var keys: JSONWebKeySet
    /// The archived key set.
    public var keySetDigest: Digest
    /// The settings of the checks.
    public var policy: VerificationPolicy
    /// The archived policy.
    public var policyDigest: Digest
    /// Which claims name a person at this provider; the first that is there counts.
    public var subjectClaims: [String]
    /// Whether the very token came before, in another session; nil when nobody looked.
    public var isReplayed: Bool?
    /// What was asked for once the token itself was found good; nil where nothing was.
    public var supplements: Supplements?
    /// The instant of the checks, where it is to be another than that of the tokens' receipt.
    public var instant: Instant?

    /// The input of a verification.
    public init(
        keys: JSONWebKeySet, keySetDigest: Digest, policy: VerificationPolicy,
        policyDigest: Digest, subjectClaims: [String] = [], isReplayed: Bool? = nil,
        supplements: Supplements? = nil
    ) {
        self.keys = keys
        self.keySetDigest = keySetDigest
        self.policy = policy
        self.policyDigest = policyDigest
        self.subjectClaims = subjectClaims
        self.isReplayed = isReplayed
        self.supplements = supplements
    }
}

/// What completes a login whose ID token is good.
public struct Supplements: Sendable {
    /// Claims of the UserInfo endpoint.
    public var userInfo: UserInfo?
    /// The answer of that endpoint as it came, in base64url; sealed.
    public var userInfoResponse: JSONObject?
    /// The permission that the user granted, as its issuer signed it; sealed.
    public var grant: String?
    /// The requests that were made.
    public var exchanges: [Exchange]
    /// Why one of them ended the login.
    public var failure: FlowFailure?

    /// What completes a login.
    public init(
        userInfo: UserInfo? = nil, userInfoResponse: JSONObject? = nil, grant: String? = nil,
        exchanges: [Exchange] = [], failure: FlowFailure? = nil
    ) {
        self.userInfo = userInfo
        self.userInfoResponse = userInfoResponse
        self.grant = grant
        self.exchanges = exchanges
        self.failure = failure
    }
}
