// SPDX-License-Identifier: Apache-2.0

internal import SessionEvents

/// Something that may have led to a failure.
public struct LikelyCause: Equatable, Sendable, ExpressibleByStringLiteral {
    /// The cause in a sentence.
    public let text: String
    /// What in the events would speak for it.
    let sign: Sign?

    private init(_ text: String, _ sign: Sign?) {
        self.text = text
        self.sign = sign
    }

    /// A cause for or against which no event speaks.
    public init(stringLiteral text: String) {
        self.init(text, nil)
    }

    /// A cause for which a sign in the events speaks.
    static func when(_ sign: Sign, _ text: String) -> LikelyCause {
        LikelyCause(text, sign)
    }
}

/// Something in the events of a session that speaks for or against a cause.
enum Sign: Equatable, Sendable {
    // Of the request.
    case acrNotAsked
    /// A PKCE verifier belongs to the login; never shown, only denied.
    case proofKey
    /// The request was pushed beforehand; never shown, only denied.
    case pushedRequest
    case scopeWithoutOpenID
    // Of the callback.
    case boundState
    case choosingAccount
    case otherResponseMode
    case quickReturn
    case slowReturn
    case unboundState
    // Of polling.
    case gap
    case hurriedPolls
    case neverAnswered
    // Of answers.
    /// The provider gave one of these error codes.
    case error([String])
    case serverError
    case slowAnswer
    /// An answer had this HTTP status.
    case status(Int)
    case unanswered
    case unregisteredError
    // Of the token.
    case reportedKeySet
    case severalFailedChecks
    case slowExchange
    case unsignedToken
    // Of the end.
    case lateEnd
    /// The session ended at this stage.
    case stage(Stage)
    // Of the session.
    case reported
    case timeWentBack
}

/// How the events stand to a sign.
enum Showing: Equatable, Sendable {
    /// They show it.
    case shown(Explanation.Evidence)
    /// They show that it is not so.
    case denied
    /// They say nothing of it.
    case open
}

extension SessionStory {
    /// The causes as the events bear them out: those that something speaks for come first, with
    /// what it is; those that something speaks against are left out.
    func ranked(_ causes: [LikelyCause]) -> [Explanation.Cause] {
        var supported: [Explanation.Cause] = []
        var others: [Explanation.Cause] = []
        for cause in causes {
            switch cause.sign.map(showing) ?? .open {
            case .shown(let evidence):
                supported.append(Explanation.Cause(text: cause.text, evidence: evidence))
            case .open: others.append(Explanation.Cause(text: cause.text, evidence: nil))
            case .denied: break
            }
        }
        return supported + others
    }
}
