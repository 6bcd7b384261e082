// SPDX-License-Identifier: Apache-2.0

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
    /// The session does not wait for an answer of the backchannel.
    case notPolling(SessionPhase?)
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
    /// Begin a login without a browser.
    case initiateBackchannel(BackchannelParameters)
    /// Take the provider's answer to the backchannel request.
    case receiveAcceptance(AcceptanceInput)
    /// Take what a poll brought.
    case receivePoll(PollInput)
    /// Send the user away.
    case redirect(Redirection)
    /// Take an account selector's answer.
    case receiveSelection(SelectionInput)
    /// Take what came back through the browser.
    case receiveCallback(CallbackInput)
    /// Take the answer of the token endpoint, or the tokens that a callback brought.
    case receiveTokens(TokenInput)
    /// Check the ID token.
    case verifyToken(VerificationInput)
    /// End the login because a request got no usable answer, or none came at all.
    case fail(Stage, FlowFailure, exchanges: [Exchange] = [])
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
