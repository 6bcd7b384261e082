// SPDX-License-Identifier: Apache-2.0

public import HTTPMessages
public import JOSE
public import LedgerPrimitives
public import OpenIDConnect
public import SessionEvents

/// Why a command makes no sense for a session as it stands.
public enum SessionRejection: Error, Equatable {
    /// The event cannot follow what was recorded so far; nil stands for a session without events.
    case transitionNotAllowed(from: SessionPhase?, to: SessionEventType)
    /// The event belongs to another kind of flow than the session's.
    case wrongFlow(Flow, SessionEventType)
    /// The session does not wait for a callback; the code it may have got is spent or on its way.
    case notAwaitingCallback(SessionPhase?)
    /// A value that the step needs was never recorded, or its sealed part was not opened.
    case evidenceMissing
}

/// What a session may be asked to do. Everything that is not determined by the events so far is a
/// field: chosen values, answers of a provider, documents.
public enum SessionCommand: Sendable {
    /// Record a step that another program took.
    case recordReported(SessionEvent)
    /// Begin a login.
    case initiate(LoginParameters)
    /// Send the user away.
    case redirect(Redirection)
    /// Take what came back through the browser.
    case receiveCallback(CallbackInput)
    /// Take the answer of the token endpoint.
    case receiveTokens(TokenInput)
    /// Check the ID token.
    case verifyToken(VerificationInput)
    /// End the login because a request got no usable answer.
    case fail(Stage, FlowFailure)
}

/// What a login begins with.
public struct LoginParameters: Sendable {
    /// The profile's name.
    public var provider: String
    /// The issuer.
    public var issuer: String
    /// How the login goes.
    public var flow: Flow
    /// The request that the user will be sent with, chosen values included.
    public var request: AuthorizationRequest
    /// The profile, to be archived.
    public var profile: ArchivedDocument
    /// Personal data of the user agent, as far as the caller knows them; sealed.
    public var userAgent: JSONObject

    /// Parameters of a login.
    public init(
        provider: String, issuer: String, flow: Flow, request: AuthorizationRequest,
        profile: ArchivedDocument, userAgent: JSONObject = JSONObject()
    ) {
        self.provider = provider
        self.issuer = issuer
        self.flow = flow
        self.request = request
        self.profile = profile
        self.userAgent = userAgent
    }
}

/// Where the user is sent.
public struct Redirection: Sendable {
    /// The authorization endpoint.
    public var endpoint: String
    /// The archived discovery document that names it.
    public var discoveryDigest: Digest

    /// A redirection.
    public init(endpoint: String, discoveryDigest: Digest) {
        self.endpoint = endpoint
        self.discoveryDigest = discoveryDigest
    }
}

/// What came back through the browser.
public struct CallbackInput: Sendable {
    /// The callback URL, its query, or a form, as it came.
    public var input: String
    /// How it came.
    public var responseMode: String
    /// Who tied it to this session.
    public var binding: StateBinding
    /// Whether the issuer names itself in every response, by the discovery document in use.
    public var promisesIssuer: Bool

    /// A callback.
    public init(
        input: String, responseMode: String, binding: StateBinding, promisesIssuer: Bool
    ) {
        self.input = input
        self.responseMode = responseMode
        self.binding = binding
        self.promisesIssuer = promisesIssuer
    }
}

/// The answer of a token endpoint, with the documents that were current when it came.
public struct TokenInput: Sendable {
    /// The token endpoint.
    public var endpoint: String
    /// What it answered.
    public var response: HTTPResponse
    /// Bytes and digest of the key set in use.
    public var keySet: ArchivedDocument
    /// Bytes and digest of the policy in use.
    public var policy: ArchivedDocument

    /// An answer.
    public init(
        endpoint: String, response: HTTPResponse, keySet: ArchivedDocument,
        policy: ArchivedDocument
    ) {
        self.endpoint = endpoint
        self.response = response
        self.keySet = keySet
        self.policy = policy
    }
}

/// A public document and its name in the log.
public struct ArchivedDocument: Equatable, Sendable {
    /// SHA-256 of the bytes.
    public let digest: Digest
    /// The bytes.
    public let bytes: [UInt8]

    /// A document under its digest.
    public init(digest: Digest, bytes: [UInt8]) {
        self.digest = digest
        self.bytes = bytes
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

    /// The input of a verification.
    public init(
        keys: JSONWebKeySet, keySetDigest: Digest, policy: VerificationPolicy,
        policyDigest: Digest
    ) {
        self.keys = keys
        self.keySetDigest = keySetDigest
        self.policy = policy
        self.policyDigest = policyDigest
    }
}

/// An event that a command leads to, with what is to be sealed and archived with it.
public struct SessionStep: Equatable, Sendable {
    /// The clear part.
    public let event: SessionEvent
    /// What is personal or secret.
    public let sealed: JSONObject?
    /// Public documents to archive with it.
    public let documents: [[UInt8]]

    /// A step.
    public init(_ event: SessionEvent, sealed: JSONObject? = nil, documents: [[UInt8]] = []) {
        self.event = event
        self.sealed = sealed
        self.documents = documents
    }
}
