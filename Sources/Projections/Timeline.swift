// SPDX-License-Identifier: Apache-2.0

public import LedgerPrimitives
public import SessionEvents

/// An event of a session in plain words. Nothing that is sealed is in it.
public struct TimelineEntry: Equatable, Sendable {
    /// Place in the log.
    public let position: UInt64
    /// Place in the session.
    public let revision: Int
    /// The last word of the event's type.
    public let type: String
    /// When it happened.
    public let time: Instant
    /// What happened.
    public let text: String
    /// The clear members; in place of sealed ones stands `sealed: true`.
    public let data: JSONObject

    /// Describes a recorded event.
    public init(_ event: RecordedEvent) throws(EventDecodingError) {
        let payload = try SessionEventCodec.decode(event)
        position = event.position
        revision = event.envelope.revision
        type = payload.type.word
        time = event.envelope.time
        text = payload.words
        var data = payload.clearMembers
        if event.data["sealed"] != nil || event.data["sealedBlob"] != nil {
            data["sealed"] = .bool(true)
        }
        self.data = data
    }
}

extension SessionEvent {
    /// One sentence for a person. Nothing that is sealed is in it.
    public var words: String {
        switch self {
        case .initiated(let payload):
            "A login with \(payload.provider) began (\(payload.flow.rawValue), "
                + (payload.isLegacy == true ? "legacy, " : "") + "client \(payload.clientID))."
        case .redirected(let payload):
            payload.to == .accountSelector
                ? "The user was sent to choose an account at \(payload.endpoint)."
                : "The user was sent to \(payload.endpoint)"
                    + (payload.usedPAR == true ? ", with a request that was pushed before" : "")
                    + "."
        case .callback(let payload): payload.words
        case .polled(let payload): payload.words
        case .tokenIssued(let payload):
            "The provider issued tokens"
                + (payload.algorithm.map { "; the ID token is signed with \($0)" } ?? "")
                + (payload.encryption == nil ? "" : ", and was encrypted") + "."
        case .verified(let payload):
            "Every check of the ID token passed"
                + (payload.acr.map { " (acr \($0)\(payload.levelWords))" } ?? "")
                + ": the user is logged in."
        case .failed(let payload):
            "The login failed at the stage \(payload.stage.rawValue): \(payload.reason.code)"
                + (payload.error.map { " (the provider said \($0))" } ?? "") + "."
        }
    }
}

extension Verified {
    fileprivate var levelWords: String {
        levelOfAssurance.map { ", level of assurance \($0)" } ?? ""
    }
}

extension CallbackReceived {
    fileprivate var words: String {
        let whence = from == .accountSelector ? "from the account selector" : "from the provider"
        if stateMatched == false {
            return "A callback came \(whence), but its state is not this session's."
        }
        if let error { return "The user came back \(whence) with the error \(error)." }
        return "The user came back \(whence)"
            + (algorithm.map { ", with an answer signed with \($0)" } ?? "") + "."
    }
}

extension Polled {
    private var hintWords: String { hint.map { " (\($0))" } ?? "" }

    fileprivate var words: String {
        switch status {
        case .accepted: "The provider accepted the request" + hintWords + "."
        case .pending: "Poll \(attempt): the user has not answered yet" + hintWords + "."
        case .slowDown: "Poll \(attempt): the provider asks for longer pauses" + hintWords + "."
        case .unavailable: "Poll \(attempt): the provider could not answer."
        case .error: "Poll \(attempt): the provider answered \(error ?? "with an error")."
        }
    }
}
